"""Uploads: taken in sealed, made clean by a child process, kept under a key of their own.

The part file and the row's state are where resumable uploads (tus) will append; until then a file comes in one piece.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
from collections.abc import AsyncIterator

import msgspec

from handlers.errors import Refused
from handlers.media_limits import Verdict
from handlers.office import Office
from storage import uploads
from storage.database import Row
from storage.ids import uuid7
from storage.sealing import seal_blocks, unseal_blocks

MOST_A_DAY = 300
MOST_BYTES_A_DAY = 1 << 30
KEPT_UNUSED = dt.timedelta(days=7)
_LONGEST_NAME = 255
_BATCH = 200


class Upload(msgspec.Struct, frozen=True):
    """A file handed in, as its owner sees it; `size` and `sha256` are those of the clean file."""

    id: str
    state: str
    name: str
    media_type: str
    size: int
    pages: int
    sha256: str


async def receive(office: Office, owner_id: str, name: str, blocks: AsyncIterator[bytes], limit: int) -> Upload:
    """Take in a file of at most `limit` bytes; raises Refused with what is wrong with it."""
    await _check_quota(office, owner_id)
    raw = await _buffered(office, blocks, limit)
    verdict, clean = await office.laundry.clean(raw)
    if verdict.refusal:
        raise Refused(verdict.refusal, {"limit": limit})
    return await _keep(office, owner_id, _tidy(name), verdict, clean)


async def show(office: Office, owner_id: str, upload_id: str) -> Upload:
    """One upload of this owner."""
    return _upload(await _own(office, owner_id, upload_id))


async def open_own(office: Office, owner_id: str, upload_id: str) -> tuple[Upload, AsyncIterator[bytes]]:
    """The content of an owner's upload."""
    row = await _own(office, owner_id, upload_id)
    return _upload(row), _content(office, row)


async def open_for_office(office: Office, upload_id: str) -> tuple[Upload, AsyncIterator[bytes]]:
    """The content of an upload; who may see it is for the caller to know."""
    row = await uploads.by_id(office.database, upload_id)
    if row is None or row["state"] != "ready":
        raise Refused("not_found")
    return _upload(row), _content(office, row)


async def purge(office: Office) -> int:
    """Forget uploads that no case took within a week, and what crashes left behind; how many uploads."""
    before = office.clock.now() - KEPT_UNUSED
    gone = [one for one in await uploads.unused(office.database, before, _BATCH) if await uploads.delete_unused(office.database, one)]
    for upload_id in gone:
        await office.files.delete(upload_id)
    await office.files.sweep(before)
    return len(gone)


async def _buffered(office: Office, blocks: AsyncIterator[bytes], limit: int) -> bytes:
    """The whole file; while it arrives it lies sealed on disk, so that slow phones cost no memory and nothing readable stays behind."""
    part, key = f"part-{uuid7()}", office.keys.sealer.new_file_key("upload.part").plain
    try:
        await office.files.put(part, seal_blocks(key, part, _measured(blocks, limit)))
        raw = bytearray()
        async for block in unseal_blocks(key, part, office.files.get(part)):
            raw += block
        return bytes(raw)
    finally:
        await office.files.delete(part)


async def _measured(blocks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    size = 0
    async for block in blocks:
        size += len(block)
        if size > limit:
            raise Refused("upload_too_large", {"limit": limit})
        yield block


async def _keep(office: Office, owner_id: str, name: str, verdict: Verdict, clean: bytes) -> Upload:
    """The file first, then the row: a crash between leaves a file that nobody knows, never a row without its file."""
    upload_id = uuid7()
    key = office.keys.sealer.new_file_key(f"upload.key_wrapped:{upload_id}")
    await office.files.put(upload_id, seal_blocks(key.plain, upload_id, _once(clean)))
    row: Row = {
        "id": upload_id, "owner_id": owner_id, "state": "ready", "name": name, "media_type": verdict.media_type,
        "size": len(clean), "pages": verdict.pages, "digest": hashlib.sha256(clean).hexdigest(),
        "key_version": key.version, "key_wrapped": key.wrapped, "created_at": office.clock.now(),
    }  # fmt: skip
    await uploads.insert(office.database, row)
    return _upload(row)


async def _check_quota(office: Office, owner_id: str) -> None:
    number, size = await uploads.used_since(office.database, owner_id, office.clock.now() - dt.timedelta(days=1))
    if number >= MOST_A_DAY or size >= MOST_BYTES_A_DAY:
        raise Refused("upload_quota", {"retry_after": 3600})


async def _own(office: Office, owner_id: str, upload_id: str) -> Row:
    row = await uploads.by_id(office.database, upload_id)
    if row is None or row["owner_id"] != owner_id:
        raise Refused("not_found")
    return row


def _content(office: Office, row: Row) -> AsyncIterator[bytes]:
    key = office.keys.sealer.unseal(row["key_wrapped"], f"upload.key_wrapped:{row['id']}")
    return unseal_blocks(key, row["id"], office.files.get(row["id"]))


async def _once(block: bytes) -> AsyncIterator[bytes]:
    yield block


def _tidy(name: str) -> str:
    """A file name to show: no path, no control characters, not too long."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    shown = "".join(character for character in last if character.isprintable()).strip()
    return shown[-_LONGEST_NAME:] or "未命名"


def _upload(row: Row) -> Upload:
    return Upload(row["id"], row["state"], row["name"], row["media_type"], row["size"], row["pages"], row["digest"])
