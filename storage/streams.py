"""Redis streams as a fast pipe that may be lost whole. Only commands of Redis 6.2; every call touches one key.

Field `e` of an entry holds the envelope's bytes; each stream has one group. A stream is bounded by back-pressure, never by MAXLEN,
which was measured to drop entries without a word.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from redis import exceptions

from storage.errors import StoreUnavailable

GROUP = "g"
FIELD = b"e"
_LOST = ("NOGROUP", "UNBLOCKED")
_PAGE = 200


class PipeDown(StoreUnavailable):
    """A stream cannot be used now: Redis away, out of memory, loading, read-only, the key spoilt. What was to be sent stays where it is."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.kind = type(error).__name__


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a stream; `body` is None if it was deleted while it was pending, empty if it has no field `e`."""

    id: str
    body: bytes | None


class Streams:
    """Publishing and reading. `commands` and `blocking` are redis.asyncio clients; the second one waits, so that the first never does."""

    def __init__(self, commands: Any, blocking: Any, consumer: str = "office") -> None:
        self._commands = commands
        self._blocking = blocking
        self._consumer = consumer

    async def publish(self, key: str, bodies: Sequence[bytes], cap: int) -> list[str]:
        """Add entries in order until the stream holds `cap`; the ids of those added, all or (on PipeDown) perhaps none."""
        with _translated():
            room = max(0, cap - int(await self._commands.xlen(key)))
            if not bodies[:room]:
                return []
            async with self._commands.pipeline(transaction=True) as pipe:
                for body in bodies[:room]:
                    pipe.xadd(key, {FIELD: body})
                return [_text(added) for added in await pipe.execute()]

    async def read(self, key: str, count: int, wait: float) -> list[Entry]:
        """New entries, after waiting at most `wait` seconds for the first; a lost group is made again."""
        try:
            return await self._read(self._blocking, key, ">", count, max(1, int(wait * 1000)))
        except _GroupLost:
            await self._make_group(key)
            return []

    async def pending(self, key: str) -> AsyncIterator[list[Entry]]:
        """Everything that was read and not yet removed, in pages: at taking over, and after a gap."""
        position = "0"
        while position:
            try:
                entries = await self._read(self._commands, key, position, _PAGE, None)
            except _GroupLost:
                return
            yield entries
            position = entries[-1].id if len(entries) == _PAGE else ""

    async def take_over(self, key: str) -> None:
        """Make every pending entry of the group ours, whoever read it before."""
        start = "0-0"
        while start:
            with _translated():
                try:
                    answer = await self._commands.xautoclaim(key, GROUP, self._consumer, 0, start_id=start, count=_PAGE, justid=False)
                except exceptions.ResponseError as error:
                    if not _is_lost(error):
                        raise
                    return
            start = _text(answer[0]) if _text(answer[0]) != "0-0" else ""

    async def remove(self, key: str, ids: Sequence[str]) -> None:
        """Acknowledge and delete: the stream holds only what nobody has dealt with."""
        if not ids:
            return
        with _translated():
            async with self._commands.pipeline(transaction=True) as pipe:
                pipe.xack(key, GROUP, *ids)
                pipe.xdel(key, *ids)
                await pipe.execute()

    async def bodies(self, key: str, ids: Sequence[str]) -> list[bytes | None]:
        """What the stream holds under each of the ids; None where there is nothing.

        The id alone says nothing: a Redis that came back empty may give it to another entry within the same millisecond.
        """
        if not ids:
            return []
        with _translated():
            async with self._commands.pipeline(transaction=False) as pipe:
                for entry_id in ids:
                    pipe.xrange(key, entry_id, entry_id)
                found = await pipe.execute()
        return [there[0][1].get(FIELD) if there else None for there in found]

    async def present(self, key: str, sent: Sequence[Entry]) -> list[bool]:
        """Whether each of the entries is still in the stream with the same bytes."""
        found = await self.bodies(key, [entry.id for entry in sent])
        return [body is not None and body == entry.body for entry, body in zip(sent, found, strict=True)]

    async def depth(self, key: str) -> int:
        """How many entries a stream holds."""
        with _translated():
            return int(await self._commands.xlen(key))

    async def _read(self, client: Any, key: str, position: str, count: int, block: int | None) -> list[Entry]:
        with _translated():
            try:
                answer = await client.xreadgroup(GROUP, self._consumer, {key: position}, count=count, block=block)
            except exceptions.ResponseError as error:
                if _is_lost(error):
                    raise _GroupLost from error
                raise
        return [_entry(entry_id, fields) for _, entries in _pairs(answer) for entry_id, fields in entries]

    async def _make_group(self, key: str) -> None:
        with _translated():
            try:
                await self._commands.xgroup_create(key, GROUP, id="0", mkstream=True)
            except exceptions.ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise


class _GroupLost(Exception):
    """The stream or its group is gone, or was never there."""


def _is_lost(error: exceptions.ResponseError) -> bool:
    return str(error).startswith(_LOST)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (exceptions.RedisError, OSError) as error:
        raise PipeDown(error) from error


def _entry(entry_id: bytes | str, fields: dict[bytes, bytes] | None) -> Entry:
    return Entry(_text(entry_id), fields.get(FIELD, b"") if fields else None)  # an entry that exists has at least one field


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _pairs(answer: Any) -> Any:
    return answer.items() if isinstance(answer, dict) else answer or ()
