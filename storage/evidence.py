"""The evidence log: the exact bytes of every message in and out, each line bound to the one before by its hash.

Lines are numbered without gap. Bodies stay sealed as they were; the chain stands on the digests of the plain bytes, so it can
still be verified when a body had to be erased, and nobody needs a key to verify the chain itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal

from storage import inbox
from storage.database import Database, Queries, Row, Transaction
from storage.sealing import Sealer, Tampered

Direction = Literal["out", "in", "bad"]

GENESIS = "0" * 64
SETTLING = dt.timedelta(minutes=1)
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Found:
    """A message that is not in the log yet. `body` is sealed, or plain where it could not be read; `key` names its row."""

    direction: Direction
    department: str
    message_id: str
    case_id: str | None
    sequence: int | None
    happened_at: dt.datetime
    body: bytes
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log; `body` is None once it was erased."""

    n: int
    direction: Direction
    department: str
    message_id: str
    case_id: str | None
    sequence: int | None
    happened_at: dt.datetime
    body_digest: str
    body: bytes | None
    hash: str


def line_hash(previous: str, line: Line) -> str:
    """SHA-256 over the line before and every fact of this one, joined by line feeds; times in UTC with microseconds."""
    moment = line.happened_at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    facts = (previous, line.n, line.direction, line.department, line.message_id, line.case_id or "", line.sequence or "", moment)
    return hashlib.sha256("\n".join([*map(str, facts), line.body_digest]).encode()).hexdigest()


def opened(line: Line | Found, sealer: Sealer | None) -> bytes:
    """The exact bytes of the message; raises Tampered when they were changed."""
    body = line.body or b""
    if line.direction == "bad":
        return inbox.unsealed(body, sealer, line.department, line.message_id)
    if sealer is None:
        return body
    place = f"outbox.body:{line.message_id}" if line.direction == "out" else f"inbox.body:/departments/{line.department}:{line.message_id}"
    return sealer.unseal(body, place)


_SENT = """
SELECT id, department, case_id, sequence, sent_at, body FROM outbox
WHERE evidence_n IS NULL AND sent_at IS NOT NULL AND (confirmed_at IS NOT NULL OR sent_at <= $2) ORDER BY sent_at, id LIMIT $1
"""
_TAKEN = """
SELECT source, message_id, department, case_id, sequence, received_at, body FROM inbox
WHERE evidence_n IS NULL AND body IS NOT NULL ORDER BY received_at, message_id LIMIT $1
"""
_BAD = """
SELECT id, department, message_id, case_id, sequence, received_at, body FROM set_aside
WHERE evidence_n IS NULL AND kind = 'poison' ORDER BY received_at, id LIMIT $1
"""


async def unchained(db: Queries, limit: int, now: dt.datetime) -> list[Found]:
    """Messages that are not in the log yet, at most `limit` of each kind, in the order in which they went and came.

    What was sent a moment ago is left to the relay and to its confirmation, which are about to write on its row.
    """
    found = [
        Found("out", row["department"], row["id"], row["case_id"], row["sequence"], row["sent_at"], bytes(row["body"]), (row["id"],))
        for row in await db.rows(_SENT, limit, now - SETTLING)
    ]
    found += [
        Found(
            "in", row["department"], row["message_id"], row["case_id"], row["sequence"], row["received_at"], bytes(row["body"]),
            (row["source"], row["message_id"]),
        )
        for row in await db.rows(_TAKEN, limit)
    ]  # fmt: skip
    found += [
        Found(
            "bad", row["department"], row["message_id"] or row["id"], row["case_id"], row["sequence"], row["received_at"],
            bytes(row["body"]), (row["id"],),
        )
        for row in await db.rows(_BAD, limit)
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.happened_at)


