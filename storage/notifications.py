"""Attempts to reach a person's phone: the rows are the only truth, bells and senders come and go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from storage import trace
from storage.database import Queries, Row, Transaction
from storage.ids import uuid7

BELL = "notifications"
"""The bell topic that sounds when there is something to send."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One message on its way: what it says, how often it was tried, who is sending it, which trace it belongs to."""

    id: str
    account_id: str
    case_id: str | None
    event: str
    channel: str
    data: dict[str, Any]
    attempts: int
    holder: str
    created_at: dt.datetime
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where an account's messages go and what it wants: openid (None once the account is closed) and preferences."""

    openid: str | None
    preferences: dict[str, Any]


_NEWER = "newer news of the same case"


async def add(
    tx: Transaction, *, account_id: str, case_id: str, event: str, once_key: str, data: Mapping[str, Any], at: dt.datetime
) -> None:
    """A message to send by WeChat; older unsent news of the same case gives way to it, the same `once_key` again changes nothing."""
    await tx.execute(
        "UPDATE notification SET state = 'suppressed', detail = $4, next_at = NULL, updated_at = $5 WHERE account_id = $1 AND case_id = $2 "
        "AND state IN ('created', 'temporary_failure') AND once_key <> $3",
        account_id,
        case_id,
        once_key,
        _NEWER,
        at,
    )
    await tx.execute(
        "INSERT INTO notification (id, account_id, case_id, event, channel, once_key, data, state, next_at, created_at, updated_at) "
        "VALUES ($1, $2, $3, $4, 'wechat', $5, $6, 'created', $7, $7, $7) ON CONFLICT (once_key) DO NOTHING",
        uuid7(at.timestamp()),
        account_id,
        case_id,
        event,
        once_key,
        msgspec.json.encode({**data, trace.HEADER: trace.onward()}).decode(),
        at,
    )
    tx.ring(BELL)


async def claim(db: Queries, holder: str, now: dt.datetime, until: dt.datetime, limit: int) -> list[Notification]:
    """Take due messages for sending until `until`; rows whose sender let its own time pass are due again.

    An account with a message on its way elsewhere is left alone: the platform refuses two at once (errcode 43108).
    """
    rows = await db.rows(
        "UPDATE notification SET state = 'sending', holder = $1, attempts = attempts + 1, next_at = $3, updated_at = $2 WHERE id IN ("
        "SELECT n.id FROM notification n WHERE n.state IN ('created', 'temporary_failure', 'sending') AND n.next_at <= $2 "
        "AND NOT EXISTS (SELECT 1 FROM notification s WHERE s.account_id = n.account_id AND s.state = 'sending' AND s.next_at > $2) "
        "ORDER BY n.next_at, n.id LIMIT $4) "
        "AND state IN ('created', 'temporary_failure', 'sending') AND next_at <= $2 "
        "RETURNING id, account_id, case_id, event, channel, data, attempts, holder, created_at",
        holder,
        now,
        until,
        limit,
    )
    return sorted((_notification(row) for row in rows), key=lambda found: (found.created_at, found.id))


async def settle(
    db: Queries,
    notification: Notification,
    state: str,
    now: dt.datetime,
    *,
    detail: str = "",
    next_at: dt.datetime | None = None,
    provider_id: str | None = None,
) -> bool:
    """Write how the attempt ended; False if another sender has taken the message over, whose word then counts."""
    rows = await db.rows(
        "UPDATE notification SET state = $4, detail = $5, next_at = $6, provider_id = COALESCE($7, provider_id), updated_at = $3 "
        "WHERE id = $1 AND state = 'sending' AND holder = $2 AND attempts = $8 RETURNING id",
        notification.id,
        notification.holder,
        now,
        state,
        detail[:200],
        next_at,
        provider_id,
        notification.attempts,
    )
    return bool(rows)


async def put_back(db: Queries, notifications: Sequence[Notification], now: dt.datetime) -> None:
    """Give claimed messages back untried, so that any sender may take them at once."""
    await db.execute_many(
        "UPDATE notification SET state = 'created', holder = NULL, attempts = attempts - 1, next_at = $3, updated_at = $3 "
        "WHERE id = $1 AND state = 'sending' AND holder = $2",
        [(found.id, found.holder, now) for found in notifications],
    )


async def report(tx: Transaction, provider_id: str, account_id: str, *, error: str, now: dt.datetime) -> bool:
    """The platform's last word on a sent message: delivered, or failed with `error`. A final state never changes again.

    Where the send answer carried no message id, the account's oldest sent message without one is meant.
    """
    rows = await tx.rows(
        "UPDATE notification SET state = $3, detail = $4, provider_id = $1, updated_at = $5 WHERE state = 'sent' AND id = ("
        "SELECT id FROM notification WHERE account_id = $2 AND state = 'sent' AND (provider_id = $1 OR provider_id IS NULL) "
        "ORDER BY CASE WHEN provider_id IS NULL THEN 1 ELSE 0 END, id LIMIT 1) RETURNING id",
        provider_id,
        account_id,
        "technical_failure" if error else "delivered",
        error[:200],
        now,
    )
    return bool(rows)


async def addresses(db: Queries, account_ids: Sequence[str]) -> dict[str, Address]:
    """Openid and preferences of several accounts."""
    marks = ", ".join(f"${n}" for n in range(1, len(account_ids) + 1))
    rows = await db.rows(f"SELECT id, openid, preferences, closed_at FROM resident WHERE id IN ({marks})", *account_ids)  # noqa: S608
    return {row["id"]: Address(None if row["closed_at"] else row["openid"], msgspec.json.decode(row["preferences"])) for row in rows}


async def of_account(db: Queries, account_id: str, limit: int = 100) -> list[Row]:
    """An account's messages, newest first: for support and data export."""
    return await db.rows(
        "SELECT id, case_id, event, channel, state, attempts, detail, created_at, updated_at FROM notification WHERE account_id = $1 "
        "ORDER BY id DESC LIMIT $2",
        account_id,
        limit,
    )


async def next_due(db: Queries) -> dt.datetime | None:
    """When the next message falls due; None if none waits."""
    row = await db.one(
        "SELECT next_at FROM notification WHERE state IN ('created', 'temporary_failure', 'sending') ORDER BY next_at, id LIMIT 1"
    )
    return row["next_at"] if row else None


def _notification(row: Row) -> Notification:
    data = msgspec.json.decode(row["data"])
    traceparent = data.pop(trace.HEADER, None)
    return Notification(
        id=row["id"],
        account_id=row["account_id"],
        case_id=row["case_id"],
        event=row["event"],
        channel=row["channel"],
        data=data,
        attempts=row["attempts"],
        holder=row["holder"],
        created_at=row["created_at"],
        traceparent=traceparent,
    )
