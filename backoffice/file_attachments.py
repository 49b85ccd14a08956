"""Attachments beside a batch: a department that is reached by files cannot fetch, so what its messages name is laid out for it.

`files/<sha256>`, or `files/<sha256>.jose` encrypted for a department that has a key. What may not be given out any more is
`files/<sha256>.gone`, so that nobody waits for it. The digest in the message vouches for the content.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable
from contextlib import aclosing

import msgspec

from backoffice.border import protect
from backoffice.file_folder import Folder
from backoffice.file_format import Keys
from handlers import grants
from handlers.errors import Refused
from handlers.office import Office
from storage.files import FileGone
from storage.sealing import SealingError

logger = logging.getLogger("backoffice")

_SHA256 = re.compile("[0-9a-f]{64}")
_GONE = "附件已不能提供：任务已结束，或附件已删除。请不要再等待。\n".encode()


class _File(msgspec.Struct, frozen=True):
    sha256: str
    grant: str | None = None


class _Material(msgspec.Struct, frozen=True):
    files: list[_File] = []


class _Data(msgspec.Struct, frozen=True):
    materials: list[_Material] = []


class _Envelope(msgspec.Struct, frozen=True):
    data: _Data


_decoder = msgspec.json.Decoder(_Envelope)


def named_in(envelope: bytes) -> list[_File]:
    """The files that a message of ours names and its department may fetch."""
    materials = _decoder.decode(envelope).data.materials
    return [file for material in materials for file in material.files if file.grant and _SHA256.fullmatch(file.sha256)]


class Attachments:
    """Lays out the attachments of one department; every one given out is on record, as if it had been fetched."""

    def __init__(self, office: Office, department: str, folder: Folder) -> None:
        self._office = office
        self._department = department
        self._folder = folder

    async def lay_out(self, envelopes: Iterable[bytes], keys: Keys) -> None:
        """Write what the messages name and what does not lie there yet."""
        wanted = {file.sha256: file.grant for envelope in envelopes for file in named_in(envelope) if file.grant}
        for digest, grant in wanted.items():
            path = self._folder.files / (f"{digest}.jose" if keys.recipient else digest)
            if not await self._folder.is_there(path):
                await self._lay(digest, grant, keys)

    async def _lay(self, digest: str, grant: str, keys: Keys) -> None:
        folder = self._folder
        content = await self._content(grant)
        if content is None:
            await folder.write(folder.files / f"{digest}.gone", _GONE)
        elif keys.recipient:
            token = await asyncio.to_thread(protect, content, keys.signing, keys.recipient)
            await folder.write(folder.files / f"{digest}.jose", token)
        else:
            await folder.write(folder.files / digest, content)

    async def _content(self, grant: str) -> bytes | None:
        try:
            _, blocks = await grants.open_granted(self._office, self._department, grant)
            async with aclosing(blocks):
                return b"".join([block async for block in blocks])
        except (Refused, FileGone):
            return None
        except SealingError:
            logger.exception("a file that %s was granted cannot be opened; it is told that there is none", self._department)
            return None
