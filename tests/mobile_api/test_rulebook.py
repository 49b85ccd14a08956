"""The file of the rules of supervision: as it is shipped, and what is said of one that cannot be used."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.settings import HERE
from handlers.supervision_rules import KIND_NAMES, Rulebook
from mobile_api.tables import Inspection, TablesError, load_rulebook

RULES = Path("supervision/rules.toml")


@pytest.fixture
def town(tmp_path: Path) -> Path:
    (tmp_path / "supervision").mkdir()
    shutil.copy(HERE / RULES, tmp_path / RULES)
    return tmp_path


def spoil(town: Path, old: str, new: str) -> int:
    """Replace a text once; the line on which it stood."""
    text = (town / RULES).read_text(encoding="utf8")
    (town / RULES).write_text(text.replace(old, new, 1), encoding="utf8")
    return text[: text.index(old)].count("\n") + 1


def test_the_rules_that_are_shipped_know_every_object_and_say_where_they_come_from():
    book = load_rulebook(HERE)
    assert {rule.object for rule in book.rules} == set(KIND_NAMES)
    assert all(rule.basis and book.basis(rule.code) == rule.basis for rule in book.rules)
    assert book.grounds


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('level = "warning"', 'level = "orange"', "wrong-value"),
        ('limit = "promised"', 'limit = "own"', "rule-limit"),
        ("《$instance_name$》", "《$name$》", "placeholder-unknown"),
        ('issue = "automatic"', 'isue = "automatic"', "unknown-key"),
        ("[limits]", "[limits", "not-toml"),
    ],
)
def test_a_mistake_is_shown_where_it_stands_and_nothing_is_loaded(town: Path, old: str, new: str, rule: str):
    line = spoil(town, old, new)
    with pytest.raises(TablesError) as told:
        load_rulebook(town)
    assert f"rules.toml:{line}: [{rule}]" in str(told.value)
    assert rule in {found.rule for found in Inspection(town).errors}


def test_a_town_whose_rules_are_from_before_new_objects_is_told_which_get_no_card(town: Path):
    text = (town / RULES).read_text(encoding="utf8")
    blocks = text.split("[[rules]]\n")
    old = "[[rules]]\n".join(block for block in blocks if 'object = "delivery"' not in block and 'object = "urgent"' not in block)
    (town / RULES).write_text(old, encoding="utf8")
    (found,) = [one for one in Inspection(town).findings if one.rule == "object-unsupervised"]
    assert found.level == "warning"
    assert "送达、急难救助" in str(found)
    assert load_rulebook(town).rules


def test_a_town_without_rules_is_told_that_nothing_is_supervised(tmp_path: Path):
    assert load_rulebook(tmp_path) == Rulebook()
    assert [(found.rule, found.level) for found in Inspection(tmp_path).findings if found.rule == "no-supervision"] == [
        ("no-supervision", "warning")
    ]
