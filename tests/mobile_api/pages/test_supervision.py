"""Supervision without JavaScript: what a supervisor and a unit see and press, and what nobody else sees."""

from __future__ import annotations

from typing import Any

from tests.mobile_api.pages.conftest import BOTH, Staffed
from tests.mobile_api.pages.plainforms import Seen, Visitor
from tests.mobile_api.pages.test_desk import accepted
from tests.support.late import make_late
from tests.support.wholetown import Town


async def late(town: Town, staff: Staffed) -> dict[str, Any]:
    case = await accepted(town, staff)
    assert await make_late(town.stores.office, case["id"]) == 3
    return case


async def card_on(visitor: Visitor, page: Seen, word: str) -> Seen:
    """The card whose line has this word."""
    (address,) = {link for text, link in page.links.items() if link.startswith("/supervision/cards/") and word in text}
    return await visitor.visit(address)


@BOTH
async def test_a_supervisor_confirms_a_red_card_and_the_unit_answers_and_appeals(town: Town, staff: Staffed):
    await late(town, staff)
    supervisor, officer = await staff("supervisor"), await staff("officer", "MZ")

    morning = await supervisor.visit("/supervision")
    red = await card_on(supervisor, morning, "法定时限")
    confirmed = await supervisor.press(red, "确认发牌")
    asked = await card_on(officer, await officer.visit("/supervision"), "法定时限")
    answered = await officer.press(asked, "提交反馈", text="材料复杂，本周办结")
    appealed = await officer.press(answered, "提交申诉", text="等待县局核查")
    waiting = await supervisor.visit("/supervision")
    settled = await supervisor.press(await card_on(supervisor, waiting, "法定时限"), "打回", text="理由不成立")
    pressed = await supervisor.press(settled, "督办", text="限三日内办结")

    assert "待确认" in morning.text
    assert "当日不计入" in red.text
    assert "通知经办、审批、督办" in red.text
    assert "牌已发出，责任单位" in confirmed.text
    assert asked.buttons == {"提交反馈", "提交申诉"}
    assert "材料复杂，本周办结" in answered.text
    assert appealed.buttons == set()
    assert "待处理的申诉" in waiting.text
    assert "申诉不成立，打回" in settled.text
    assert "已列为督办" in pressed.text
    assert "督办中" in (await officer.visit("/supervision")).text


async def test_a_unit_sees_what_it_is_warned_of_until_it_is_late_or_done(town: Town, staff: Staffed):
    """监察规则说明: a warning is told to those who work on the case; once it is late a card says more, once it is decided nothing."""
    case, officer, office = await late(town, staff), await staff("officer", "MZ"), town.stores.office

    overdue = await officer.visit("/supervision")
    await office.database.execute("DELETE FROM supervision_card WHERE level <> 'warning'")
    warned = await officer.visit("/supervision")
    await office.database.execute("UPDATE cases SET state = 'completed' WHERE id = $1", case["id"])
    done = await officer.visit("/supervision")

    assert "预警，还在办理" not in overdue.text
    assert "预警，还在办理" in warned.text
    assert "即将到期" in warned.text
    assert "预警，还在办理" not in done.text


@BOTH
async def test_who_is_told_of_cards_reads_their_number_on_every_page_until_he_has_dealt_with_them(town: Town, staff: Staffed):
    await late(town, staff)
    supervisor, officer, approver = await staff("supervisor"), await staff("officer", "MZ"), await staff("approver", "MZ")
    stranger = await staff("officer", "GA")

    for visitor, number in ((supervisor, 1), (officer, 1), (approver, 1)):
        for address in ("/desk", "/desk/search", "/supervision"):
            assert f"督办 {number}" in (await visitor.visit(address)).text, (visitor, address)
    assert "督办 " not in (await stranger.visit("/desk")).text
    await supervisor.press(await card_on(supervisor, await supervisor.visit("/supervision"), "法定时限"), "确认发牌")
    assert "督办 2" in (await officer.visit("/desk")).text  # the yellow one and now the red one
    assert "督办 1" in (await supervisor.visit("/desk")).text
    for word in ("法定时限", "承诺时限"):
        await officer.press(await card_on(officer, await officer.visit("/supervision"), word), "提交反馈", text="本周办结")
    for visitor in (supervisor, officer, approver):
        assert "督办 " not in (await visitor.visit("/desk")).text


async def test_words_are_asked_for_and_what_was_typed_stays(town: Town, staff: Staffed):
    await late(town, staff)
    supervisor = await staff("supervisor")
    page = await card_on(supervisor, await supervisor.visit("/supervision/cards?level=yellow"), "承诺时限")

    silent = await supervisor.press(page, "撤销这张牌", text=" ")
    revoked = await supervisor.press(silent, "撤销这张牌", text="系统故障，录入有误")
    kept = await supervisor.visit("/supervision/cards?state=revoked")

    assert (silent.status, "请先写明理由" in silent.text) == (422, True)
    assert "已撤销，牌和理由保留在案" in revoked.text
    assert "承诺时限" in kept.text


async def test_a_card_is_given_by_hand_and_a_wrong_number_is_told(town: Town, staff: Staffed):
    case, supervisor = await late(town, staff), await staff("supervisor")
    page = await supervisor.visit("/supervision/new")
    fields = {**page.form_of("发牌").fields, "ground": "refused-without-reason", "level": "yellow", "reason": "告知书没有写理由"}

    wrong = await supervisor.ask("POST", "/supervision/new", data={**fields, "number": "1302"})
    given = await supervisor.ask("POST", "/supervision/new", data={**fields, "number": case["number"]})

    assert (wrong.status, "没有这个编号的办件" in wrong.text) == (422, True)
    assert wrong.form_of("发牌").fields["reason"] == "告知书没有写理由"
    assert "牌已发出" in given.text
    assert "没有说明理由：告知书没有写理由" in given.text


async def test_a_morning_without_anything_late_says_so_and_shows_what_comes(town: Town, staff: Staffed):
    await accepted(town, staff)
    supervisor = await staff("supervisor")

    page = await supervisor.visit("/supervision")

    assert page.status == 200
    assert "没有超期的办件" in page.text
    assert "3 个工作日内将要发牌的" in page.text


async def test_the_filters_of_the_list_hold_and_a_wrong_month_is_refused(town: Town, staff: Staffed):
    await late(town, staff)
    supervisor, other = await staff("supervisor"), await staff("officer", "GA")

    assert "承诺时限" in (await supervisor.visit("/supervision/cards?department=MZ")).text
    assert "没有这样的牌" in (await supervisor.visit("/supervision/cards?department=GA")).text
    assert "没有这样的牌" in (await other.visit("/supervision/cards")).text
    assert (await supervisor.visit("/supervision/cards?month=2026-13")).status == 400


async def test_who_has_no_part_in_supervision_sees_neither_door_nor_room(town: Town, staff: Staffed):
    clerk, officer = await staff("clerk"), await staff("officer", "MZ")

    assert "监察" not in (await clerk.visit("/hall")).links
    assert (await clerk.visit("/supervision")).status == 403
    assert (await officer.visit("/supervision/new")).status == 403
