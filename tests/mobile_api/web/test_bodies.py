"""Multipart uploads: counted, limited, and refused politely when malformed."""

from __future__ import annotations

import asyncio
import gzip
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from mobile_api.web.bodies import BodyLimits

MULTIPART = {"Content-Type": "multipart/form-data; boundary=cut"}


def form(*sizes: int) -> aiohttp.FormData:
    data = aiohttp.FormData()
    for number, size in enumerate(sizes):
        data.add_field(f"file{number}", io.BytesIO(b"x" * size), filename=f"{number}.jpg", content_type="image/jpeg")
    return data


async def refused(answer: aiohttp.ClientResponse) -> tuple[int, str]:
    return answer.status, (await answer.json(content_type=None))["code"]


async def test_parts_are_read_one_after_the_other(client: aiohttp.ClientSession):
    answer = await client.post("/api/v1/uploads", data=form(10, 0, 90_000))
    assert await answer.json() == {"sizes": [10, 0, 90_000]}


async def test_ten_parts_are_enough(client: aiohttp.ClientSession):
    assert (await client.post("/api/v1/uploads", data=form(*[1] * 10))).status == 200
    assert await refused(await client.post("/api/v1/uploads", data=form(*[1] * 11))) == (400, "bad_upload")


async def test_all_parts_share_one_limit(client: aiohttp.ClientSession):
    assert await refused(await client.post("/api/v1/uploads", data=form(60_000, 60_000))) == (413, "too_large")


async def test_what_says_it_is_too_large_is_not_read(client: aiohttp.ClientSession):
    assert await refused(await client.post("/api/v1/uploads", data=form(5_000_000))) == (413, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"x" * 50_000,
        b"\r\n" * 20_000,
        b"--cut\r\n",
        b"--cut\r\nContent-Disposition: form-data; name=a\r\n\r\nno end",
        b"--cut\r\n" + b"X: " + b"a" * 50_000 + b"\r\n\r\na\r\n--cut--\r\n",
        b"--cut\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(3000)) + b"\r\na\r\n--cut--\r\n",
        b"--cut\r\nContent-Type: multipart/mixed; boundary=deep\r\n\r\n--deep\r\n\r\na\r\n--deep--\r\n--cut--\r\n",
        b"--cut\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 1_000_000) + b"\r\n--cut--\r\n",
    ],
)
async def test_malformed_multipart_is_a_bad_upload(client: aiohttp.ClientSession, body: bytes):
    assert await refused(await client.post("/api/v1/uploads", data=body, headers=MULTIPART)) == (400, "bad_upload")


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 100])
async def test_multipart_without_a_usable_boundary_is_a_bad_upload(client: aiohttp.ClientSession, kind: str):
    assert await refused(await client.post("/api/v1/uploads", data=b"--cut--", headers={"Content-Type": kind})) == (400, "bad_upload")


async def test_what_is_no_multipart_is_not_taken(client: aiohttp.ClientSession):
    assert await refused(await client.post("/api/v1/uploads", json={})) == (415, "unsupported_media_type")


async def test_an_upload_that_takes_too_long_is_told_so(serve: Any):
    arrived = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"--cut\r\nContent-Disposition: form-data; name=a\r\n\r\nx"
        await arrived.wait()
        yield b"x"

    async with serve(bodies=BodyLimits(upload_seconds=0.2)) as client:
        answer = await client.post("/api/v1/uploads", data=slow(), headers=MULTIPART)
        assert await refused(answer) == (408, "too_slow")
        arrived.set()


@pytest.mark.parametrize("head", [b"Content-Length: x", b"Content-Transfer-Encoding: nonsense", b"Content-Disposition: ;;;;"])
async def test_nonsense_in_the_head_of_a_part_does_no_harm(client: aiohttp.ClientSession, head: bytes):
    body = b"--cut\r\n" + head + b"\r\n\r\na\r\n--cut--\r\n"
    assert (await client.post("/api/v1/uploads", data=body, headers=MULTIPART)).status < 500


async def test_a_base64_part_is_counted_as_it_is_kept(client: aiohttp.ClientSession):
    body = b"--cut\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--cut--\r\n"
    answer = await client.post("/api/v1/uploads", data=body, headers=MULTIPART)
    assert (await answer.json())["sizes"][0] in {3, 4}
