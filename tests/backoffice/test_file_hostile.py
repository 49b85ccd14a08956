"""What a hostile or broken gatekeeper lays into the folder costs nobody anything: it is put aside, and the exchange goes on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backoffice.file_format import LARGEST_FILE
from handlers.office import Office
from mobile_api.journey import sample
from storage import grants
from storage.grants import Grant
from storage.ids import uuid7
from tests.support.gatekept import Rig, books, make_rig
from tests.support.town import settle_in, small_office
from tests.support.uploads import hand_in

__all__ = ["small_office"]


@pytest.fixture
async def rig(small_office: Office, tmp_path: Path) -> AsyncIterator[Rig]:
    with books(tmp_path) as (book, batches):
        rig = await make_rig(small_office, tmp_path, book, batches)
        await rig.open_cases(1)
        yield rig


async def test_whatever_lies_in_the_folder_the_exchange_goes_on(rig: Rig, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    arriving = rig.folder / "in"
    (tmp_path / "secret").write_text("nobody's business")
    (arriving / "MZ-in-00000001.batch").symlink_to(tmp_path / "secret")
    os.mkfifo(arriving / "MZ-in-00000002.batch")
    (arriving / "MZ-in-00000003.batch").mkdir()
    with (arriving / "MZ-in-00000004.batch").open("wb") as sparse:
        sparse.truncate(1 << 30)
    (arriving / "MZ-ack-00000001.json").write_bytes(b"\xff" * 1000)
    (arriving / "SJ-in-00000001.batch").write_bytes(b"another's")
    (arriving / "MZ-out-00000001.batch").write_bytes(b"our own")
    (arriving / f"{'x' * 200}\n.batch").write_bytes(b"no name")
    (arriving / os.fsdecode(b"\xff\xfe.batch")).write_bytes(b"no name either")

    await rig.say(0, "一")
    await rig.turn(3)
    rig.answer(0)
    for path in arriving.iterdir():
        if not path.is_file() or path.is_symlink():  # what is no file is left where it is
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    await rig.settle()

    assert rig.commands() == {rig.cases[0][0]: [1]}
    assert await rig.effects() == {rig.cases[0][0]: [1]}
    kept = [path for path in (rig.folder / "bad").glob("MZ-in-00000004.batch.*") if path.suffix != ".txt"]
    assert [path.stat().st_size for path in kept] == [LARGEST_FILE]
    assert all(line.isprintable() and line.encode() for line in caplog.messages)
    assert all(b"nobody's business" not in path.read_bytes() for path in rig.folder.rglob("*") if path.is_file())


async def test_what_is_held_and_was_spoilt_is_put_aside_and_the_rest_goes_on(rig: Rig):
    await rig.say(0, "一")
    await rig.settle()
    rig.answer(0, 2)
    await rig.settle()
    held = rig.folder / "held"
    for name in ("00000001.held", "00000000.held", "99999999.held", "x.held"):
        (held / name).write_bytes(b"spoilt")

    await rig.start()
    await rig.say(0, "二")
    await rig.settle()

    assert rig.names("held") == ["x.held"]
    assert any("00000001.held" in name and name.endswith("reason.txt") for name in rig.names("bad"))
    assert await rig.effects() == {rig.cases[0][0]: [1, 2]}


@pytest.mark.parametrize("harm", ["none", "spoilt", "deleted", "over"])
async def test_an_attachment_that_cannot_be_had_is_said_and_holds_up_nothing(rig: Rig, tmp_path: Path, harm: str):
    office, (case_id, _) = rig.office, rig.cases[0]
    paper = await hand_in(office, await settle_in(office.database, "openid-paper"), sample.photo("paper"))
    task_id = uuid7()
    grant = Grant("MZ", case_id, task_id, paper.id)
    async with office.database.transaction() as tx:
        await grants.give(tx, [grant], office.clock.now())
        if harm == "over":
            await grants.end(tx, [task_id], office.clock.now())
    if harm == "deleted":
        await office.files.delete(paper.id)
    for path in (tmp_path / "files").rglob(paper.id):
        if harm == "spoilt":
            path.write_bytes(path.read_bytes()[:-1] + b"x")
    file = {"upload": paper.id, "sha256": paper.sha256, "size": paper.size, "media_type": paper.media_type, "grant": grant.id}
    await rig.say(0, "一", materials=[{"material": "id_card", "name": "身份证", "source": "upload", "files": [file]}])

    await rig.settle()

    assert rig.commands() == {case_id: [1]}
    assert (hashlib.sha256(rig.there.files[paper.sha256]).hexdigest() == paper.sha256) is (harm == "none")
