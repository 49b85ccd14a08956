"""What an operator gets wrong is told in a line that names the setting and says what to do, never as a traceback."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mobile_api.__main__ import main
from storage import database

NOBODY = "127.0.0.1:1"


@pytest.fixture(autouse=True)
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOBILE_API_DATABASE__URL", f"sqlite://{tmp_path}/town.db")
    monkeypatch.setenv("MOBILE_API_SECRETS__DIR", str(tmp_path / "secrets"))
    monkeypatch.setenv("MOBILE_API_FILES__URL", f"file://{tmp_path}/files")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command that cannot work says; it ends, it is not left to Python."""
    try:
        code: object = main(list(words))
    except SystemExit as ended:
        code = ended.code
        capsys.readouterr()
        return str(code)
    assert code == 1
    return capsys.readouterr().err


def test_a_settings_file_saved_with_a_byte_order_mark_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "town.toml"
    file.write_text('[town]\nname = "某某镇"\n', encoding="utf-8-sig")
    assert main(["migrate", "--config", str(file), "--dry-run"]) == 0


def test_a_settings_file_in_another_encoding_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "town.toml"
    file.write_bytes('[town]\nname = "某某镇"\n'.encode("gbk"))
    assert "save it again with the encoding UTF-8" in told(capsys, "migrate", "--config", str(file))


def test_a_folder_for_a_settings_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert "check --config" in told(capsys, "migrate", "--config", str(tmp_path))


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DATABASE__URL", "sqlite://{here}", "database.url"),
        ("DATABASE__URL", "sqlite://{here}/file/town.db", "database.url"),
        ("DATABASE__URL", "postgres://town:a/b@db/town", "%2F"),
        ("DATABASE__URL", f"postgres://town@{NOBODY}/town?sslmod=require", "sslmod"),
        ("DATABASE__URL", f"postgres://town@{NOBODY}/town", "database.url"),
        ("REDIS__URL", "redis://queue:many/0", "redis.url"),
        ("REDIS__URL", "redis+sentinel://queue:1/town?db=x", "redis.url"),
        ("FILES__URL", "file://{here}/file/files", "files.url"),
        ("SECRETS__DIR", "{here}/file", "secrets.dir"),
        ("TOWN__TABLES", "{here}/none", "town.tables"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_by_its_setting(
    variable: str, value: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").write_text("here a folder cannot be", encoding="utf-8")
    monkeypatch.setenv(f"MOBILE_API_{variable}", value.format(here=tmp_path))
    assert said in told(capsys, "user", "list")


def test_a_database_that_another_program_holds_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(database._SQLITE_PRAGMAS, "busy_timeout", "1")
    holder = sqlite3.connect(tmp_path / "town.db")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        assert "another program is writing to it" in told(capsys, "migrate")
    finally:
        holder.close()


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    missing = tmp_path / "none" / "checkpoint.json"
    assert told(capsys, "evidence", "checkpoint", "--out", str(missing)).startswith(f"{missing}: No such file")
