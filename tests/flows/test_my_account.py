"""A resident's own affairs: devices, preferences, messages, drafts and papers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from yarl import URL

from mobile_api.views.sync import NOT_LOGGED_IN
from tests.support.wholetown import PATIENCE, Town, application_for, photograph


async def test_each_device_is_listed_and_a_lost_one_can_be_logged_out(town: Town):
    phone, lost = await town.resident("zhang"), await town.resident("zhang")
    listed = await phone.call("GET", "/auth/sessions")
    devices = listed["items"]
    other = next(device for device in devices if not device["current"])

    await phone.call("DELETE", f"/auth/sessions/{other['id']}", expect=(204,))
    lost._refresh = ""

    assert (len(devices), listed["next_cursor"]) == (2, None)
    assert (await lost.raw("GET", "/me"))[0] == 401
    assert (await phone.raw("GET", "/me"))[0] == 200


async def test_a_refresh_token_is_used_once_and_its_reuse_ends_the_log_in(town: Town):
    phone = await town.resident("zhang")
    first, me = phone._refresh, await phone.call("GET", "/me")
    again = await phone.call("POST", "/auth/refresh", json={"refresh_token": first})
    raced = await phone.call("POST", "/auth/refresh", json={"refresh_token": first})
    third = await phone.call("POST", "/auth/refresh", json={"refresh_token": again["refresh_token"]})

    status, problem = await phone.raw("POST", "/auth/refresh", json={"refresh_token": first})

    assert raced["refresh_token"] == again["refresh_token"]
    assert again["resident"]["id"] == me["id"]
    assert third["refresh_token"] != again["refresh_token"]
    assert (status, problem["code"]) == (401, "not_logged_in")


async def test_log_out_takes_effect_at_once(town: Town):
    phone = await town.resident("zhang")

    await phone.call("POST", "/auth/logout", expect=(204,))

    phone._refresh = ""
    assert (await phone.raw("GET", "/me"))[0] == 401


async def test_large_text_is_remembered_with_the_account(town: Town):
    phone = await town.resident("zhang")
    await phone.call("PUT", "/me/preferences", json={"large_text": True, "language": "zh", "push": True})

    another = await town.resident("zhang")

    assert (await another.call("GET", "/me/preferences"))["large_text"] is True
    assert (await another.call("GET", "/me"))["preferences"]["large_text"] is True


async def test_messages_are_unread_until_read(town: Town):
    await town.departments.pause()
    resident = await town.resident("zhang")
    await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first", expect=(201,))

    before = await resident.call("GET", "/inbox")
    after = await resident.call("POST", "/inbox/read", json={"to": before["items"][0]["n"]})

    assert before["unread"] == len(before["items"]) == 1
    assert after == {"unread": 0}


async def test_every_account_has_a_line_of_events_also_a_member_of_staff(town: Town):
    clerk = await town.staff("clerk")

    assert await clerk.call("GET", "/sync", params={"timeout": "0"}) == {"events": [], "next": 0, "unread": 0}
    assert (await clerk.call("GET", "/inbox"))["items"] == []
    assert (await clerk.raw("GET", "/me"))[0] == 403


async def test_a_draft_keeps_what_there_is_and_is_submitted_when_it_is_whole(town: Town):
    await town.departments.pause()
    resident = await town.resident("zhang")
    whole = await application_for(resident, "SJ-03")
    draft = await resident.call("POST", "/cases", json={**whole, "form": {}, "materials": [], "submit": False}, key="draft", expect=(201,))
    early, problem = await resident.raw("POST", f"/cases/{draft['id']}/submit", key="early")

    tag = {"If-Match": f'"v{draft["version"]}"'}
    body = {"form": whole["form"], "materials": whole["materials"]}
    changed = await resident.call("PUT", f"/cases/{draft['id']}", json=body, headers=tag)
    stale, _ = await resident.raw("PUT", f"/cases/{draft['id']}", json=body, headers=tag)
    case = await resident.call("POST", f"/cases/{draft['id']}/submit", key="whole")

    assert (draft["number"], draft["public_state"]) == (None, "draft")
    assert (early, problem["code"]) == (422, "invalid_form")
    assert changed["state"] == "draft"
    assert stale == 412
    assert (case["state"], bool(case["number"])) == ("submitted", True)


async def test_papers_come_back_as_they_were_handed_in_and_only_to_their_owner(town: Town):
    owner, other = await town.resident("zhang"), await town.resident("li")
    upload = await photograph(owner, "id card")

    shown = await owner.call("GET", f"/uploads/{upload}")
    content = await owner.call("GET", f"/uploads/{upload}/content")
    foreign, problem = await other.raw("GET", f"/uploads/{upload}/content")

    assert shown["state"] == "ready"
    assert content[:2] == b"\xff\xd8"
    assert len(content) == shown["size"]
    assert (foreign, problem["code"]) == (404, "not_found")


async def test_the_receipt_can_be_printed(town: Town):
    await town.departments.pause()
    resident = await town.resident("zhang")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first", expect=(201,))

    assert (await resident.call("GET", f"/cases/{case['id']}/receipt.png"))[:4] == b"\x89PNG"
    assert (await resident.call("GET", f"/cases/{case['id']}/receipt.pdf"))[:4] == b"%PDF"


async def test_somebody_elses_upload_cannot_be_handed_in(town: Town):
    owner, thief = await town.resident("zhang"), await town.resident("li")
    body = await application_for(thief, "SJ-03")
    body["materials"][0]["uploads"] = [await photograph(owner, "mine")]

    status, problem = await thief.raw("POST", "/cases", json=body, key="theft")

    assert (status, problem["code"]) == (422, "materials_unusable")
    assert [error["pointer"] for error in problem["errors"]] == [f"/materials/{body['materials'][0]['material']}"]


async def test_a_draft_can_be_given_up_and_is_nobodys_business(town: Town):
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    draft = await resident.call("POST", "/cases", json={"item": "SJ-03", "submit": False}, key="draft", expect=(201,))

    unseen, _ = await clerk.raw("GET", f"/desk/cases/{draft['id']}")
    listed = await clerk.call("GET", "/desk/cases", params={"state": "draft"})
    ended = await resident.call("POST", f"/cases/{draft['id']}/withdraw", json={}, key="end")

    assert unseen == 404
    assert listed["items"] == []
    assert (ended["state"], ended["number"]) == ("withdrawn", None)


async def test_refused_submissions_use_up_no_numbers(town: Town):
    await town.departments.pause()
    resident = await town.resident("zhang")
    whole = await application_for(resident, "SJ-03")
    first = await resident.call("POST", "/cases", json=whole, key="first", expect=(201,))
    for n in range(5):
        assert (await resident.raw("POST", "/cases", json={**whole, "materials": []}, key=f"refused{n}"))[0] == 422
        assert (await resident.raw("POST", "/cases/none/submit", key=f"nobody{n}"))[0] == 404

    second = await resident.call("POST", "/cases", json=whole, key="second", expect=(201,))

    assert int(second["number"][17:22]) == int(first["number"][17:22]) + 1


async def test_a_rating_is_between_one_and_five(town: Town):
    resident = await town.resident("zhang")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first", expect=(201,))
    await town.follow(resident, case["id"], until="case.completed")

    for wrong in ({"level": 0}, {"level": 6}, {"level": 5, "text": "长" * 1001}, {"level": 5, "tags": ["长" * 21]}):
        status, problem = await resident.raw("POST", f"/cases/{case['id']}/evaluation", json=wrong, key=f"wrong{len(str(wrong))}")
        assert (status, problem["code"]) == (422, "wrong_shape"), wrong


async def test_a_socket_ends_with_its_log_in(town: Town):
    phone, computer = await town.resident("zhang"), await town.resident("zhang")
    async with phone.stream(0) as socket:
        await socket.receive_json(timeout=PATIENCE)
        here = next(device for device in (await phone.call("GET", "/auth/sessions"))["items"] if device["current"])

        await computer.call("DELETE", f"/auth/sessions/{here['id']}", expect=(204,))
        last = await socket.receive(timeout=10)  # less than a heartbeat: the log-out rang

    assert (last.type, last.data) == (aiohttp.WSMsgType.CLOSE, NOT_LOGGED_IN)


async def test_a_socket_of_another_device_stays(town: Town):
    phone, lost = await town.resident("zhang"), await town.resident("zhang")
    async with phone.stream(0) as socket:
        await socket.receive_json(timeout=PATIENCE)
        await lost.call("POST", "/auth/logout", expect=(204,))

        await phone.call("POST", "/cases", json=await application_for(phone, "SJ-03"), key="first", expect=(201,))

        assert (await socket.receive_json(timeout=PATIENCE))["events"]


async def test_who_waits_for_events_is_told_of_the_log_out(town: Town):
    phone, computer = await town.resident("zhang"), await town.resident("zhang")
    here = next(device for device in (await phone.call("GET", "/auth/sessions"))["items"] if device["current"])
    phone._refresh = ""

    waiting = asyncio.create_task(phone.raw("GET", "/sync", params={"since": "0", "timeout": "60"}))
    await town.until(_listening(town), "the long-poll")
    await computer.call("DELETE", f"/auth/sessions/{here['id']}", expect=(204,))

    async with asyncio.timeout(10):
        assert (await waiting)[0] == 401


@pytest.mark.parametrize("header", [b"Bearer \xff", b"Bearer \xff.\xff.\xff", b"Bearer .."])
async def test_a_header_that_is_no_token_is_nobodys(town: Town, header: bytes):
    address = URL(town.base_url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(b"GET /api/v1/me HTTP/1.1\r\nHost: town\r\nConnection: close\r\nAuthorization: " + header + b"\r\n\r\n")

    status = await reader.readline()
    writer.close()
    await writer.wait_closed()

    assert b" 401 " in status


async def test_a_thief_is_noticed_however_often_his_victim_renewed_since(town: Town):
    phone = await town.resident("zhang")
    stolen = phone._refresh
    token = stolen
    for _ in range(3):
        token = (await phone.call("POST", "/auth/refresh", json={"refresh_token": token}))["refresh_token"]

    thief, _ = await phone.raw("POST", "/auth/refresh", json={"refresh_token": stolen})
    victim, _ = await phone.raw("POST", "/auth/refresh", json={"refresh_token": token})

    assert (thief, victim) == (401, 401)
    assert await town.stores.office.database.rows("SELECT id FROM audit WHERE action = 'session.reuse_detected'")


def _listening(town: Town) -> Callable[[], Awaitable[bool]]:
    """Whether anybody waits for an account's events."""

    async def look() -> bool:
        return any(topic.startswith("account:") for topic in town.stores.office.bell._listeners)

    return look
