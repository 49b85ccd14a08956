"""Queues behind TLS. The embedded Valkey is built without it, so a front that ends TLS stands before the real server."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from storage.errors import StoreUnavailable
from storage.redis import connect
from storage.streams import Streams
from tests.support.clusters import Server, until

pytestmark = pytest.mark.slow


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A certificate of `localhost` that is its own authority, its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "authority.pem"
    path.write_bytes(certificate.public_bytes(pem) + private)
    return path


@asynccontextmanager
async def front(server: Server, authority: Path) -> AsyncIterator[int]:
    """TLS on a port of its own, the server behind it; the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority)
    passing: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", server.port)
        for source, target in ((reader, inner_writer), (inner_reader, writer)):
            passing.add(asyncio.create_task(_pass_on(source, target)))

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        await asyncio.gather(*passing)


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    target.close()


async def _serves(url: str) -> None:
    store = await connect(url)
    try:
        streams = Streams(store.commands, store.blocking)
        assert await streams.read("q:{MZ.0}", 10, 0.01) == []
        ids = await streams.publish("q:{MZ.0}", [b"1", b"2"], cap=10)
        assert [entry.id for entry in await streams.read("q:{MZ.0}", 10, 1)] == ids
        await streams.remove("q:{MZ.0}", ids)
        assert await streams.depth("q:{MZ.0}") == 0
    finally:
        await store.close()


async def test_one_server_is_reached_by_tls_and_its_certificate_is_checked(tmp_path: Path, authority: Path) -> None:
    server = Server(tmp_path, "")
    await server.start()
    try:
        async with front(server, authority) as port:
            await _serves(f"rediss://localhost:{port}?ssl_ca_certs={authority}")
            with pytest.raises(StoreUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                await connect(f"rediss://localhost:{port}")
            with pytest.raises(StoreUnavailable):
                await connect(f"redis://localhost:{port}")
    finally:
        await server.kill()


async def test_a_cluster_is_reached_by_tls_and_its_certificates_are_checked(tmp_path: Path, authority: Path) -> None:
    node = Server(tmp_path, "cluster-enabled yes\n")
    await node.start()
    try:
        async with front(node, authority) as port:
            await node.ask("CONFIG", "SET", "cluster-announce-hostname", "localhost")
            await node.ask("CONFIG", "SET", "cluster-preferred-endpoint-type", "hostname")
            await node.ask("CONFIG", "SET", "cluster-announce-client-port", port)
            await node.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            await until(lambda: _is_whole(node), "a whole cluster")
            await _serves(f"redis+cluster://localhost:{port}?tls=true&ssl_ca_certs={authority}")
            with pytest.raises(StoreUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                await connect(f"redis+cluster://localhost:{port}?tls=true")
    finally:
        await node.kill()


async def _is_whole(node: Server) -> bool:
    return bool((await node.ask("CLUSTER INFO"))["cluster_state"] == "ok")
