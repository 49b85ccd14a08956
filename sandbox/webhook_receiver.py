"""A pretend department behind a webhook: `python -m sandbox.webhook_receiver --town URL --code MZ --key-id ID --secret HEX --data FILE`.

A foreign program: it knows the published contract and nothing of this town's code. It checks each signature, opens what comes from
beyond the border, keeps every message before it says 204, and answers later by POST /exchange/v1/messages.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import hashlib
import hmac
import json
import logging
import os
import random
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.department_book import Book
from sandbox.department_ways import FAULTS as WAYS
from sandbox.department_ways import Ways
from sandbox.webhook_answers import Answers
from sandbox.webhook_border import Border, Unreadable

logger = logging.getLogger("sandbox.webhook")

FAULTS = {
    "slow": "take longer to answer than anybody waits",
    "error": "answer 500",
    "busy": "answer 503 and ask for a second's rest",
    "garbage": "answer something that is no HTTP",
    "reset": "take the message in, then cut the connection without an answer",
    "huge": "take the message in, then answer 200 with a body that has no end",
    "redirect": "send the caller to another address",
}
"""Every fault of the connection and what it does; a rate from 0 to 1 each."""

_AFTERWARDS = frozenset({"reset", "huge"})
_WINDOW_SECONDS = 300


@dataclass(slots=True)
class Receiver:
    """The department's web server.

    What it does wrong may be changed while it runs: `faults`, a `status` for everything, 500 for `broken_cases`. It remembers what
    came: `arrivals` are (case, sequence, id) in order, `traces` what request and envelope say of the trace, `under_way` the cases of
    the requests it is at.
    """

    code: str
    key_id: str
    secret: bytes
    book: Book
    ways: Ways
    border: Border | None = None
    faults: dict[str, float] = field(default_factory=dict)
    status: int = 0
    broken_cases: set[str] = field(default_factory=set)
    arrivals: list[tuple[str, int, str]] = field(default_factory=list)
    traces: list[tuple[str, str]] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    most_of_a_line: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    chance: random.Random = field(default_factory=random.Random)
    _nonces: set[str] = field(default_factory=set)

    def application(self) -> web.Application:
        """The server: POST /webhook takes messages, POST /faults sets {fault: rate}."""
        self.gate.set()
        app = web.Application(client_max_size=1024 * 1024)
        app.router.add_post("/webhook", self.receive)
        app.router.add_post("/faults", self.set_faults)
        return app

    async def set_faults(self, request: web.Request) -> web.Response:
        """Misbehave from now on."""
        self.faults = {name: float(rate) for name, rate in (await request.json()).items() if name in FAULTS}
        return web.json_response(self.faults)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """One message: checked, kept, said."""
        body = await request.read()
        if not self._is_signed(request, body):
            return web.Response(status=401, text="signature")
        if self.status:
            return web.json_response({"detail": "本部门不接受这条消息"}, status=self.status)
        if (fault := self._fault()) and fault not in _AFTERWARDS:
            return await self._misbehave(fault, request)
        try:
            answer = await self._take(self._opened(request, body))
        except Unreadable as unreadable:
            return web.Response(status=400, text=str(unreadable))
        return await self._misbehave(fault, request) if fault else answer

    def hold_back(self) -> asyncio.Event:
        """Answer nobody until the event is set."""
        self.gate.clear()
        return self.gate

    async def _take(self, command: Mapping[str, Any]) -> web.Response:
        case_id = command["partitionkey"]
        self.under_way.append(case_id)
        self.most_of_a_line = max(self.most_of_a_line, self.under_way.count(case_id))
        await self.gate.wait()
        self.under_way.remove(case_id)
        if case_id in self.broken_cases:
            return web.Response(status=500)
        self._keep(command)
        return web.Response(status=204)

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        """The contract's signature: fresh, never seen, and made with our secret."""
        date, nonce = request.headers.get("X-Exchange-Date", ""), request.headers.get("X-Exchange-Nonce", "")
        text = "\n".join((request.method, request.raw_path, date, nonce, hashlib.sha256(body).hexdigest()))
        wanted = hmac.new(self.secret, text.encode(), "sha256").hexdigest()
        sound = hmac.compare_digest(wanted, request.headers.get("X-Exchange-Signature", "")) and nonce not in self._nonces
        if not sound or request.headers.get("X-Exchange-Key") != self.key_id:
            return False
        self._nonces.add(nonce)
        return abs(time.time() - dt.datetime.fromisoformat(date).timestamp()) <= _WINDOW_SECONDS

    def _opened(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        if (request.content_type == "application/jose") != (self.border is not None):
            raise Unreadable("wrong content type for this department")
        found: Mapping[str, Any] = json.loads(self.border.open(body) if self.border else body)
        self.traces.append((request.headers.get("traceparent", ""), found.get("traceparent", "")))
        return found

    def _keep(self, command: Mapping[str, Any]) -> None:
        """Keep it, work off what has its turn, and plan the answers, in one transaction."""
        case_id = command["partitionkey"]
        self.book.begin()
        try:
            self.book.keep(self.code, f"{{{self.code}.0}}", command)
            while due := self.book.next_command(self.code, case_id):
                self._work(case_id, due)
            self.book.commit()
        except BaseException:
            self.book.undo()
            raise
        self.arrivals.append((case_id, int(command["sequence"]), command["id"]))

    def _work(self, case_id: str, command: Mapping[str, Any]) -> None:
        if command["type"].endswith("task.withdrawn.v1"):
            self.book.drop(self.code, case_id, command["data"]["task"])
        answers = self.ways.answers(command, lambda what: self.book.once(self.code, case_id, what))
        self.book.plan(self.code, f"{{{self.code}.0}}", command, answers, time.time())

    def _fault(self) -> str:
        return next((name for name, rate in self.faults.items() if self.chance.random() < rate), "")

    async def _misbehave(self, fault: str, request: web.Request) -> web.StreamResponse:
        if fault == "slow":
            await asyncio.sleep(60)
        assert request.transport is not None  # noqa: S101 - the request has just been read from it
        if fault == "reset":
            request.transport.abort()
        if fault == "garbage":
            request.transport.write(b"\x00\xff this is no HTTP\r\n\r\n")
            request.transport.close()
        if fault == "huge":
            return await _endless(request)
        status, headers = _FAULTY.get(fault, (500, {}))
        return web.Response(status=status, headers=headers)


_FAULTY: dict[str, tuple[int, dict[str, str]]] = {
    "busy": (503, {"Retry-After": "1"}),
    "redirect": (307, {"Location": "http://169.254.169.254/latest/meta-data/"}),
}


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(status=200)
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65536)


