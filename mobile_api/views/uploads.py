"""Files handed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

from aiohttp import web

from handlers import uploads
from handlers.errors import Refused
from handlers.office import Office
from handlers.uploads import Upload
from mobile_api.web.bodies import read_upload
from mobile_api.web.caller import Caller


async def create_upload(request: web.Request, caller: Caller, office: Office) -> Upload:
    """Take in one photo or PDF; `name` may come before the file."""
    limit, name = office.upload_limit, ""
    async for part in read_upload(request, limit + 64 * 1024):
        if part.name == "name":
            name = await part.text()
        elif part.name == "file":
            return await uploads.receive(office, caller.account_id, name or part.filename, part.blocks, limit)
    raise Refused("upload_empty")


async def show_upload(id: str, caller: Caller, office: Office) -> Upload:  # noqa: A002 - the path's own word
    """The state of an upload."""
    return await uploads.show(office, caller.account_id, id)


async def show_content(id: str, request: web.Request, caller: Caller, office: Office) -> web.StreamResponse:  # noqa: A002
    """The clean file."""
    upload, blocks = await uploads.open_own(office, caller.account_id, id)
    return await send(request, upload, blocks)


async def send(request: web.Request, upload: Upload, blocks: AsyncIterator[bytes]) -> web.StreamResponse:
    """Stream a kept file so that no browser runs it (field note security, U26-U28)."""
    response = web.StreamResponse(
        headers={
            "Content-Type": upload.media_type,
            "Content-Length": str(upload.size),
            "Content-Disposition": f"inline; filename*=UTF-8''{quote(upload.name)}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        }
    )
    await response.prepare(request)
    async for block in blocks:
        await response.write(block)
    await response.write_eof()
    return response
