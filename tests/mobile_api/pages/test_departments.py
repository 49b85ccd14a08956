"""The supervisor sees how the exchange with each department is doing; the administrator pauses a link and wakes it."""

from __future__ import annotations

import pytest

from mobile_api.pages.words import ago
from tests.mobile_api.pages.conftest import Staffed
from tests.mobile_api.pages.test_pages import apply
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


@pytest.mark.parametrize(("seconds", "words"), [(5, "不到 1 分钟"), (240, "4 分钟"), (7200, "2 小时"), (3 * 86400, "3 天")])
def test_how_long_something_has_waited_is_said_as_people_say_it(seconds: float, words: str):
    assert ago(seconds) == words
