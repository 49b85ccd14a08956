"""A department's user of Redis can do all of its work and nothing else: asked of a real server, for every department of the town."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from redis import asyncio as aioredis
from redis import exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from backoffice.access import Admission, admit, new_admission, reach_of, shut_out, user_of
from handlers.office import Office
from mobile_api.tables import load_catalogue
from storage import audit
from storage.redis import RedisStore, connect
from storage.redis_acl import has_user, put_user, rules, version_of
from storage.valkey import EmbeddedValkey
from tests.support.town import small_office
from tests.support.tree import ROOT

__all__ = ["small_office"]

PARTITIONS = {code: one.partitions for code, one in load_catalogue(ROOT / "config").departments.items()}
OLD, NEW = (6, 2), (7, 2)
MAY = {"ping", "multi", "exec", "discard", "xreadgroup", "xautoclaim", "xack", "xdel", "xadd", "xrange", "xlen"}
MAY_SUB = {"client|setname", "client|setinfo", "xgroup|create"}
BEFORE_LOGIN = {"auth", "hello", "quit", "reset"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisStore]:
    """A server of this test's own, as it is about its users."""
    valkey = EmbeddedValkey(tmp_path / "valkey")
    store = await connect(await valkey.start())
    yield store
    await store.close()
    await valkey.stop()


async def let_in(server: RedisStore, department: str, version: tuple[int, int] = NEW) -> aioredis.Redis:
    """A client as the department's program has it."""
    admission = new_admission(department, PARTITIONS[department], version)
    await put_user(server, admission.words)
    return client(server, admission)


def client(server: RedisStore, admission: Admission) -> aioredis.Redis:
    path = server.commands.connection_pool.connection_kwargs["path"]
    once = Retry(NoBackoff(), 0)
    return aioredis.Redis(unix_socket_path=path, username=admission.user, password=admission.password, retry=once)


@pytest.mark.parametrize("version", [OLD, NEW])
async def test_it_can_do_all_of_its_work(server: RedisStore, version: tuple[int, int]):
    await server.commands.xadd("q:{MZ.0}", {"e": b"command"})
    async with await let_in(server, "MZ", version) as mz:
        for stream in ("q:{MZ.0}", "q:{MZ.1}", "taken:{MZ}"):
            await mz.xgroup_create(stream, "g", id="0", mkstream=True)
        found: Any = await mz.xreadgroup("g", "MZ", {"q:{MZ.0}": ">", "q:{MZ.1}": ">", "taken:{MZ}": ">"}, count=10)
        (entry_id, fields) = found[b"q:{MZ.0}"][0][0] if isinstance(found, dict) else found[0][1][0]
        await mz.xautoclaim("q:{MZ.0}", "g", "MZ", 0)
        async with mz.pipeline(transaction=True) as pipe:
            pipe.xadd("ack:{MZ}", {"e": b"confirmed"})
            pipe.xack("q:{MZ.0}", "g", entry_id)
            pipe.xdel("q:{MZ.0}", entry_id)
            done = await pipe.execute()
        answer = await mz.xadd("a:{MZ.1}", {"e": b"answer"})
        there = await mz.xrange("a:{MZ.1}", answer, answer)

    assert fields == {b"e": b"command"}
    assert done[1:] == [1, 1]
    assert there == [(answer, {b"e": b"answer"})]
    assert await server.commands.xlen("q:{MZ.0}") == 0


