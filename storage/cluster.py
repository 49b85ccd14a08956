"""A Redis Cluster as this program uses it: every call touches one key, so every call has one node.

redis-py's own cluster client was read and left aside (8.1): its transactions start a thread with an event loop for
every command that is queued; it asks one fixed node where the key of an XREADGROUP is, so that the death of this node stops the readers
of all the others; and where the plain client waits for a free connection it raises. Here each node has a plain client of its own.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn, Self

from redis import asyncio as aioredis
from redis import exceptions
from redis.commands import AsyncCoreCommands
from redis.crc import key_slot

Address = tuple[str, int]
_Command = tuple[tuple[Any, ...], dict[str, Any]]

_SLOTS = 16384  # Redis Cluster specification, "Key distribution model"
_REDIRECTIONS = 5
_KEYLESS = {"PING", "PUBLISH"}
_GONE = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ClusterDownError, OSError)


class Cluster(AsyncCoreCommands):
    """Commands on one key each, PING and PUBLISH, for the cluster that `seeds` belong to; `connect` makes a plain client of a node.

    A node that says MOVED or ASK did nothing, so the command goes to the other one; after any other error it is the caller who knows
    whether to try again.
    """

    _event_dispatcher: Any = None  # of redis-py's own clients; its commands ask for one

    def __init__(self, seeds: Sequence[Address], connect: Callable[[Address], aioredis.Redis]) -> None:
        self._seeds = tuple(seeds)
        self._connect = connect
        self._clients: dict[Address, aioredis.Redis] = {}
        self._owners: dict[int, Address] = {}
        self._members: set[Address] = set()
        self._silent: set[Address] = set()
        self._is_stale = True
        self._learning = asyncio.Lock()
        self._heard = self._seeds[0]

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """The node's answer. Raises what a plain client raises; ClusterError if its nodes keep naming each other."""
        if args[0] in _KEYLESS:
            return await self._anywhere(*args, **options)
        answers = await self._at_owner([(args, options)], is_batch=False)
        return answers[0]

    def pipeline(self, transaction: bool = True) -> Batch:  # noqa: FBT001, FBT002, ARG002 - the plain client's signature
        """Commands on one key, always as a transaction: only what took effect not at all may follow a key that moved."""
        return Batch(self._at_owner)

    def pubsub(self) -> Any:
        """A subscription at the node that was the last to answer a PING or PUBLISH: each node hears what any of them is told."""
        return self._client(self._heard).pubsub()

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            with suppress(exceptions.RedisError, OSError):
                await client.aclose()

    async def _at_owner(self, commands: Sequence[_Command], *, is_batch: bool) -> list[Any]:
        slot = key_slot(_key(commands[0][0]))
        asked: Address | None = None
        for _ in range(_REDIRECTIONS):
            address = asked or await self._owner(slot)
            try:
                return await _run(self._client(address), commands, is_batch=is_batch, is_asking=asked is not None)
            except exceptions.MovedError as moved:
                asked, self._owners[slot] = None, (moved.host or address[0], moved.port)
                self._is_stale = True  # where one slot went, others did
            except exceptions.AskError as ask:
                asked = (ask.host or address[0], ask.port)
            except _GONE as error:
                self._lose(address, error)
        raise exceptions.ClusterError(f"Slot {slot} is on the move: {_REDIRECTIONS} nodes in turn named another one")

    async def _anywhere(self, *args: Any, **options: Any) -> Any:
        """The answer of the first node that gives one."""
        failure: Exception | None = None
        for address in self._addresses():
            try:
                answer = await _tell(self._client(address), args, options)
            except _GONE as error:
                self._silent.add(address)
                failure = error
            else:
                self._silent.discard(address)
                self._heard = address
                return answer
        raise exceptions.ConnectionError(f"No node of the cluster answers: {failure}") from failure

    def _lose(self, address: Address, error: Exception) -> NoReturn:
        """A node did not answer, or not as one that serves: its slots may have gone to another."""
        self._silent.add(address)
        self._is_stale = True
        raise error

    async def _owner(self, slot: int) -> Address:
        if self._is_stale:
            async with self._learning:
                if self._is_stale:
                    await self._learn()
        try:
            return self._owners[slot]
        except KeyError:
            self._is_stale = True
            raise exceptions.ClusterDownError(f"Slot {slot} is served by no node") from None

    async def _learn(self) -> None:
        """Ask who serves which slots."""
        shards = await self._anywhere("CLUSTER", "SLOTS")
        owners: dict[int, Address] = {}
        members: set[Address] = set()
        for first, last, *nodes in shards:
            addresses = [(_text(host) or self._heard[0], int(port)) for host, port, *_ in nodes]
            owners.update(dict.fromkeys(range(first, last + 1), addresses[0]))
            members.update(addresses)
        self._owners, self._members = owners, members
        self._is_stale = len(owners) < _SLOTS

    def _addresses(self) -> list[Address]:
        """Every node in an order of chance, those that were silent later, and last the seeds, which may have left the cluster."""
        members = random.sample(sorted(self._members), len(self._members))
        return sorted(members, key=self._silent.__contains__) + [seed for seed in self._seeds if seed not in self._members]

    def _client(self, address: Address) -> aioredis.Redis:
        if address not in self._clients:
            self._clients[address] = self._connect(address)
        return self._clients[address]


class Batch(AsyncCoreCommands):
    """Commands on one key, gathered and then executed together or not at all."""

    _event_dispatcher: Any = None

    def __init__(self, run: Callable[..., Awaitable[list[Any]]]) -> None:
        self._run = run
        self._commands: list[_Command] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._commands = []

    def execute_command(self, *args: Any, **options: Any) -> Batch:
        """Keep a command for `execute`."""
        self._commands.append((args, options))
        return self

    async def execute(self) -> list[Any]:
        """The answers in order; raises the first error."""
        commands, self._commands = self._commands, []
        return await self._run(commands, is_batch=True) if commands else []


async def _run(client: aioredis.Redis, commands: Sequence[_Command], *, is_batch: bool, is_asking: bool) -> list[Any]:
    if not (is_batch or is_asking):
        [(args, options)] = commands
        return [await _tell(client, args, options)]
    async with client.pipeline(transaction=is_batch) as pipe:
        if is_asking:  # counts for what comes next on the same connection, be it a whole transaction
            await pipe.immediate_execute_command("ASKING")  # type: ignore[no-untyped-call]  # redis's gap
        for args, options in commands:
            pipe.execute_command(*args, **options)
        return await pipe.execute()


async def _tell(client: aioredis.Redis, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    return await client.execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis's gap


def _key(args: Sequence[Any]) -> bytes:
    """The key of a command, by its place; movable only in the two that say so themselves."""
    if args[0] == "EVAL":
        place = 3
    elif args[0] == "XREADGROUP":
        place = args.index(b"STREAMS") + 1
    else:
        place = 1
    key = args[place]
    return key if isinstance(key, bytes) else str(key).encode()


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
