"""What no browser sends: pages refuse it in words and never with an error of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from yarl import URL

from tests.mobile_api.pages.conftest import BOTH, Staffed
from tests.mobile_api.pages.plainforms import Visitor
from tests.support.wholetown import PASSWORD, Town, application_for

Anyone = Callable[[], Visitor]

FORM = "application/x-www-form-urlencoded"
PART = b'--b\r\nContent-Disposition: form-data; name="username"\r\nContent-Transfer-Encoding: nonsense\r\n\r\nx\r\n--b--\r\n'
BODIES = {
    "an unknown charset": (f"{FORM}; charset=nonsense", b"username=a"),
    "a charset that is none": (f"{FORM}; charset=zlib_codec", b"username=a"),
    "a charset that makes surrogates": (f"{FORM}; charset=utf-7", b"username=%2BANg-"),
    "bytes that are no text": (FORM, b"username=\xff"),
    "a zero": (FORM, b"username=%00&password=x"),
    "a zero in a name": (FORM, b"user%00name=x"),
    "broken multipart": ("multipart/form-data; boundary=b", b"--b\r\nnonsense"),
    "multipart without a boundary": ("multipart/form-data", b"--b\r\n"),
    "multipart in a strange encoding": ("multipart/form-data; boundary=b", PART),
    "JSON": ("application/json", b'{"username": "a"}'),
    "nothing said": ("", b"username=a"),
}


async def said(town: Town, head: bytes) -> bytes:
    """The first line of the answer to a request written by hand."""
    address = URL(town.base_url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(head + b"\r\nHost: town\r\nAccept: text/html\r\nConnection: close\r\n\r\n")
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line


@pytest.mark.parametrize(("kind", "body"), BODIES.values(), ids=BODIES)
async def test_a_log_in_form_that_is_none_of_ours_is_refused(anyone: Anyone, kind: str, body: bytes):
    seen = await anyone().ask("POST", "/login", data=body, headers={"Content-Type": kind})

    assert seen.status == 400
    assert seen.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("cookie", [b"\xff", b"p.\xff", b"\xf0\x9f\x98\x80", b"p." + b"0" * 36 + b"." + b"x" * 43, b"%00"])
async def test_a_cookie_that_is_no_log_in_leads_to_the_log_in(town: Town, cookie: bytes):
    assert b" 303 " in await said(town, b"GET /desk HTTP/1.1\r\nCookie: staff=" + cookie)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/desk?after=%00", 400), ("/desk?after=%ff", 400), ("/desk?state=%00", 400), ("/desk/cases/%00", 404), ("/desk/cases/%ff", 404),
        ("/desk/cases/" + "a" * 5000, 404), ("/r/%00", 404), ("/r/%ff", 404), ("/static/" + "a" * 5000, 404), ("/static/%00", 404),
        ("/static/%ff", 404), ("/m/" + "a" * 5000, 404), ("/m/assets/" + "a" * 5000, 404), ("/m/assets/%00", 404),
        ("/m/assets/" + "%E4%BA%8B" * 100, 404), ("/hall?x=%00", 400), ("/desk?done=%ff", 200),
    ],
)  # fmt: skip
async def test_an_odd_address_is_no_error_of_ours(town: Town, staff: Staffed, path: str, status: int):
    clerk = await staff("clerk")

    assert (await clerk.ask("GET", path) if "%ff" not in path else await _raw(clerk, path)).status == status
    assert b" 50" not in await said(town, f"GET {path} HTTP/1.1".encode())


@BOTH
@pytest.mark.parametrize(
    "path",
    [
        "/supervision/cards?department=%00", "/supervision/cards?level=%00", "/supervision/cards?state=%00",
        "/supervision/cards?month=9999-12", "/supervision/cards?month=0001-01", "/supervision/reports?department=%00",
        "/supervision/reports?since=9999-12&until=9999-12", "/supervision/reports?since=0001-01&until=0001-01", "/desk/messages?after=%00",
    ],
)  # fmt: skip
async def test_an_odd_filter_is_no_error_of_ours(town: Town, staff: Staffed, path: str):
    supervisor, administrator = await staff("supervisor"), await staff("administrator")

    for visitor in (supervisor, administrator):
        assert (await visitor.ask("GET", path)).status < 500


@pytest.mark.parametrize("wanted", ["%00", "%ff", "%ED%A0%80", "/desk/%0d%0aX: y"])
async def test_the_log_in_shows_whatever_address_somebody_wants(town: Town, wanted: str):
    assert b" 200 " in await said(town, f"GET /login?next={wanted.replace(' ', '%20')} HTTP/1.1".encode())


@pytest.mark.parametrize("version", ["9" * 5000, "-1", "1.5", "１", "²", ""])
async def test_a_version_that_is_none_is_not_the_one_shown(town: Town, staff: Staffed, version: str):
    case = await apply(town)
    clerk = await staff("clerk")
    page = await clerk.visit(f"/desk/cases/{case}")

    seen = await clerk.press(page, "受理", version=version)

    assert 400 <= seen.status < 500


async def test_a_pages_cookie_cannot_be_exchanged_for_tokens(town: Town, anyone: Anyone):
    await town.staff("clerk")
    visitor = anyone()
    await visitor.log_in("clerk", PASSWORD)
    cookie = next(cookie.value for cookie in visitor.session.cookie_jar if cookie.key == "staff")

    status, problem = await town.anyone().raw("POST", "/auth/refresh", json={"refresh_token": cookie})

    assert (status, problem["code"]) == (401, "not_logged_in")
    assert (await visitor.visit("/desk")).path == "/desk"


async def test_a_text_cannot_turn_the_direction_of_writing(town: Town, staff: Staffed):
    case = await apply(town)
    clerk = await staff("clerk")
    page = await clerk.visit(f"/desk/cases/{case}")

    seen = await clerk.press(page, "发出补正告知", reason="请补\u202e正\u2066")

    assert not set("\u202e\u2066") & set(seen.html)
    assert "请补正" in seen.html


async def apply(town: Town) -> str:
    """The id of a case that waits for acceptance."""
    resident = await town.resident("zhang")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first", expect=(201,))
    return str(case["id"])


async def _raw(visitor: Visitor, path: str) -> object:
    """A page at an address that a client would mend."""
    return await visitor.ask("GET", URL(path, encoded=True).raw_path_qs)
