from __future__ import annotations

import pytest

from handlers.access import Officer, check_officer
from handlers.errors import Refused
from handlers.policy import ACTIONS, POLICY, scope_of

AREA, OTHER_AREA = "130208108", "130208109"
CASE = {"area": AREA, "department": "MZ", "number": "1302081082026021300001O"}
TASKS = {"MZ", "GA"}

PLACES = {
    "lead department": ("MZ", AREA),
    "a department with a part": ("GA", AREA),
    "a department without": ("SW", AREA),
    "another town": ("MZ", OTHER_AREA),
}


@pytest.mark.parametrize("role", [*POLICY, "stranger"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("action", ACTIONS)
def test_only_what_the_table_gives_is_allowed(role: str, place: str, action: str):
    department, area = PLACES[place]
    officer = Officer("1", role, department, "", area)
    sees = area == AREA and (scope_of(role, "see_case") == "area" or (scope_of(role, "see_case") == "department" and department in TASKS))
    may = sees and (scope_of(role, action) == "area" or (scope_of(role, action) == "department" and department == "MZ"))
    if action == "see_case":
        may = sees

    if may:
        check_officer(officer, action, CASE, TASKS)
        return
    with pytest.raises(Refused) as refused:
        check_officer(officer, action, CASE, TASKS)
    assert refused.value.code == ("forbidden" if sees else "not_found")


def test_nobody_both_accepts_and_decides():
    assert not [role for role, may in POLICY.items() if "accept" in may and "decide" in may]


def test_what_was_never_handed_in_is_seen_by_nobody():
    with pytest.raises(Refused, match="not_found"):
        check_officer(Officer("1", "clerk", "", "大厅", AREA), "see_case", {**CASE, "number": None}, TASKS)
