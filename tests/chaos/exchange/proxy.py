"""A network cable that can be mistreated: a TCP port before a server's unix socket, one for each client.

`cut` holds every byte until `heal` (TCP would repeat them); `half_open` makes the present connections silent for ever without a
FIN, and a peer that speaks into one after `heal` gets a reset, as from a server that has forgotten it; `reset` ends them at once.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from pathlib import Path

_CHUNK = 64 * 1024
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of no seconds: close sends RST, not FIN


class Proxy:
    """One client's way to a server. `delay` is the seconds that every chunk of bytes takes."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.delay = 0.0
        self.connections: set[_Connection] = set()
        self._whole = asyncio.Event()
        self._whole.set()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Begin to listen; the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """End the port and every connection."""
        assert self._server is not None
        self._server.close()
        self._whole.set()
        self.reset()
        while self.connections:
            await asyncio.sleep(0)

    def cut(self) -> None:
        """Nothing passes, nothing is lost: what is sent and who connects waits until the cable is whole."""
        self._whole.clear()

    def half_open(self) -> None:
        """What passes through the present connections from now on is swallowed."""
        for connection in self.connections:
            connection.is_dead = True

    def reset(self) -> None:
        """End the present connections with a reset to the client."""
        for connection in tuple(self.connections):
            connection.reset()

    def heal(self) -> None:
        """New bytes pass at once; dead connections that have something in flight are reset, those that wait stay silent."""
        self.delay = 0.0
        self._whole.set()
        for connection in tuple(self.connections):
            if connection.is_dead:
                connection.is_forgotten = True
                if connection.has_swallowed:
                    connection.reset()

    async def wholeness(self) -> None:
        """Until the cable is not cut."""
        await self._whole.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, reader, writer)
        self.connections.add(connection)
        try:
            with suppress(OSError):
                await connection.run()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self.connections.discard(connection)


class _Connection:
    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.is_dead = self.is_forgotten = self.has_swallowed = False
        self._proxy = proxy
        self._reader = reader
        self._writer = writer

    async def run(self) -> None:
        """Pass bytes both ways until one side ends."""
        await self._proxy.wholeness()
        server, to_server = await asyncio.open_unix_connection(str(self._proxy.target))
        pumps = [asyncio.create_task(self._pump(*ends)) for ends in ((self._reader, to_server), (server, self._writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            to_server.close()
            with suppress(OSError):
                await to_server.wait_closed()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            await asyncio.sleep(self._proxy.delay)
            await self._proxy.wholeness()
            if self.is_forgotten:
                self.reset()
            elif self.is_dead:
                self.has_swallowed = self.has_swallowed or source is self._reader
            else:
                sink.write(data)
                await sink.drain()
        while self.is_dead and not self.is_forgotten:  # the other side ended, and nobody hears of it
            await asyncio.sleep(0.05)

    def reset(self) -> None:
        """End it as a machine does that knows of no such connection."""
        self.is_forgotten = True
        with suppress(OSError):
            self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        self._writer.transport.abort()
