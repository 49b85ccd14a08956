"""What residents allow WeChat to send: the platform tells nobody how many credits are left, so this ledger is the only one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from storage.database import Queries, Row, Transaction


@dataclass(frozen=True, slots=True)
class Subscription:
    """One account's consent to one template: one-off templates count credits, lasting ones are on or off."""

    kind: str
    credits: int
    is_on: bool

    @property
    def allows(self) -> bool:
        """Whether a message may be sent now."""
        return self.is_on if self.kind == "lasting" else self.credits > 0


async def of_account(db: Queries, account_id: str) -> dict[str, Subscription]:
    """An account's consents by template name."""
    # The alias: a name that ends in _on would be read as a date on SQLite.
    rows = await db.rows("SELECT template, kind, credits, is_on AS is_allowed FROM subscription WHERE account_id = $1", account_id)
    return {row["template"]: _subscription(row) for row in rows}


async def take(tx: Transaction, account_id: str, template: str, kind: str, at: dt.datetime) -> Subscription:
    """Lock one consent for change, made empty where there was none."""
    row = await tx.one(
        "INSERT INTO subscription (account_id, template, kind, credits, is_on, updated_at) VALUES ($1, $2, $3, 0, FALSE, $4) "
        "ON CONFLICT (account_id, template) DO UPDATE SET kind = excluded.kind RETURNING kind, credits, is_on AS is_allowed",
        account_id,
        template,
        kind,
        at,
    )
    return _subscription(row) if row else Subscription(kind, 0, is_on=False)


async def add_credit(tx: Transaction, account_id: str, template: str, at: dt.datetime) -> None:
    """One more message of a one-off template may be sent."""
    await tx.execute(
        "UPDATE subscription SET credits = credits + 1, is_on = TRUE, updated_at = $3 WHERE account_id = $1 AND template = $2",
        account_id,
        template,
        at,
    )


async def switch(tx: Transaction, account_id: str, template: str, *, on: bool, at: dt.datetime) -> None:
    """Turn a lasting template on or off; the later word counts, whichever arrives last."""
    await tx.execute(
        "UPDATE subscription SET is_on = $4, updated_at = $3 WHERE account_id = $1 AND template = $2 AND updated_at <= $3",
        account_id,
        template,
        at,
        on,
    )


async def clear(db: Queries, account_id: str, template: str, at: dt.datetime) -> None:
    """Nothing may be sent any more: the resident turned it off, or the platform says the credits are used up (43101)."""
    await db.execute(
        "UPDATE subscription SET credits = 0, is_on = FALSE, updated_at = $3 WHERE account_id = $1 AND template = $2",
        account_id,
        template,
        at,
    )


async def spend(db: Queries, account_id: str, template: str) -> None:
    """A message was sent: a one-off template has one credit less."""
    await db.execute(
        "UPDATE subscription SET credits = credits - 1 WHERE account_id = $1 AND template = $2 AND kind = 'once' AND credits > 0",
        account_id,
        template,
    )


async def account_of(db: Queries, openid: str) -> str | None:
    """The resident behind an openid."""
    row = await db.one("SELECT id FROM resident WHERE openid = $1", openid)
    return row["id"] if row else None


def _subscription(row: Row) -> Subscription:
    return Subscription(row["kind"], row["credits"], row["is_allowed"])
