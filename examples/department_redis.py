"""A department's program at the town's Redis, in one file: copy it, and put your own work into `answers`.

It needs Python 3.11 and the package `redis`, and takes its settings from the environment (`mobile-api department add` prints them).
Its state is one SQLite file. It may be killed at any moment and Redis may be lost whole: nothing is lost, nothing is done twice.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
import uuid
from contextlib import suppress
from typing import Any

import redis

CODE = os.environ["DEPARTMENT"]
TAKEN = f"taken:{{{CODE}}}"  # here the town confirms our answers, in ack:{CODE} we its commands
RESEND_SECONDS = float(os.environ.get("RESEND_SECONDS", "30"))
SCHEMA = """
CREATE TABLE IF NOT EXISTS cases (id TEXT PRIMARY KEY, taken INT, said INT);
CREATE TABLE IF NOT EXISTS command (case_id TEXT, sequence INT, lane TEXT, body TEXT, PRIMARY KEY (case_id, sequence));
CREATE TABLE IF NOT EXISTS answer (case_id TEXT, sequence INT, lane TEXT, body BLOB, entry TEXT, sent_at REAL);"""
COUNT_ON = "INSERT INTO cases VALUES (:case_id, 0, :sequence) ON CONFLICT (id) DO UPDATE SET said = max(said, :sequence)"  # after a restore
log = logging.getLogger("department")


def answers(kind: str, data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Your work: what to say to a command, as (message, data). Read over kinds and fields that you do not know."""
    log.info("%s %s %s", data["case"], kind, data.get("action", ""))
    if kind not in {"task.requested", "task.material-added"}:
        return []
    if data["step"] == "accept":
        return [("task.accepted", {})]
    result = "granted" if data["step"] == "decide" else "agreed"
    return [("task.progressed", {"text": "已收到，正在办理。"}), ("task.decided", {"result": result, "opinion": "经审查，符合规定。"})]


def take_in(state: sqlite3.Connection, stream: str, entries: list[Any]) -> dict[str, int]:
    """Everything about the entries in one transaction; how far each case has now been taken in."""
    messages = [json.loads(fields[b"e"]) for _, fields in entries if fields]
    with state:  # commits at its end, or undoes all of it
        for message in messages:
            if stream == TAKEN:
                state.execute("DELETE FROM answer WHERE case_id = :case_id AND sequence <= :sequence", message)
                state.execute(COUNT_ON, message)
            else:  # kept under its number: a copy changes nothing, an early one waits for its turn
                row = (message["partitionkey"], int(message["sequence"]), stream.removeprefix("q:"), json.dumps(message))
                state.execute("INSERT OR IGNORE INTO command VALUES (?, ?, ?, ?)", row)
        return {case_id: work_off(state, case_id) for case_id in {one["partitionkey"] for one in messages if stream != TAKEN}}


def work_off(state: sqlite3.Connection, case_id: str) -> int:
    """Answer a case's commands in the order of their numbers, up to the first gap; the number of the last one."""
    taken, said = state.execute("SELECT taken, said FROM cases WHERE id = ?", (case_id,)).fetchone() or (0, 0)
    while row := state.execute("SELECT lane, body FROM command WHERE case_id = ? AND sequence = ?", (case_id, taken + 1)).fetchone():
        lane, command = row[0], json.loads(row[1])
        for kind, more in answers(command["type"].removeprefix("cn.gov.town.").rpartition(".v")[0], command["data"]):
            said += 1
            state.execute("INSERT INTO answer VALUES (?, ?, ?, ?, '', 0)", (case_id, said, lane, envelope(command, said, kind, more)))
        taken += 1
    state.execute("INSERT OR REPLACE INTO cases VALUES (?, ?, ?)", (case_id, taken, said))
    return int(taken)


def envelope(command: dict[str, Any], sequence: int, kind: str, more: dict[str, Any]) -> bytes:
    """The bytes of an answer; once made, they are sent as they are, however often."""
    same = {name: command[name] for name in ("specversion", "subject", "partitionkey", "correlationid", "traceparent") if name in command}
    own = {"id": str(uuid.uuid4()), "source": f"/departments/{CODE}", "type": f"cn.gov.town.{kind}.v1", "causationid": command["id"]}
    data = {"case": command["data"]["case"], "task": command["data"]["task"], **more}
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps({**same, **own, "time": when, "sequence": sequence, "data": data}, ensure_ascii=False).encode()


def send(queue: Any, state: sqlite3.Connection) -> None:
    """Send what is new; send again what the town has not confirmed for long and what is no longer in the stream as it was."""
    due = "SELECT rowid, lane, body, entry FROM answer WHERE sent_at < ? ORDER BY rowid"
    for row, lane, body, entry in state.execute(due, (time.time() - RESEND_SECONDS,)).fetchall():
        there = [fields[b"e"] for _, fields in queue.xrange(f"a:{lane}", entry, entry)] if entry else []
        new = entry if body in there else queue.xadd(f"a:{lane}", {"e": body}).decode()
        with state:
            state.execute("UPDATE answer SET entry = ?, sent_at = ? WHERE rowid = ?", (new, time.time(), row))


def run(queue: redis.Redis, state: sqlite3.Connection) -> None:
    """Read and answer until Redis goes away, or has forgotten us."""
    streams = [*(f"q:{{{CODE}.{number}}}" for number in range(int(os.environ.get("PARTITIONS", "2")))), TAKEN]
    for stream in streams:
        with suppress(redis.ResponseError):  # the group is there
            queue.xgroup_create(stream, "g", id="0", mkstream=True)
    position = "0"  # first what was read before a crash and not taken out: the consumer's name is always the same
    while True:
        found: Any = queue.xreadgroup("g", CODE, dict.fromkeys(streams, position), count=100, block=1000)
        batches = {stream.decode(): entries for stream, entries in found if entries}
        for stream, entries in batches.items():
            with queue.pipeline() as pipe:  # sent after the commit: how far each case was taken in, and the entries may go
                for case_id, sequence in take_in(state, stream, entries).items():
                    pipe.xadd(f"ack:{{{CODE}}}", {"e": json.dumps({"case_id": case_id, "sequence": sequence})})
                pipe.xack(stream, "g", *(entry for entry, _ in entries))
                pipe.xdel(stream, *(entry for entry, _ in entries))
                pipe.execute()
        position = position if batches else ">"
        send(queue, state)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    os.umask(0o077)  # the state holds what people wrote in their applications
    book = sqlite3.connect(os.environ.get("STATE_FILE", f"{CODE}.db"))
    book.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {SCHEMA}")
    while True:  # what Redis lost comes back by being sent again, on both sides
        try:
            run(redis.Redis.from_url(os.environ["REDIS_URL"], protocol=2, socket_timeout=10), book)
        except redis.RedisError as error:
            log.warning("Redis: %s", error)
            time.sleep(1)
