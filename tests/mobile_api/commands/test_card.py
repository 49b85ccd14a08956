from __future__ import annotations

import argparse
import json

import pytest

from mobile_api.commands import card

CASE = ("--accepted", "2026-03-02", "--promised", "5", "--legal", "10")


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    parser.set_defaults(config=None)
    card.add_arguments(parser)
    return card.run(parser.parse_args(words))


@pytest.mark.parametrize(
    ("at", "level"),
    [
        ("2026-03-01", "none"),
        ("2026-03-04", "none"),
        ("2026-03-05", "warning"),
        ("2026-03-09T23:59:59", "warning"),
        ("2026-03-10", "yellow"),
        ("2026-03-16", "yellow"),
        ("2026-03-17", "red"),
        ("2026-03-16T16:00:00Z", "red"),
    ],
)
def test_the_first_line_is_the_card(capsys: pytest.CaptureFixture[str], at: str, level: str):
    assert run(*CASE, "--at", at) == 0
    assert capsys.readouterr().out.splitlines()[0] == level


def test_json_names_the_rule_and_the_days_used(capsys: pytest.CaptureFixture[str]):
    assert run(*CASE, "--at", "2026-03-10", "--json") == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["card"], values["rule"], values["used"]) == ("yellow", "used >= promised + 1", 6)
    assert "黄牌" in values["text"]
    assert "yellow" in values["text_en"]


def test_a_suspension_moves_the_card(capsys: pytest.CaptureFixture[str]):
    assert run(*CASE, "--at", "2026-03-10", "--suspended", "2026-03-04..2026-03-04") == 0
    assert capsys.readouterr().out.startswith("warning")


def test_a_legal_limit_in_natural_days_is_red_when_it_is_over_though_the_promise_is_not(capsys: pytest.CaptureFixture[str]):
    case = ("--accepted", "2026-02-13", "--promised", "10", "--legal", "15", "--legal-unit", "natural")
    assert run(*case, "--at", "2026-02-28") == 0
    assert capsys.readouterr().out.startswith("warning")
    assert run(*case, "--at", "2026-03-01") == 0
    assert capsys.readouterr().out.startswith("red")


def test_an_immediate_item_has_no_card_worse_than_a_warning_on_its_own_day(capsys: pytest.CaptureFixture[str]):
    case = ("--accepted", "2026-03-02T10:00", "--promised", "0", "--legal", "1", "--counting", "instant")
    assert run(*case, "--at", "2026-03-02T17:00") == 0
    assert capsys.readouterr().out.startswith("warning")
    assert run(*case, "--at", "2026-03-03T09:00") == 0
    assert capsys.readouterr().out.startswith("yellow")


def test_by_the_instant_one_second_counts(capsys: pytest.CaptureFixture[str]):
    case = ("--accepted", "2026-03-02T10:00", "--promised", "5", "--legal", "10", "--counting", "instant", "--lang", "en")
    assert run(*case, "--at", "2026-03-09T10:00:00") == 0
    assert capsys.readouterr().out.startswith("warning")
    assert run(*case, "--at", "2026-03-09T10:00:01") == 0
    assert capsys.readouterr().out.startswith("yellow")


@pytest.mark.parametrize("words", [[*CASE], [*CASE, "--at", "noon"], ["--accepted", "2026-03-02", "--promised", "5", "--at", "2026-03-02"]])
def test_what_cannot_be_used_ends_with_2(words: list[str]):
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 2
