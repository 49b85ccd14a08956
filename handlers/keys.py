"""The town's keys: one small file each in the secrets folder, several versions readable, the newest in use."""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from storage.errors import Mendable
from storage.sealing import KEY_SIZE, Sealer

KINDS = ("sealing", "token", "receipt", "border")
_NEEDED = ("sealing", "token", "receipt")
"""Nothing can be served without these; a folder from before there were border keys gets one by `mobile-api key create`."""
MARKER = "SANDBOX"
"""A file of this name says that the folder was made for a demonstration; production refuses the folder."""

_NAME = re.compile(r"(sealing|border)-([1-9][0-9]{0,4})\.key|(token)-([a-z])\.key|(receipt)-([A-Z])\.key")
_FIRST = {"sealing": "1", "token": "a", "receipt": "A", "border": "1"}
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ"  # without I, L, O and U, as in Crockford's base 32: a receipt's key letter is printed and typed
_PRIVATE = 0o077


class KeysUnusable(Mendable):
    """The secrets folder does not hold what it must; the text says what and the remedy."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One key as it lies in the folder: kind, id ("2", "b", "B"), and whether it is the one in use."""

    kind: str
    id: str
    path: Path
    in_use: bool


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a running process: what seals, what signs access tokens, what vouches for printed receipts.

    `border` holds Ed25519 seeds (RFC 8032) by version, oldest first: the last one signs what leaves the inner network.
    """

    sealer: Sealer
    token_keys: dict[str, bytes] = field(repr=False)
    token_current: str
    receipt: dict[str, bytes] = field(repr=False)
    receipt_current: str
    border: dict[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, directory: Path) -> Keys:
        """Read every key of the folder; raises KeysUnusable with all that is wrong."""
        found = problems(directory, production=False)
        if found:
            raise KeysUnusable("\n".join(found))
        kept = {kind: {file.id: _read(file.path) for file in key_files(directory) if file.kind == kind} for kind in KINDS}
        sealing = {int(version): key for version, key in kept["sealing"].items()}
        return cls(
            Sealer(sealing, max(sealing)), kept["token"], max(kept["token"]), kept["receipt"], max(kept["receipt"]), kept["border"]
        )  # fmt: skip

    @classmethod
    def create(cls, directory: Path, *, sandbox: bool = False) -> Keys:
        """Make the first key of each kind that has none, never touching one that exists, and load them all.

        `sandbox` marks a folder made by this call as one for demonstrations.
        """
        if sandbox and not list(key_files(directory)):
            _folder(directory)
            (directory / MARKER).write_text("Made for a demonstration. The production profile refuses these keys.\n", encoding="utf-8")
        kinds = {file.kind for file in key_files(directory)}
        for kind in KINDS:
            if kind not in kinds:
                _make(directory, kind, _FIRST[kind])
        return cls.load(directory)


def rotate(directory: Path, kind: str) -> KeyFile:
    """Make the next key of a kind, which is in use from the next start on; the older ones stay readable.

    Raises KeysUnusable when there is no letter left, or no key of this kind to follow.
    """
    used = [file.id for file in key_files(directory) if file.kind == kind]
    if not used:
        raise KeysUnusable(f"{directory} holds no {kind} key yet: the first start makes one, or restore it from your backup")
    following = _after(kind, used[-1])
    return KeyFile(kind, following, _make(directory, kind, following), in_use=True)


def key_files(directory: Path) -> Iterator[KeyFile]:
    """The key files of the folder by kind and age; the last of a kind is in use."""
    names = [path.name for path in directory.iterdir()] if directory.is_dir() else []
    parts = [[part for part in match.groups() if part] for name in names if (match := _NAME.fullmatch(name))]
    for kind in KINDS:
        ids = sorted((id_ for kind_, id_ in parts if kind_ == kind), key=lambda id_: (len(id_), id_))
        yield from (KeyFile(kind, id_, directory / f"{kind}-{id_}.key", id_ == ids[-1]) for id_ in ids)


def problems(directory: Path, production: bool) -> list[str]:  # noqa: FBT001 - a profile, named at every call
    """All that is wrong with the secrets folder, each with its remedy; empty when it can be used."""
    if not directory.is_dir():
        return [f"The secrets folder {directory} does not exist: set secrets.dir, or make keys with `mobile-api key create`."]
    files = list(key_files(directory))
    missing = [kind for kind in _NEEDED if all(file.kind != kind for file in files)]
    found = [
        f"{directory} holds no {kind}-*.key: restore it from your backup, or make one with `mobile-api key create`." for kind in missing
    ]
    found += [
        f"{path} is no key file name: expected sealing-1.key, token-a.key, receipt-A.key or border-1.key." for path in _misnamed(directory)
    ]
    found += [text for path in (directory, *(file.path for file in files)) for text in _open_to_others(path)]
    found += [text for file in files for text in _unreadable(file.path)]
    if production and (directory / MARKER).exists():
        found.append(f"{directory} was made for a demonstration ({MARKER}): make keys in a new folder with `mobile-api key create`.")
    return found


def _misnamed(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob("*.key") if not _NAME.fullmatch(path.name))


def _open_to_others(path: Path) -> list[str]:
    mode = path.stat().st_mode
    wanted = "700" if path.is_dir() else "600"
    return [f"{path} can be read by others: run `chmod {wanted} {path}`."] if mode & _PRIVATE else []


def _unreadable(path: Path) -> list[str]:
    try:
        key = _read(path)
    except (OSError, ValueError) as error:
        return [f"{path} is not a key ({type(error).__name__}): it must hold {KEY_SIZE} bytes in base64. Restore it from your backup."]
    if len(key) != KEY_SIZE:
        return [f"{path} holds {len(key)} bytes, not {KEY_SIZE}: restore it from your backup."]
    if len(set(key)) < KEY_SIZE // 4:
        return [f"{path} is not random: make a key with `mobile-api key rotate`."]
    return []


def _read(path: Path) -> bytes:
    try:
        return base64.b64decode(path.read_bytes().strip(), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _after(kind: str, id_: str) -> str:
    if kind in {"sealing", "border"}:
        return str(int(id_) + 1)
    letters = _LETTERS if kind == "receipt" else _LETTERS.lower()
    place = letters.find(id_) + 1
    if not 0 < place < len(letters):
        raise KeysUnusable(f"no letter is left after {kind}-{id_}.key")
    return letters[place]


def _folder(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def _make(directory: Path, kind: str, id_: str) -> Path:
    """Write a new key whole or not at all; an existing one wins, also against a start at the same moment."""
    _folder(directory)
    path, draft = directory / f"{kind}-{id_}.key", directory / f".{secrets.token_hex(8)}.new"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_SIZE)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return path
    finally:
        draft.unlink()
    return path
