"""The officers' own work by pages alone: inbox, claim, hand-over, notes, templates, many at once, search."""

from __future__ import annotations

from typing import Any

import pytest

from handlers import replies
from tests.mobile_api.pages.conftest import BOTH, Staffed
from tests.mobile_api.pages.plainforms import Seen, Visitor
from tests.mobile_api.pages.test_pages import apply
from tests.support.lives import officer
from tests.support.staffed import hired
from tests.support.wholetown import Town

ALONE, TOGETHER = "MZ-03", "MZ-01"


async def opened(visitor: Visitor, case: dict[str, Any]) -> Seen:
    return await visitor.visit(f"/desk/cases/{case['id']}")


@BOTH
async def test_who_claims_is_shown_and_others_are_kept_out_until_it_is_released(town: Town, staff: Staffed):
    case = await apply(town, item=ALONE)
    first, second = await staff("officer", "MZ"), await staff("clerk")
    seen_by_second = await opened(second, case)

    mine = await first.press(await opened(first, case), "领取")
    listed = await first.visit("/desk")
    kept_out = await second.press(seen_by_second, "受理")
    told = await opened(second, case)
    free = await first.press(mine, "退回")

    assert "您正在办理" in mine.text
    assert "我" in listed.text
    assert kept_out.status == 409
    assert "李** 领取" in kept_out.text
    assert "李** 正在办理" in told.text
    assert "领取" in free.buttons
    assert (await second.press(seen_by_second, "受理")).status == 200


async def test_work_is_handed_over_assigned_and_taken_over_on_the_page(town: Town, staff: Staffed):
    case, office = await apply(town, item=ALONE), town.stores.office
    colleague = await hired(office, "王小明", "MZ")
    first, chief = await staff("officer", "MZ"), await staff("approver", "MZ")
    mine = await first.press(await opened(first, case), "领取")

    unsaid = await first.press(mine, "移交同事")
    gone = await first.press(unsaid, "移交同事", to=colleague.id, reason="明天出差")
    watched = await opened(chief, case)
    silent = await chief.press(watched, "接手办理", reason=" ")
    taken = await chief.press(silent, "接手办理", reason="经办人不在")
    assigned = await chief.press(taken, "分派经办人", to=colleague.id)

    assert (unsaid.status, gone.status) == (422, 200)
    assert "请选择要交给谁" in unsaid.text
    assert "王** 正在办理" in gone.text
    assert "明天出差" in gone.text
    assert silent.status == 422
    assert "您正在办理" in taken.text
    assert "已分派" in assigned.text
    assert "王** 正在办理" in assigned.text


async def test_a_template_is_written_chosen_and_filled_in_without_losing_what_was_typed(town: Town, staff: Staffed):
    case = await apply(town, item=ALONE)
    me = await staff("officer", "MZ")

    page = await me.visit("/desk/templates")
    wrong = await me.press(page, "保存模板", kind="correction", title="照片", text="{名字}您好")
    saved = await me.press(wrong, "保存模板", text="{applicant}：请重拍身份证。{date}")
    form = (await opened(me, case)).form_of("发出补正告知")
    template = next(one.id for one in await _templates(town))
    sent = {**form.fields, "template": template, "fill": "1", "reason": "有一处不清楚", "material:id_card": "重拍正面"}
    filled = await me.ask("POST", form.action, data=sent)
    none = await me.ask("POST", form.action, data={**sent, "template": ""})

    assert (wrong.status, wrong.form_of("保存模板").fields["text"]) == (422, "{名字}您好")
    assert "{applicant}、{item}、{number}、{date}" in wrong.text
    assert "模板已保存" in saved.text
    kept = filled.form_of("发出补正告知").fields
    assert filled.status == 200
    assert kept["reason"].startswith("有一处不清楚\n")
    assert "请重拍身份证" in kept["reason"]
    assert kept["material:id_card"] == "重拍正面"
    assert "请先选择模板" in none.text
    assert (await (await town.resident("zhang")).call("GET", f"/cases/{case['id']}"))["state"] == "submitted"


async def test_a_template_is_changed_and_retired(town: Town, staff: Staffed):
    me, other = await staff("officer", "MZ"), await staff("officer", "SJ")
    page = await me.press(await me.visit("/desk/templates"), "保存模板", kind="note", title="电话", text="已电话告知")

    changed = await me.press(page, "保存修改", title="电话告知", text="已电话告知本人", kind="note")
    hidden = await other.visit("/desk/templates")
    gone = await me.press(changed, "停用")
    clerk = await (await staff("clerk")).visit("/desk/templates")

    assert "已电话告知本人" in changed.text
    assert "电话" not in hidden.text.replace("咨询电话", "")
    assert "还没有模板" in gone.text
    assert clerk.status == 403


