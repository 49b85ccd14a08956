"""What is sealed can be neither read, moved, swapped, cut short nor lengthened."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.sealing import CHUNK, KeyMissing, Sealer, SealingError, Tampered, seal_blocks, sealed_size, unseal_blocks
from tests.support.apart import run_apart

OLD, NEW = os.urandom(32), os.urandom(32)
FILE_KEY = os.urandom(32)
SEALED_CHUNK = CHUNK + 16


async def stream(blocks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block


async def sealed_file(plain: bytes, name: str = "file-1") -> bytes:
    return b"".join([block async for block in seal_blocks(FILE_KEY, name, stream([plain]))])


async def opened_file(sealed: bytes, name: str = "file-1", piece: int = 100_000) -> bytes:
    pieces = [sealed[at : at + piece] for at in range(0, len(sealed), piece)]
    return b"".join([block async for block in unseal_blocks(FILE_KEY, name, stream(pieces))])


def test_a_cell_opens_at_its_own_place_only():
    sealer = Sealer({1: OLD}, 1)
    sealed = sealer.seal(b"32010619900101001X", "resident.id_sealed:a")
    assert sealer.unseal(sealed, "resident.id_sealed:a") == b"32010619900101001X"
    for elsewhere in ("resident.id_sealed:b", "resident.name_sealed:a", ""):
        with pytest.raises(Tampered):
            sealer.unseal(sealed, elsewhere)


def test_the_same_value_never_looks_the_same_twice_and_shows_nothing():
    sealer = Sealer({1: OLD}, 1)
    first, second = (sealer.seal("张三".encode(), "resident.name_sealed:a") for _ in range(2))
    assert first != second
    assert "张三".encode() not in first


def test_every_single_bit_of_a_cell_counts():
    sealer = Sealer({1: OLD}, 1)
    sealed = sealer.seal(b"text", "here")
    for place in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(SealingError):
            sealer.unseal(bytes(changed), "here")


@pytest.mark.parametrize("rubbish", [b"", b"\x01", b"\x00" * 64, b"\x01\x00\x01" + b"\x00" * 27, "明文".encode() * 9])
def test_what_is_no_cell_is_called_tampered(rubbish: bytes):
    with pytest.raises(Tampered):
        Sealer({1: OLD}, 1).unseal(rubbish, "here")


def test_rotation_leaves_old_cells_readable_and_reseals_them_under_the_new_key():
    old = Sealer({1: OLD}, 1).seal(b"text", "here")
    both = Sealer({1: OLD, 2: NEW}, 2)
    assert both.unseal(old, "here") == b"text"
    renewed = both.reseal(old, "here")
    assert (both.version_of(old), both.version_of(renewed)) == (1, 2)
    assert both.reseal(renewed, "here") is renewed
    assert Sealer({2: NEW}, 2).unseal(renewed, "here") == b"text"


def test_a_lost_key_is_named_together_with_the_remedy():
    sealed = Sealer({1: OLD}, 1).seal(b"text", "here")
    with pytest.raises(KeyMissing, match=r"put sealing-1\.key back") as missing:
        Sealer({2: NEW}, 2).unseal(sealed, "here")
    assert missing.value.version == 1


def test_another_key_of_the_same_version_is_called_tampered():
    sealed = Sealer({1: OLD}, 1).seal(b"text", "here")
    with pytest.raises(Tampered):
        Sealer({1: NEW}, 1).unseal(sealed, "here")


@pytest.mark.parametrize("keys", [{1: b"short"}, {0: OLD, 1: OLD}, {1: OLD, 70000: OLD}])
def test_short_keys_and_impossible_versions_are_refused(keys: dict[int, bytes]):
    with pytest.raises(ValueError, match="sealing keys are 32 bytes"):
        Sealer(keys, 1)


def test_the_blind_index_is_keyed_bound_to_its_purpose_and_outlives_a_rotation():
    index = Sealer({1: OLD}, 1).blind_index("13012345678", "phone")
    assert index == Sealer({1: OLD, 2: NEW}, 2).blind_index("13012345678", "phone")
    others = [Sealer({1: OLD}, 1).blind_index("13012345678", "id"), Sealer({1: NEW}, 1).blind_index("13012345678", "phone")]
    assert index not in others
    assert len(index) == 64


def test_a_file_key_travels_wrapped_and_is_bound_to_its_file():
    sealer = Sealer({1: OLD, 2: NEW}, 2)
    key = sealer.new_file_key("upload.key_wrapped:a")
    assert key.version == 2
    assert sealer.unseal(key.wrapped, "upload.key_wrapped:a") == key.plain
    assert repr(key.plain)[2:-1] not in repr(key)
    with pytest.raises(Tampered):
        sealer.unseal(key.wrapped, "upload.key_wrapped:b")


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5])
async def test_a_file_of_any_size_comes_back_whole(size: int):
    plain = os.urandom(size)
    sealed = await sealed_file(plain)
    assert len(sealed) == sealed_size(size)
    for piece in (1000, SEALED_CHUNK, 10**7):
        assert await opened_file(sealed, piece=piece) == plain


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3 * CHUNK // 2), max_size=6), st.integers(1, 2 * CHUNK))
def test_how_a_file_is_cut_into_blocks_does_not_matter(sizes: list[int], piece: int):
    parts = [random.Random(size).randbytes(size) for size in sizes]

    async def there_and_back() -> bytes:
        sealed = b"".join([block async for block in seal_blocks(FILE_KEY, "f", stream(parts))])
        return await opened_file(sealed, "f", piece)

    assert run_apart(there_and_back()) == b"".join(parts)


async def test_a_file_that_was_changed_in_any_way_does_not_open():
    sealed = await sealed_file(os.urandom(4 * CHUNK - 7))
    head, *chunks = sealed[:8], *(sealed[at : at + SEALED_CHUNK] for at in range(8, len(sealed), SEALED_CHUNK))
    changed = {
        "cut": sealed[:-1],
        "cut at a chunk": sealed[: 8 + 2 * SEALED_CHUNK],
        "cut to its head": head,
        "cut to nothing": b"",
        "lengthened": sealed + b"\x00",
        "lengthened by a chunk": sealed + chunks[-1],
        "swapped": b"".join([head, chunks[1], chunks[0], *chunks[2:]]),
        "dropped": b"".join([head, chunks[0], *chunks[2:]]),
        "doubled": b"".join([head, chunks[0], chunks[0], *chunks[1:]]),
        "other head": os.urandom(8) + sealed[8:],
        "other prefix": sealed[:1] + os.urandom(7) + sealed[8:],
        "flipped": sealed[:70000] + bytes([sealed[70000] ^ 1]) + sealed[70001:],
    }
    for how, bytes_ in changed.items():
        with pytest.raises(Tampered):
            assert await opened_file(bytes_) is None, how


async def test_a_file_does_not_open_under_another_name():
    with pytest.raises(Tampered):
        await opened_file(await sealed_file(b"a contract"), "file-2")


async def test_nothing_of_the_plain_text_stays_in_the_sealed_file():
    plain = ("身份证号码 32010619900101001X\n" * 5000).encode()
    sealed = await sealed_file(plain)
    assert not any(plain[at : at + 8] in sealed for at in range(0, len(plain) - 8, 97))
