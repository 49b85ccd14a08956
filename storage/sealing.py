"""Sealing: what is personal rests encrypted and bound to its place, so that it can be neither read, moved nor cut short.

A cell: 1 byte format, 2 bytes key version, 12 bytes nonce, AES-256-GCM text with tag; its context is authenticated with it.
A file: 1 byte format, 7 bytes prefix, then chunks of 64 KiB, each under nonce = prefix, 4-byte counter, last flag (the STREAM
construction of Hoang, Reyhanitabar, Rogaway and Vizar, 2015). Each file has a data key of its own, kept wrapped as a cell: to
rotate the sealing key, keys are wrapped anew and files stay.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_SIZE = 32
CHUNK = 65536
"""Plain bytes of a file sealed at a time; 64 KiB is the fastest size on CPython (smaller pays calls, larger allocation)."""

_CELL, _FILE = b"\x01", b"\x02"
_NONCE, _TAG, _VERSION, _PREFIX = 12, 16, 2, 7
_HEAD = 1 + _VERSION + _NONCE
_FILE_HEAD = 1 + _PREFIX
_MOST_CHUNKS = 2**32
_MOST_VERSIONS = 2**16


class SealingError(Exception):
    """Something sealed cannot be opened."""


class Tampered(SealingError):
    """What is stored was changed, cut, moved to another place, or sealed with another key of the same version."""


class KeyMissing(SealingError):
    """The key of this version is not here; the text says which one to bring back."""

    def __init__(self, version: int) -> None:
        super().__init__(f"sealing key {version} is missing: put sealing-{version}.key back into the secrets folder")
        self.version = version


@dataclass(frozen=True, slots=True)
class FileKey:
    """The data key of one file: as it is (for now only, never stored) and wrapped (for its row)."""

    plain: bytes = field(repr=False)
    wrapped: bytes
    version: int


class Sealer:
    """Seals cells and wraps file keys with the current key; opens what any key it holds has sealed."""

    def __init__(self, keys: Mapping[int, bytes], current: int) -> None:
        if current not in keys:
            raise KeyMissing(current)
        wrong = [version for version, key in keys.items() if len(key) != KEY_SIZE or not 0 < version < _MOST_VERSIONS]
        if wrong:
            raise ValueError(f"sealing keys are {KEY_SIZE} bytes, versions 1 to {_MOST_VERSIONS - 1}: see version {wrong[0]}")
        self.current = current
        self._ciphers = {version: AESGCM(_derived(key, "cell")) for version, key in keys.items()}
        # The oldest key makes the index, so that a rotation leaves every index searchable.
        self._index_key = _derived(keys[min(keys)], "index")

    def seal(self, plaintext: bytes, context: str) -> bytes:
        """Encrypt a value for the one place that `context` names, e.g. "cases.form_sealed:<id>"."""
        head = _CELL + self.current.to_bytes(_VERSION, "big")
        nonce = os.urandom(_NONCE)
        return head + nonce + self._ciphers[self.current].encrypt(nonce, plaintext, head + context.encode())

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """Decrypt what `seal` made for the same context; raises Tampered or KeyMissing."""
        head, nonce = bytes(sealed[: 1 + _VERSION]), bytes(sealed[1 + _VERSION : _HEAD])
        cipher = self._ciphers.get(version := self.version_of(sealed))
        if cipher is None:
            raise KeyMissing(version)
        try:
            return cipher.decrypt(nonce, bytes(sealed[_HEAD:]), head + context.encode())
        except InvalidTag:
            raise Tampered(f"{context} does not open") from None

    def version_of(self, sealed: bytes) -> int:
        """The version of the key a cell was sealed with; raises Tampered if it is no cell."""
        if len(sealed) < _HEAD + _TAG or sealed[:1] != _CELL:
            raise Tampered("not a sealed value")
        return int.from_bytes(sealed[1 : 1 + _VERSION], "big")

    def reseal(self, sealed: bytes, context: str) -> bytes:
        """The same value under the current key; unchanged if it already is."""
        return sealed if self.version_of(sealed) == self.current else self.seal(self.unseal(sealed, context), context)

    def new_file_key(self, context: str) -> FileKey:
        """A data key for one new file, wrapped for the place `context`, e.g. "upload.key_wrapped:<id>"."""
        plain = os.urandom(KEY_SIZE)
        return FileKey(plain, self.seal(plain, context), self.current)

    def blind_index(self, value: str, purpose: str) -> str:
        """A keyed fingerprint to look a sealed value up by (64 hex digits); each purpose has its own. Stays the same through rotation."""
        key = hmac.digest(self._index_key, purpose.encode(), sha256)
        return hmac.digest(key, value.encode(), sha256).hex()


async def seal_blocks(key: bytes, file_id: str, blocks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """A file's plain blocks (any sizes) as sealed ones, bound to `file_id`. The key belongs to one file, or to few: prefixes are random."""
    cipher, prefix, aad = AESGCM(key), os.urandom(_PREFIX), file_id.encode()
    yield _FILE + prefix
    number, held = 0, bytearray()
    async for block in blocks:
        held += block
        whole = (len(held) - 1) // CHUNK if held else 0
        if whole:
            yield b"".join(cipher.encrypt(_nonce(prefix, number + n), held[n * CHUNK : (n + 1) * CHUNK], aad) for n in range(whole))
            number += whole
            del held[: whole * CHUNK]
    yield cipher.encrypt(_nonce(prefix, number, last=True), held, aad)


async def unseal_blocks(key: bytes, file_id: str, blocks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """The plain blocks of what `seal_blocks` made; raises Tampered at the first chunk that was cut, swapped, dropped or changed.

    Every block given out is genuine, but only a normal end says that the file was whole.
    """
    cipher, aad, size = AESGCM(key), file_id.encode(), CHUNK + _TAG
    prefix, number, held = b"", 0, bytearray()
    async for block in blocks:
        held += block
        if not prefix:
            if len(held) < _FILE_HEAD:
                continue
            prefix = _file_prefix(held)
            del held[:_FILE_HEAD]
        whole = (len(held) - 1) // size if held else 0
        if whole:
            yield b"".join(_open(cipher, _nonce(prefix, number + n), held[n * size : (n + 1) * size], aad) for n in range(whole))
            number += whole
            del held[: whole * size]
    if not prefix:
        raise Tampered("a stored file has lost its head")
    yield _open(cipher, _nonce(prefix, number, last=True), held, aad)


def sealed_size(plain: int) -> int:
    """Bytes that a file of `plain` bytes takes when sealed."""
    return _FILE_HEAD + plain + _TAG * max(1, -(-plain // CHUNK))


def _file_prefix(head: bytearray) -> bytes:
    if head[:1] != _FILE:
        raise Tampered("not a sealed file")
    return bytes(head[1:_FILE_HEAD])


def _open(cipher: AESGCM, nonce: bytes, sealed: bytearray, aad: bytes) -> bytes:
    try:
        return cipher.decrypt(nonce, sealed, aad)
    except InvalidTag:
        raise Tampered("a stored file was changed or is not whole") from None


def _nonce(prefix: bytes, number: int, *, last: bool = False) -> bytes:
    if number >= _MOST_CHUNKS:
        raise ValueError("a sealed file holds at most 256 TiB")
    return prefix + number.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_SIZE, salt=None, info=b"town/" + purpose.encode()).derive(key)
