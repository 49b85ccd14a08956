"""Load on a server: keep-alive connections that ask again as soon as they are answered, with as little work as possible."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.machine import Server

Requests = Callable[[int], Iterator[bytes]]
"""The whole requests, head and body, that connection number n sends one after the other."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of a measurement gave: how many a second, and the CPU time of the server for each, in microseconds (0: unknown)."""

    rate: float
    cpu_us: float = 0.0


class _Client(asyncio.Protocol):
    """One connection; what is not answered with the wanted status ends the benchmark."""

    def __init__(self, requests: Iterator[bytes], status: bytes) -> None:
        self._requests = requests
        self._status = b"HTTP/1.1 " + status
        self._held = b""
        self._wanted = 0
        self._transport: Any = None
        self.answers = 0
        self.failure = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport = transport
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        """Count a whole answer (head, then as many bytes as it announces) and ask again."""
        held = self._held = self._held + data
        if not self._wanted:
            end = held.find(b"\r\n\r\n")
            if end < 0:
                return
            self._wanted = end + 4 + int(held[:end].lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(held) < self._wanted:
            return
        if not held.startswith(self._status):
            self.failure = held.decode(errors="replace")
            self._transport.abort()
            return
        self._held, self._wanted = b"", 0
        self.answers += 1
        self._transport.write(next(self._requests))


async def load(server: Server, requests: Requests, *, connections: int, seconds: float, status: int = 200) -> Round:
    """Ask for some seconds as fast as the server answers."""
    loop = asyncio.get_running_loop()
    clients = [_Client(requests(number), str(status).encode()) for number in range(connections)]
    transports = [(await loop.create_connection(partial(_same, client), "127.0.0.1", server.port))[0] for client in clients]
    before, cpu, started = sum(client.answers for client in clients), server.cpu_seconds(), time.perf_counter()
    await asyncio.sleep(seconds)
    answers, elapsed = sum(client.answers for client in clients) - before, time.perf_counter() - started
    cpu = server.cpu_seconds() - cpu
    for transport in transports:
        transport.abort()
    if failure := next((client.failure for client in clients if client.failure), ""):
        raise SystemExit(f"The server refused what the benchmark asked:\n{failure[:2000]}")
    return Round(answers / elapsed, cpu / max(1, answers) * 1e6)


def _same(client: _Client) -> _Client:
    return client


def get(path: str, token: str = "") -> bytes:
    """A GET request."""
    login = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n{login}\r\n".encode()


def post(path: str, token: str, key: str, body: bytes) -> bytes:
    """A POST request of JSON with an idempotency key."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
