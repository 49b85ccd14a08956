"""A change of a case tells its resident in the same transaction: a line in the app, and a push where it is worth one."""

from __future__ import annotations

from typing import Any

import pytest

from handlers import notices
from handlers.notices import EVENT_TYPES, PUSHED, CaseFacts
from handlers.office import Office
from storage import account_events, notifications
from tests.support.town import small_office

__all__ = ["small_office"]

CASE = CaseFacts("c1", "130208108-1", "建房审批", "accepted", 3)


async def _tell(office: Office, event: str, case: CaseFacts = CASE, **data: Any) -> int:
    async with office.database.transaction() as tx:
        return await notices.tell(tx, office, resident_id="a", case=case, event=event, data=data)


async def _tell_and_fail(office: Office) -> None:
    async with office.database.transaction() as tx:
        await notices.tell(tx, office, resident_id="a", case=CASE, event="case.decided", data={})
        raise RuntimeError("changed my mind")


@pytest.mark.parametrize("event", EVENT_TYPES)
async def test_every_event_is_a_line_in_the_app_and_some_are_a_push(small_office: Office, event: str) -> None:
    assert await _tell(small_office, event, reason="缺章") == 1
    [line] = await account_events.since(small_office.database, "a", 0, 10)
    expected = {"number": "130208108-1", "item_name": "建房审批", "state": "accepted", "reason": "缺章"}
    assert (line.type, line.case_id, line.data, line.occurred_at) == (event, "c1", expected, small_office.clock.now())
    rows = await notifications.of_account(small_office.database, "a")
    assert [row["event"] for row in rows] == ([event] if event in PUSHED else [])


async def test_the_same_case_event_is_pushed_once(small_office: Office) -> None:
    await _tell(small_office, "case.accepted")
    await _tell(small_office, "case.accepted")
    assert len(await notifications.of_account(small_office.database, "a")) == 1


async def test_nothing_is_told_of_what_did_not_happen(small_office: Office) -> None:
    with pytest.raises(RuntimeError, match="changed my mind"):
        await _tell_and_fail(small_office)
    assert await account_events.since(small_office.database, "a", 0, 10) == []
    assert await notifications.of_account(small_office.database, "a") == []


async def test_an_event_without_a_name_is_a_mistake_of_ours(small_office: Office) -> None:
    with pytest.raises(ValueError, match="EVENT_TYPES"):
        await _tell(small_office, "accepted")


async def test_both_bells_ring_when_it_is_committed(small_office: Office) -> None:
    bell = small_office.bell
    with bell.listen(account_events.topic("a")) as phone, bell.listen(notifications.BELL) as sender:
        await _tell(small_office, "case.accepted")
        assert await phone.wait(1)
        assert await sender.wait(1)