async def test_a_note_is_read_by_colleagues_and_not_by_the_resident(town: Town, staff: Staffed):
    case = await apply(town, item=ALONE)
    clerk, me = await staff("clerk"), await staff("officer", "MZ")

    written = await clerk.press(await opened(clerk, case), "保存备注", reason="<b>可能</b>重复申请")
    read = await opened(me, case)
    resident = await town.resident("zhang")
    seen = [await resident.call("GET", f"/cases/{case['id']}{part}") for part in ("", "/events", "/due-dates")]

    assert "备注已保存" in written.text
    assert "&lt;b&gt;可能&lt;/b&gt;重复申请" in read.html
    assert "李窗口（服务大厅）" in read.text
    assert "重复申请" not in str(seen)


async def test_ticked_cases_are_accepted_one_by_one_and_each_says_what_became_of_it(town: Town, staff: Staffed):
    cases = [await apply(town, user, ALONE) for user in ("zhang", "li", "wang")]
    clerk, me = await staff("clerk"), await staff("officer", "MZ")
    inbox = await clerk.visit("/desk")
    await me.press(await opened(me, cases[1]), "领取")

    done = await clerk.press(inbox, "办理勾选的", deed="accept")
    again = await clerk.press(inbox, "办理勾选的", deed="accept")
    fields = {name: value for name, value in inbox.form_of("办理勾选的").fields.items() if not name.startswith("case:")}
    none = await clerk.ask("POST", "/desk", data=fields)

    for page in (done, again):
        assert "2 件已办理，1 件没有办理" in page.text
        assert "正在由同事办理" in page.text
    assert (none.status, "请先勾选" in none.text) == (422, True)
    states = [
        (await (await town.resident(user)).call("GET", f"/cases/{case['id']}"))["state"]
        for user, case in zip(("zhang", "li", "wang"), cases, strict=True)
    ]
    assert states == ["in_review", "submitted", "in_review"]


@pytest.mark.parametrize("wrong", [{"deed": "decide"}, {"key": ""}, {"method": "post"}, {"case:x": "many"}, {"opinion": "长" * 2001}])
async def test_a_batch_that_no_form_sends_is_refused(town: Town, staff: Staffed, wrong: dict[str, str]):
    await apply(town, item=ALONE)
    clerk = await staff("clerk")
    form = (await clerk.visit("/desk")).form_of("办理勾选的")

    assert (await clerk.ask("POST", "/desk", data={**form.fields, **wrong})).status == 400


async def test_the_inbox_is_filtered_and_paged_by_its_addresses(town: Town, staff: Staffed):
    case = await apply(town, item=ALONE)
    clerk = await staff("clerk")

    assert case["number"][-6:] in (await clerk.visit("/desk", params={"item": ALONE})).html
    for nothing in ({"item": "SJ-03"}, {"show": "mine"}, {"late": "1"}, {"state": "decided"}):
        assert "没有等待办理的办件" in (await clerk.visit("/desk", params=nothing)).text, nothing
    for wrong in ({"show": "hers"}, {"after": "1.0.x"}, {"item": "<b>"}):
        assert (await clerk.visit("/desk", params=wrong)).status == 400, wrong
    assert (await clerk.visit("/desk", params={"after": "0.99.2026-99-99.x"})).status == 422


async def test_a_case_is_found_by_name_and_the_form_keeps_what_was_typed(town: Town, staff: Staffed):
    case = await apply(town, item=ALONE)
    clerk, stranger = await staff("clerk"), await staff("officer", "SJ")
    name = case["form"]["applicant_name"]

    form = await clerk.visit("/desk/search")
    found = await clerk.press(form, "查找", applicant=name, purpose="enquiry")
    hidden = await stranger.press(await stranger.visit("/desk/search"), "查找", applicant=name)
    empty = await clerk.press(form, "查找")
    backwards = await clerk.press(form, "查找", since="2026-03-02", until="2026-03-01")
    odd = await clerk.press(form, "查找", since="yesterday")

    assert f"/desk/cases/{case['id']}" in found.html
    assert found.path == "/desk/search"
    assert found.form_of("查找").fields["applicant"] == name
    assert f"{name[0]}*" in found.text
    assert "没有找到" in hidden.text
    assert (empty.status, backwards.status, odd.status) == (422, 422, 400)


async def _templates(town: Town) -> list[Any]:
    return await replies.listing(town.stores.office, officer("MZ"))
