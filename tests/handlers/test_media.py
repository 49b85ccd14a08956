"""Foreign files come back drawn anew, or are refused; what happens in the child costs that one file at most."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from handlers.media import Laundry
from handlers.media_limits import Limits, Verdict
from tests.support import evil


@pytest.fixture
async def laundry() -> AsyncIterator[Laundry]:
    laundry = Laundry()
    yield laundry
    await laundry.close()


async def whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def wash(laundry: Laundry, data: bytes) -> tuple[Verdict, bytes]:
    return await laundry.clean(len(data), whole(data))


def opened(clean: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(clean))
    image.load()
    return image


def children(laundry: Laundry) -> list[int]:
    return [child.process.pid for child in laundry._idle]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
async def test_a_photo_of_every_accepted_form_becomes_a_fresh_jpeg(laundry: Laundry, form: str):
    verdict, clean = await wash(laundry, evil.photo(form))
    assert (verdict.media_type, verdict.pages, verdict.size) == ("image/jpeg", 1, len(clean))
    image = opened(clean)
    assert image.size == (120, 80)
    red, _, blue = image.getpixel((10, 40))
    assert red > 200
    assert blue < 60


@pytest.mark.parametrize("name", evil.tagged_photos())
async def test_no_tag_place_or_comment_of_a_photo_survives(laundry: Laundry, name: str):
    data = evil.tagged_photos()[name]
    assert evil.MARK in data
    _, clean = await wash(laundry, data)
    image = opened(clean)
    assert evil.MARK not in clean
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(("orientation", "red"), [(1, "left"), (2, "right"), (3, "right"), (6, "top"), (8, "bottom")])
async def test_a_photo_taken_sideways_stands_upright_without_its_tags(laundry: Laundry, form: str, orientation: int, red: str):
    _, clean = await wash(laundry, evil.photo(form, exif=evil.tags(orientation)))
    image = opened(clean)
    assert image.size == ((80, 120) if red in {"top", "bottom"} else (120, 80))
    x, y = {"left": (5, 40), "right": (115, 40), "top": (40, 5), "bottom": (40, 115)}[red]
    assert image.getpixel((x, y))[0] > 200


@pytest.mark.parametrize("name", evil.polyglots())
async def test_a_picture_that_is_something_else_as_well_is_only_a_picture_afterwards(laundry: Laundry, name: str):
    data = evil.polyglots()[name]
    assert evil.MARK in data
    verdict, clean = await wash(laundry, data)
    assert verdict.media_type == "image/jpeg"
    assert evil.MARK not in clean
    assert b"%PDF" not in clean
    assert b"PK\x03\x04" not in clean


@pytest.mark.parametrize("name", evil.not_pictures())
async def test_what_is_neither_picture_nor_paper_is_refused_by_its_content(laundry: Laundry, name: str):
    assert (await wash(laundry, evil.not_pictures()[name]))[0].refusal == "upload_type"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
async def test_a_photo_that_broke_off_is_called_broken(laundry: Laundry, form: str):
    data = evil.photo(form, (800, 600))
    for part in (len(data) // 2, 40):
        assert (await wash(laundry, data[:part]))[0].refusal == "upload_broken"


async def test_nothing_at_all_is_called_empty(laundry: Laundry):
    assert (await wash(laundry, b""))[0].refusal == "upload_empty"


async def test_a_flood_of_pixels_is_refused_at_once_without_being_decoded(laundry: Laundry):
    data = evil.huge_png()
    assert len(data) < 200_000
    await laundry.warm()
    began = time.monotonic()
    verdict, _ = await wash(laundry, data)
    assert verdict.refusal == "upload_too_many_pixels"
    assert time.monotonic() - began < 1


async def test_the_limit_of_pixels_is_the_limit_and_not_twice_that():
    laundry = Laundry(Limits(pixels=120 * 80))
    try:
        assert (await wash(laundry, evil.photo(size=(120, 80))))[0].refusal == ""
        assert (await wash(laundry, evil.photo(size=(121, 80))))[0].refusal == "upload_too_many_pixels"
    finally:
        await laundry.close()


async def test_a_large_photo_is_scaled_to_the_longest_side_kept(laundry: Laundry):
    _, clean = await wash(laundry, evil.photo(size=(5000, 1000), exif=evil.tags(6)))
    assert opened(clean).size == (819, 4096)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16"])
async def test_a_drawing_of_any_depth_keeps_what_is_on_it(laundry: Laundry, mode: str):
    paper = Image.new("L", (60, 40), 255)
    paper.paste(0, (0, 0, 30, 40))
    drawing = paper.convert("I").point(lambda level: level * 257).convert(mode) if mode == "I;16" else paper.convert(mode)
    verdict, clean = await wash(laundry, evil.saved(drawing, "PNG"))
    image = opened(clean).convert("L")
    assert (image.getpixel((5, 20)), image.getpixel((55, 20))) == (0, 255)
    assert verdict.media_type == ("image/png" if mode in {"1", "L"} else "image/jpeg")


async def test_what_is_transparent_lies_on_white_paper(laundry: Laundry):
    _, clean = await wash(laundry, evil.saved(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "PNG"))
    assert opened(clean).getpixel((4, 4)) == (255, 255, 255)


async def test_a_paper_keeps_its_pages_and_loses_all_that_acts_or_tells(laundry: Laundry):
    data = evil.active_paper()
    assert b"JavaScript" not in data  # packed away: a search for words finds nothing
    verdict, clean = await wash(laundry, data)
    assert (verdict.media_type, verdict.pages) == ("application/pdf", 1)
    with pikepdf.open(io.BytesIO(clean)) as pdf:
        everything = b"".join([thing.unparse() + _content(thing) for thing in pdf.objects])
        assert set(pdf.Root.keys()) == {"/Type", "/Pages"}
        assert not pdf.docinfo
    for trace in (evil.MARK, b"JavaScript", b"Launch", b"EmbeddedFile", b"Filespec", b"/AA", b"/Annots", b"PieceInfo", b"Metadata"):
        assert trace not in everything


async def test_a_form_that_was_filled_in_keeps_its_answers_as_drawn(laundry: Laundry):
    _, clean = await wash(laundry, evil.form_paper())
    with pypdfium2.PdfDocument(clean) as pdf:
        page = pdf[0].render(scale=1).to_pil()
    assert page.getpixel((100, 100)) == (0, 0, 255)
    assert page.getpixel((10, 10)) == (255, 255, 255)


async def test_a_photo_inside_a_paper_loses_its_tags_and_stays_the_same_picture(laundry: Laundry):
    data = evil.paper_with_photo(evil.photo(exif=evil.tags(), comment=evil.MARK))
    assert evil.MARK in data
    _, clean = await wash(laundry, data)
    with pikepdf.open(io.BytesIO(clean)) as pdf:
        assert evil.MARK not in b"".join(thing.unparse() + _content(thing) for thing in pdf.objects)
        assert pikepdf.PdfImage(pdf.pages[0].get_images()["/P"]).as_pil_image().getpixel((10, 40))[0] > 200


@pytest.mark.parametrize("password", ["", "secret"])
async def test_an_encrypted_paper_is_refused_also_when_it_opens_without_a_password(laundry: Laundry, password: str):
    assert (await wash(laundry, evil.locked_paper(password)))[0].refusal == "upload_encrypted"


async def test_fifty_pages_are_taken_and_one_more_is_not(laundry: Laundry):
    assert (await wash(laundry, evil.paper(50)))[0].pages == 50
    assert (await wash(laundry, evil.paper(51)))[0].refusal == "upload_too_many_pages"
    assert (await wash(laundry, evil.paper(0)))[0].refusal == "upload_broken"


async def test_rubbish_behind_the_head_of_a_paper_is_called_broken(laundry: Laundry):
    assert (await wash(laundry, b"%PDF-1.7\n" + os.urandom(5000)))[0].refusal == "upload_broken"


async def test_one_child_serves_many_files_and_is_replaced_when_it_has_served_long_enough():
    laundry = Laundry(Limits(uses=2))
    try:
        seen = []
        for _ in range(4):
            assert (await wash(laundry, evil.photo()))[0].refusal == ""
            seen.append(tuple(children(laundry)))
        assert len(seen[0]) == 1
        assert seen[1] == seen[3] == ()
        assert seen[2] not in {seen[0], ()}
    finally:
        await laundry.close()


async def test_a_child_that_is_killed_costs_its_one_file_and_the_next_goes_on(laundry: Laundry):
    await laundry.warm()
    (victim,) = children(laundry)

    async def dies_on_the_way() -> AsyncIterator[bytes]:
        yield evil.photo()[:100]
        os.kill(victim, signal.SIGKILL)
        yield evil.photo()[100:]

    verdict, clean = await laundry.clean(len(evil.photo()), dies_on_the_way())
    assert (verdict.refusal, clean) == ("upload_broken", b"")
    assert (await wash(laundry, evil.photo()))[0].refusal == ""


async def test_a_child_that_died_while_idle_costs_one_file_at_most(laundry: Laundry):
    await laundry.warm()
    os.kill(children(laundry)[0], signal.SIGKILL)
    verdicts = [(await wash(laundry, evil.photo()))[0].refusal for _ in range(2)]
    assert verdicts in (["upload_broken", ""], ["", ""])


async def test_a_file_that_never_ends_is_given_up_after_the_wall_clock_limit():
    laundry = Laundry(Limits(wall_seconds=1.0))
    try:
        began = time.monotonic()
        verdict, _ = await laundry.clean(1000, whole(b"only a part"))
        assert verdict.refusal == "upload_broken"
        assert time.monotonic() - began < 5
        assert children(laundry) == []
    finally:
        await laundry.close()


async def test_computing_for_too_long_ends_the_child():
    laundry = Laundry(Limits(cpu_seconds=0.05))
    try:
        assert (await wash(laundry, evil.saved(Image.effect_noise((4000, 3000), 80).convert("RGB"), "JPEG")))[0].refusal == "upload_broken"
        assert (await wash(laundry, evil.photo()))[0].refusal == ""
    finally:
        await laundry.close()


async def test_a_picture_too_large_for_the_memory_allowed_is_refused_and_the_child_lives():
    laundry = Laundry(Limits(memory=260 << 20))
    try:
        assert (await wash(laundry, evil.photo(size=(7000, 7000))))[0].refusal == "upload_too_many_pixels"
        assert (await wash(laundry, evil.photo()))[0].refusal == ""
    finally:
        await laundry.close()


async def test_a_caller_who_gives_up_takes_the_child_with_him(laundry: Laundry):
    await laundry.warm()
    (victim,) = children(laundry)
    asked = asyncio.Event()

    async def stalls() -> AsyncIterator[bytes]:
        asked.set()
        await asyncio.Event().wait()
        yield b""

    task = asyncio.create_task(laundry.clean(10, stalls()))
    await asked.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not Path(f"/proc/{victim}").exists()
    assert (await wash(laundry, evil.photo()))[0].refusal == ""


async def test_eight_files_at_once_share_two_children(laundry: Laundry):
    verdicts = await asyncio.gather(*(wash(laundry, evil.photo(form)) for form in ("JPEG", "PNG", "WEBP", "HEIF") * 2))
    assert {verdict.refusal for verdict, _ in verdicts} == {""}
    assert len(children(laundry)) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"\x00\x00\x00\x02{}",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x04junk",
        b'\x00\x00\x00\x33{"media_type":"text/html","pages":1,"size":5000000000}',
        b'\x00\x00\x00\x29{"media_type":"text/html","pages":1,"size":5}hello',
        b'\x00\x00\x00\x21{"refusal":"upload_type","size":5}hello',
    ],
)
async def test_a_child_that_lies_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes):
    """A child that was taken over by a hostile file can answer anything: here it does, whatever it is asked."""
    liar = tmp_path / "liar"
    liar.write_text(f"#!{sys.executable}\nimport sys\nsys.stdout.buffer.write({answer!r})\nsys.stdout.flush()\nsys.stdin.read()\n")
    liar.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(liar))
    laundry = Laundry(Limits(wall_seconds=5))
    try:
        assert await wash(laundry, b"file") == (Verdict(refusal="upload_broken"), b"")
    finally:
        await laundry.close()


def _content(thing: pikepdf.Object) -> bytes:
    return bytes(thing.read_raw_bytes() if isinstance(thing, pikepdf.Stream) and "/Filter" in thing else b"") + (
        bytes(thing.read_bytes()) if isinstance(thing, pikepdf.Stream) and thing.get("/Filter") != pikepdf.Name.DCTDecode else b""
    )