async def _main(parsed: argparse.Namespace) -> None:
    book = Book(Path(parsed.data))
    chance = random.Random(parsed.seed)
    ways = Ways(f"{parsed.code}部门", parsed.delay, 3600.0, dict(parsed.ways), chance)
    secret = bytes.fromhex(parsed.secret)
    receiver = Receiver(parsed.code, parsed.key_id, secret, book, ways, faults=dict(parsed.faults), chance=chance)
    answers = Answers(parsed.code, parsed.town, parsed.key_id, secret, book)
    runner = web.AppRunner(receiver.application())
    await runner.setup()
    await web.TCPSite(runner, parsed.host, parsed.port).start()
    task = asyncio.ensure_future(answers.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    print(f"webhook of {parsed.code}: http://{parsed.host}:{runner.addresses[0][1]}/webhook", flush=True)  # noqa: T201 - says that it is ready
    try:
        await asyncio.gather(task, return_exceptions=True)
    finally:
        await runner.cleanup()
        book.close()


def _rate(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    if name not in FAULTS | WAYS:
        raise argparse.ArgumentTypeError(f"no fault {name!r}; there are {', '.join(FAULTS | WAYS)}")
    return name, float(rate or 1)


_TOLD = (
    ("--town", "TOWN_URL", "address of the town, where answers go"),
    ("--code", "DEPARTMENT", "the department's code"),
    ("--key-id", "EXCHANGE_KEY", "id of the key that is shared with the town"),
    ("--secret", "EXCHANGE_SECRET", "the key itself, in hex; better in the environment, where no list of processes shows it"),
    ("--data", "STATE_FILE", "file of the department's own records"),
)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sandbox.webhook_receiver", description=__doc__, epilog="; ".join(f"{name}: {does}" for name, does in FAULTS.items())
    )
    for word, name, text in _TOLD:
        parser.add_argument(word, required=name not in os.environ, default=os.environ.get(name), help=f"{text} (environment: {name})")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("WEBHOOK_PORT", "8700")), help="(environment: WEBHOOK_PORT)")
    parser.add_argument("--delay", type=float, default=1.5, help="seconds between the steps of a department")
    parser.add_argument("--faults", action="append", default=[], type=_rate, metavar="NAME=RATE", help="of the connection; may be repeated")
    parser.add_argument("--ways", action="append", default=[], type=_rate, metavar="NAME=RATE", help="of the work; may be repeated")
    parser.add_argument("--seed", type=int, help="makes the faults repeatable")
    return parser.parse_args(words)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(_main(_arguments(None)))
