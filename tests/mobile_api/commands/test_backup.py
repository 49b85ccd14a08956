"""docs/how-to/run-a-town.md: a town is backed up while it works, lost whole, and restored from the folder and its keys."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from config.settings import load
from mobile_api.__main__ import main
from mobile_api.composition import open_office
from tests.support.apart import run_apart
from tests.support.evil import photo
from tests.support.office import resident_with_session, submitted_case
from tests.support.uploads import content, hand_in, kept


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the town keeps everything but its keys."""
    monkeypatch.setenv("MOBILE_API_DATABASE__URL", f"sqlite://{tmp_path}/data/town.db")
    monkeypatch.setenv("MOBILE_API_FILES__URL", f"file://{tmp_path}/data/files")
    monkeypatch.setenv("MOBILE_API_SECRETS__DIR", str(tmp_path / "secrets"))
    return tmp_path / "data"


def a_day() -> tuple[str, str, bytes]:
    """Somebody hands in a case and a picture: his id, the picture's, and what is kept of it."""

    async def work() -> tuple[str, str, bytes]:
        async with open_office(load(None)) as office:
            zhang, _ = await resident_with_session(office, "zhang")
            await submitted_case(office, zhang)
            upload = await hand_in(office, zhang, photo())
            return zhang, upload.id, await content(office, zhang, upload.id)

    return run_apart(work())


def read(owner: str, upload: str) -> bytes:
    async def work() -> bytes:
        async with open_office(load(None)) as office:
            return await content(office, owner, upload)

    return run_apart(work())


def test_what_was_backed_up_is_there_after_everything_was_lost(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    owner, upload, picture = a_day()
    writer = sqlite3.connect(data / "town.db")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM staff")  # somebody is in the middle of something
    assert main(["backup", "--out", str(tmp_path / "monday")]) == 0
    writer.close()
    assert "keys" in capsys.readouterr().out

    shutil.rmtree(data)
    data.mkdir()
    shutil.copy(tmp_path / "monday" / "town.db", data / "town.db")
    shutil.copytree(tmp_path / "monday" / "files", data / "files")

    assert read(owner, upload) == picture
    assert main(["export"]) == 0
    assert "1 cases" in capsys.readouterr().err


def test_nothing_in_a_backup_can_be_read_without_the_keys_or_by_others(data: Path, tmp_path: Path):
    a_day()
    main(["backup", "--out", str(tmp_path / "monday")])
    copies = kept(tmp_path / "monday")
    assert {oct(path.stat().st_mode & 0o777) for path in copies} == {"0o600"}
    assert not [path for path in copies if path.suffix == ".key" or photo()[:400] in path.read_bytes()]


def test_an_older_backup_is_never_overwritten(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "monday").mkdir()
    assert main(["backup", "--out", str(tmp_path / "monday")]) == 1
    assert "name a new folder" in capsys.readouterr().err


def test_a_town_that_has_no_database_yet_is_told_so(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["backup", "--out", str(tmp_path / "monday")]) == 1
    assert "cannot be copied" in capsys.readouterr().err
