"""The sender against the stand-in platform: what becomes of a message, whatever happens on its way."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest

from notifications.sender import Sender
from storage import notifications, subscriptions
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database
from storage.ids import uuid7
from tests.support.town import settle_in
from tests.support.wechat import TEMPLATES, Platform

DATA = {"number": "130208108-1", "item_name": "建房审批", "state": "accepted", "promised_on": "2026-12-08"}


class Desk:
    """One resident, one sender, a clock that stands still."""

    def __init__(self, platform: Platform, database: Database, bell: Bell) -> None:
        self.platform = platform
        self.database = database
        self.bell = bell
        self.clock = SettableClock(dt.datetime.now(dt.UTC))
        self.sender = self.another("first")
        self.resident = ""

    def another(self, holder: str) -> Sender:
        client = self.platform.client(clock=self.clock)
        return Sender(self.database, self.clock, self.bell, client, TEMPLATES, holder=holder, jitter=lambda _, most: most)

    async def settle_in(self, preferences: str = "{}") -> Desk:
        self.resident = await settle_in(self.database, self.platform.world.people.openid("zhang"), preferences)
        return self

    async def consent(self, **choices: str) -> None:
        await self.platform.tap("zhang", **choices)
        async with self.database.transaction() as tx:
            for name in choices:
                await subscriptions.take(tx, self.resident, name, TEMPLATES.by_name[name].kind, self.clock.now())
                await subscriptions.add_credit(tx, self.resident, name, self.clock.now())

    async def credits(self, name: str) -> int:
        return (await subscriptions.of_account(self.database, self.resident))[name].credits

    async def news(self, event: str = "case.accepted", case: str | None = None, **data: Any) -> None:
        async with self.database.transaction() as tx:
            await notifications.add(
                tx,
                account_id=self.resident,
                case_id=case or uuid7(),
                event=event,
                once_key=uuid7(),
                data={**DATA, **data},
                at=self.clock.now(),
            )

    async def states(self) -> list[str]:
        return [row["state"] for row in reversed(await notifications.of_account(self.database, self.resident))]

    async def details(self) -> list[str]:
        return [row["detail"] for row in reversed(await notifications.of_account(self.database, self.resident))]

    async def received(self) -> list[str]:
        return [message["data"].get("phrase3", "补正") for message in reversed(await self.platform.messages("zhang"))]


@pytest.fixture
async def desk(platform: Platform, database: Database, bell: Bell) -> Desk:
    return await Desk(platform, database, bell).settle_in()


async def test_news_reaches_the_phone_once(desk: Desk) -> None:
    await desk.consent(progress="accept")
    await desk.news()
    await desk.sender.round()
    await desk.sender.round()
    assert await desk.received() == ["已受理"]
    assert await desk.states() == ["sent"]


async def test_a_one_off_credit_is_spent_and_the_lasting_template_takes_over(desk: Desk) -> None:
    await desk.consent(result="accept")
    await desk.consent(progress="accept")
    for _ in range(2):
        await desk.news("case.decided", decision="granted")
        await desk.sender.round()
    titles = [message["title"] for message in await desk.platform.messages("zhang")]
    assert sorted(titles) == ["办理结果通知", "办理进度提醒"]
    assert await desk.credits("result") == 0
    assert len(desk.platform.calls("/cgi-bin/message/subscribe/send")) == 2  # nothing was tried without a credit


async def test_each_message_spends_one_credit(desk: Desk) -> None:
    for _ in range(3):
        await desk.consent(result="accept")
    for left in (2, 1):
        await desk.news("case.completed", decision="granted")
        await desk.sender.round()
        assert await desk.credits("result") == left


async def test_without_consent_nothing_is_asked_of_the_platform(desk: Desk) -> None:
    await desk.news()
    await desk.sender.round()
    assert (await desk.states(), await desk.details()) == (["suppressed"], ["no consent"])
    assert not desk.platform.calls("/cgi-bin/message/subscribe/send")


async def test_a_refusal_by_the_user_ends_the_attempt_and_empties_the_ledger(desk: Desk) -> None:
    await desk.consent(progress="accept")
    desk.platform.world.store.set_credits(desk.platform.world.people.openid("zhang"), TEMPLATES.by_name["progress"].template_id, 0)
    await desk.news()
    await desk.sender.round()
    assert await desk.states() == ["permanent_failure"]
    assert not (await subscriptions.of_account(desk.database, desk.resident))["progress"].allows


async def test_a_preference_stops_news_but_no_notice_with_legal_effect(platform: Platform, database: Database, bell: Bell) -> None:
    desk = await Desk(platform, database, bell).settle_in('{"push": false}')
    await desk.consent(progress="accept")
    await desk.news("case.accepted")
    await desk.news("case.correction_requested", reason="请补拍")
    await desk.sender.round()
    assert sorted(await desk.states()) == ["sent", "suppressed"]
    assert await desk.received() == ["补正材料"]


@pytest.mark.parametrize("kind", ["-1", "45009", "45011", "5xx", "nonsense", "down", "40001"])
async def test_a_message_survives_an_hour_of_trouble(desk: Desk, kind: str) -> None:
    await desk.consent(progress="accept")
    await desk.news()
    await desk.platform.fault(kind)
    for _ in range(12):
        await desk.sender.round()
        assert await desk.states() == ["temporary_failure"]
        desk.clock.advance(minutes=5)
    await desk.platform.heal()
    desk.clock.advance(hours=2)
    await desk.sender.round()
    assert (await desk.received(), await desk.states()) == (["已受理"], ["sent"])


async def test_a_platform_that_is_down_is_probed_and_not_flooded(desk: Desk) -> None:
    await desk.consent(progress="accept")
    await desk.platform.fault("down", path="/cgi-bin")
    for _ in range(20):
        await desk.news()
    before = len(desk.platform.world.log)
    for _ in range(60):
        await desk.sender.round()
        desk.clock.advance(seconds=1)
    assert len(desk.platform.world.log) - before < 20
    await desk.platform.heal()
    for _ in range(90):
        await desk.sender.round()
        desk.clock.advance(seconds=1)
    assert len(await desk.received()) == 20
    assert set(await desk.states()) == {"sent"}


async def test_news_too_old_expires_but_a_legal_notice_is_tried_for_a_week(desk: Desk) -> None:
    await desk.consent(progress="accept")
    await desk.news("case.accepted")
    await desk.news("case.decided", decision="refused")
    desk.clock.advance(days=2)
    await desk.sender.round()
    assert sorted(await desk.states()) == ["expired", "sent"]
    assert await desk.received() == ["不予批准"]


async def test_what_a_dead_sender_held_is_taken_over_after_its_time(desk: Desk) -> None:
    await desk.consent(progress="accept")
    await desk.news()
    now = desk.clock.now()
    [held] = await notifications.claim(desk.database, "dead", now, now + dt.timedelta(seconds=60), 10)
    await desk.sender.round()
    assert await desk.states() == ["sending"]
    desk.clock.advance(seconds=61)
    await desk.sender.round()
    assert await desk.states() == ["sent"]
    assert not await notifications.settle(desk.database, held, "technical_failure", desk.clock.now())
    assert await desk.states() == ["sent"]


async def test_two_senders_at_once_send_everything_once(desk: Desk) -> None:
    await desk.consent(progress="accept")
    other = desk.another("second")
    for _ in range(30):
        await desk.news()
    desk.platform.world.latency = 0.001
    while await notifications.next_due(desk.database):
        await asyncio.gather(desk.sender.round(), other.round())
        desk.clock.advance(seconds=5)
    assert len(await desk.received()) == 30
    assert set(await desk.states()) == {"sent"}


async def test_only_the_newest_unsent_news_of_a_case_is_sent(desk: Desk) -> None:
    await desk.consent(progress="accept")
    for event in ("case.accepted", "case.decided", "case.completed"):
        await desk.news(event, case="case-1", decision="granted")
    await desk.sender.round()
    assert await desk.received() == ["已办结"]
    assert sorted(await desk.states()) == ["sent", "suppressed", "suppressed"]


async def test_a_closed_account_gets_nothing(desk: Desk) -> None:
    await desk.consent(progress="accept")
    await desk.database.execute("UPDATE resident SET closed_at = $1", desk.clock.now())
    await desk.news()
    await desk.sender.round()
    assert (await desk.states(), await desk.received()) == (["suppressed"], [])


async def test_a_message_the_platform_will_never_take_is_parked_with_its_reason(desk: Desk) -> None:
    await desk.consent(progress="accept")
    await desk.news(item_name="赌博")
    await desk.sender.round()
    assert await desk.states() == ["technical_failure"]
    assert (await desk.details())[0].startswith("errcode 45168")


async def test_facts_that_make_no_sense_park_their_own_message_only(desk: Desk) -> None:
    await desk.consent(progress="accept")
    await desk.news(number="编号")
    await desk.news("case.decided", decision="granted")
    await desk.sender.round()
    assert sorted(await desk.states()) == ["sent", "technical_failure"]


async def test_the_running_sender_is_woken_by_the_bell(desk: Desk) -> None:
    await desk.consent(progress="accept")
    sender = desk.another("running")
    await sender.start()
    try:
        await desk.news()
        async with asyncio.timeout(0.9):  # less than one poll
            while not await desk.received():
                await asyncio.sleep(0.01)
    finally:
        await sender.stop()
    assert await desk.states() == ["sent"]
