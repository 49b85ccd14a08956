from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mobile_api.tables import Inspection, TablesError, load_calendar, load_catalogue
from tests.support.offers import TOWN_TABLES

Edit = Callable[[str, str, str], int]


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A copy of the shipped tables, to be spoilt."""
    for folder in ("services", "bundles", "departments", "certificates", "events", "calendar"):
        shutil.copytree(TOWN_TABLES / folder, tmp_path / folder)
    return tmp_path


@pytest.fixture
def edit(town: Path) -> Edit:
    """Replaces the first place of a text in a file and answers its line."""

    def change(name: str, old: str, new: str) -> int:
        path = town / name
        before, found, after = path.read_text(encoding="utf8").partition(old)
        assert found
        path.write_text(before + new + after, encoding="utf8")
        return before.count("\n") + 1

    return change


def errors(town: Path) -> list[tuple[str, int, str]]:
    return [(one.path.name, one.line, one.rule) for one in Inspection(town).errors]


@pytest.mark.parametrize(
    ("old", "new", "rule", "said"),
    [
        ("days = 25", "days = 31", "promised-over-legal", "31"),
        ("days = 25", "days = -1", "wrong-value", "0 到 3660 的整数"),
        ("days = 25", 'days = "25"', "wrong-value", "整数"),
        ("online = true", 'online = "是"', "wrong-value", "true 或 false"),
        ('handling = "承诺件"', 'handling = "慢办件"', "wrong-value", "即办件、承诺件、上报件"),
        ('audience = ["person"]', 'audience = "person"', "wrong-value", "列表"),
        ('name = "居民身份证"', 'name = ""', "wrong-value", "1 到 200 字"),
        ('code = "id_card"', 'code = "身份证"', "wrong-value", "小写英文"),
        ("visits = 1", "visist = 1", "unknown-key", "是不是“visits”"),
        ("[basis]", "[basic]", "unknown-key", "是不是“basis”"),
        ('department = "GA"', 'department = "QQ"', "department-unknown", "QQ"),
        ('certificate_type = "HUKOU"', 'certificate_type = "HOKOU"', "certificate-unknown", "HOKOU"),
        ('events = ["救助"]', 'events = ["脱贫"]', "event-unknown", "脱贫"),
        ('code = "hukou"', 'code = "id_card"', "material-twice", "id_card"),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_with_file_line_and_remedy(town: Path, edit: Edit, old: str, new: str, rule: str, said: str):
    line = edit("services/MZ-01.toml", old, new)
    [found] = [one for one in Inspection(town).errors if one.rule == rule]
    assert (found.path.name, found.line) == ("MZ-01.toml", line)
    assert said in found.message
    assert found.remedy
    assert found.message_en


def test_all_mistakes_of_all_files_are_found_at_once(town: Path, edit: Edit):
    first = edit("services/GA-01.toml", "visits = 0", 'visits = "零"')
    second = edit("services/GA-01.toml", "online = true", "online = 1")
    third = edit("departments/BD.toml", "partitions = 2", "partitions = 0")
    fourth = edit("bundles/YJS-01.toml", 'lead = "WJ"', 'lead = "QQ"')
    assert errors(town) == [
        ("YJS-01.toml", fourth, "department-unknown"),
        ("BD.toml", third, "wrong-value"),
        ("GA-01.toml", first, "wrong-value"),
        ("GA-01.toml", second, "wrong-value"),
    ]


@pytest.mark.parametrize("name", ["services/GA-01.toml", "departments/GA.toml", "certificates/GA.toml", "events/events.toml"])
def test_a_broken_file_is_reported_once_and_not_by_everyone_who_names_it(town: Path, name: str):
    (town / name).write_text("code = ", encoding="utf8")
    [found] = Inspection(town).errors
    assert (found.path, found.rule) == (town / name, "not-toml")


def test_a_file_saved_in_another_encoding_says_how_to_save_it(town: Path):
    (town / "services/GA-01.toml").write_bytes('name = "出生登记"'.encode("gbk"))
    [found] = Inspection(town).errors
    assert found.rule == "not-utf8"
    assert "UTF-8" in found.remedy


def test_a_copied_file_that_kept_its_code_is_found(town: Path):
    shutil.copy(town / "services/MZ-01.toml", town / "services/MZ-99.toml")
    assert {(name, rule) for name, _, rule in errors(town)} == {("MZ-99.toml", "file-name"), ("MZ-99.toml", "code-twice")}


def test_a_missing_key_is_shown_at_its_table(town: Path, edit: Edit):
    line = edit("services/MZ-01.toml", 'code = "application"\n', "")
    [found] = Inspection(town).errors
    assert (found.rule, found.line) == ("missing-key", line - 1)
    assert "code" in found.message


def test_a_version_cannot_be_written_by_hand(town: Path, edit: Edit):
    edit("services/MZ-01.toml", "visits = 1", "visits = 1\nversion = 9")
    assert [rule for _, _, rule in errors(town)] == ["unknown-key"]


def test_a_wrong_calendar_is_found(town: Path, edit: Edit):
    edit("calendar/2026.toml", "year = 2026", "year = 2025")
    assert [(name, rule) for name, _, rule in errors(town)] == [("2026.toml", "calendar")]
    with pytest.raises(TablesError, match=r"2026\.toml"):
        load_calendar(town)


def test_start_up_refuses_and_says_everything(town: Path, edit: Edit):
    line = edit("services/MZ-01.toml", "days = 25", "days = 31")
    with pytest.raises(TablesError) as caught:
        load_catalogue(town)
    assert f"MZ-01.toml:{line}: [promised-over-legal]" in str(caught.value)


def test_the_shipped_town_is_loaded_with_its_calendar():
    assert load_catalogue(TOWN_TABLES).items["MZ-01"].name == "最低生活保障审核确认"
    assert {2025, 2026} <= {table.year for table in load_calendar(TOWN_TABLES)}
