"""Reading what was sent, within limits of size and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, MultipartReader, hdrs, web

from handlers.errors import Refused
from mobile_api.web.operation import JSON, MULTIPART

MAX_PARTS = 10
_BLOCK = 65536


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How much a JSON body may hold (bytes) and how long a body may take (seconds)."""

    json_bytes: int = 1024 * 1024
    seconds: float = 20.0
    upload_seconds: float = 300.0


BODY_LIMITS: web.AppKey[BodyLimits] = web.AppKey("body_limits", BodyLimits)


async def read_json(request: web.Request, limits: BodyLimits) -> bytes:
    """A JSON body; refused before it is read if it is no JSON or announces itself as too large."""
    if request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower() != JSON:
        raise Refused("unsupported_media_type", {"expected": JSON})
    return await read_whole(request, limits)


async def read_whole(request: web.Request, limits: BodyLimits) -> bytes:
    """A whole body of any type, within the limits of JSON."""
    if (request.content_length or 0) > limits.json_bytes:
        raise Refused("too_large", {"limit": limits.json_bytes})
    if request.content.is_eof():
        body = await request.read()
    else:
        async with _in_time(limits.seconds):
            body = await request.read()
    if len(body) > limits.json_bytes:
        raise Refused("too_large", {"limit": limits.json_bytes})
    return body


@dataclass(slots=True)
class Part:
    """One part of an upload: its field name, the name of its file ("" if it is none) and its blocks of bytes."""

    name: str
    filename: str
    blocks: AsyncIterator[bytes] = field(repr=False)

    async def text(self, limit: int = 1024) -> str:
        """The whole part as text, at most `limit` bytes."""
        held = b""
        async for block in self.blocks:
            held += block
            if len(held) > limit:
                raise Refused("too_large", {"limit": limit})
        try:
            return held.decode()
        except UnicodeDecodeError:
            raise _malformed() from None


async def read_upload(request: web.Request, limit: int) -> AsyncIterator[Part]:
    """The parts of a multipart upload, one after the other; `limit` is the most bytes of all parts together.

    Take each part's `blocks` (or leave them) before asking for the next part. Refused: "unsupported_media_type", "bad_upload",
    "too_large", "too_slow".
    """
    if request.content_type != MULTIPART:
        raise Refused("unsupported_media_type", {"expected": MULTIPART})
    if (request.content_length or 0) > limit + MAX_PARTS * 1024:
        raise Refused("too_large", {"limit": limit})
    deadline = asyncio.get_running_loop().time() + request.app[BODY_LIMITS].upload_seconds
    meter = _Meter(limit, deadline)
    async with _readable(deadline):
        reader = await request.multipart()
    for _ in range(MAX_PARTS):
        part = await _next_part(reader, deadline)
        if part is None:
            return
        blocks = meter.blocks(part)
        yield Part(part.name or "", part.filename or "", blocks)
        async for _ in blocks:
            pass  # what nobody took is counted too
    if await _next_part(reader, deadline) is not None:
        raise _malformed()


class _Meter:
    """Counts the bytes of all parts of one upload."""

    def __init__(self, limit: int, deadline: float) -> None:
        self._limit = limit
        self._left = limit
        self._deadline = deadline

    async def blocks(self, part: BodyPartReader) -> AsyncIterator[bytes]:
        """The part's bytes as they come."""
        while True:
            async with _readable(self._deadline):
                block = await part.read_chunk(_BLOCK)
            if not block:
                return
            self._left -= len(block)
            if self._left < 0:
                raise Refused("too_large", {"limit": self._limit})
            yield block


async def _next_part(reader: MultipartReader, deadline: float) -> BodyPartReader | None:
    async with _readable(deadline):
        part: Any = await reader.next()
    if part is None or (isinstance(part, BodyPartReader) and hdrs.CONTENT_ENCODING not in part.headers):
        return part
    raise _malformed()  # parts within parts, or compressed ones: no browser and no phone sends them


@asynccontextmanager
async def _readable(deadline: float) -> AsyncIterator[None]:
    """Turn what aiohttp raises on malformed multipart into a refusal."""
    left = deadline - asyncio.get_running_loop().time()
    try:
        async with _in_time(max(left, 0)):
            yield
    except (Refused, ConnectionError, asyncio.CancelledError, web.HTTPException):
        raise
    except Exception:  # noqa: BLE001 - aiohttp documents no list of what its multipart parser raises
        raise _malformed() from None


@asynccontextmanager
async def _in_time(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Refused("too_slow") from None


def _malformed() -> Refused:
    return Refused("bad_upload", {"parts": MAX_PARTS})
