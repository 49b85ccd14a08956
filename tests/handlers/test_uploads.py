"""A file handed in is kept clean and sealed, for its owner alone; nothing half done is ever called ready."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from handlers import uploads
from handlers.errors import Refused
from handlers.keys import Keys, rotate
from handlers.media import Laundry
from handlers.office import Office
from handlers.scanner import Clamd
from storage.clock import SettableClock
from storage.database import Database
from storage.files import FileGone
from storage.sealing import KeyMissing, Tampered
from storage.uploads import ready_of_owner
from tests.support import evil
from tests.support.clamd import EICAR, clamd
from tests.support.town import small_office
from tests.support.uploads import LIMIT, content, hand_in, kept, pieces, traces

__all__ = ["small_office"]

PHOTO = evil.photo(size=(800, 600), exif=evil.tags())


@pytest.fixture
async def office(small_office: Office) -> AsyncIterator[Office]:
    yield small_office
    await small_office.laundry.close()


async def rows(office: Office) -> list[tuple[str, str | None]]:
    found = await office.database.rows("SELECT state, refusal FROM upload ORDER BY id")
    return [(row["state"], row["refusal"]) for row in found]


async def refused(work: object) -> str:
    with pytest.raises(Refused) as refusal:
        await work
    return refusal.value.code


async def test_a_photo_comes_back_clean_with_the_size_and_digest_promised(office: Office):
    upload = await hand_in(office, "zhang", PHOTO, "身份证 正面.HEIC")
    assert (upload.state, upload.name, upload.media_type, upload.pages) == ("ready", "身份证 正面.jpg", "image/jpeg", 1)
    clean = await content(office, "zhang", upload.id)
    assert (upload.size, upload.sha256) == (len(clean), hashlib.sha256(clean).hexdigest())
    assert Image.open(io.BytesIO(clean)).size == (800, 600)
    assert evil.MARK not in clean
    assert await uploads.show(office, "zhang", upload.id) == upload


async def test_another_persons_upload_does_not_exist(office: Office):
    upload = await hand_in(office, "zhang", PHOTO)
    assert await refused(uploads.show(office, "li", upload.id)) == "not_found"
    assert await refused(uploads.open_own(office, "li", upload.id)) == "not_found"
    assert await refused(uploads.show(office, "zhang", "no-such-upload")) == "not_found"
    assert await ready_of_owner(office.database, "li", [upload.id]) == []


@pytest.mark.parametrize(("name", "code"), [("text", "upload_type"), ("docx bomb", "upload_type")])
async def test_a_refused_file_leaves_its_reason_and_nothing_else(office: Office, tmp_path: Path, name: str, code: str):
    assert await refused(hand_in(office, "zhang", evil.not_pictures()[name])) == code
    assert await rows(office) == [("refused", code)]
    assert kept(tmp_path / "files") == []


async def test_an_empty_file_is_said_to_be_empty(office: Office):
    assert await refused(hand_in(office, "zhang", b"")) == "upload_empty"


async def test_a_file_over_the_limit_is_refused_without_taking_in_the_rest(office: Office, tmp_path: Path):
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(1 << 20)

    assert await refused(uploads.receive(office, "zhang", "a.jpg", endless(), LIMIT)) == "upload_too_large"
    assert taken == 21
    assert kept(tmp_path / "files") == []


async def test_a_line_that_breaks_leaves_no_row_and_no_file(office: Office, tmp_path: Path):
    async def breaks() -> AsyncIterator[bytes]:
        yield PHOTO[:5000]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await uploads.receive(office, "zhang", "a.jpg", breaks(), LIMIT)
    assert await rows(office) == []
    assert kept(tmp_path / "files") == []


async def test_no_run_of_plain_bytes_touches_the_disk_while_a_file_arrives_or_later(office: Office, tmp_path: Path):
    image = Image.effect_noise((900, 900), 90).convert("RGB")
    data = evil.saved(image, "JPEG", quality=95)
    seen: list[Path] = []

    async def watched() -> AsyncIterator[bytes]:
        async for piece in pieces(data, 1 << 20):
            yield piece
            seen.extend(kept(tmp_path / "files"))
            assert traces(tmp_path, data) == []

    upload = await uploads.receive(office, "zhang", "a.jpg", watched(), LIMIT)
    clean = await content(office, "zhang", upload.id)
    assert seen
    assert kept(tmp_path / "files")
    assert traces(tmp_path, data) == []
    assert traces(tmp_path, clean) == []
    (tmp_path / "bait").write_bytes(clean)
    assert traces(tmp_path, clean) == [tmp_path / "bait"]


async def test_eight_uploads_at_once_are_all_kept_each_with_its_own_bytes(office: Office):
    photos = [evil.photo(size=(100 + n, 80)) for n in range(8)]
    made = await asyncio.gather(*(hand_in(office, "zhang", photo) for photo in photos))
    sizes = [Image.open(io.BytesIO(await content(office, "zhang", upload.id))).size for upload in made]
    assert sizes == [(100 + n, 80) for n in range(8)]


async def test_no_more_than_the_days_number_are_let_in_however_many_come_at_once(office: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(uploads, "MOST_A_DAY", 3)
    answers = await asyncio.gather(*(hand_in(office, "zhang", evil.photo()) for _ in range(8)), return_exceptions=True)
    taken = [answer for answer in answers if not isinstance(answer, Exception)]
    assert len(taken) <= 3
    assert {answer.code for answer in answers if isinstance(answer, Refused)} == {"upload_quota"}
    assert await rows(office) == [("ready", None)] * len(taken)
    assert (await hand_in(office, "li", evil.photo())).state == "ready"
    office.clock.advance(days=1, seconds=1)
    assert (await hand_in(office, "zhang", evil.photo())).state == "ready"


async def test_the_days_bytes_are_counted_as_well(office: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(uploads, "MOST_BYTES_A_DAY", 60_000)
    await hand_in(office, "zhang", evil.saved(Image.effect_noise((120, 120), 90), "PNG"))
    assert await refused(hand_in(office, "zhang", evil.saved(Image.effect_noise((240, 240), 90), "PNG"))) == "upload_quota"
    assert await rows(office) == [("ready", None), ("refused", "upload_quota")]


@pytest.mark.parametrize(
    ("given", "kept_name"),
    [
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\photos\\me.JPG", "me.JPG"),
        ("a\r\nSet-Cookie: x.jpeg", "aSet-Cookie: x.jpeg"),
        ("Zu\u0308rich.png", "Z\u00fcrich.jpg"),
        ("\u202egnp.exe", "gnp.jpg"),
        ("", "未命名.jpg"),
        ("...", "未命名.jpg"),
        ("关于2026.1.5的说明", "关于2026.1.5的说明.jpg"),
        ("照" * 400 + ".heic", "照" * 250 + ".jpg"),
        ("x" * 300, "x" * 250 + ".jpg"),
    ],
)
async def test_a_name_is_kept_to_be_shown_without_path_or_tricks(office: Office, given: str, kept_name: str):
    assert (await hand_in(office, "zhang", evil.photo(), given)).name == kept_name


async def test_a_virus_is_refused(office: Office, tmp_path: Path):
    async with clamd(tmp_path / "clamd") as socket:
        office = dataclasses.replace(office, laundry=Laundry(scanner=Clamd(socket)))
        assert await refused(hand_in(office, "zhang", PHOTO + EICAR)) == "upload_infected"
        assert (await hand_in(office, "zhang", PHOTO)).state == "ready"
        await office.laundry.close()


async def test_while_the_scanner_is_down_a_file_waits_unused_and_is_settled_when_it_is_back(office: Office, tmp_path: Path):
    office = dataclasses.replace(office, laundry=Laundry(scanner=Clamd(tmp_path / "clamd")))
    good, bad = [await hand_in(office, "zhang", data) for data in (PHOTO, PHOTO + EICAR)]
    assert good.state == bad.state == "scanning"
    assert await refused(uploads.open_own(office, "zhang", good.id)) == "not_found"
    assert await ready_of_owner(office.database, "zhang", [good.id]) == []
    assert traces(tmp_path, PHOTO) == []
    office.clock.advance(minutes=5)
    assert await uploads.settle(office) == 0
    async with clamd(tmp_path / "clamd"):
        assert await asyncio.gather(uploads.settle(office), uploads.settle(office)) != [0, 0]
    assert await rows(office) == [("ready", None), ("refused", "upload_infected")]
    assert Image.open(io.BytesIO(await content(office, "zhang", good.id))).size == (800, 600)
    assert len(kept(tmp_path / "files")) == 1
    await office.laundry.close()


async def test_unused_files_go_after_a_week_together_with_their_rows(office: Office, tmp_path: Path):
    await hand_in(office, "zhang", PHOTO)
    await refused(hand_in(office, "zhang", b"text"))
    office.clock.advance(days=6)
    assert await uploads.purge(office) == 0
    later = await hand_in(office, "zhang", PHOTO)
    office.clock.advance(days=2)
    assert await uploads.purge(office) == 2
    assert await rows(office) == [("ready", None)]
    assert [path.name for path in kept(tmp_path / "files")] == [later.id]


async def test_a_stored_file_that_was_changed_or_exchanged_does_not_open(office: Office, tmp_path: Path):
    first, second = [await hand_in(office, "zhang", evil.photo(size=(300, 80 + n))) for n in range(2)]
    paths = {path.name: path for path in kept(tmp_path / "files")}
    good = paths[first.id].read_bytes()
    for spoilt in (good[:-1], good + b"x", good[:100] + bytes([good[100] ^ 1]) + good[101:], paths[second.id].read_bytes()):
        paths[first.id].write_bytes(spoilt)
        with pytest.raises(Tampered):
            await content(office, "zhang", first.id)
    paths[first.id].unlink()
    with pytest.raises(FileGone):
        await content(office, "zhang", first.id)


async def test_a_key_moved_to_another_row_does_not_open(office: Office, database: Database):
    first, second = [await hand_in(office, "zhang", PHOTO) for _ in range(2)]
    await database.execute(
        "UPDATE upload SET key_wrapped = (SELECT o.key_wrapped FROM upload o WHERE o.id = $2) WHERE id = $1", first.id, second.id
    )
    with pytest.raises(Tampered):
        await content(office, "zhang", first.id)


async def test_after_a_rotation_old_files_open_and_new_ones_use_the_new_key(office: Office, tmp_path: Path):
    old = await hand_in(office, "zhang", PHOTO)
    rotate(tmp_path / "secrets", "sealing")
    rotated = dataclasses.replace(office, keys=Keys.load(tmp_path / "secrets"))
    new = await hand_in(rotated, "zhang", PHOTO)
    assert await content(rotated, "zhang", old.id) == await content(rotated, "zhang", new.id)
    versions = await office.database.rows("SELECT key_version FROM upload ORDER BY id")
    assert [row["key_version"] for row in versions] == [1, 2]
    (tmp_path / "secrets" / "sealing-1.key").rename(tmp_path / "lost")
    crippled = dataclasses.replace(office, keys=Keys.load(tmp_path / "secrets"))
    with pytest.raises(KeyMissing, match=r"sealing-1\.key"):
        await content(crippled, "zhang", old.id)


async def test_the_clock_of_the_office_dates_an_upload(office: Office):
    assert isinstance(office.clock, SettableClock)
    await hand_in(office, "zhang", PHOTO)
    row = await office.database.one("SELECT created_at FROM upload")
    assert row["created_at"] == office.clock.now()
