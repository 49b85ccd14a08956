"""Which papers may follow (化州 2025: 非核心、不涉及安全和环境的材料；补正期限不超过法定时限)."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import HERE
from handlers import tolerance
from handlers.catalogue import MaterialRule
from handlers.debts import tolerated_until
from handlers.workdays import WorkCalendar
from mobile_api.tables import load_calendar, load_catalogue

CALENDAR = WorkCalendar(load_calendar(HERE))
DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 1))


def paper(**more: object) -> MaterialRule:
    """A paper that everybody hands in and that may follow, but for these."""
    return MaterialRule(**{"code": "paper", "name": "材料", "required": True, "source": "upload", "tolerable": True, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "follows", "owed"),
    [
        ({}, True, True),
        ({"tolerable": False}, False, True),
        ({"core": True}, False, False),
        ({"certificate_type": "ID_CARD"}, False, False),
        ({"source": "form"}, False, False),
        ({"name": "消防设计图"}, False, False),
        ({"name": "环境影响评价"}, False, False),
    ],
)
def test_core_and_safety_material_never_follows(more: dict[str, object], follows: bool, owed: bool):  # noqa: FBT001 - columns of the table
    assert (tolerance.may_follow(paper(**more)), tolerance.may_be_owed(paper(**more))) == (follows, owed)


def test_no_item_of_the_sample_town_tolerates_what_it_may_not():
    rules = [rule for item in load_catalogue(HERE).items.values() for rule in item.materials if rule.tolerable]

    assert rules
    assert all(map(tolerance.may_follow, rules))


@given(accepted=DAYS, days=st.integers(0, 40), promised=st.integers(0, 40), more=st.integers(0, 40))
def test_a_tolerated_paper_comes_in_between_acceptance_and_the_legal_limit(accepted: dt.date, days: int, promised: int, more: int):
    promised_on = CALENDAR.add_workdays(accepted, promised).day
    legal_on = CALENDAR.add_workdays(promised_on, more).day

    until = tolerated_until(accepted, days, promised_on, legal_on, CALENDAR)

    assert accepted <= until <= legal_on
    assert until == (min(CALENDAR.add_workdays(accepted, days).day, legal_on) if days else promised_on)
