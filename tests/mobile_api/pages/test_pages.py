"""The pages by HTTP alone: log-in, the counter, the start page, receipts and refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.mobile_api.pages.conftest import BOTH, Staffed
from tests.mobile_api.pages.plainforms import Visitor
from tests.support.wholetown import PASSWORD, Town, application_for

Anyone = Callable[[], Visitor]

PROBLEM = re.compile(r'<p class="problem".*?</p>')


async def apply(town: Town, user: str = "zhang", item: str = "SJ-03") -> dict[str, Any]:
    resident = await town.resident(user)
    return await resident.call("POST", "/cases", json=await application_for(resident, item), key=f"{user}-{item}", expect=(201,))


async def test_a_clerk_logs_in_begins_at_the_counter_and_logs_out_for_good(town: Town, anyone: Anyone):
    await town.staff("clerk")
    clerk = anyone()

    counter = await clerk.log_in("clerk", PASSWORD)
    left = await clerk.press(counter, "退出")
    after = await clerk.visit("/desk")

    assert (counter.status, counter.path) == (200, "/hall")
    assert (left.path, after.path) == ("/login", "/login")
    assert counter.headers["Cache-Control"] == "no-store"


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(town: Town, anyone: Anyone):
    await town.staff("clerk")
    visitor = anyone()
    form = (await visitor.visit("/login")).form_of("登录")
    sent = {**form.fields, "username": "clerk", "password": PASSWORD}

    answer = await visitor.ask("POST", "/login", data=sent, allow_redirects=False)

    cookie = answer.headers["Set-Cookie"]
    assert answer.status == 303
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


async def test_a_wrong_password_keeps_the_name_and_tells_no_more(town: Town, anyone: Anyone):
    await town.staff("clerk")
    known = await anyone().log_in("clerk", "not-the-password")
    unknown = await anyone().log_in("nobody", "not-the-password")

    assert (known.status, unknown.status) == (401, 401)
    assert known.form_of("登录").fields["username"] == "clerk"
    assert PROBLEM.search(known.html)[0] == PROBLEM.search(unknown.html)[0]
    assert "not-the-password" not in known.html


@pytest.mark.parametrize("wanted", ["https://elsewhere.example/", "//elsewhere.example/hall", "/hall/../../x", "javascript:alert(1)"])
async def test_the_login_leads_to_pages_of_ours_only(town: Town, anyone: Anyone, wanted: str):
    await town.staff("clerk")
    visitor = anyone()
    page = await visitor.visit("/login", params={"next": wanted})

    answer = await visitor.press(page, "登录", username="clerk", password=PASSWORD)

    assert (answer.status, answer.path) == (200, "/hall")


async def test_who_is_sent_to_the_login_comes_back_to_where_he_wanted(town: Town, anyone: Anyone):
    case = await apply(town)
    await town.staff("clerk")
    visitor = anyone()

    asked = await visitor.visit(f"/desk/cases/{case['id']}")
    came = await visitor.press(asked, "登录", username="clerk", password=PASSWORD)

    assert asked.path == "/login"
    assert came.path == f"/desk/cases/{case['id']}"
    assert case["number"] in came.html


async def test_a_forged_form_does_nothing(town: Town, staff: Staffed):
    case = await apply(town)
    clerk = await staff("clerk")
    page = await clerk.visit(f"/desk/cases/{case['id']}")

    other_token = await clerk.press(page, "受理", form_token="0" * 64)
    other_site = await clerk.press(page, "受理", headers={"Sec-Fetch-Site": "cross-site"})
    login = await clerk.ask("POST", "/login", data={"username": "clerk", "password": PASSWORD}, headers={"Sec-Fetch-Site": "cross-site"})

    assert [seen.status for seen in (other_token, other_site, login)] == [403, 403, 403]
    assert "受理" in (await clerk.visit(f"/desk/cases/{case['id']}")).buttons


@BOTH
async def test_the_counter_opens_a_code_once_and_says_so(town: Town, staff: Staffed):
    case = await apply(town)
    resident, clerk = await town.resident("zhang"), await staff("clerk")
    shown = await resident.call("POST", "/codes/lookup", json={"purpose": "hall"}, expect=(201,))
    counter = await clerk.visit("/hall")

    found = await clerk.press(counter, "查看", code=shown["code"])
    again = await clerk.press(found, "查看", code=shown["code"])

    assert found.status == 200
    assert case["item"]["name"] in found.text
    assert "1 个办件" in found.text
    assert found.links["打开办件"] == f"/desk/cases/{case['id']}"
    assert again.status == 404
    assert "这个码不能使用" in again.text
    assert case["item"]["name"] not in again.text
    assert again.form_of("查看").fields["code"] == ""


@pytest.mark.parametrize("write", [str.lower, " ".join, lambda text: "".join(chr(ord(one) + 0xFEE0) for one in text)])
async def test_the_counter_reads_numbers_however_they_are_typed(town: Town, staff: Staffed, write: Callable[[str], str]):
    case = await apply(town)
    clerk = await staff("clerk")
    counter = await clerk.visit("/hall")

    for code in (case["number"], case["receipt_code"]):
        assert case["item"]["name"] in (await clerk.press(counter, "查看", code=write(code))).text


async def test_only_the_counter_scans(town: Town, staff: Staffed):
    approver = await staff("approver", "MZ")

    home, counter = await approver.visit("/login"), await approver.visit("/hall")

    assert home.path == "/desk"
    assert "窗口扫码" not in home.links
    assert counter.status == 403


async def test_anybody_reads_the_stage_on_a_receipt_and_nothing_personal(town: Town, anyone: Anyone):
    case = await apply(town)

    right, wrong = await anyone().visit(f"/r/{case['receipt_code']}"), await anyone().visit("/r/A123")

    assert right.status == 200
    assert case["item"]["name"] in right.text
    assert "待受理" in right.text
    assert "张三" not in right.html
    assert case["number"] not in right.html
    assert (wrong.status, "没有找到" in wrong.text) == (404, True)


async def test_anybody_verifies_a_receipt_however_it_is_typed_and_learns_what_cannot_be_verified(town: Town, anyone: Anyone):
    case = await apply(town)
    visitor = anyone()
    asked = await visitor.visit("/verify")

    address, code, wrong, number = [
        await visitor.press(asked, "核验", code=text)
        for text in (f"{town.base_url}/r/{case['receipt_code']}", case["receipt_code"].lower(), "A123", case["number"])
    ]

    assert "证照目前不带核验码" in asked.text
    assert address.path == code.path == f"/r/{case['receipt_code']}"
    assert (address.status, wrong.status, number.status) == (200, 404, 404)
    assert "没有查到" in wrong.text
    assert case["number"] not in number.html


async def test_the_administrator_begins_with_the_town_and_others_have_no_part_in_it(town: Town, staff: Staffed, anyone: Anyone):
    begins = await (await staff("administrator")).visit("/login")
    years = sorted(town.stores.office.calendar.tables)

    assert (begins.status, begins.path) == (200, "/admin")
    assert {"/desk/departments", "/desk/messages", "/admin"} <= set(begins.links.values())
    assert str(len(town.stores.office.catalogue.items)) in begins.text
    assert str(years[-1]) in begins.text
    assert (await (await staff("clerk")).visit("/admin")).status == 403
    assert (await anyone().visit("/admin")).path == "/login"


async def test_who_may_not_see_a_page_is_led_to_his_own(staff: Staffed):
    for role, home in (("administrator", "/admin"), ("clerk", "/hall"), ("supervisor", "/desk")):
        refused = await (await staff(role)).visit("/desk" if role == "administrator" else "/admin")
        assert (refused.status, home in refused.links.values()) == (403, True)


@pytest.mark.parametrize("typed", ["/desk/", "/hall/", "/verify/", "/supervision/reports/"])
async def test_a_slash_too_many_does_not_lead_astray(anyone: Anyone, typed: str):
    seen = await anyone().visit(typed, allow_redirects=False)
    assert (seen.status, seen.headers["Location"]) == (303, typed.rstrip("/"))


@pytest.mark.parametrize("typed", ["//elsewhere.example/", "/%5Celsewhere.example/", "/desk//"])
async def test_a_slash_too_many_leads_to_no_other_site(anyone: Anyone, typed: str):
    assert "Location" not in (await anyone().visit(typed, allow_redirects=False)).headers


async def test_unknown_addresses_are_pages_for_people_and_problems_for_programs(town: Town, anyone: Anyone):
    visitor = anyone()

    person = await visitor.visit("/nothing/here")
    program = await visitor.visit("/nothing/here", headers={"Accept": "application/json"})
    api = await visitor.visit("/api/v1/nothing")
    method = await visitor.ask("PUT", "/hall")

    assert [seen.status for seen in (person, program, api, method)] == [404, 404, 404, 405]
    assert person.headers["Content-Type"].startswith("text/html")
    assert method.headers["Content-Type"].startswith("text/html")
    assert "回到首页" in person.links
    assert program.headers["Content-Type"] == api.headers["Content-Type"] == "application/problem+json"


async def test_the_start_page_shows_the_doors_and_sends_phones_to_theirs(town: Town, anyone: Anyone):
    desktop = await anyone().visit("/")
    phone = await anyone().visit("/", headers={"User-Agent": "Mozilla/5.0 (Linux; Android 14) Mobile"}, allow_redirects=False)
    typed = await anyone().visit("/m", allow_redirects=False)

    assert {"/m/", "/hall", "/desk", "/docs"} <= set(desktop.links.values())
    assert (phone.status, phone.headers["Location"]) == (303, "/m/")
    assert (typed.status, typed.headers["Location"]) == (303, "/m/")


async def test_the_residents_page_of_a_demo_may_ask_the_pretend_wechat(town: Town, anyone: Anyone):
    config = json.loads((await anyone().visit("/m/config.json")).html)
    assert (config["demo"], config["pretend_wechat"]) == (True, town.wechat_url)


async def test_every_page_keeps_the_strict_policy(town: Town, staff: Staffed):
    clerk = await staff("clerk")

    for path in ("/", "/hall", "/desk", "/nothing"):
        seen = await clerk.visit(path)
        assert "script-src 'self'" in seen.headers["Content-Security-Policy"]
        assert "unsafe" not in seen.headers["Content-Security-Policy"]
        assert " style=" not in seen.html
        assert " onclick=" not in seen.html
