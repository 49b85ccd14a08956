"""The supervisor sees how the exchange with each department is doing; the administrator pauses a link and wakes it."""

from __future__ import annotations

import pytest

from mobile_api.pages.words import ago
from storage import deliveries, journal
from tests.mobile_api.pages.conftest import Staffed
from tests.mobile_api.pages.plainforms import Seen
from tests.mobile_api.pages.test_pages import apply
from tests.support.exchange import until
from tests.support.wholetown import Town


async def test_a_supervisor_sees_what_waits_for_which_department(town: Town, staff: Staffed):
    await apply(town, item="MZ-03")
    seen = await (await staff("supervisor")).visit("/desk/departments")
    assert seen.status == 200
    assert "民政" in seen.text
    assert seen.buttons == set()


async def test_others_do_not(town: Town, staff: Staffed):
    assert (await (await staff("officer", "MZ")).visit("/desk/departments")).status == 403


@pytest.mark.links(MZ="pull")
async def test_an_administrator_pauses_a_link_and_wakes_it(staff: Staffed):
    administrator = await staff("administrator")
    paused = await administrator.press(await administrator.visit("/desk/departments"), "暂停")
    assert "已暂停" in paused.text
    woken = await administrator.press(await administrator.visit("/desk/departments"), "恢复")
    assert "已恢复" in woken.text


@pytest.mark.links(MZ="pull")
async def test_what_a_department_refused_is_shown_with_its_reason_and_sent_again_or_given_up(town: Town, staff: Staffed):
    for user in ("zhang", "li"):
        await apply(town, user, item="MZ-03")
    office = town.stores.office
    await journal.post(office.database, [("MZ", 0), ("MZ", 1)], 10, office.clock.now())
    for refused in await journal.page(office.database, "MZ", 0, 10):
        await deliveries.hold(office.database, refused, "HTTP 422：格式不对")
    administrator = await staff("administrator")

    seen = await administrator.visit("/desk/departments")
    assert seen.text.count("HTTP 422：格式不对") == 2
    assert (await (await staff("supervisor")).visit("/desk/departments")).buttons == set()
    rest = await administrator.press(seen, "放弃这一条")
    assert "已放弃这一条" in rest.text
    assert rest.text.count("HTTP 422：格式不对") == 1
    woken = await administrator.press(rest, "再送一次")
    assert "已恢复" in woken.text
    assert await deliveries.held(office.database, "MZ") == []


async def test_what_does_not_open_is_shown_for_a_queue_too_and_goes_when_it_is_mended(town: Town, staff: Staffed):
    await apply(town, item="MZ-03")
    database, why = town.stores.office.database, "消息在本系统中无法解封"

    async def is_sent() -> bool:
        return not await database.rows("SELECT id FROM outbox WHERE department = 'MZ' AND sent_at IS NULL")

    await until(is_sent)
    letter = await database.one("SELECT id, body FROM outbox WHERE department = 'MZ'")
    assert letter
    await database.execute("UPDATE outbox SET sent_at = NULL, stream_id = NULL, body = $1 WHERE id = $2", b"spoilt", letter["id"])
    administrator = await staff("administrator")

    async def shown() -> Seen | None:
        seen = await administrator.visit("/desk/departments")
        return seen if why in seen.text else None

    seen = await until(shown)
    assert isinstance(seen, Seen)
    await database.execute("UPDATE outbox SET body = $1 WHERE id = $2", bytes(letter["body"]), letter["id"])
    woken = await administrator.press(seen, "再送一次")
    assert "已恢复" in woken.text
    assert why not in woken.text
    await until(is_sent)


@pytest.mark.parametrize(("seconds", "words"), [(5, "不到 1 分钟"), (240, "4 分钟"), (7200, "2 小时"), (3 * 86400, "3 天")])
def test_how_long_something_has_waited_is_said_as_people_say_it(seconds: float, words: str):
    assert ago(seconds) == words
