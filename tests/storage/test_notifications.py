"""Rows of messages on their way: claimed by one, settled once, never going back."""

from __future__ import annotations

import asyncio
import datetime as dt

from storage import notifications
from storage.database import Database
from storage.notifications import Notification
from tests.support.town import settle_in

NOW = dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


async def _add(database: Database, key: str, *, account: str = "a", case: str | None = None, at: dt.datetime = NOW) -> None:
    async with database.transaction() as tx:
        await notifications.add(tx, account_id=account, case_id=case or key, event="case.accepted", once_key=key, data={"n": key}, at=at)


async def _claim(database: Database, holder: str = "h", *, at: dt.datetime = NOW, limit: int = 10) -> list[Notification]:
    return await notifications.claim(database, holder, at, at + MINUTE, limit)


async def _state(database: Database, account: str = "a") -> list[str]:
    return sorted(row["state"] for row in await notifications.of_account(database, account))


async def test_the_same_key_is_one_message(database: Database) -> None:
    await _add(database, "k")
    await _add(database, "k")
    assert len(await _claim(database)) == 1


async def test_a_message_is_claimed_by_one_of_many(database: Database) -> None:
    for n in range(12):
        await _add(database, f"k{n}", account=f"a{n}")
    found = await asyncio.gather(*(_claim(database, f"h{n}", limit=5) for n in range(6)))
    ids = [one.id for claimed in found for one in claimed]
    ids += [one.id for one in await _claim(database, "last", limit=50)]
    assert len(ids) == len(set(ids)) == 12


async def test_an_account_is_with_one_sender_at_a_time(database: Database) -> None:
    await _add(database, "k1")
    [first] = await _claim(database, "h1")
    await _add(database, "k2")
    assert await _claim(database, "h2") == []
    assert await notifications.settle(database, first, "sent", NOW)
    assert [one.data for one in await _claim(database, "h2")] == [{"n": "k2"}]


async def test_a_holder_whose_time_has_passed_has_no_say_any_more(database: Database) -> None:
    await _add(database, "k")
    [mine] = await _claim(database, "same-holder")
    [again] = await _claim(database, "same-holder", at=NOW + MINUTE)
    assert again.attempts == 2
    assert not await notifications.settle(database, mine, "technical_failure", NOW)
    assert await notifications.settle(database, again, "sent", NOW)
    assert not await notifications.settle(database, again, "technical_failure", NOW)
    assert await _state(database) == ["sent"]


async def test_what_is_put_back_is_due_at_once_and_counts_no_attempt(database: Database) -> None:
    await _add(database, "k")
    await notifications.put_back(database, await _claim(database, "h1"), NOW)
    [again] = await _claim(database, "h2")
    assert (again.attempts, again.holder) == (1, "h2")


async def test_newer_news_takes_the_place_of_older_news_that_was_not_sent(database: Database) -> None:
    await _add(database, "k1", case="c")
    [sent] = await _claim(database)
    await notifications.settle(database, sent, "sent", NOW)
    await _add(database, "k2", case="c")
    await _add(database, "k3", case="c")
    await _add(database, "k4", case="other")
    assert await _state(database) == ["created", "created", "sent", "suppressed"]


async def _report(database: Database, provider_id: str, error: str = "") -> bool:
    async with database.transaction() as tx:
        return await notifications.report(tx, provider_id, "a", error=error, now=NOW)


async def test_the_platforms_last_word_is_heard_once(database: Database) -> None:
    await _add(database, "k")
    [mine] = await _claim(database)
    assert not await _report(database, "m1")
    await notifications.settle(database, mine, "sent", NOW, provider_id="m1")
    assert await _report(database, "m1")
    assert not await _report(database, "m1", "20001 system error")
    assert await _state(database) == ["delivered"]


async def test_a_report_finds_its_own_message_first_and_else_the_oldest_without_a_number(database: Database) -> None:
    for key, number in (("k1", None), ("k2", "m2")):
        await _add(database, key)
        [mine] = await _claim(database)
        await notifications.settle(database, mine, "sent", NOW, provider_id=number)
    await _report(database, "m2", "20001 system error")
    assert await _state(database) == ["sent", "technical_failure"]
    await _report(database, "m1")
    assert await _state(database) == ["delivered", "technical_failure"]


async def test_a_failed_attempt_waits_until_its_time(database: Database) -> None:
    await _add(database, "k")
    [mine] = await _claim(database)
    await notifications.settle(database, mine, "temporary_failure", NOW, detail="x" * 300, next_at=NOW + MINUTE)
    assert await _claim(database) == []
    assert await notifications.next_due(database) == NOW + MINUTE
    assert len(await _claim(database, at=NOW + MINUTE)) == 1


async def test_a_closed_account_has_no_address(database: Database) -> None:
    open_, closed = await settle_in(database, "o-1", '{"push": false}'), await settle_in(database, "o-2")
    await database.execute("UPDATE resident SET closed_at = $2 WHERE id = $1", closed, NOW)
    found = await notifications.addresses(database, [open_, closed, "unknown"])
    assert {key: (one.openid, one.preferences) for key, one in found.items()} == {open_: ("o-1", {"push": False}), closed: (None, {})}
