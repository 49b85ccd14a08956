"""The TCP door of the embedded server, for programs of departments: closed by default, never open without a password.

The town itself comes by the socket, as the user `default`. As soon as a door was opened once, that user has a password, kept in
a file beside the data; departments get users of their own (storage/redis_acl.py). The server speaks no TLS here: bind the door to
loopback or to an inner network.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import asyncio as aioredis
from redis import exceptions

from storage.errors import StoreUnavailable

USERS = "users.acl"
"""The file of the server's users, in its data folder; the server writes it."""

_PASSWORD = "password"  # noqa: S105 - the name of the file, not what it holds


@dataclass(frozen=True, slots=True)
class Door:
    """Where the server listens beside its socket; port 0: nowhere."""

    host: str = "127.0.0.1"
    port: int = 0


def password_of(data: Path) -> str:
    """The password of the user `default`; empty where none was ever needed."""
    try:
        return (data / _PASSWORD).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def make_password(data: Path) -> str:
    """The password of the user `default`, made and kept before the server hears of it."""
    if not (made := password_of(data)):
        made = secrets.token_urlsafe(32)
        draft = data / f"{_PASSWORD}.new"
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(made)
            file.flush()
            os.fsync(descriptor)
        draft.replace(data / _PASSWORD)
    return made


async def set_door(address: str, data: Path, door: Door) -> None:
    """Open, move or close the door of the server at `address`; raises StoreUnavailable with the setting at fault."""
    try:
        redis: Any
        async with aioredis.Redis.from_url(address) as redis:
            now = await redis.config_get("port", "bind")
            if now == {"port": str(door.port), "bind": door.host} or not (door.port or int(now["port"])):
                return
            if door.port:
                await _lock(redis, data)
            await redis.config_set("port", 0)
            await redis.config_set("bind", door.host)
            await redis.config_set("port", door.port)
    except (exceptions.RedisError, OSError) as error:
        where = f"{door.host}:{door.port} (redis.host, redis.port)"
        raise StoreUnavailable(f"The embedded server cannot listen at {where}: {error}") from error


async def _lock(redis: Any, data: Path) -> None:
    """Give `default` its password, and have it written before anybody can knock."""
    await redis.execute_command("ACL SETUSER", "default", "resetpass", f">{make_password(data)}")
    await redis.execute_command("ACL SAVE")