FORBIDDEN: list[tuple[str, Callable[[aioredis.Redis], Any]]] = [
    ("read another's commands", lambda mz: mz.xreadgroup("g", "MZ", {"q:{GA.0}": ">"})),
    ("read its own and another's at once", lambda mz: mz.xreadgroup("g", "MZ", {"q:{MZ.0}": ">", "q:{GA.0}": ">"})),
    ("read a partition it does not have", lambda mz: mz.xreadgroup("g", "MZ", {"q:{MZ.7}": ">"})),
    ("see another's commands", lambda mz: mz.xrange("q:{GA.0}")),
    ("see another's answers", lambda mz: mz.xrange("a:{GA.0}")),
    ("see another's confirmations", lambda mz: mz.xread({"taken:{GA}": "0"})),
    ("take another's commands away", lambda mz: mz.xdel("q:{GA.0}", "1-1")),
    ("acknowledge for another", lambda mz: mz.xack("q:{GA.0}", "g", "1-1")),
    ("claim another's commands", lambda mz: mz.xautoclaim("q:{GA.0}", "g", "MZ", 0)),
    ("make a group at another's", lambda mz: mz.xgroup_create("q:{GA.0}", "g2", mkstream=True)),
    ("answer for another", lambda mz: mz.xadd("a:{GA.0}", {"e": "1"})),
    ("confirm for another", lambda mz: mz.xadd("ack:{GA}", {"e": "1"})),
    ("confirm for the town", lambda mz: mz.xadd("taken:{GA}", {"e": "1"})),
    ("fill memory under a name of its own", lambda mz: mz.xadd("a:{MZ.9}", {"e": "1"})),
    ("trim its commands", lambda mz: mz.xtrim("q:{MZ.0}", maxlen=0)),
    ("trim its answers", lambda mz: mz.xtrim("a:{MZ.0}", maxlen=0)),
    ("remove its stream", lambda mz: mz.delete("q:{MZ.0}")),
    ("let its stream expire", lambda mz: mz.expire("q:{MZ.0}", 1)),
    ("rename its stream", lambda mz: mz.rename("q:{MZ.0}", "a:{MZ.0}")),
    ("spoil its stream", lambda mz: mz.set("q:{MZ.0}", "1")),
    ("destroy its group", lambda mz: mz.xgroup_destroy("q:{MZ.0}", "g")),
    ("move its group", lambda mz: mz.xgroup_setid("q:{MZ.0}", "g", "$")),
    ("run a script", lambda mz: mz.eval("return redis.call('GET', KEYS[1])", 1, "q:{MZ.0}")),
    ("hear the town's bell", lambda mz: mz.execute_command("SUBSCRIBE", "bell")),
    ("ring the town's bell", lambda mz: mz.publish("bell", "x")),
    ("list all keys", lambda mz: mz.keys("*")),
    ("walk over all keys", lambda mz: mz.scan()),
    ("empty everything", lambda mz: mz.flushall()),
    ("change the configuration", lambda mz: mz.config_set("maxmemory", "1")),
    ("read the configuration", lambda mz: mz.config_get("*")),
    ("make itself mightier", lambda mz: mz.execute_command("ACL SETUSER", "department-MZ", "+@all")),
    ("list the users", lambda mz: mz.execute_command("ACL LIST")),
    ("see who is connected", lambda mz: mz.client_list()),
    ("throw others out", lambda mz: mz.client_kill_filter(_type="normal")),
    ("stop the server", lambda mz: mz.shutdown()),
    ("copy the data away", lambda mz: mz.replicaof("127.0.0.1", "1")),
    ("watch others' commands", lambda mz: mz.execute_command("MONITOR")),
    ("choose another database", lambda mz: mz.execute_command("SELECT", "1")),
]
"""What a department must not be able to do. From 7.0 on also the next list."""

FORBIDDEN_WITH_SELECTORS: list[tuple[str, Callable[[aioredis.Redis], Any]]] = [
    ("command itself", lambda mz: mz.xadd("q:{MZ.0}", {"e": "1"})),
    ("confirm its own answers", lambda mz: mz.xadd("taken:{MZ}", {"e": "1"})),
    ("withdraw an answer", lambda mz: mz.xdel("a:{MZ.0}", "1-1")),
    ("read its answers away from the town", lambda mz: mz.xreadgroup("g", "MZ", {"a:{MZ.0}": ">"})),
    ("read its confirmations away from the town", lambda mz: mz.xreadgroup("g", "MZ", {"ack:{MZ}": ">"})),
    ("acknowledge for the town", lambda mz: mz.xack("a:{MZ.0}", "g", "1-1")),
    ("see commands without reading them", lambda mz: mz.xrange("q:{MZ.0}")),
]


async def refused(mz: aioredis.Redis, attempts: list[tuple[str, Callable[[aioredis.Redis], Any]]]) -> list[str]:
    """The attempts that were not refused for want of permission."""
    allowed = []
    for what, attempt in attempts:
        try:
            await attempt(mz)
        except exceptions.NoPermissionError:
            continue
        except exceptions.RedisError as error:
            allowed.append(f"{what}: {error}")
        else:
            allowed.append(what)
    return allowed


