from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.catalogue import FormField, MaterialRule, ServiceItem
from handlers.forms import check_form, check_materials
from mobile_api.tables import load_catalogue
from tests.support.offers import COLOURS, TOWN_TABLES, an_item, an_item_asking

GOOD = {"applicant_name": "张三", "id_number": "11010519491231002X", "phone": "13800138000"}
TODAY = dt.date(2026, 3, 2)
ITEMS = list(load_catalogue(TOWN_TABLES).items.values())


@dataclass
class Handed:
    material: str
    uploads: tuple[str, ...] = ()
    commitment: bool = False


def field(kind: str, **changes: Any) -> FormField:
    return FormField(**{"name": "x", "label": "问题", "type": kind, "required": True, **changes})


def codes(item: ServiceItem, form: dict[str, object], today: dt.date | None = TODAY) -> list[tuple[str, str]]:
    return [(error.pointer, error.code) for error in check_form(item, form, today)[1]]


def kept(one: FormField, value: object) -> object:
    form, errors = check_form(an_item_asking(one), {"x": value}, TODAY)
    assert errors == []
    return form["x"]


def refused(one: FormField, value: object) -> str:
    [error] = check_form(an_item_asking(one), {"x": value}, TODAY)[1]
    assert error.pointer == "/form/x"
    assert "问题" in error.message
    assert "“问题”" in error.message_en
    return error.code


def test_a_good_form_is_kept_as_it_is():
    assert check_form(an_item(), GOOD) == (GOOD, [])


def test_everything_wrong_is_said_at_once():
    assert codes(an_item(), {"id_number": "1", "phone": "2", "colour": "red"}) == [
        ("/form/colour", "unknown_field"),
        ("/form/applicant_name", "required"),
        ("/form/id_number", "invalid_id_number"),
        ("/form/phone", "invalid_phone"),
    ]


def test_what_was_typed_is_never_repeated():
    form = {"applicant_name": "秘密" * 40, "id_number": "110105194912310021", "phone": "机密号码", "weight": "泄露"}
    for error in check_form(an_item(), form)[1]:
        assert not any(word in error.message + error.message_en for word in ("秘密", "110105194912310021", "机密", "泄露"))


def test_a_strange_field_name_is_pointed_at_by_the_rules_of_json_pointers_and_cut():
    [pointer] = [error.pointer for error in check_form(an_item_asking(), {"a/b~c" + "x" * 100: 1})[1]]
    assert pointer.startswith("/form/a~1b~0cxx")
    assert len(pointer) < 80


@pytest.mark.parametrize(
    ("one", "value", "result"),
    [
        (field("text"), "  张三　", "张三"),
        (field("text"), "ＡＢＣ１２３", "ABC123"),
        (field("text"), "\u202e三张\u202c", "三张"),
        (field("id_number"), "\u202d11010519491231002x\u202c", "11010519491231002X"),
        (field("text"), "阿卜杜·热合曼", "阿卜杜·热合曼"),
        (field("textarea"), "全家三口，无收入。\r\n请帮助", "全家三口，无收入。\n请帮助"),
        (field("integer"), " ３ ", 3),
        (field("integer"), 3.0, 3),
        (field("number"), "0.50", 0.5),
        (field("number", min=0.1, max=0.3), 0.3, 0.3),
        (field("date"), "2026年1月5日", "2026-01-05"),
        (field("date", when="past"), "2026-03-02", "2026-03-02"),
        (field("date", when="future"), "2026-03-02", "2026-03-02"),
        (field("select", options=COLOURS), "red", "red"),
        (field("boolean"), "是", True),
        (field("boolean"), False, False),
        (field("id_number"), "11010519491231002x", "11010519491231002X"),
        (field("credit_code"), "９１３５０１００Ｍ０００１００Ｙ４３", "91350100M000100Y43"),
        (field("phone"), "+86 138 0013 8000", "13800138000"),
        (field("phone"), "0315-1234567", "0315-1234567"),
    ],
)  # fmt: skip
def test_what_was_meant_is_understood(one: FormField, value: object, result: object):
    assert kept(one, value) == result
    assert type(kept(one, value)) is type(result)


