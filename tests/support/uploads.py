"""What tests of uploads share: sending a file in pieces, reading one back, and looking over a disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from handlers import uploads
from handlers.office import Office
from handlers.uploads import Upload

LIMIT = 20 << 20


async def pieces(data: bytes, size: int = 60_000) -> AsyncIterator[bytes]:
    """The data as a network brings it."""
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def hand_in(office: Office, owner: str, data: bytes, name: str = "照片.jpg") -> Upload:
    """One file handed in."""
    return await uploads.receive(office, owner, name, pieces(data), LIMIT)


async def content(office: Office, owner: str, upload_id: str) -> bytes:
    """One file read back."""
    _, blocks = await uploads.open_own(office, owner, upload_id)
    return b"".join([block async for block in blocks])


def kept(folder: Path) -> list[Path]:
    """Every file under a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def traces(folder: Path, plain: bytes, run: int = 24) -> list[Path]:
    """Files under a folder that hold a run of bytes of a plain file, sampled all along it."""
    samples = {plain[at : at + run] for at in range(0, len(plain) - run, max(1, len(plain) // 400))}
    samples = {sample for sample in samples if len(set(sample)) > 4}
    return [path for path in kept(folder) if any(sample in path.read_bytes() for sample in samples)]
