"""Whatever bytes are handed in: a verdict, a clean file that decodes, and a child that goes on."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator

import pypdfium2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from handlers.media import MEDIA_TYPES, Laundry
from handlers.media_papers import without_tags
from handlers.refusals import REFUSALS
from tests.support import evil
from tests.support.apart import run_apart

SEEDS = [
    *(evil.photo(form) for form in ("JPEG", "PNG", "WEBP", "HEIF")),
    evil.photo(exif=evil.tags(6), comment=evil.MARK),
    evil.paper(2),
    evil.active_paper(),
    evil.form_paper(),
    evil.paper_with_photo(evil.photo()),
    evil.locked_paper(""),
]


@st.composite
def spoilt_files(draw: st.DrawFn) -> bytes:
    """A true file with some bytes changed, cut out, doubled or moved."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.sampled_from([1, 2, 4, 16, 300]))
        how = draw(st.sampled_from(["set", "cut", "double", "insert"]))
        piece = {"set": draw(st.binary(min_size=length, max_size=length)), "cut": b"", "double": bytes(data[at : at + length]) * 2}
        data[at : at + (0 if how == "insert" else length)] = piece.get(how, b"\xff" * length)
    return bytes(data)


async def whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def wash_all(files: list[bytes]) -> None:
    laundry = Laundry()
    try:
        await laundry.warm()
        child = laundry._idle[0].process.pid
        for data in files:
            async with asyncio.timeout(20):
                verdict, clean = await laundry.clean(len(data), whole(data))
            assert verdict.refusal in REFUSALS if verdict.refusal else verdict.media_type in MEDIA_TYPES
            assert evil.MARK not in clean
            if clean:
                _decode(verdict.media_type, clean)
        assert [one.process.pid for one in laundry._idle] == [child]
    finally:
        await laundry.close()


def _decode(media_type: str, clean: bytes) -> None:
    if media_type == "application/pdf":
        with pypdfium2.PdfDocument(clean) as pdf:
            assert 0 < len(pdf) <= 50
    else:
        Image.open(io.BytesIO(clean)).load()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(st.lists(st.one_of(spoilt_files(), st.binary(max_size=300)), min_size=10, max_size=25))
def test_spoilt_files_get_a_verdict_and_the_child_goes_on(files: list[bytes]):
    run_apart(wash_all(files))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400).map(lambda tail: b"\xff\xd8" + tail))
def test_taking_tags_out_of_any_jpeg_ends_and_adds_nothing(jpeg: bytes):
    assert len(without_tags(jpeg)) <= len(jpeg)
