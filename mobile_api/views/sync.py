"""Events to the phone: long-poll and socket from one position, and the inbox."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import WSCloseCode, WSMsgType, hdrs, web

from handlers import sync
from handlers.errors import Refused
from handlers.office import Office
from handlers.transitions import PUBLIC_STATES
from mobile_api.identity import Identity
from mobile_api.web.caller import Caller
from mobile_api.web.operation import Language
from notifications.wording import words

MOST = 2**53 - 1
"""The largest number that every JSON reader keeps whole."""

HEARTBEAT_SECONDS = 25.0
SEND_SECONDS = 10.0
NOT_LOGGED_IN = 4401  # close code of a socket whose access token ended; connect again with a new one
_ENCODER = msgspec.json.Encoder()


class SyncQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`since` is the `next` of the last answer, 0 at first; `timeout` the seconds to wait for something to happen."""

    since: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = 0
    timeout: Annotated[int, msgspec.Meta(ge=0, le=60)] = 0


class StreamQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`token` is an access token and `lang` the language, for clients that cannot set headers on a socket."""

    since: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = 0
    token: str = ""
    lang: Literal["", "zh", "en"] = ""


class InboxQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of the inbox, newest first."""

    cursor: Annotated[int, msgspec.Meta(ge=1, le=MOST)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 30


class Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything up to event number `to` has been read."""

    to: Annotated[int, msgspec.Meta(ge=0, le=MOST)]


class Unread(msgspec.Struct, frozen=True):
    """How many events are unread."""

    unread: int


class EventCase(msgspec.Struct, frozen=True):
    """The case an event is about."""

    id: str
    number: str | None
    item_name: str
    state: str
    public_state: str


class EventView(msgspec.Struct, frozen=True):
    """One event of an account, in words."""

    n: int
    type: str
    at: dt.datetime
    case: EventCase | None
    title: str
    text: str
    data: dict[str, Any]


class SyncAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Events above the position asked from; ask again from `next`. `reset`: read your cases afresh first."""

    events: list[EventView]
    next: int
    unread: int
    reset: bool = False


class InboxPage(msgspec.Struct, frozen=True):
    """A page of events, newest first."""

    items: list[EventView]
    unread: int
    next_cursor: int | None


@dataclass(frozen=True, slots=True)
class _Line:
    """Who listens to which events: asked again before every answer, because a log-in may end while somebody waits."""

    office: Office
    identity: Identity
    account_id: str
    token: str

    async def follow(self, since: int, patience: float) -> sync.Page | None:
        """Events above a position, or None when the log-in ended; what woke us without an event may have been the log-out."""
        page = await sync.follow(self.office, self.account_id, since, patience)
        return page if await self.identity.still(self.token, afresh=not page.events and patience > 0) else None


async def poll(
    request: web.Request, query: SyncQuery, caller: Caller, office: Office, identity: Identity, language: Language
) -> SyncAnswer:
    """Events since a position, waiting for the next one if there is none."""
    page = await _Line(office, identity, caller.account_id, _token(request)).follow(query.since, query.timeout)
    if page is None:
        raise Refused("not_logged_in")
    return _answer(page, language)


async def stream(
    request: web.Request, query: StreamQuery, caller: Caller, office: Office, identity: Identity, language: Language
) -> web.StreamResponse:
    """The same answers over a WebSocket, each as soon as it exists; closed with 4401 when the log-in or its access token ends."""
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=4096, compress=False)
    await socket.prepare(request)
    line = _Line(office, identity, caller.account_id, _token(request) or query.token)
    writer = asyncio.create_task(_write(socket, line, query.since, query.lang or language))
    try:
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
    return socket


async def inbox(query: InboxQuery, caller: Caller, office: Office, language: Language) -> InboxPage:
    """The account's messages."""
    events, unread = await sync.inbox(office, caller.account_id, query.cursor, query.limit)
    more = events[-1].n if len(events) == query.limit and events[-1].n > 1 else None
    return InboxPage([_event(event, language) for event in events], unread, more)


async def read(body: Read, caller: Caller, office: Office) -> Unread:
    """Mark messages as read."""
    return Unread(await sync.read(office, caller.account_id, body.to))


async def _write(socket: web.WebSocketResponse, line: _Line, since: int, language: Language) -> None:
    """One writer a socket: a phone that stopped reading holds up nobody else and is let go after a while."""
    first = True
    try:
        while not socket.closed:
            page = await line.follow(since, 0 if first else HEARTBEAT_SECONDS)
            if page is None:
                await socket.close(code=NOT_LOGGED_IN)
                return
            if first or page.events or page.reset:
                async with asyncio.timeout(SEND_SECONDS):
                    await socket.send_str(_ENCODER.encode(_answer(page, language)).decode())
            since, first = page.next, False
    except (TimeoutError, ConnectionError):
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)


def _token(request: web.Request) -> str:
    """The access token of the header, which the frame has checked."""
    return request.headers.get(hdrs.AUTHORIZATION, "")[len("Bearer ") :].strip()


def _answer(page: sync.Page, language: Language) -> SyncAnswer:
    return SyncAnswer([_event(event, language) for event in page.events], page.next, page.unread, page.reset)


def _event(event: sync.AccountEvent, language: Language) -> EventView:
    title, text = words(event.type, event.data, language)
    return EventView(event.n, event.type, event.occurred_at, _case(event), title, text, event.data)


def _case(event: sync.AccountEvent) -> EventCase | None:
    if event.case_id is None:
        return None
    state = event.data.get("state", "")
    return EventCase(event.case_id, event.data.get("number"), event.data.get("item_name", ""), state, PUBLIC_STATES.get(state, ""))