async def test_it_cannot_do_anything_else(server: RedisStore):
    for stream in ("q:{GA.0}", "a:{GA.0}", "q:{MZ.0}", "a:{MZ.0}", "ack:{MZ}"):
        await server.commands.xgroup_create(stream, "g", mkstream=True)
    async with await let_in(server, "MZ") as mz:
        assert await refused(mz, FORBIDDEN + FORBIDDEN_WITH_SELECTORS) == []


async def test_a_server_without_selectors_still_keeps_it_among_its_own_streams(server: RedisStore):
    async with await let_in(server, "MZ", OLD) as mz:
        assert await refused(mz, FORBIDDEN) == []


def test_a_server_of_version_6_2_is_given_nothing_that_it_does_not_know():
    words = rules(reach_of("MZ", 2), OLD)
    assert [word for word in words if word.startswith(("(", "%")) or "setinfo" in word] == []
    assert "+select" not in words
    assert "+select" in rules(reach_of("MZ", 2), OLD, database=1)


async def test_of_all_commands_the_server_knows_it_has_only_those_it_needs(server: RedisStore):
    admission = new_admission("MZ", 2, await version_of(server))
    await put_user(server, admission.words)
    allowed = set()
    for name, arity in await commands(server):
        words = [*name.split("|"), *["q:{MZ.0}"] * (abs(arity) - 1 - name.count("|"))]
        answer = await dry_run(server, admission.user, words)
        if "permissions to run" not in answer:
            allowed.add(name)
    assert allowed - BEFORE_LOGIN == MAY | MAY_SUB


async def commands(server: RedisStore) -> list[tuple[str, int]]:
    """Every command and subcommand of the server, with its arity."""
    found: list[tuple[str, int]] = []
    for row in await raw(server, "COMMAND"):
        name, arity, subcommands = row[0].decode(), row[1], row[9] if len(row) > 9 else []
        found += [(sub[0].decode(), sub[1]) for sub in subcommands] or [(name, arity)]
    return found


async def raw(server: RedisStore, *words: str) -> Any:
    """An answer as the server gave it."""
    connection = await server.commands.connection_pool.get_connection()
    try:
        await connection.send_command(*words)
        return await connection.read_response()
    finally:
        await server.commands.connection_pool.release(connection)


async def dry_run(server: RedisStore, user: str, words: list[str]) -> str:
    """What the server would say to a user's command, without doing it."""
    try:
        answer = await raw(server, "ACL", "DRYRUN", user, *words)
    except exceptions.ResponseError as error:
        return str(error)
    return str(answer.decode() if isinstance(answer, bytes) else answer)


@pytest.mark.parametrize("version", [OLD, NEW])
async def test_no_department_reaches_any_stream_of_another(server: RedisStore, version: tuple[int, int]):
    reaches = {code: reach_of(code, partitions) for code, partitions in PARTITIONS.items()}
    for code, partitions in PARTITIONS.items():
        await put_user(server, new_admission(code, partitions, version).words)
    reached = []
    for code in reaches:
        for other, reach in reaches.items():
            tries = [["XADD", key, "*", "e", "1"] for key in reach.adds] + [
                ["XREADGROUP", "GROUP", "g", "c", "STREAMS", key, ">"] for key in reach.reads
            ]
            reached += [(code, other) for words in tries if await dry_run(server, user_of(code), words) == "OK"]
    assert set(reached) == {(code, code) for code in reaches}


async def test_a_department_that_is_shut_out_loses_its_connection_and_both_acts_are_on_record(small_office: Office, server: RedisStore):
    admission = new_admission("MZ", 2, NEW)
    assert await admit(small_office, server, "MZ", admission)  # it is kept over a restart
    async with client(server, admission) as mz:
        await mz.ping()
        assert await shut_out(small_office, server, "MZ")
        with pytest.raises((exceptions.ConnectionError, exceptions.AuthenticationError)):
            await mz.ping()

    assert not await has_user(server, "department-MZ")
    assert not await shut_out(small_office, server, "MZ")
    acts = await audit.of_object(small_office.database, "exchange_user", "department-MZ")
    assert {act["action"] for act in acts} == {"exchange_user.added", "exchange_user.removed"}


async def test_the_rule_for_whoever_keeps_the_redis_does_not_hold_the_password(server: RedisStore):
    admission = new_admission("MZ", 2, NEW)
    assert admission.password not in admission.command
    assert admission.command.startswith("ACL SETUSER department-MZ reset on #")
    assert '"(+xadd ~a:{MZ.0} ~a:{MZ.1} ~ack:{MZ})"' in admission.command
