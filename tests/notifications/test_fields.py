"""Whatever comes in, what goes out satisfies the platform's rules, judged by the stand-in's own copy of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.fields import Unfit, sanitise
from sandbox.wechat.fields import RULES, check

ANY_TEXT = st.text(max_size=80)


@given(value=ANY_TEXT, field=st.sampled_from(["thing1", "name2"]))
def test_free_text_always_fits(value: str, field: str) -> None:
    assert check([field], {field: {"value": sanitise(field, value)}})


@given(value=ANY_TEXT, field=st.sampled_from(["phrase1", "time2", "date3", "character_string4", "number5", "letter6", "phone_number7"]))
def test_strict_fields_fit_or_are_refused_here_before_the_platform_does(value: str, field: str) -> None:
    try:
        fitted = sanitise(field, value)
    except Unfit:
        return
    assert check([field], {field: {"value": fitted}})


@pytest.mark.parametrize(
    ("field", "value", "fitted"),
    [
        ("thing1", "农村\n宅基地  审批", "农村 宅基地 审批"),
        ("thing1", "", "无"),
        ("thing1", "一" * 20, "一" * 20),
        ("thing1", "一" * 21, "一" * 19 + "…"),
        ("thing1", "a\u202eb\x00c", "a b c"),
        ("name2", "欧阳" * 6, "欧阳" * 4 + "欧…"),
        ("phrase3", "不予受理", "不予受理"),
        ("time4", "2026年11月24日 09:05", "2026年11月24日 09:05"),
        ("date5", "2026年3月1日", "2026年3月1日"),
        ("character_string6", "130208108-20261124-0001", "130208108-20261124-0001"),
        ("number7", "12.50", "12.50"),
    ],
)
def test_values_keep_what_they_can(field: str, value: str, fitted: str) -> None:
    assert sanitise(field, value) == fitted


@pytest.mark.parametrize(
    ("field", "value"),
    [("phrase1", "超过五个汉字"), ("phrase1", "OK"), ("character_string1", "编号"), ("character_string1", "x" * 33), ("time1", "24:00"),
     ("date1", "2026年13月1日"), ("number1", "12,5"), ("wish1", "x"), ("thing", "x")],
)  # fmt: skip
def test_what_cannot_fit_is_refused_by_the_fields_name_only(field: str, value: str) -> None:
    with pytest.raises(Unfit) as caught:
        sanitise(field, value)
    assert field in str(caught.value)
    assert value not in str(caught.value).replace(field, "")


def test_the_stand_in_knows_every_type_that_we_fill() -> None:
    assert {"thing", "name", "phrase", "time", "date", "character_string", "number", "letter", "phone_number"} <= RULES.keys()
