"""The exchange with departments over HTTPS: every request signed (backoffice/signatures.py), nothing of it in need of Redis."""

from __future__ import annotations

import base64
import datetime as dt
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import msgspec
from aiohttp import hdrs, web

from backoffice import pull
from backoffice.border import CONTENT_TYPE
from backoffice.crossing import Border
from backoffice.doorkeeper import Doorkeeper
from backoffice.envelope import Confirmation
from backoffice.intake import MOST, Intake, Verdict
from handlers import grants
from handlers.catalogue import Department
from handlers.errors import Refused
from handlers.office import Office
from handlers.uploads import Upload
from mobile_api.web.bodies import BODY_LIMITS, read_whole
from mobile_api.web.operation import JSON
from mobile_api.web.strictness import decode_strictly
from mobile_api.web.trace import current_trace

CLOUDEVENTS = "application/cloudevents+json"
LONGEST_WAIT = 30

log = logging.getLogger(__name__)
_MOST_POSITION = 2**53 - 1  # what every JSON reader keeps whole


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`after` is the `next` of the last answer, 0 at first; `wait` the seconds to wait if there is nothing."""

    after: Annotated[int, msgspec.Meta(ge=0, le=_MOST_POSITION)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50
    wait: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_WAIT)] = 0


class Posted(msgspec.Struct, frozen=True):
    """A message at its place in the department's journal; the envelope's bytes are those that every repetition has.

    A department beyond the inner network gets them as `protected`, a JWS or JWE (backoffice/border.py).
    """

    position: int
    envelope: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    protected: str | msgspec.UnsetType = msgspec.UNSET


class Messages(msgspec.Struct, frozen=True):
    """Messages in order; ask again from `next`."""

    messages: list[Posted]
    next: int


class Acknowledgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything up to this position has been taken in for good."""

    position: Annotated[int, msgspec.Meta(ge=0, le=_MOST_POSITION)]


class Batch(msgspec.Struct, frozen=True):
    """Several answers in one request; without `messages` the body itself is one."""

    messages: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one message: taken, known, early (send it again later) or set_aside (an officer will look at it)."""

    status: str
    id: str | None = None
    reason: str | None = None


class Receipt(msgspec.Struct, frozen=True):
    """One result a message, in the order they were sent; `confirmations` say how far each case is."""

    results: list[Outcome]
    confirmations: list[Confirmation]


class State(msgspec.Struct, frozen=True):
    """Who is asking, and how the connection stands; `position` is the last one given, `acknowledged` the last one confirmed."""

    department: str
    name: str
    link: str
    state: str
    reason: str | None
    position: int
    acknowledged: int
    is_more: bool
    heard_at: dt.datetime | None
    server_time: dt.datetime


async def messages(request: web.Request, query: Reading, office: Office, door: Doorkeeper, border: Border) -> Messages:
    """Messages behind a position."""
    department, _ = await _admitted(request, door)
    transport = request.transport
    page = await pull.read(office, department, query.after, query.limit, query.wait, lambda: transport is None or transport.is_closing())
    if not department.border:
        return Messages([Posted(position, envelope=msgspec.Raw(body)) for position, body in page.messages], page.next)
    tokens = [(position, await _protected(border, department, body)) for position, body in page.messages]
    return Messages([Posted(position, protected=token) for position, token in tokens], page.next)


async def acknowledge(request: web.Request, office: Office, door: Doorkeeper) -> Acknowledgement:
    """Confirm everything up to a position."""
    department, body = await _admitted(request, door)
    wanted = decode_strictly(body, _ACKNOWLEDGEMENT)
    return Acknowledgement(await pull.acknowledge(office, department, wanted.position))


async def post(request: web.Request, door: Doorkeeper, intake: Intake, border: Border) -> Receipt:
    """Take in answers, at once; from beyond the inner network they come signed and perhaps encrypted."""
    department, body = await _admitted(request, door)
    if department.border or request.content_type == CONTENT_TYPE:
        body = await border.take_in(department, body, request.app[BODY_LIMITS].json_bytes)
    receipt = await intake.take(department, bodies_of(body))
    return Receipt([_outcome(verdict) for verdict in receipt.verdicts], receipt.confirmations)


async def file(grant: str, request: web.Request, office: Office, door: Doorkeeper) -> web.StreamResponse:
    """A file that a task names."""
    department, _ = await _admitted(request, door)
    upload, blocks = await grants.open_granted(office, department.code, grant)
    return await _send(request, upload, blocks)


async def state(request: web.Request, office: Office, door: Doorkeeper) -> State:
    """How the connection stands."""
    department, _ = await _admitted(request, door)
    found = await pull.state(office, department)
    stands = found.standing
    return State(
        department=department.code, name=department.name, link=department.link, state=stands.state, reason=stands.reason,
        position=stands.position, acknowledged=stands.taken, is_more=found.is_more, heard_at=stands.heard_at, server_time=found.server_time,
    )  # fmt: skip


_ACKNOWLEDGEMENT = msgspec.json.Decoder(Acknowledgement)
_BATCH = msgspec.json.Decoder(Batch)


def bodies_of(body: bytes) -> list[bytes]:
    """The exact bytes of each message in a request body; raises Refused for what is no JSON object, or more than MOST of them."""
    try:
        found = _BATCH.decode(body).messages
    except msgspec.ValidationError:
        raise Refused("messages_unreadable", {"most": MOST}) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("not_json", {"reason": "请求体无法读取。", "reason_en": "The body cannot be read."}) from None
    if found is msgspec.UNSET:
        return [body]
    if not 1 <= len(found) <= MOST:
        raise Refused("messages_unreadable", {"most": MOST})
    return [bytes(one) for one in found]


async def _admitted(request: web.Request, door: Doorkeeper) -> tuple[Department, bytes]:
    """Whose request this is, and its body, which is read only when the headers could be right."""
    proof = door.glance(request.headers)
    if request.method == hdrs.METH_POST and request.content_type not in {JSON, CLOUDEVENTS, CONTENT_TYPE}:
        raise Refused("unsupported_media_type", {"expected": f"{JSON}, {CLOUDEVENTS}, {CONTENT_TYPE}"})
    body = await read_whole(request, request.app[BODY_LIMITS])
    department = await door.admit(proof, request.method, request.raw_path, body)
    if (trace := current_trace()) is not None:
        trace.account = department.code
    return department, body


async def _protected(border: Border, department: Department, body: bytes) -> str:
    try:
        return (await border.out(department, body)).decode()
    except LookupError as error:  # this town has no key for the border: nothing leaves
        log.warning("%s waits: %s", department.code, error)
        raise Refused("unavailable") from None


def _outcome(verdict: Verdict) -> Outcome:
    return Outcome(verdict.status, verdict.id, verdict.reason)


async def _send(request: web.Request, upload: Upload, blocks: AsyncGenerator[bytes, None]) -> web.StreamResponse:
    digest = base64.b64encode(bytes.fromhex(upload.sha256)).decode()
    headers = {
        "Content-Type": upload.media_type,
        "Content-Length": str(upload.size),
        "Content-Disposition": "attachment",
        "ETag": f'"{upload.sha256}"',
        "Repr-Digest": f"sha-256=:{digest}:",  # RFC 9530
        "Cache-Control": "private, no-store",
    }
    async with aclosing(blocks):
        # Asked for before the head goes out: a file that is gone or changed is a problem, not a broken download.
        first = await anext(blocks)
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(first)
        async for block in blocks:
            await response.write(block)
        await response.write_eof()
    return response
