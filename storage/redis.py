"""Connections to Redis or Valkey, by `redis.asyncio`: the successor of aioredis, merged into redis-py (decision 5).

Three clients, because one cannot serve three ways of waiting: `commands` answer within seconds and are
never repeated by the library, for a repeated XADD is a second entry; `blocking` reads may wait; `listening` carries the bell.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from redis import asyncio as aioredis
from redis import exceptions
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from storage.bell import Bell
from storage.cluster import Address, Cluster
from storage.errors import StoreUnavailable
from storage.tasks import goes_on, together

logger = logging.getLogger("storage")

LONGEST_WAIT = 10.0
"""Seconds that a blocking read may ask the server to wait; more would look like a dead server."""

BELL_CHANNEL = "bell"
_ANSWER_SECONDS = 5.0
_CONNECT_SECONDS = 3.0
_PAUSE_SECONDS = 0.5
_HEALTH_SECONDS = 15
# CLIENT SETINFO is of Redis 7.2 (decision 5), and redis-py reads its own version from the disk for every connection.
_ANONYMOUS: dict[str, Any] = {"driver_info": None}
_REFUSALS_THAT_PASS = ("MISCONF", "NOREPLICAS", "BUSY ")
# redis-py takes the first word away from those that have a class of their own.
_ERRORS_THAT_PASS = (
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
    exceptions.ClusterDownError,
    exceptions.TryAgainError,
    exceptions.AskError,
)


@dataclass(frozen=True, slots=True)
class RedisStore:
    """The clients of one Redis. Replies are bytes. Errors are redis's own: see `translated`."""

    commands: Any
    blocking: Any
    listening: Any
    sentinels: tuple[Any, ...] = ()

    async def close(self) -> None:
        """Close every connection."""
        for client in (self.commands, self.blocking, self.listening, *self.sentinels):
            with suppress(exceptions.RedisError, OSError):
                await client.aclose()


async def connect(url: str, *, connections: int = 50, readers: int = 200, must_answer: bool = True) -> RedisStore:
    """Clients for `redis://`, `rediss://`, `unix://`, `redis+sentinel://h:p,h:p/service?db=0` or `redis+cluster://h:p,h:p`.

    The last two speak TLS with `?tls=true`; `ssl_ca_certs=FILE` names a certificate authority of the town's own. `connections`
    and `readers` bound the connections for commands and for blocking reads. Raises ValueError for another scheme,
    StoreUnavailable if it `must_answer` and nobody does; both name the setting.
    """
    make = _maker(url)
    try:
        store = RedisStore(
            commands=make(connections, socket_timeout=_ANSWER_SECONDS),
            blocking=make(readers, socket_timeout=LONGEST_WAIT + _ANSWER_SECONDS),
            listening=make(2, socket_timeout=LONGEST_WAIT + _ANSWER_SECONDS, health_check_interval=_HEALTH_SECONDS),
            sentinels=tuple(make.sentinels),
        )
    except (ValueError, TypeError) as error:  # an option of the address that redis-py does not take
        raise StoreUnavailable(f"redis.url (MOBILE_API_REDIS__URL) cannot be used: {error}") from error
    if not must_answer:
        return store
    try:
        await store.commands.ping()
    except (exceptions.RedisError, OSError) as error:
        await store.close()
        raise StoreUnavailable(f"redis.url (MOBILE_API_REDIS__URL) cannot be used: {error}") from error
    return store


@contextmanager
def translated() -> Iterator[None]:
    """Redis that cannot be used now, for whatever reason, is StoreUnavailable; an error of the caller's stays what it is."""
    try:
        yield
    except exceptions.ResponseError as error:
        if isinstance(error, _ERRORS_THAT_PASS) or str(error).startswith(_REFUSALS_THAT_PASS):
            raise StoreUnavailable(str(error)) from error
        raise
    except (exceptions.RedisError, OSError) as error:
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error


async def carry_bell(store: RedisStore, bell: Bell, channel: str = BELL_CHANNEL) -> None:
    """Pass this process's rings on to the others and theirs to this one, for ever; a task to be cancelled.

    A ring that is lost on the way costs its listener one poll, so nothing is kept and nothing repeated.
    """
    origin = secrets.token_hex(8)
    rung: set[str] = set()
    wake = asyncio.Event()

    def forward(topic: str) -> None:
        rung.add(topic)
        wake.set()

    bell.forward = forward
    try:
        await together(_send_rings(store, channel, origin, rung, wake), _receive_rings(store, bell, channel, origin))
    finally:
        bell.forward = None


async def _send_rings(store: RedisStore, channel: str, origin: str, rung: set[str], wake: asyncio.Event) -> None:
    while goes_on():
        await wake.wait()
        wake.clear()
        message = "\n".join((origin, *rung))
        rung.clear()
        try:
            with translated():
                await store.commands.publish(channel, message)
        except StoreUnavailable as error:
            logger.warning("The bell of the other processes cannot be rung: %s", error)
            await asyncio.sleep(_PAUSE_SECONDS)


