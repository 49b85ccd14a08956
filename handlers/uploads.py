"""Uploads: taken in sealed, made clean by a child process, kept under a key of their own.

The part file and the row's state are where resumable uploads (tus) will append; until then a file comes in one piece.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import math
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import msgspec

from handlers.errors import Refused
from handlers.media_limits import MIB, Verdict
from handlers.office import Office
from handlers.refusals import REFUSALS
from handlers.scanner import ScannerDown
from storage import uploads
from storage.database import Row
from storage.files import FileGone
from storage.ids import uuid7
from storage.sealing import SealingError, seal_blocks, unseal_blocks

log = logging.getLogger(__name__)

MOST_A_DAY = 300
MOST_BYTES_A_DAY = 1 << 30
KEPT_UNUSED = dt.timedelta(days=7)
_SETTLE_AFTER = dt.timedelta(minutes=2)
_LONGEST_NAME = 255
_BATCH = 200
_ENDINGS = {"image/jpeg": (".jpg", ".jpeg"), "image/png": (".png",), "application/pdf": (".pdf",)}


class Upload(msgspec.Struct, frozen=True):
    """A file handed in, as its owner sees it; `size` and `sha256` are those of the clean file, `refusal` says why there is none."""

    id: str
    state: str
    name: str
    media_type: str
    size: int
    pages: int
    sha256: str
    refusal: str | None = None


async def receive(office: Office, owner_id: str, name: str, blocks: AsyncIterator[bytes], limit: int) -> Upload:
    """Take in a file of at most `limit` bytes; raises Refused with what is wrong with it.

    The answer is `ready`, or `scanning` when the virus scanner is down: then the file waits sealed and unused (`settle`).
    """
    upload_id = await _begin(office, owner_id, tidy(name))
    try:
        row = await _take_in(office, upload_id, blocks, limit)
        await _check_quota(office, owner_id, MOST_BYTES_A_DAY)
        return await _check(office, row)
    except Refused as refusal:
        await _refuse(office, upload_id, refusal.code)
        raise
    except BaseException:
        # The line broke, or we did: the row goes too, nobody has learnt of it.
        await _forget(office, upload_id)
        raise


async def show(office: Office, owner_id: str, upload_id: str) -> Upload:
    """One upload of this owner."""
    return _upload(await _own(office, owner_id, upload_id))


async def open_own(office: Office, owner_id: str, upload_id: str) -> tuple[Upload, AsyncGenerator[bytes, None]]:
    """The content of an owner's upload."""
    return _opened(office, await _own(office, owner_id, upload_id))


async def open_for_office(office: Office, upload_id: str) -> tuple[Upload, AsyncGenerator[bytes, None]]:
    """The content of an upload; who may see it is for the caller to know."""
    return _opened(office, await uploads.by_id(office.database, upload_id))


async def settle(office: Office) -> int:
    """Check what waits because the scanner was down or a process died in between; how many were settled."""
    settled = 0
    for row in await uploads.waiting(office.database, office.clock.now() - _SETTLE_AFTER, _BATCH):
        try:
            settled += (await _check(office, row)).state != "scanning"
        except Refused as refusal:
            await _refuse(office, row["id"], refusal.code)
            settled += 1
    return settled


async def purge(office: Office) -> int:
    """Forget uploads that no case took within a week, and what crashes left behind; how many uploads."""
    before = office.clock.now() - KEPT_UNUSED
    gone = [one for one in await uploads.unused(office.database, before, _BATCH) if await _forget(office, one)]
    await office.files.sweep(before)
    return len(gone)


