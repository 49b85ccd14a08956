"""The ledger of consents never promises more than was given."""

from __future__ import annotations

import datetime as dt

from storage import subscriptions
from storage.database import Database
from storage.subscriptions import Subscription
from tests.support.town import settle_in

NOW = dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC)


async def _take(database: Database, template: str, kind: str) -> Subscription:
    async with database.transaction() as tx:
        return await subscriptions.take(tx, "a", template, kind, NOW)


async def test_credits_go_up_and_down_but_not_below_nought(database: Database) -> None:
    assert not (await _take(database, "result", "once")).allows
    async with database.transaction() as tx:
        await subscriptions.add_credit(tx, "a", "result", NOW)
    assert (await subscriptions.of_account(database, "a"))["result"] == Subscription("once", 1, is_on=True)
    for _ in range(2):
        await subscriptions.spend(database, "a", "result")
    assert not (await subscriptions.of_account(database, "a"))["result"].allows


async def test_the_later_word_on_a_lasting_template_counts_in_whatever_order_they_come(database: Database) -> None:
    await _take(database, "progress", "lasting")
    async with database.transaction() as tx:
        await subscriptions.switch(tx, "a", "progress", on=True, at=NOW + dt.timedelta(seconds=9))
        await subscriptions.switch(tx, "a", "progress", on=False, at=NOW + dt.timedelta(seconds=5))
    assert (await subscriptions.of_account(database, "a"))["progress"].allows
    await subscriptions.clear(database, "a", "progress", NOW)
    assert not (await subscriptions.of_account(database, "a"))["progress"].allows


async def test_an_openid_leads_to_its_account(database: Database) -> None:
    resident = await settle_in(database, "o-zhang")
    assert await subscriptions.account_of(database, "o-zhang") == resident
    assert await subscriptions.account_of(database, "o-nobody") is None
