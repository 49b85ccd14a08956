"""What the frame costs: the same JSON through all of it (request id, log-in, pace, log line, metrics) and from aiohttp alone.

Each server is a process of its own on one core, the clients are on another; rounds alternate, so that a noisy machine
disturbs both. Prints one JSON line; `./run bench bare` compares it with its target.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import msgspec
from aiohttp import web

from mobile_api.web.caller import AUTHENTICATOR, Caller
from mobile_api.web.frame import FrameOptions, install
from mobile_api.web.logs import log_to
from mobile_api.web.operation import Who, get
from mobile_api.web.pace import Pace
from mobile_api.web.server import listen, run

TARGET = 0.6
ROUNDS = 7
SECONDS = 1.5
CONNECTIONS = 32
PATH = "/api/v1/cases/0192f0c1-7b1c-7d5e-9c55-3f1d2a5b9e10"


class Progress(msgspec.Struct):
    """About 300 bytes of a case's progress."""

    number: str
    state: str
    text: str
    steps: list[str]


PROGRESS = Progress("130208108-2026-000123", "in_review", "正在联合审查，预计三个工作日内答复。", ["受理", "审查", "决定", "送达"] * 4)
CALLER = Caller("resident", "0192f0c1-7b1c-7d5e-9c55-3f1d2a5b9e11")


class Everyone:
    """An authenticator that costs nothing, for the frame is what is measured."""

    async def authenticate(self, _token: str) -> Caller:
        """The same caller for every token."""
        return CALLER


async def show(id: str, caller: Caller) -> Progress:  # noqa: A002, ARG001 - as a view takes them
    """A view that has its answer at hand."""
    return PROGRESS


async def bare(_request: web.Request) -> web.Response:
    """The same answer by aiohttp alone."""
    return web.Response(body=msgspec.json.encode(PROGRESS), content_type="application/json")


async def serve(kind: str) -> None:
    """Serve until killed; prints the port."""
    app = web.Application()
    if kind == "frame":
        log_to(Path(os.environ["BARE_LOG"]).open("w", encoding="utf-8"))  # noqa: ASYNC230, SIM115 - open as long as the process lives
        app[AUTHENTICATOR] = Everyone()
        options = FrameOptions(paces={"read": Pace(6e9, 10**6)})
        install(app, [get("/cases/{id}", show, Who.RESIDENT, summary="", tag="")], {}, options)
        runner: web.AppRunner = await listen(app, "127.0.0.1", 0)
    else:
        app.router.add_get("/api/v1/cases/{id}", bare)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


class Client(asyncio.Protocol):
    """One keep-alive connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.answers = 0
        self.held = b""
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self.transport = transport
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Count a whole answer (head, then as many bytes as it announces) and ask again."""
        self.held += data
        head, found, body = self.held.partition(b"\r\n\r\n")
        if not found:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode())
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            self.held = b""
            self.answers += 1
            self.transport.write(self.request)


async def load(port: int) -> float:
    """Requests a second that a server answers."""
    request = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer token-of-a-resident\r\nAccept: */*\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    pairs = [await loop.create_connection(lambda: Client(request), "127.0.0.1", port) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    await asyncio.sleep(SECONDS)
    answers = sum(client.answers for _, client in pairs)
    seconds = time.perf_counter() - started
    for transport, _ in pairs:
        transport.abort()
    return answers / seconds


@contextlib.contextmanager
def server(kind: str, core: int) -> Iterator[int]:
    """A server process pinned to one core; gives its port."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "BARE_LOG": f"{folder}/log"}
        with Popen([sys.executable, __file__, kind, str(core)], stdout=PIPE, env=environment) as process:
            try:
                assert process.stdout is not None  # noqa: S101
                yield int(process.stdout.readline())
            finally:
                process.terminate()


def pin(core: int) -> None:
    """Stay on one core, where the system knows how."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def measure() -> dict[str, object]:
    """The medians of all rounds, and their ratio."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    pin(cores[-1])
    rates: dict[str, list[float]] = {"frame": [], "bare": []}
    with server("frame", cores[0]) as frame_port, server("bare", cores[0]) as bare_port:
        for _ in range(ROUNDS):
            rates["bare"].append(run(load(bare_port)))
            rates["frame"].append(run(load(frame_port)))
    value, baseline = (statistics.median(rates[kind]) for kind in ("frame", "bare"))
    ratio = statistics.median(ours / theirs for ours, theirs in zip(rates["frame"], rates["bare"], strict=True))
    return {
        "name": "bare",
        "value": round(value),
        "unit": "req/s",
        "baseline": round(baseline),
        "ratio": round(ratio, 3),
        "target": TARGET,
        "holds": ratio >= TARGET,
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        pin(int(sys.argv[2]))
        run(serve(sys.argv[1]))
    else:
        print(json.dumps(measure()))