@pytest.mark.parametrize(
    ("one", "value", "code"),
    [
        (field("text"), "   ", "required"),
        (field("text"), None, "required"),
        (field("text", max_length=2), "三个字", "too_long"),
        (field("text"), "x" * 101, "too_long"),
        (field("text"), "第一行\n第二行", "bad_character"),
        (field("textarea"), "\x00", "bad_character"),
        (field("text"), 7, "wrong_type"),
        (field("text"), ["张三"], "wrong_type"),
        (field("integer"), "3.5", "not_a_number"),
        (field("integer"), True, "not_a_number"),
        (field("number"), float("nan"), "not_a_number"),
        (field("number"), float("inf"), "not_a_number"),
        (field("number"), 10**400, "not_a_number"),
        (field("number"), "1e9", "not_a_number"),
        (field("integer", min=1), 0, "too_small"),
        (field("number", max=49.99), 50, "too_large"),
        (field("date"), "2026-02-30", "not_a_date"),
        (field("date"), "0001-01-01", "not_a_date"),
        (field("date"), "明天", "not_a_date"),
        (field("date"), 20260101, "wrong_type"),
        (field("date", when="past"), "2026-03-03", "not_past"),
        (field("date", when="future"), "2026-03-01", "not_future"),
        (field("select", options=COLOURS), "blue", "not_an_option"),
        (field("select", options=COLOURS), {"value": "red"}, "not_an_option"),
        (field("boolean"), 1, "not_yes_or_no"),
        (field("boolean", must=True), False, "must_be_accepted"),
        (field("boolean", must=True), None, "required"),
        (field("id_number"), "110105194912310021", "invalid_id_number"),
        (field("credit_code"), "91350100M000100Y44", "invalid_credit_code"),
        (field("phone"), "12345", "invalid_phone"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused_with_its_code(one: FormField, value: object, code: str):
    assert refused(one, value) == code


def test_an_optional_question_may_stay_empty():
    assert check_form(an_item_asking(field("date", required=False)), {"x": ""}) == ({}, [])


def test_without_a_day_nothing_is_said_about_past_and_future():
    assert codes(an_item_asking(field("date", when="past")), {"x": "2199-12-31"}, today=None) == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(ITEMS), st.data())
def test_no_form_whatever_breaks_the_check(item: ServiceItem, data: st.DataObject):
    names = [one.name for one in item.form.fields]
    form = data.draw(st.dictionaries(st.sampled_from(names) | st.text(max_size=9), ANYTHING, max_size=12))
    clean, errors = check_form(item, form, TODAY)
    wrong = {error.pointer for error in errors}
    assert {f"/form/{name}" for name in names if name not in clean and item_requires(item, name)} <= wrong
    assert len(errors) == len({(error.pointer, error.code) for error in errors})
    assert set(clean) <= set(names)


@given(st.sampled_from(ITEMS), st.data())
def test_a_form_that_was_kept_is_kept_again_unchanged(item: ServiceItem, data: st.DataObject):
    form = {one.name: data.draw(_answers(one)) for one in item.form.fields}
    clean, errors = check_form(item, form, TODAY)
    assert errors == []
    assert check_form(item, clean, TODAY) == (clean, [])


def item_requires(item: ServiceItem, name: str) -> bool:
    return next(one.required for one in item.form.fields if one.name == name)


def _answers(one: FormField) -> st.SearchStrategy[Any]:
    plain: dict[str, st.SearchStrategy[Any]] = {
        "text": st.text("张王李赵abc 12·", min_size=1, max_size=one.max_length or 50).filter(str.strip),
        "textarea": st.text("张王，。\n", min_size=1, max_size=100).filter(str.strip),
        "address": st.text("镇村组12号", min_size=1, max_size=50),
        "integer": st.integers(int(one.min or 0), int(one.max or 100)),
        "number": st.integers(int(one.min or 0) + 1, int(one.max or 100)),
        "date": st.dates(dt.date(1950, 1, 1), TODAY).map(str),
        "select": st.sampled_from([option.value for option in one.options] or [""]),
        "boolean": st.sampled_from([True] if one.must else [True, False]),
        "id_number": st.just("11010519491231002X"),
        "credit_code": st.just("91350100M000100Y43"),
        "phone": st.integers(13000000000, 19999999999).map(str),
    }
    return plain[one.type]


RULES = (
    MaterialRule(code="application", name="申请表", required=True, source="form"),
    MaterialRule(code="id_card", name="身份证", required=True, source="upload"),
    MaterialRule(code="income", name="收入证明", required=True, source="upload", commitment=True),
    MaterialRule(code="report", name="报告", required=True, source="upload", tolerable=True),
    MaterialRule(code="ashes", name="火化证明", required=True, source="upload", condition="火葬区"),
    MaterialRule(code="extra", name="补充材料", required=False, source="upload"),
)
FULL = [Handed("id_card", ("u1",)), Handed("income", commitment=True), Handed("report", ("u2",))]


def materials(*handed_in: Handed) -> list[tuple[str, str]]:
    return [(error.pointer, error.code) for error in check_materials(an_item(materials=RULES), handed_in)]


def test_complete_materials_are_in_order():
    assert materials(*FULL) == []


def test_all_missing_materials_are_named_at_once_but_not_the_tolerable_ones():
    assert materials() == [("/materials/id_card", "missing_material"), ("/materials/income", "missing_material")]


def test_a_material_with_a_condition_is_left_to_the_office():
    assert "ashes" not in str(materials())


def test_an_entry_without_uploads_counts_as_missing():
    assert materials(Handed("id_card"), *FULL[1:]) == [("/materials/id_card", "missing_material")]


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (Handed("passport", ("u9",)), "unknown_material"),
        (Handed("extra", commitment=True), "commitment_not_allowed"),
        (Handed("income", ("u9",)), "material_twice"),
        (Handed("extra", tuple(f"u{n}" for n in range(21))), "too_many_uploads"),
        (Handed("extra", ("u9", "u9")), "upload_twice"),
    ],
)
def test_what_may_not_be_handed_in_is_refused(one: Handed, code: str):
    assert materials(*FULL, one) == [(f"/materials/{one.material}", code)]


def test_a_promise_does_not_replace_what_it_may_not_replace():
    assert materials(Handed("id_card", commitment=True), *FULL[1:]) == [
        ("/materials/id_card", "commitment_not_allowed"),
        ("/materials/id_card", "missing_material"),
    ]
