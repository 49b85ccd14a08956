"""Users of Redis for the programs of departments: each may do its work on its own streams, and nothing else (Redis ACL).

From Redis 7 on, selectors tie commands to keys, so that a department can add to its answers but not to its commands. Redis 6.2
knows no selectors: there the same commands hold for all of the department's own streams.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from redis import exceptions

from storage.redis import RedisStore, translated

Version = tuple[int, int]
"""Major and minor version of a server; Valkey answers with the Redis version that it is compatible with."""

_SELECTORS: Version = (7, 0)
_SETINFO: Version = (7, 2)
_ALWAYS = ("ping", "client|setname", "multi", "exec", "discard")
_READING = ("xreadgroup", "xautoclaim", "xack", "xdel", "xgroup|create")
_WRITING = ("xadd",)
_LOOKING = ("xrange", "xlen")


@dataclass(frozen=True, slots=True)
class Reach:
    """The streams of one user: `reads` by the group, acknowledging and deleting; `adds` to, and may see what lies there."""

    reads: tuple[str, ...]
    adds: tuple[str, ...]


def rules(reach: Reach, version: Version, database: int = 0) -> list[str]:
    """What ACL SETUSER takes after the password; `database` is the number that the town uses, for SELECT is needed beyond 0."""
    always = [*_ALWAYS, *(("client|setinfo",) if version >= _SETINFO else ()), *(("select",) if database else ())]
    if version < _SELECTORS:
        return [*_allowed([*always, *_READING, *_WRITING, *_LOOKING]), *_keys("~", (*reach.reads, *reach.adds))]
    return [*_allowed(always), *_selectors(reach)]


def _selectors(reach: Reach) -> list[str]:
    parts = [(_READING, "~", reach.reads), (_WRITING, "~", reach.adds), (_LOOKING, "%R~", reach.adds)]
    return [f"({' '.join([*_allowed(commands), *_keys(kind, keys)])})" for commands, kind, keys in parts]


def _allowed(commands: Iterable[str]) -> list[str]:
    return [f"+{command}" for command in commands]


def _keys(kind: str, keys: Iterable[str]) -> list[str]:
    return [f"{kind}{key}" for key in keys]


def line(name: str, password: str, allowed: Iterable[str]) -> list[str]:
    """The words of ACL SETUSER that make a user exactly this; the password is named by its digest only."""
    return [name, "reset", "on", f"#{hashlib.sha256(password.encode()).hexdigest()}", *allowed]


async def version_of(redis: RedisStore) -> Version:
    """The server's version; raises StoreUnavailable if it does not answer."""
    with translated():
        major, minor, *_ = (await redis.commands.info("server"))["redis_version"].split(".")
    return int(major), int(minor)


async def put_user(redis: RedisStore, words: Iterable[str]) -> None:
    """Make or change a user by the words of `line`; one that has a connection keeps it, under the new rules."""
    with translated():
        await redis.commands.execute_command("ACL SETUSER", *words)


async def drop_user(redis: RedisStore, name: str) -> bool:
    """Remove a user and end its connections; False if there was none."""
    with translated():
        return bool(await redis.commands.execute_command("ACL DELUSER", name))


async def has_user(redis: RedisStore, name: str) -> bool:
    """Whether the server knows a user of this name."""
    with translated():
        return name.encode() in [_bytes(user) for user in await redis.commands.execute_command("ACL USERS")]


async def keep_users(redis: RedisStore) -> bool:
    """Write the users to the server's own file, so that they are there after a restart; False if it has none to write."""
    for command in ("ACL SAVE", "CONFIG REWRITE"):
        with translated(), suppress(exceptions.ResponseError):
            await redis.commands.execute_command(command)
            return True
    return False


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value
