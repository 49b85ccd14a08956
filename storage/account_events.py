"""One numbered line of events per account: what long-poll, socket and inbox read, each from a position of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from storage.database import Queries, Row, Transaction
from storage.rows import flat, places


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One event of an account: its number `n` (from 1 without gap), type, case or None, facts and time."""

    n: int
    type: str
    case_id: str | None
    data: dict[str, Any]
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Position:
    """How far an account's line goes, how far it has been read, and how many events are unread."""

    last: int
    read_to: int
    unread: int


NOTHING_YET = Position(0, 0, 0)

News = tuple[str, Mapping[str, Any]]
"""The type of an event to be, and its facts."""


def topic(account_id: str) -> str:
    """The bell topic that sounds when the account's line grows or its unread count changes."""
    return f"account:{account_id}"


async def append(tx: Transaction, account_id: str, type_: str, case_id: str | None, data: Mapping[str, Any], at: dt.datetime) -> int:
    """Add an event and answer its number; the account's row stays locked until the commit, so that numbers have no gap."""
    return await append_all(tx, account_id, case_id, [(type_, data)], at)


async def append_all(tx: Transaction, account_id: str, case_id: str | None, news: Sequence[News], at: dt.datetime) -> int:
    """Add events in this order, with two statements however many there are; the number of the last one."""
    row = await tx.one(
        "INSERT INTO account_position (account_id, last, read_to, unread) VALUES ($1, $2, 0, $3) ON CONFLICT (account_id) DO UPDATE "
        "SET last = account_position.last + excluded.last, unread = account_position.unread + excluded.unread RETURNING last",
        account_id,
        len(news),
        len(news),
    )
    last = int(row["last"]) if row else len(news)
    numbered = enumerate(news, start=last - len(news) + 1)
    rows = [(account_id, n, type_, case_id, msgspec.json.encode(data).decode(), at) for n, (type_, data) in numbered]
    columns = "account_id, n, type, case_id, data, occurred_at"
    await tx.execute(f"INSERT INTO account_event ({columns}) VALUES {places(rows)}", *flat(rows))  # noqa: S608 - placeholders only
    tx.ring(topic(account_id))
    return last


_PAGE = """
SELECT p.last, p.read_to, p.unread, e.n, e.type, e.case_id, e.data, e.occurred_at
FROM account_position p LEFT JOIN account_event e ON e.account_id = p.account_id AND e.n > $2
WHERE p.account_id = $1 ORDER BY e.n LIMIT $3
"""


async def page(db: Queries, account_id: str, n: int, limit: int) -> tuple[Position, list[AccountEvent]]:
    """Where the line stands and the events above number `n`, of one and the same moment."""
    rows = await db.rows(_PAGE, account_id, n, limit)
    return _position(rows[0] if rows else None), [_event(row) for row in rows if row["n"] is not None]


async def since(db: Queries, account_id: str, n: int, limit: int) -> list[AccountEvent]:
    """The events above number `n`, in order."""
    rows = await db.rows(
        "SELECT n, type, case_id, data, occurred_at FROM account_event WHERE account_id = $1 AND n > $2 ORDER BY n LIMIT $3",
        account_id,
        n,
        limit,
    )
    return [_event(row) for row in rows]


async def latest(db: Queries, account_id: str, before: int | None, limit: int) -> list[AccountEvent]:
    """The newest events first, from below number `before` (None = from the end): the inbox."""
    rows = await db.rows(
        "SELECT n, type, case_id, data, occurred_at FROM account_event WHERE account_id = $1 AND n < $2 ORDER BY n DESC LIMIT $3",
        account_id,
        before if before is not None else 2**62,
        limit,
    )
    return [_event(row) for row in rows]


async def first(db: Queries, account_id: str) -> int | None:
    """The oldest number still kept; a reader whose position lies below it - 1 must start afresh (`reset`)."""
    row = await db.one("SELECT MIN(n) AS n FROM account_event WHERE account_id = $1", account_id)
    return row["n"] if row else None


async def position(db: Queries, account_id: str) -> Position:
    """Where the account's line stands."""
    row = await db.one("SELECT last, read_to, unread FROM account_position WHERE account_id = $1", account_id)
    return _position(row)


async def mark_read(tx: Transaction, account_id: str, to: int) -> Position:
    """Everything up to number `to` has been read. Never goes back; beyond the end means the end."""
    row = await tx.one(
        "UPDATE account_position SET read_to = CASE WHEN $2 > last THEN last ELSE $2 END, "
        "unread = CASE WHEN $2 > last THEN 0 ELSE last - $2 END WHERE account_id = $1 AND read_to < $2 RETURNING last, read_to, unread",
        account_id,
        to,
    )
    if row is None:
        return await position(tx, account_id)
    tx.ring(topic(account_id))
    return _position(row)


def _event(row: Row) -> AccountEvent:
    return AccountEvent(row["n"], row["type"], row["case_id"], msgspec.json.decode(row["data"]), row["occurred_at"])


def _position(row: Row | None) -> Position:
    return Position(row["last"], row["read_to"], row["unread"]) if row else NOTHING_YET
