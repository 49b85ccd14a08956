"""One numbered line of events per account: what long-poll, socket and inbox read, each from a position of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from storage.database import Queries, Row, Transaction


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


def topic(account_id: str) -> str:
    """The bell topic that sounds when the account's line grows or its unread count changes."""
    return f"account:{account_id}"


async def append(tx: Transaction, account_id: str, type_: str, case_id: str | None, data: Mapping[str, Any], at: dt.datetime) -> int:
    """Add an event and answer its number; the account's row stays locked until the commit, so that numbers have no gap."""
    row = await tx.one(
        "INSERT INTO account_position (account_id, last, read_to, unread) VALUES ($1, 1, 0, 1) "
        "ON CONFLICT (account_id) DO UPDATE SET last = account_position.last + 1, unread = account_position.unread + 1 RETURNING last",
        account_id,
    )
    n = int(row["last"]) if row else 1
    await tx.execute(
        "INSERT INTO account_event (account_id, n, type, case_id, data, occurred_at) VALUES ($1, $2, $3, $4, $5, $6)",
        account_id,
        n,
        type_,
        case_id,
        msgspec.json.encode(data).decode(),
        at,
    )
    tx.ring(topic(account_id))
    return n


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
