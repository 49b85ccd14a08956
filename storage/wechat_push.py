"""Callbacks of the WeChat platform, each kept once, and the taps by which a resident consents, each counted once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from storage.database import Queries, Transaction
from storage.ids import uuid7

BELL = "wechat_push"
"""The bell topic that sounds when a callback has come in."""

TWIN_SECONDS = 30
"""A tap is told of twice, by the phone and by the platform; within this time the two are one."""

_TAP = "tap:"


@dataclass(frozen=True, slots=True)
class Push:
    """A callback as it came."""

    once_key: str
    event: str
    body: dict[str, Any]
    received_at: dt.datetime


async def add(tx: Transaction, once_key: str, event: str, body: Mapping[str, Any], at: dt.datetime) -> bool:
    """Keep a callback for later; False if it had come before (the platform delivers up to three times)."""
    rows = await tx.rows(
        "INSERT INTO wechat_push (once_key, event, body, received_at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (once_key) DO NOTHING RETURNING once_key",
        once_key,
        event,
        msgspec.json.encode(body).decode(),
        at,
    )
    if rows:
        tx.ring(BELL)
    return bool(rows)


async def unhandled(db: Queries, limit: int) -> list[Push]:
    """Callbacks that nobody has worked on, oldest first."""
    rows = await db.rows(
        "SELECT once_key, event, body, received_at FROM wechat_push WHERE handled_at IS NULL AND event NOT LIKE 'tap:%' "
        "ORDER BY received_at, once_key LIMIT $1",
        limit,
    )
    return [Push(row["once_key"], row["event"], msgspec.json.decode(row["body"]), row["received_at"]) for row in rows]


async def settle(tx: Transaction, once_key: str, at: dt.datetime) -> bool:
    """Mark a callback as worked on, first thing in the transaction that does it; False if another carrier has."""
    rows = await tx.rows(
        "UPDATE wechat_push SET handled_at = $2 WHERE once_key = $1 AND handled_at IS NULL RETURNING once_key", once_key, at
    )
    return bool(rows)


async def is_new_tap(tx: Transaction, account_id: str, template: str, source: str, at: dt.datetime) -> bool:
    """Whether this word of a tap, from `source` "phone" or "platform", is the first; the other source's word then counts nothing.

    The caller holds the row lock of the account's subscription, so that both words are not first at once.
    """
    other = "platform" if source == "phone" else "phone"
    twin = await tx.rows(
        "UPDATE wechat_push SET handled_at = $5 WHERE once_key IN (SELECT once_key FROM wechat_push WHERE handled_at IS NULL "
        "AND received_at BETWEEN $3 AND $4 AND event = $1 AND once_key LIKE $2 ORDER BY received_at LIMIT 1) RETURNING once_key",
        f"{_TAP}{other}",
        f"{_tap_key(account_id, template)}%",
        at - dt.timedelta(seconds=TWIN_SECONDS),
        at + dt.timedelta(seconds=TWIN_SECONDS),
        at,
    )
    if not twin:
        await tx.execute(
            "INSERT INTO wechat_push (once_key, event, body, received_at) VALUES ($1, $2, '{}', $3)",
            _tap_key(account_id, template) + uuid7(at.timestamp()),
            f"{_TAP}{source}",
            at,
        )
    return not twin


async def forget(db: Queries, before: dt.datetime) -> None:
    """Drop what was worked on before `before`, and taps whose second word never came."""
    await db.execute("DELETE FROM wechat_push WHERE received_at < $1 AND (handled_at IS NOT NULL OR event LIKE 'tap:%')", before)


def _tap_key(account_id: str, template: str) -> str:
    return f"{_TAP}{account_id}:{template}:"