def tidy(name: str) -> str:
    """A file name to show: no path, no control characters, not too long."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    shown = "".join(character for character in last if character.isprintable()).strip(" .")
    return shown[-_LONGEST_NAME:] or "未命名"


async def _begin(office: Office, owner_id: str, name: str) -> str:
    """The row first, then the count with it in: at the edge many at once may all be refused, never one too many let in."""
    upload_id = uuid7()
    await uploads.begin(office.database, upload_id, owner_id, name, office.clock.now())
    try:
        await _check_quota(office, owner_id, MOST_BYTES_A_DAY - 1, MOST_A_DAY)
    except Refused:
        await uploads.delete_unused(office.database, upload_id)
        raise
    return upload_id


async def _check_quota(office: Office, owner_id: str, most_bytes: int, most: float = math.inf) -> None:
    number, size = await uploads.used_since(office.database, owner_id, office.clock.now() - dt.timedelta(days=1))
    if number > most or size > most_bytes:
        raise Refused("upload_quota", {"retry_after": 3600})


async def _take_in(office: Office, upload_id: str, blocks: AsyncIterator[bytes], limit: int) -> Row:
    """Keep what arrives as a sealed part file: slow phones cost no memory, and nothing readable ever lies on a disk."""
    part, meter = _part(upload_id), _Meter(limit)
    key = office.keys.sealer.new_file_key(_context(upload_id))
    await office.files.put(part, seal_blocks(key.plain, part, meter.through(blocks)))
    await uploads.received(office.database, upload_id, meter.size, key.version, key.wrapped)
    return await _present(office, upload_id)


async def _check(office: Office, row: Row) -> Upload:
    """From a part file to a verdict: scanned, made clean, kept. Raises Refused; stays `scanning` while the scanner is down.

    Two that check the same part at once come to the same file under the same key, and the first to be done settles the row.
    """
    part = _part(row["id"])
    try:
        if office.laundry.scanner and await office.laundry.scanner.finds(_blocks(office, row, part)):
            raise Refused("upload_infected")
        verdict, clean = await office.laundry.clean(row["size"], _blocks(office, row, part))
    except ScannerDown as down:
        log.warning("upload %s waits for its check: %s", row["id"], down)
        return _upload(row)
    except FileGone:
        return _upload(await _present(office, row["id"], "ready"))
    except SealingError:
        raise Refused("upload_broken") from None
    if verdict.refusal:
        raise Refused(verdict.refusal if verdict.refusal in REFUSALS else "upload_broken", {"megabytes": office.upload_limit // MIB})
    kept = await _keep(office, row, verdict, clean)
    await office.files.delete(part)
    return kept


async def _keep(office: Office, row: Row, verdict: Verdict, clean: bytes) -> Upload:
    """The file first, then the row: a crash between leaves a row that says `scanning`, never `ready` without its file."""
    upload_id = row["id"]
    key = office.keys.sealer.unseal(row["key_wrapped"], _context(upload_id))
    await office.files.put(upload_id, seal_blocks(key, upload_id, _once(clean)))
    name, digest = _renamed(row["name"], verdict.media_type), hashlib.sha256(clean).hexdigest()
    kept = await uploads.ready(office.database, upload_id, name, verdict.media_type, len(clean), verdict.pages, digest)
    return _upload(kept or await _present(office, upload_id, "ready"))


async def _present(office: Office, upload_id: str, state: str = "") -> Row:
    """The row as it is now; refused if it went, or came to another state, meanwhile."""
    row = await uploads.by_id(office.database, upload_id)
    if row is None or (state and row["state"] != state):
        raise Refused("upload_broken")
    return row


async def _refuse(office: Office, upload_id: str, code: str) -> None:
    await uploads.refuse(office.database, upload_id, code)
    await office.files.delete(_part(upload_id))


async def _forget(office: Office, upload_id: str) -> bool:
    """The row, then its files: what a crash leaves between is sealed with a key that is gone."""
    if not await uploads.delete_unused(office.database, upload_id):
        return False
    for name in (_part(upload_id), upload_id):
        await office.files.delete(name)
    return True


class _Meter:
    """Counts a file while it passes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0

    async def through(self, blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same blocks; raises Refused("upload_too_large") as soon as they are more than the limit."""
        async for block in blocks:
            self.size += len(block)
            if self.size > self.limit:
                raise Refused("upload_too_large", {"megabytes": self.limit // MIB})
            yield block


async def _own(office: Office, owner_id: str, upload_id: str) -> Row:
    row = await uploads.by_id(office.database, upload_id)
    if row is None or row["owner_id"] != owner_id:
        raise Refused("not_found")
    return row


def _opened(office: Office, row: Row | None) -> tuple[Upload, AsyncGenerator[bytes, None]]:
    if row is None or row["state"] != "ready":
        raise Refused("not_found")
    return _upload(row), _blocks(office, row, row["id"])


async def _blocks(office: Office, row: Row, file: str) -> AsyncGenerator[bytes, None]:
    key = office.keys.sealer.unseal(row["key_wrapped"], _context(row["id"]))
    async with aclosing(office.files.get(file)) as sealed, aclosing(unseal_blocks(key, file, sealed)) as plain:
        async for block in plain:
            yield block


async def _once(block: bytes) -> AsyncIterator[bytes]:
    yield block


def _context(upload_id: str) -> str:
    return f"upload.key_wrapped:{upload_id}"


def _part(upload_id: str) -> str:
    return f"part-{upload_id}"


def _renamed(name: str, media_type: str) -> str:
    """The name with the ending of what the file has become, so that a HEIC photo drawn anew opens as the JPEG it is."""
    endings = _ENDINGS[media_type]
    if name.lower().endswith(endings):
        return name
    stem, dot, ending = name.rpartition(".")
    known = dot and len(ending) <= 5 and ending.isascii()  # noqa: PLR2004 - an ending, not a part of a title with a dot in it
    return (stem if known and stem else name)[: _LONGEST_NAME - 5] + endings[0]


def _upload(row: Row) -> Upload:
    return Upload(row["id"], row["state"], row["name"], row["media_type"], row["size"], row["pages"], row["digest"], row["refusal"])
