from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import pytest

from mobile_api.__main__ import main as program
from mobile_api.commands import check
from tests.support.offers import TOWN_TABLES


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A copy of the shipped tables with one mistake."""
    for folder in ("services", "bundles", "departments", "certificates", "events", "calendar"):
        shutil.copytree(TOWN_TABLES / folder, tmp_path / folder)
    path = tmp_path / "services" / "MZ-01.toml"
    path.write_text(path.read_text(encoding="utf8").replace("days = 25", "days = 31"), encoding="utf8")
    return tmp_path


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    return check.run(parser.parse_args(arguments))


def test_the_shipped_tables_pass(capsys: pytest.CaptureFixture[str]):
    assert main(["--tables", str(TOWN_TABLES)]) == 0
    assert "错误 0 处" in capsys.readouterr().out


def test_an_error_is_one_line_with_place_rule_and_remedy_and_comes_first(town: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--tables", str(town)]) == 1
    first = capsys.readouterr().out.splitlines()[0]
    assert "MZ-01.toml:22: error [promised-over-legal] 承诺时限 31 超过法定时限 30" in first
    assert "→ 缩短承诺时限" in first


def test_it_speaks_english_on_request(town: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--tables", str(town), "--lang", "en"]) == 1
    out = capsys.readouterr().out
    assert "promised 31 is longer than legal 30 → Shorten the promise." in out
    assert "1 errors" in out


def test_warnings_of_one_rule_are_counted_unless_all_are_asked_for(capsys: pytest.CaptureFixture[str]):
    main(["--tables", str(TOWN_TABLES)])
    short = capsys.readouterr().out.count("[phone-sample]")
    main(["--tables", str(TOWN_TABLES), "--all"])
    whole = capsys.readouterr().out.count("[phone-sample]")
    assert short < whole == 42


def test_as_json_every_finding_is_an_object_of_its_own(town: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--tables", str(town), "--json"]) == 1
    findings = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [error] = [one for one in findings if one["level"] == "error"]
    assert (error["rule"], error["line"]) == ("promised-over-legal", 22)
    assert error["path"].endswith("MZ-01.toml")


def test_a_folder_that_is_not_there_cannot_be_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--tables", str(tmp_path / "nowhere")]) == 1
    told = capsys.readouterr()
    assert "nowhere" in told.err
    assert "可以发布" not in told.out


def test_the_settings_are_checked_too_before_a_town_serves_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MOBILE_API_TOWN__PROFILE", "production")
    monkeypatch.setenv("MOBILE_API_SECRETS__DIR", str(tmp_path / "secrets"))
    assert program(["check"]) == 1
    told = capsys.readouterr().err
    assert "set MOBILE_API_WECHAT__SECRET" in told
    assert "make keys with `mobile-api key create`" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"[progress]\ntitle = ", "is not valid TOML"),
        ('[progress]\ntitle = "办理进度"\n'.encode("gbk"), "is not UTF-8 text"),
        (b"", "lacks the template"),
    ],
)
def test_a_table_of_messages_that_cannot_be_read_is_an_error(
    text: bytes, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    shutil.copytree(TOWN_TABLES, tmp_path / "tables", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (tmp_path / "tables" / "templates" / "wechat.toml").write_bytes(text)
    monkeypatch.setenv("MOBILE_API_TOWN__TABLES", str(tmp_path / "tables"))
    monkeypatch.setenv("MOBILE_API_SECRETS__DIR", str(tmp_path / "secrets"))
    assert program(["check"]) == 1
    assert told in capsys.readouterr().err


def test_production_names_each_message_that_still_has_the_sandboxes_template(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MOBILE_API_TOWN__PROFILE", "production")
    program(["check"])
    assert capsys.readouterr().err.count("still has the sandbox's template_id") == 3
