from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobile_api.__main__ import main as command_line
from mobile_api.commands import check, department_dry_run
from tests.support.offers import TOWN_TABLES

Main = Callable[..., int]
Spoil = Callable[[str, str, str], int]


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A copy of the shipped tables, mappings included."""
    for folder in ("services", "bundles", "departments", "certificates", "events", "calendar", "mappings"):
        shutil.copytree(TOWN_TABLES / folder, tmp_path / folder)
    return tmp_path


@pytest.fixture
def spoil(town: Path) -> Spoil:
    """Replaces the first place of a text in a file and answers its line."""

    def change(name: str, old: str, new: str) -> int:
        before, found, after = (town / name).read_text(encoding="utf8").partition(old)
        assert found
        (town / name).write_text(before + new + after, encoding="utf8")
        return before.count("\n") + 1

    return change


def run(command: Any, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return int(command.run(parser.parse_args(words)))


def dry_run(town: Path, *words: str) -> int:
    return run(department_dry_run, *words, "--tables", str(town))


def rows(printed: str) -> dict[str, str]:
    """What stands on the right, by what stands on the left."""
    sides = [line.split("│") for line in printed.splitlines() if "│" in line]
    return {left.strip(): right.strip() for left, right in sides}


def kept(folder: Path, values: dict[str, Any]) -> str:
    path = folder / "sample.json"
    path.write_text(json.dumps(values), encoding="utf8")
    return str(path)


@pytest.mark.parametrize("code", sorted(path.stem for path in (TOWN_TABLES / "mappings").glob("*.toml")))
def test_every_shipped_mapping_fills_in_its_forms(code: str, capsys: pytest.CaptureFixture[str]):
    assert dry_run(TOWN_TABLES, code) == 0
    printed = capsys.readouterr().out
    assert printed.count("环节") >= 3
    assert "error" not in printed


def test_both_sides_stand_beside_each_other_with_the_line_that_says_so(capsys: pytest.CaptureFixture[str]):
    assert dry_run(TOWN_TABLES, "MZ", "--item", "MZ-01", "--step", "decide") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("MZ-01 最低生活保障审核确认，环节 decide → 县社会救助管理系统\n")
    text = (TOWN_TABLES / "mappings" / "MZ.toml").read_text(encoding="utf8").splitlines()
    found = rows(printed)["form.hardship_reason = illness"]
    said, line = found.split("第")
    assert said.strip() == "ZKYY = 01"
    assert text[int(line.split()[0])].startswith('target = "ZKYY"')
    assert "materials.hukou.files.grant" in printed


def test_what_has_no_place_in_the_departments_form_is_shown_too(capsys: pytest.CaptureFixture[str]):
    assert dry_run(TOWN_TABLES, "GA", "--item", "MZ-01") == 0
    assert rows(capsys.readouterr().out)["form.household_size = 1"] == "（没有对应的栏）"


def test_the_columns_are_straight_although_chinese_characters_are_wide(capsys: pytest.CaptureFixture[str]):
    dry_run(TOWN_TABLES, "MZ", "--item", "MZ-01", "--step", "accept")  # with full-width brackets too
    lefts = [line.split("│")[0] for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert len(lefts) > 10
    assert len({len(left.encode("gb18030")) for left in lefts}) == 1


def test_mistakes_in_the_file_are_said_with_line_and_remedy(town: Path, spoil: Spoil, capsys: pytest.CaptureFixture[str]):
    first = spoil("mappings/MZ.toml", 'source = "form.hardship_reason"', 'source = "form.hardship"')
    second = spoil("mappings/MZ.toml", 'date = "%Y-%m-%d"', 'date = "%Y-%M-%D"')
    assert dry_run(town, "MZ") == 1
    one, two = capsys.readouterr().out.splitlines()
    assert f"MZ.toml:{first}: error [mapping-source-unknown]" in one
    assert "是不是“form.hardship_reason”？ → 改用" in one
    assert f"MZ.toml:{second}: error [mapping-date]" in two


def test_a_sample_that_does_not_fit_is_said_with_every_line(town: Path, capsys: pytest.CaptureFixture[str]):
    case = {
        "case": "2611240001", "case_id": "c", "task": "t", "step": "accept", "action": "受理",
        "item": {"code": "MZ-01", "name": "低保", "version": 1}, "form": {"applicant_name": "李四", "hardship_reason": "laziness"},
    }  # fmt: skip
    assert dry_run(town, "MZ", "--case", kept(town, case)) == 1
    printed = capsys.readouterr().out
    assert "[mapping-value-unknown] “ZKYY”" in printed
    assert "[mapping-value-missing] 必填栏“SQR.SFZH”没有内容（来源 form.id_number）" in printed
    assert "李四" not in printed
    assert "laziness" not in printed


def test_a_whole_message_may_be_the_sample(town: Path, capsys: pytest.CaptureFixture[str]):
    data = {
        "case": "2611240001", "case_id": "c", "task": "t", "step": "review", "action": "户籍核对",
        "item": {"code": "MZ-02", "name": "特困", "version": 1},
        "form": {"applicant_name": "李四", "id_number": "11010519491231002X", "phone": "13800138000"},
    }  # fmt: skip
    assert dry_run(town, "GA", "--case", kept(town, {"specversion": "1.0", "data": data})) == 0
    assert rows(capsys.readouterr().out)["action = 户籍核对"].startswith("xcnr = 户籍核对")


def test_a_record_of_the_department_is_shown_as_the_answer_it_means(town: Path, capsys: pytest.CaptureFixture[str]):
    record = {"ywbh": "2611240001", "rwbh": "t-1", "ywlx": "xc", "blzt": 9, "hcjg": "不一致", "bz": "姓名不符"}
    assert dry_run(town, "GA", "--answer", kept(town, record)) == 0
    printed = capsys.readouterr().out
    assert "  task.decided\n" in printed
    assert "  result = disagreed\n" in printed
    assert dry_run(town, "GA", "--answer", kept(town, {**record, "hcjg": "不详"})) == 1
    assert "[mapping-value-unknown] “result”" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["YB"], "没有"),
        (["MZ", "--item", "YB-01"], "不参加办理"),
        (["MZ", "--case", "nowhere.json"], "读不到文件"),
        (["MZ", "--case", str(TOWN_TABLES / "mappings" / "MZ.toml")], "不是 JSON 对象"),
    ],
)
def test_nothing_to_try_ends_with_two_and_a_reason(words: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert dry_run(TOWN_TABLES, *words) == 2
    assert said in capsys.readouterr().err


def test_a_sample_that_is_no_message_is_refused(town: Path, capsys: pytest.CaptureFixture[str]):
    assert dry_run(town, "MZ", "--case", kept(town, {"case": 1})) == 2
    assert "task.requested" in capsys.readouterr().err


def test_it_is_a_word_of_the_command_line(capsys: pytest.CaptureFixture[str]):
    assert command_line(["department", "dry-run", "RS", "--item", "RS-05", "--tables", str(TOWN_TABLES)]) == 0
    assert "AJC093 = 11" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "rule", "above"),
    [
        ('  { ours = "disability", theirs = "02" },  # 因残\n', "", "mapping-choice-lacks", 2),  # said of the table as a whole
        ('source = "form.monthly_income"', 'source = "form.monthly"', "mapping-source-unknown", 0),
        ('item = "MZ-01"', 'item = "MZ-99"', "item-unknown", 0),
        ('kind = "task.accepted"', 'kind = "task.taken"', "mapping-kind-unknown", 0),
        ("\nrequired = true", "\nrequird = true", "unknown-key", -1),
        ('\ncode = "MZ"', '\ncode = "GA"', "file-name", -1),
    ],
)
def test_check_looks_at_mappings_with_everything_else(
    town: Path, spoil: Spoil, capsys: pytest.CaptureFixture[str], old: str, new: str, rule: str, above: int
):
    line = spoil("mappings/MZ.toml", old, new)
    assert run(check, "--tables", str(town)) == 1
    assert f"MZ.toml:{line - above}: error [{rule}]" in capsys.readouterr().out


def test_an_items_file_that_loses_a_field_is_found_at_the_mapping_that_takes_it(
    town: Path, spoil: Spoil, capsys: pytest.CaptureFixture[str]
):
    spoil("services/MZ-01.toml", 'name = "monthly_income"', 'name = "income"')
    assert run(check, "--tables", str(town)) == 1
    assert "[mapping-source-unknown] 没有“form.monthly_income”" in capsys.readouterr().out
