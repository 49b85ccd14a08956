"""The texts that people sign: one in force a kind, old ones kept, mistakes in their files found."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from config.settings import HERE
from handlers.commitments import KINDS, Commitments, CommitmentTable, Edition
from mobile_api.tables import TablesError, load_commitments

OLD = Edition(edition="t-1", from_on=dt.date(2025, 1, 1), text="本人承诺补交所缺的材料，逾期愿意承担后果。")
NEW = Edition(edition="t-2", from_on=dt.date(2026, 7, 1), text="本人承诺按期补交所缺的材料，逾期愿意承担后果。")
TEXTS = Commitments([CommitmentTable(kind="tolerated", title="容缺受理承诺书", basis="化州 2025", texts=(OLD, NEW))])

FILE = """
kind = "tolerated"
title = "书"
basis = "据"
[[texts]]
edition = "t-1"
from_on = 2026-01-01
text = "本人承诺补交所缺的材料，逾期愿意承担后果。"
[[texts]]
edition = "{edition}"
from_on = {from_on}
text = "本人承诺按期补交所缺的材料，逾期愿意承担后果。"
"""


@pytest.mark.parametrize(("today", "version"), [(dt.date(2024, 12, 31), None), (dt.date(2026, 6, 30), "t-1"), (dt.date(2026, 7, 1), "t-2")])
def test_the_text_to_sign_is_the_newest_in_force(today: dt.date, version: str | None):
    current = TEXTS.current("tolerated", today)

    assert (current.version if current else None) == version


def test_what_was_signed_can_be_read_when_there_is_a_newer_text():
    assert TEXTS.texts["t-1"].text == OLD.text
    assert TEXTS.texts["t-1"].digest != TEXTS.texts["t-2"].digest


def test_the_sample_town_has_a_text_of_every_kind():
    assert [one.kind for one in load_commitments(HERE).all_current(dt.date(2026, 2, 13))] == list(KINDS)


@pytest.mark.parametrize(
    ("edition", "from_on", "rule"),
    [("t-1", "2026-02-01", "commitment-twice"), ("t-2", "2026-01-01", "commitment-order"), ("T 2", "2026-02-01", "wrong-value")],
)
def test_a_mistake_in_a_file_is_found(tmp_path: Path, edition: str, from_on: str, rule: str):
    folder = tmp_path / "commitments"
    folder.mkdir()
    (folder / "tolerated.toml").write_text(FILE.format(edition=edition, from_on=from_on), encoding="utf-8")

    with pytest.raises(TablesError, match=rule):
        load_commitments(tmp_path)


def test_a_town_without_texts_lets_nobody_promise(tmp_path: Path):
    assert load_commitments(tmp_path).all_current(dt.date(2026, 2, 13)) == []