async def _receive_rings(store: RedisStore, bell: Bell, channel: str, origin: str) -> None:
    while True:
        try:
            with translated():
                await store.listening.ping()  # in a cluster the subscription is made at the node that answers this
                async with store.listening.pubsub() as subscription:
                    await subscription.subscribe(channel)
                    await _sound_rings(subscription, bell, origin)
        except StoreUnavailable as error:
            logger.warning("The bell of the other processes cannot be heard: %s", error)
            await asyncio.sleep(_PAUSE_SECONDS)


async def _sound_rings(subscription: Any, bell: Bell, origin: str) -> None:
    while True:
        message = await subscription.get_message(timeout=LONGEST_WAIT)
        if message is None:
            continue
        if message["type"] == "subscribe":
            bell.sound_all()  # what was rung while we did not hear
        elif message["type"] == "message":
            sender, *topics = message["data"].decode().split("\n")
            for topic in topics if sender != origin else ():
                bell.sound(topic)


class _SentinelPool(SentinelConnectionPool, aioredis.BlockingConnectionPool):
    """Connections to the master of the day; who finds all of them taken waits, as with one server."""


class _Maker:
    """Makes clients of one address. Nothing is repeated by the library: who wants to try again says so."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._url = url
        self._scheme = parts.scheme
        self._service = parts.path.strip("/")
        credentials, _, hosts = parts.netloc.rpartition("@")
        user, _, password = credentials.partition(":")
        self._login: dict[str, Any] = {name: unquote(value) for name, value in (("username", user), ("password", password)) if value}
        self._options = dict(parse_qsl(parts.query))
        self._nodes = [_node(host) for host in hosts.split(",")] if self._scheme.startswith("redis+") else []
        self.sentinels: list[Any] = []

    def __call__(self, connections: int, **keywords: Any) -> Any:
        keywords = {"socket_connect_timeout": _CONNECT_SECONDS, "retry": Retry(NoBackoff(), 0), **_ANONYMOUS, **keywords}
        turns = {"max_connections": connections, "timeout": _ANSWER_SECONDS}
        if self._scheme == "redis+cluster":
            return Cluster(self._nodes, lambda address: self._of_cluster(address, {**keywords, **turns}))
        if self._scheme == "redis+sentinel":
            return self._sentinel({**keywords, **turns})
        return aioredis.Redis.from_pool(aioredis.BlockingConnectionPool.from_url(self._url, **keywords, **turns))

    def _of_cluster(self, address: Address, keywords: dict[str, Any]) -> aioredis.Redis:
        """A client of one node."""
        host, port = address
        kind: dict[str, Any] = {"connection_class": aioredis.SSLConnection} if self._has_tls() else {}
        pool = aioredis.BlockingConnectionPool(host=host, port=port, **kind, **self._login, **self._authority(), **keywords)
        return aioredis.Redis.from_pool(pool)

    def _sentinel(self, keywords: dict[str, Any]) -> Any:
        """A client of whichever server is master now; the sentinels themselves answer within the connect time."""
        tls: dict[str, Any] = {"ssl": self._has_tls(), **self._authority()}
        login = {"password": self._options["sentinel_password"]} if "sentinel_password" in self._options else {}
        asked = {"socket_timeout": _CONNECT_SECONDS, "socket_connect_timeout": _CONNECT_SECONDS, "retry": keywords["retry"], **login, **tls}
        asked |= _ANONYMOUS
        sentinel = Sentinel(self._nodes, sentinel_kwargs=asked)  # type: ignore[no-untyped-call]  # redis's gap
        self.sentinels += sentinel.sentinels
        database = int(self._options.get("db", 0))
        return sentinel.master_for(self._service, connection_pool_class=_SentinelPool, db=database, **self._login, **tls, **keywords)

    def _has_tls(self) -> bool:
        return self._options.get("tls") == "true"

    def _authority(self) -> dict[str, Any]:
        return {"ssl_ca_certs": self._options["ssl_ca_certs"]} if self._has_tls() and "ssl_ca_certs" in self._options else {}


def _maker(url: str) -> _Maker:
    scheme = urlsplit(url).scheme
    if scheme not in {"redis", "rediss", "unix", "redis+sentinel", "redis+cluster"}:
        raise ValueError(
            f"redis.url (MOBILE_API_REDIS__URL) must begin with redis://, rediss://, unix://, redis+sentinel:// or "
            f"redis+cluster://, not {scheme or 'nothing'}://"
        )
    return _Maker(url)


def _node(text: str) -> Address:
    """`host:port`, `host` or `[v6]:port`."""
    parts = urlsplit(f"//{text}")
    return parts.hostname or "127.0.0.1", parts.port or 6379
