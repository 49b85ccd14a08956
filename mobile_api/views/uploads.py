"""Files handed in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import quote, unquote

from aiohttp import web

from handlers import uploads
from handlers.errors import Refused
from handlers.media_limits import MIB
from handlers.office import Office
from handlers.uploads import Upload
from mobile_api.web.bodies import read_upload
from mobile_api.web.caller import Caller

_ENVELOPE = 64 * 1024
"""What the multipart form may hold beside the file, in bytes."""


async def create_upload(request: web.Request, caller: Caller, office: Office) -> Upload:
    """Take in one photo or PDF; `name` may come before the file."""
    limit, name = office.upload_limit, ""
    if (request.content_length or 0) > limit + _ENVELOPE:
        raise Refused("upload_too_large", {"megabytes": limit // MIB})
    async for part in read_upload(request, limit + _ENVELOPE):
        if part.name == "name":
            name = await part.text()
        elif part.name == "file":
            return await uploads.receive(office, caller.account_id, name or readable(part.filename), part.blocks, limit)
    raise Refused("upload_empty")


def readable(name: str) -> str:
    """A file name as it was chosen: some clients send what is not ASCII percent-encoded."""
    try:
        decoded = unquote(name, errors="strict")
    except UnicodeDecodeError:
        return name
    return name if decoded.isascii() else decoded


async def show_upload(id: str, caller: Caller, office: Office) -> Upload:  # noqa: A002 - the path's own word
    """The state of an upload."""
    return await uploads.show(office, caller.account_id, id)


async def show_content(id: str, request: web.Request, caller: Caller, office: Office) -> web.StreamResponse:  # noqa: A002
    """The clean file."""
    upload, blocks = await uploads.open_own(office, caller.account_id, id)
    return await send(request, upload, blocks)


async def send(request: web.Request, upload: Upload, blocks: AsyncGenerator[bytes, None]) -> web.StreamResponse:
    """Stream a kept file so that no browser runs it."""
    async with aclosing(blocks):
        # Asked for before the head goes out: a file that is gone or changed is a problem, not a broken download.
        first = await anext(blocks)
        response = web.StreamResponse(headers=_headers(upload))
        await response.prepare(request)
        await response.write(first)
        async for block in blocks:
            await response.write(block)
        await response.write_eof()
    return response


def _headers(upload: Upload) -> dict[str, str]:
    return {
        "Content-Type": upload.media_type,
        "Content-Length": str(upload.size),
        "Content-Disposition": disposition(upload),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }


def disposition(upload: Upload) -> str:
    """Pictures are shown, papers are saved; the name in both forms of RFC 6266, the plain one for readers that know no other."""
    kind = "inline" if upload.media_type.startswith("image/") else "attachment"
    ending = upload.name.rpartition(".")[2]
    return f"{kind}; filename=\"{upload.id}.{ending}\"; filename*=UTF-8''{quote(upload.name, safe='')}"