async def chain(database: Database, sealer: Sealer | None, limit: int, now: dt.datetime) -> int:
    """Add what is not in the log yet; how many lines. Two at the same moment: one of them fails with Conflict and changes nothing."""
    async with database.transaction() as tx:
        last = await head(tx)
        n, previous = (last.n, last.hash) if last else (0, GENESIS)
        lines, found = [], await unchained(tx, limit, now)
        for one in found:
            n += 1
            line = _line(n, one, _digest(one, sealer), previous)
            previous = line.hash
            lines.append(line)
        if lines:
            await tx.execute_many(_INSERT, [_values(line, now) for line in lines])
            await _mark(tx, list(zip(lines, found, strict=True)))
    return len(lines)


def _digest(found: Found, sealer: Sealer | None) -> str:
    """Of the plain bytes; of what there is where they were changed, so that the log goes on and verification names the line."""
    try:
        return hashlib.sha256(opened(found, sealer)).hexdigest()
    except Tampered:
        return hashlib.sha256(found.body).hexdigest()


def _line(n: int, found: Found, digest: str, previous: str) -> Line:
    facts = (found.direction, found.department, found.message_id, found.case_id, found.sequence, found.happened_at, digest, found.body)
    bare = Line(n, *facts, hash="")
    return Line(n, *facts, hash=line_hash(previous, bare))


_INSERT = """
INSERT INTO evidence (n, direction, department, message_id, case_id, sequence, happened_at, body_digest, body, hash, chained_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_MARK = {
    "out": "UPDATE outbox SET evidence_n = $1 WHERE id = $2",
    "in": "UPDATE inbox SET evidence_n = $1, body = NULL WHERE source = $2 AND message_id = $3",
    "bad": "UPDATE set_aside SET evidence_n = $1 WHERE id = $2",
}


def _values(line: Line, now: dt.datetime) -> tuple[object, ...]:
    return (
        line.n, line.direction, line.department, line.message_id, line.case_id, line.sequence, line.happened_at, line.body_digest,
        line.body, line.hash, now,
    )  # fmt: skip


async def _mark(tx: Transaction, chained: Sequence[tuple[Line, Found]]) -> None:
    for direction, sql in _MARK.items():
        rows = [(line.n, *found.key) for line, found in chained if line.direction == direction]
        if rows:
            await tx.execute_many(sql, sorted(rows, key=lambda row: str(row[1:])))  # in one order whoever writes


_COLUMNS = "n, direction, department, message_id, case_id, sequence, happened_at, body_digest, body, hash"


async def head(db: Queries) -> Line | None:
    """The last line, None while the log is empty."""
    row = await db.one(f"SELECT {_COLUMNS} FROM evidence ORDER BY n DESC LIMIT 1")  # noqa: S608 - a constant
    return None if row is None else _read(row)


async def lines(db: Queries, first: int = 1, last: int | None = None) -> AsyncIterator[Line]:
    """The lines from one number to another, a page at a time."""
    while last is None or first <= last:
        rows = await db.rows(f"SELECT {_COLUMNS} FROM evidence WHERE n >= $1 ORDER BY n LIMIT $2", first, _PAGE)  # noqa: S608
        for row in rows:
            if last is None or row["n"] <= last:
                yield _read(row)
        if len(rows) < _PAGE:
            return
        first = rows[-1]["n"] + 1


async def of_case(db: Queries, case_id: str) -> list[Line]:
    """Every message about a case, in order."""
    return [_read(row) for row in await db.rows(f"SELECT {_COLUMNS} FROM evidence WHERE case_id = $1 ORDER BY n", case_id)]  # noqa: S608


async def erase(db: Queries, case_id: str) -> int:
    """Erase the bodies of a case's messages (data rights); the chain can be verified as before. How many there were."""
    return len(await db.rows("UPDATE evidence SET body = NULL WHERE case_id = $1 AND body IS NOT NULL RETURNING n", case_id))


def _read(row: Row) -> Line:
    body = None if row["body"] is None else bytes(row["body"])
    return Line(
        row["n"], row["direction"], row["department"], row["message_id"], row["case_id"], row["sequence"], row["happened_at"],
        row["body_digest"], body, row["hash"],
    )  # fmt: skip
