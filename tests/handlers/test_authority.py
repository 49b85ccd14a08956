"""What an authority allows: pure rules on kinds, age, scope and days."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import authority
from handlers.authority import Authority, Person, allowed_kinds, check_use
from handlers.catalogue import Form, FormField
from handlers.errors import Refused
from tests.support.offers import an_item
from tests.support.proxies import CHILD, FOREIGN_VILLAGE, OLD, VILLAGE, YOUNG, id_number

DIVISION = "130208108"
TODAY = dt.date(2026, 2, 13)
PERSON_FORM = Form(
    fields=(
        FormField(name="applicant_name", label="姓名", type="text"),
        FormField(name="id_number", label="身份证号", type="id_number"),
    )
)
FIRM_FORM = Form(fields=(FormField(name="credit_code", label="信用代码", type="credit_code"),))


def item(**values: Any) -> Any:
    return an_item("AA-01", **{"proxy_allowed": True, "form": PERSON_FORM, **values})


def one(kind: str = "relative", number: str = OLD, **values: Any) -> Authority:
    usual = {
        "id": "p", "kind": kind, "state": "active", "items": (), "valid_to_on": TODAY, "village": None, "is_incapable": False,
        "principal": Person("赵桂兰", number),
    }  # fmt: skip
    return Authority(**{**usual, **values})


def test_an_authority_in_force_carries_an_application():
    check_use(one(), item(), DIVISION, TODAY)


@pytest.mark.parametrize(
    ("what", "offered", "code"),
    [
        (one(), item(proxy_allowed=False), "proxy_not_allowed"),
        (one(), item(proxy_kinds=("guardian", "mandate")), "proxy_kind"),
        (one("company"), item(), "proxy_kind"),
        (one(), item(form=FIRM_FORM), "proxy_kind"),
        (one(state="asked"), item(), "proxy_not_active"),
        (one(state="refused"), item(), "proxy_not_active"),
        (one(state="revoked"), item(), "proxy_over"),
        (one(state="ended"), item(), "proxy_over"),
        (one(valid_to_on=TODAY - dt.timedelta(days=1)), item(), "proxy_over"),
        (one(items=("BB-01",)), item(), "proxy_scope"),
        (one("guardian", YOUNG), item(), "proxy_of_age"),
        (one("village_clerk", village=FOREIGN_VILLAGE), item(), "proxy_village"),
        (one("village_clerk"), item(), "proxy_village"),
    ],
)
def test_what_an_authority_does_not_carry(what: Authority, offered: Any, code: str):
    with pytest.raises(Refused) as refused:
        check_use(what, offered, DIVISION, TODAY)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "what",
    [
        one("guardian", CHILD),
        one("guardian", YOUNG, is_incapable=True),
        one("village_clerk", village=VILLAGE),
        one(items=("AA-01",)),
        one("mandate"),
    ],
)
def test_what_it_carries(what: Authority):
    check_use(what, item(), DIVISION, TODAY)


def test_who_may_act_follows_from_the_item_and_from_whom_its_form_is_about():
    assert allowed_kinds(item(proxy_allowed=False)) == ()
    assert allowed_kinds(item(form=FIRM_FORM)) == ("company",)
    assert allowed_kinds(item()) == ("guardian", "relative", "mandate", "village_clerk")
    assert allowed_kinds(item(proxy_kinds=("mandate", "company"))) == ("mandate",)


@pytest.mark.parametrize(
    ("kind", "number", "state", "code"),
    [
        ("guardian", CHILD, "", ""),
        ("guardian", OLD, "incapable", ""),
        ("guardian", OLD, "", "proxy_not_minor"),
        ("relative", CHILD, "", "proxy_needs_guardian"),
        ("mandate", CHILD, "", "proxy_needs_guardian"),
        ("village_clerk", CHILD, "", "proxy_needs_guardian"),
        ("company", "91350100M000100Y43", "", ""),
    ],
)
def test_minors_have_guardians_and_only_guardians(kind: Any, number: str, state: str, code: str):
    if not code:
        authority.check_person(kind, Person("某", number), TODAY, incapable=bool(state))
        return
    with pytest.raises(Refused, match=code):
        authority.check_person(kind, Person("某", number), TODAY, incapable=bool(state))


def test_a_guardians_authority_ends_before_the_child_comes_of_age():
    almost = id_number("2008-02-20")

    assert authority.last_day("guardian", Person("某", almost), TODAY, incapable=False) == dt.date(2026, 2, 19)
    assert authority.last_day("mandate", Person("某", OLD), TODAY, incapable=False) == TODAY + dt.timedelta(days=366)


def test_who_is_born_on_the_29th_of_february_comes_of_age_on_the_1st_of_march():
    assert authority.comes_of_age(id_number("2008-02-29")) == dt.date(2026, 3, 1)
    assert authority.comes_of_age("91350100M000100Y43") is None


@given(st.dates(dt.date(1900, 1, 1), dt.date(2026, 1, 1)), st.dates(dt.date(2026, 1, 1), dt.date(2050, 1, 1)))
def test_a_birthday_decides_who_is_a_minor(born: dt.date, today: dt.date):
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))

    assert authority.is_minor(id_number(born.isoformat()), today) == (years < 18)


def test_the_form_says_who_the_principal_is():
    wanted = authority.identity("relative", Person("赵桂兰", OLD), PERSON_FORM.fields)

    assert wanted == {"applicant_name": "赵桂兰", "id_number": OLD}
    authority.check_applicant(wanted, {"applicant_name": " 赵桂兰", "id_number": OLD.lower()})
    with pytest.raises(Refused) as refused:
        authority.check_applicant(wanted, {"applicant_name": "赵桂兰", "id_number": YOUNG})
    assert [error.pointer for error in refused.value.errors] == ["/form/id_number"]
    assert YOUNG not in str(refused.value.errors)
