"""A small real application with every kind of route the frame knows, for tests of the frame."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from aiohttp import web

from handlers.errors import Refused
from mobile_api.web.bodies import read_upload
from mobile_api.web.caller import Caller
from mobile_api.web.idempotency import Once
from mobile_api.web.metrics import metrics
from mobile_api.web.operation import MULTIPART, Answer, Language, Route, Who, get, post, put
from storage.database import Database, Transaction

CALLERS = {
    "resident": Caller("resident", "0192f0c1-0000-7000-8000-000000000001"),
    "other": Caller("resident", "0192f0c1-0000-7000-8000-000000000002"),
    "clerk": Caller("staff", "0192f0c1-0000-7000-8000-000000000003", role="clerk"),
}


class Door:
    """Holds a view until the test lets it go on."""

    def __init__(self) -> None:
        self.entered, self.open, self.passed = asyncio.Event(), asyncio.Event(), asyncio.Event()


class Gate:
    """Tokens are names of callers."""

    async def authenticate(self, token: str) -> Caller:
        if token not in CALLERS:
            raise Refused("not_logged_in")
        return CALLERS[token]


class Thing(msgspec.Struct, forbid_unknown_fields=True):
    """A thing."""

    name: Annotated[str, msgspec.Meta(max_length=20)] = ""
    count: Annotated[int, msgspec.Meta(ge=0)] = 0
    form: dict[str, Any] = {}


class ThingQuery(msgspec.Struct, forbid_unknown_fields=True):
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    urgent: bool = False
    tag: list[str] = []


class Received(msgspec.Struct):
    sizes: list[int]


async def hello(language: Language) -> Thing:
    """Greet."""
    return Thing(language)


async def show(n: int, query: ThingQuery, caller: Caller) -> Answer[Thing]:
    """Show a thing."""
    return Answer(Thing(caller.kind, query.limit, {"urgent": query.urgent, "tag": query.tag}), etag=n)


async def echo(body: Thing) -> Thing:
    """Give a thing back."""
    return body


async def change(n: int, if_match: int, body: Thing) -> Answer[Thing]:
    """Change a thing."""
    if if_match != n:
        raise Refused("precondition_failed")
    return Answer(body, etag=n + 1)


async def forget(caller: Caller) -> None:
    """Nothing to say."""


async def create(body: Thing, caller: Caller, database: Database, door: Door, once: Once) -> Answer[Thing]:
    """Make a thing: a row in `counter` is its effect. One that is called "late" waits at the door first."""
    if body.name == "late":
        door.entered.set()
        await door.open.wait()

    async def act(settle: Callable[[Transaction, Thing], Any]) -> Thing:
        async with database.transaction() as tx:
            await tx.execute(
                "INSERT INTO counter (name, value) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET value = counter.value + 1", body.name
            )
            await settle(tx, body)
        return body

    return await once.settled(act, lambda made: Answer(made, 201, {"Location": f"/things/{made.name}"}, etag=1))


async def receive(request: web.Request) -> Received:
    """Count what is uploaded."""
    return Received([sum([len(block) async for block in part.blocks]) async for part in read_upload(request, 100_000)])


async def wait(door: Door) -> Thing:
    """Wait at the door."""
    door.entered.set()
    await door.open.wait()
    door.passed.set()
    return Thing("through")


async def fail(caller: Caller) -> Thing:
    """Go wrong."""
    raise ValueError("secret 110101199001011234")


async def pour(request: web.Request, door: Door) -> web.StreamResponse:
    """Answer without end, until the connection is gone."""
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b"x" * 65536)
    finally:
        door.passed.set()


def table() -> list[Route]:
    anyone, resident, account = Who.ANYONE, Who.RESIDENT, Who.ACCOUNT
    return [
        get("/hello", hello, anyone, summary="问候", tag="things"),
        get("/things/{n}", show, account, summary="查看", tag="things"),
        post("/things", create, resident, summary="新建", tag="things", status=201, idempotency="required"),
        post("/echo", echo, anyone, summary="回显", tag="things"),
        put("/things/{n}", change, anyone, summary="修改", tag="things", if_match=True),
        post("/forget", forget, account, summary="遗忘", tag="things"),
        post("/uploads", receive, anyone, summary="上传", tag="uploads", takes=MULTIPART),
        post("/wait", wait, resident, summary="等候", tag="things", idempotency="accepted"),
        get("/fail", fail, Who.STAFF, summary="出错", tag="things"),
        get("/pour", pour, anyone, summary="长流", tag="things", gives="application/octet-stream"),
        get("/costly", hello, anyone, summary="昂贵", tag="things", pace="costly"),
        get("/metrics", metrics, anyone, summary="指标", tag="server", root=True),
    ]


def as_(who: str, **more: str) -> dict[str, str]:
    """Headers of a caller."""
    return {"Authorization": f"Bearer {who}", **more}
