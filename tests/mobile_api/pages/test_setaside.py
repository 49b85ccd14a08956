"""Messages that could not take effect: an officer reads them on a page and decides; nobody else sees them."""

from __future__ import annotations

from storage import inbox
from tests.mobile_api.pages.conftest import BOTH, Staffed
from tests.support.wholetown import Town


async def set_one_aside(town: Town, department: str = "MZ", body: bytes = b'{"reason": "<b>garbled</b>"}') -> None:
    database, clock = town.stores.office.database, town.stores.office.clock
    await inbox.set_aside(database, department=department, kind="poison", message_id="m", reason="不是信封", body=body, now=clock.now())


@BOTH
async def test_an_officer_reads_a_message_and_skips_it_with_a_reason(town: Town, staff: Staffed):
    await set_one_aside(town)
    officer = await staff("officer", "MZ")
    listed = await officer.visit("/desk/messages")
    assert "不是信封" in listed.text
    (address,) = [link for link in listed.links.values() if link.startswith("/desk/messages/")]
    seen = await officer.visit(address)
    assert "&lt;b&gt;garbled" in seen.html
    silent = await officer.press(seen, "跳过这条消息", reason=" ")
    assert (silent.status, "请先写明理由" in silent.text) == (422, True)
    done = await officer.press(silent, "跳过这条消息", reason="部门已重发")
    assert "已跳过这条消息" in done.text
    assert "没有待处理的消息" in done.text


async def test_what_still_fails_changes_nothing_and_says_why(town: Town, staff: Staffed):
    await set_one_aside(town, body=b"\xff<xml/>")
    administrator = await staff("administrator")
    listed = await administrator.visit("/desk/messages")
    (address,) = [link for link in listed.links.values() if link.startswith("/desk/messages/")]
    seen = await administrator.press(await administrator.visit(address), "重新处理", reason="再试一次")
    assert seen.status == 422
    assert "还是不能处理" in seen.text
    assert seen.form_of("重新处理").fields["reason"] == "再试一次"


async def test_another_departments_officer_a_clerk_and_a_stranger_see_nothing(town: Town, staff: Staffed):
    await set_one_aside(town)
    assert "没有待处理的消息" in (await (await staff("officer", "GA")).visit("/desk/messages")).text
    assert (await (await staff("clerk")).visit("/desk/messages")).status == 403
