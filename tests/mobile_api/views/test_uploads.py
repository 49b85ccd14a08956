"""Files over HTTP: handed in as a form, refused with a reason people understand, given back so that no browser runs them."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from handlers.office import Office
from mobile_api.routes import ROUTES
from mobile_api.views.uploads import readable
from mobile_api.web.caller import AUTHENTICATOR
from mobile_api.web.frame import install
from tests.support import evil
from tests.support.town import small_office
from tests.support.uploads import kept
from tests.support.web import Gate

__all__ = ["small_office"]

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(small_office: Office) -> AsyncIterator[Client]:
    app = web.Application()
    app[AUTHENTICATOR] = Gate()
    install(app, [route for route in ROUTES if route.tag == "uploads"], {Office: small_office})
    async with TestClient(TestServer(app)) as client:
        yield client
    await small_office.laundry.close()


def form(data: bytes | io.BytesIO, name: str = "IMG_1.HEIC", field: str = "file") -> aiohttp.FormData:
    body = aiohttp.FormData()
    body.add_field(field, data, filename=name, content_type="application/octet-stream")
    return body


async def post(client: Client, body: Any, status: int, who: str = "resident", **headers: str) -> dict[str, Any]:
    async with client.post("/api/v1/uploads/simple", data=body, headers={"Authorization": f"Bearer {who}"} | headers) as response:
        assert response.status == status, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def get(client: Client, path: str, who: str = "resident") -> aiohttp.ClientResponse:
    return await client.get(f"/api/v1/uploads/{path}", headers={"Authorization": f"Bearer {who}"})


async def test_a_photo_is_taken_in_shown_and_given_back_to_its_owner_only(client: Client):
    made = await post(client, form(evil.photo("HEIF", exif=evil.tags())), 201)
    assert {key: made[key] for key in ("state", "name", "media_type", "pages")} == {
        "state": "ready", "name": "IMG_1.jpg", "media_type": "image/jpeg", "pages": 1,
    }  # fmt: skip
    async with await get(client, made["id"]) as shown:
        assert await shown.json() == made
    async with await get(client, f"{made['id']}/content") as answer:
        clean = await answer.read()
    assert len(clean) == made["size"]
    assert Image.open(io.BytesIO(clean)).size == (120, 80)
    for path in (made["id"], f"{made['id']}/content"):
        async with await get(client, path, "other") as foreign:
            assert foreign.status == 404


async def test_no_browser_runs_what_is_given_back(client: Client):
    kinds = {"扫描件 “一”.pdf": ("attachment", evil.paper()), '照片 1;x=".png': ("inline", evil.photo("PNG"))}
    for name, (kind, data) in kinds.items():
        body = aiohttp.FormData()
        body.add_field("name", name)
        body.add_field("file", data, filename="blob")
        made = await post(client, body, 201)
        async with await get(client, f"{made['id']}/content") as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"].startswith("sandbox")
            assert "no-store" in answer.headers["Cache-Control"]
            assert answer.headers["Content-Type"] == made["media_type"]
            shown = aiohttp.multipart.parse_content_disposition(answer.headers["Content-Disposition"])
        assert shown[0] == kind
        assert aiohttp.multipart.content_disposition_filename(shown[1]) == made["name"]


async def test_a_form_may_name_the_file_before_it(client: Client):
    body = aiohttp.FormData()
    body.add_field("name", "身份证正面.jpg")
    body.add_field("file", evil.photo(), filename="tmp_0123.jpg")
    assert (await post(client, body, 201))["name"] == "身份证正面.jpg"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "upload_empty"),
        ("这是文字".encode(), 422, "upload_type"),
        (evil.photo()[:200], 422, "upload_broken"),
        (evil.huge_png(), 422, "upload_too_many_pixels"),
        (evil.locked_paper("x"), 422, "upload_encrypted"),
        (evil.paper(51), 422, "upload_too_many_pages"),
    ],
)
async def test_what_cannot_be_taken_is_refused_in_words(client: Client, data: bytes, status: int, code: str):
    problem = await post(client, form(data), status)
    assert problem["code"] == code
    assert "{" not in problem["detail"]


@pytest.mark.parametrize("megabytes", [20, 30])
async def test_a_file_that_is_too_large_is_refused_with_the_limit_in_megabytes(client: Client, megabytes: int, tmp_path: Path):
    problem = await post(client, form(io.BytesIO(bytes((megabytes << 20) + 1))), 413)
    assert problem["code"] == "upload_too_large"
    assert "20 MB" in problem["detail"]
    assert kept(tmp_path / "files") == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"not multipart at all", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nno end", "multipart/form-data; boundary=x"),
        (b"--x\r\n" + b"A" * 100_000 + b"\r\n--x--", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n\r\n--x--\r\n", "multipart/form-data"),
        (b"{}", "application/json"),
    ],
)
async def test_a_malformed_form_is_a_refusal_and_never_our_error(client: Client, body: bytes, kind: str, tmp_path: Path):
    headers = {"Authorization": "Bearer resident", "Content-Type": kind}
    async with client.post("/api/v1/uploads/simple", data=body, headers=headers) as response:
        assert 400 <= response.status < 500
        assert (await response.json())["code"]
    assert kept(tmp_path / "files") == []


async def test_a_form_without_a_file_is_said_to_be_empty(client: Client):
    assert (await post(client, form(evil.photo(), field="picture"), 422))["code"] == "upload_empty"


async def test_a_stored_file_that_is_gone_is_a_problem_and_not_a_broken_download(client: Client, tmp_path: Path):
    made = await post(client, form(evil.photo()), 201)
    for path in kept(tmp_path / "files"):
        path.unlink()
    async with await get(client, f"{made['id']}/content") as answer:
        assert answer.status == 500
        assert answer.content_type == "application/problem+json"


async def test_strangers_hand_in_nothing(client: Client):
    async with client.post("/api/v1/uploads/simple", data=form(evil.photo())) as response:
        assert response.status == 401


async def test_a_name_that_a_client_sends_percent_encoded_is_shown_as_it_was_chosen(client: Client):
    assert (await post(client, form(evil.photo(), "身份证 正面.jpg"), 201))["name"] == "身份证 正面.jpg"


@pytest.mark.parametrize("name", ["50%25.jpg", "100%.jpg", "%E8%AF.jpg", "%2e%2e%2fetc.jpg", "证件.jpg"])
def test_other_names_with_percent_signs_stay_as_they_are(name: str):
    assert readable(name) == name
