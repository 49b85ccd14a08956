"""A department's way into Redis: its user, and the streams that this user may touch (contract, "Exchange with departments")."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal

from backoffice.lanes import answers_key, commands_key, confirmations_key, lanes_of, taken_key
from handlers.actors import SYSTEM
from handlers.office import Office
from storage import audit
from storage.redis import RedisStore
from storage.redis_acl import Reach, Version, drop_user, keep_users, line, put_user, rules

_PREFIX = "department-"


@dataclass(frozen=True, slots=True)
class Admission:
    """A user to be: its name, its password in plain text, which is kept nowhere, and the words of ACL SETUSER."""

    user: str
    password: str
    words: tuple[str, ...]

    @property
    def command(self) -> str:
        """The command for whoever keeps the Redis, as redis-cli takes it; the password stands in it as a digest only."""
        return " ".join(["ACL SETUSER", *(f'"{word}"' if " " in word else word for word in self.words)])


def user_of(department: str) -> str:
    """The name of a department's user."""
    return f"{_PREFIX}{department}"


def department_of(user: str) -> str:
    """The department whose user has this name; empty if it is nobody's."""
    return user.removeprefix(_PREFIX) if user.startswith(_PREFIX) else ""


def reach_of(department: str, partitions: int) -> Reach:
    """The streams of a department: commands and the town's confirmations to read, answers and its own confirmations to write."""
    lanes = lanes_of({department: partitions})
    return Reach(
        reads=(*map(commands_key, lanes), taken_key(department)),
        adds=(*map(answers_key, lanes), confirmations_key(department)),
    )


def new_admission(department: str, partitions: int, version: Version, database: int = 0) -> Admission:
    """A user with a new random password; nothing is changed in Redis yet."""
    user, password = user_of(department), secrets.token_urlsafe(24)
    return Admission(user, password, tuple(line(user, password, rules(reach_of(department, partitions), version, database))))


async def admit(office: Office, redis: RedisStore, department: str, admission: Admission) -> bool:
    """Let the user in, on record; whether the server will know it after a restart. A user of the same name is replaced."""
    await put_user(redis, admission.words)
    await _on_record(office, "exchange_user.added", department)
    return await keep_users(redis)


async def shut_out(office: Office, redis: RedisStore, department: str) -> bool:
    """Remove a department's user and end its connections, on record; False if there was none."""
    if not await drop_user(redis, user_of(department)):
        return False
    await _on_record(office, "exchange_user.removed", department)
    await keep_users(redis)
    return True


async def _on_record(office: Office, action: Literal["exchange_user.added", "exchange_user.removed"], department: str) -> None:
    await audit.record(
        office.database, at=office.clock.now(), actor_kind=SYSTEM.kind, actor_id=SYSTEM.id, action=action, object_kind="exchange_user",
        object_id=user_of(department), outcome="done", data={"department": department},
    )  # fmt: skip
