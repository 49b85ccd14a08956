"""Consents told by the phone and by the platform, in any order and any number of times, count once."""

from __future__ import annotations

from typing import Any

import pytest

from handlers import subscriptions
from handlers.errors import Refused
from handlers.office import Office
from handlers.subscriptions import Choice, once_key
from storage import notifications
from storage.clock import SettableClock
from tests.support.town import settle_in, small_office
from tests.support.wechat import CORRECTION, PROGRESS, RESULT, TEMPLATES

__all__ = ["small_office"]


class Zhang:
    """One resident and the ways in which the office hears of him."""

    def __init__(self, office: Office, account: str) -> None:
        self.office = office
        self.account = account

    async def chooses(self, **choices: Choice) -> None:
        by_id = {TEMPLATES.by_name[name].template_id: choice for name, choice in choices.items()}
        await subscriptions.record_choices(self.office, TEMPLATES, self.account, by_id)

    async def platform_says(self, event: str, *entries: dict[str, str], at: float = 0) -> bool:
        stamp = int(self.office.clock.now().timestamp() + at)
        body = {"FromUserName": "o-zhang", "CreateTime": stamp, "MsgType": "event", "Event": event, "List": list(entries)}
        kept = await subscriptions.receive(self.office, body)
        await self.work()
        return kept

    async def work(self) -> int:
        return await subscriptions.apply_pushes(self.office.database, self.office.clock, TEMPLATES)

    async def allows(self) -> dict[str, int | bool]:
        found = await subscriptions.consents(self.office, TEMPLATES, self.account)
        return {one.template.name: one.on if one.template.kind == "lasting" else one.credits for one in found}


@pytest.fixture
async def zhang(small_office: Office) -> Zhang:
    return Zhang(small_office, await settle_in(small_office.database, "o-zhang"))


def _entry(template_id: str, choice: str = "accept") -> dict[str, str]:
    return {"TemplateId": template_id, "SubscribeStatusString": choice, "PopupScene": "0"}


POPUP = "subscribe_msg_popup_event"
SENT = "subscribe_msg_sent_event"


async def test_at_first_nothing_is_allowed(zhang: Zhang) -> None:
    assert await zhang.allows() == {"progress": False, "correction": 0, "result": 0}


async def test_the_phones_word_is_enough(zhang: Zhang) -> None:
    await zhang.chooses(correction="accept", result="reject")
    await zhang.chooses(progress="accept")
    assert await zhang.allows() == {"progress": True, "correction": 1, "result": 0}


async def test_the_platforms_word_is_enough(zhang: Zhang) -> None:
    await zhang.platform_says(POPUP, _entry(CORRECTION), _entry(RESULT, "reject"))
    assert await zhang.allows() == {"progress": False, "correction": 1, "result": 0}


@pytest.mark.parametrize("first", ["phone", "platform"])
async def test_both_words_of_one_tap_count_once(zhang: Zhang, first: str) -> None:
    if first == "phone":
        await zhang.chooses(result="accept")
    await zhang.platform_says(POPUP, _entry(RESULT), at=-2 if first == "platform" else 2)
    if first == "platform":
        await zhang.chooses(result="accept")
    assert (await zhang.allows())["result"] == 1


async def test_a_repeated_delivery_changes_nothing(zhang: Zhang) -> None:
    assert await zhang.platform_says(POPUP, _entry(RESULT))
    assert not await zhang.platform_says(POPUP, _entry(RESULT))
    assert (await zhang.allows())["result"] == 1
    assert await zhang.work() == 0


async def test_turning_off_in_wechats_settings_ends_everything(zhang: Zhang) -> None:
    await zhang.chooses(correction="accept")
    await zhang.chooses(progress="accept")
    assert isinstance(zhang.office.clock, SettableClock)
    zhang.office.clock.advance(seconds=60)
    for template in (CORRECTION, PROGRESS):
        await zhang.platform_says("subscribe_msg_change_event", _entry(template, "reject"))
    assert await zhang.allows() == {"progress": False, "correction": 0, "result": 0}


async def test_a_rejected_dialog_takes_no_earlier_credit_away(zhang: Zhang) -> None:
    await zhang.chooses(result="accept")
    await zhang.platform_says(POPUP, _entry(RESULT, "reject"), at=40)
    assert (await zhang.allows())["result"] == 1


async def test_an_unknown_template_is_refused_and_an_unknown_person_ignored(zhang: Zhang) -> None:
    with pytest.raises(Refused, match="unknown_template"):
        await subscriptions.record_choices(zhang.office, TEMPLATES, zhang.account, {"tmpl-x": "accept"})
    await subscriptions.receive(zhang.office, {"FromUserName": "o-nobody", "Event": POPUP, "List": [_entry(RESULT)]})
    await subscriptions.receive(zhang.office, {"FromUserName": "o-zhang", "Event": "wxa_media_check", "trace_id": "t"})
    assert await zhang.work() == 2


async def _send(zhang: Zhang) -> notifications.Notification:
    now, db = zhang.office.clock.now(), zhang.office.database
    async with db.transaction() as tx:
        await notifications.add(tx, account_id=zhang.account, case_id="c", event="case.accepted", once_key="k", data={}, at=now)
    [message] = await notifications.claim(db, "h", now, now, 1)
    return message


async def test_a_report_that_is_quicker_than_our_own_note_waits_for_it(zhang: Zhang) -> None:
    message = await _send(zhang)
    await zhang.platform_says(SENT, {"TemplateId": PROGRESS, "MsgID": "7", "ErrorCode": "0", "ErrorStatus": "success"})
    await notifications.settle(zhang.office.database, message, "sent", zhang.office.clock.now(), provider_id="7")
    assert await zhang.work() == 1
    [row] = await notifications.of_account(zhang.office.database, zhang.account)
    assert row["state"] == "delivered"


async def test_a_report_without_a_message_is_let_go_after_a_minute(zhang: Zhang) -> None:
    await zhang.platform_says(SENT, {"TemplateId": PROGRESS, "MsgID": "8", "ErrorCode": "1", "ErrorStatus": "failed:system failed"})
    assert await zhang.work() == 0
    assert isinstance(zhang.office.clock, SettableClock)
    zhang.office.clock.advance(seconds=61)
    assert await zhang.work() == 1


def test_keys_tell_events_apart_that_share_a_second() -> None:
    event: dict[str, Any] = {"FromUserName": "o", "CreateTime": 1, "Event": POPUP}
    keys = {once_key({**event, "List": [_entry(template, choice)]}) for template in (RESULT, PROGRESS) for choice in ("accept", "reject")}
    keys |= {once_key({"FromUserName": who, "MsgId": "1"}) for who in ("o", "p")}
    assert len(keys) == 6
    assert max(len(key) for key in keys) <= 200


async def test_an_event_whose_list_is_nothing_is_kept_and_changes_nothing(zhang: Zhang) -> None:
    event = {"FromUserName": "o-zhang", "CreateTime": 1764000000, "Event": POPUP, "List": None}
    assert await subscriptions.receive(zhang.office, event)
    assert await zhang.work() == 1
    assert await zhang.allows() == {"progress": False, "correction": 0, "result": 0}
