"""Every event has words in both languages, and every pushed event a message that the platform takes."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from handlers.notices import EVENT_TYPES, PUSHED
from notifications import wording
from notifications.templates import fill
from sandbox.wechat.fields import check
from sandbox.wechat.templates import TEMPLATES as KNOWN
from storage.notifications import Notification
from tests.support.wechat import TEMPLATES

FULL = {
    "number": "130208108-20261124-0001",
    "item_name": "农村宅基地和村民建房审批",
    "state": "accepted",
    "department_name": "自然资源所",
    "reason": "身份证照片不清晰，请重新拍照上传；另请补充户口簿首页。",
    "decision": "granted",
    "promised_on": "2026-12-08",
    "until_on": "2026-12-01",
    "text": "已完成现场勘查",
}
BARE = {"number": None, "item_name": "建房", "state": "accepted"}
AT = dt.datetime(2026, 11, 24, 16, 30, tzinfo=dt.UTC)
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_the_tables_name_the_same_events() -> None:
    assert wording.events() == set(EVENT_TYPES)
    assert wording.pushed() == PUSHED


@pytest.mark.parametrize("event", EVENT_TYPES)
@pytest.mark.parametrize("data", [FULL, BARE], ids=["full", "bare"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_event_reads_well_whatever_is_known(event: str, data: dict[str, Any], language: wording.Language) -> None:
    title, text = wording.words(event, data, language)
    assert title
    assert text
    assert not re.search(r"[{}\[\]]|None|。。|\.\.|：。|: \.|，。|  ", text)
    assert bool(HAN.search(title)) is (language == "zh")
    if data is FULL and event.startswith("case."):
        assert FULL["item_name"] in text


def test_missing_facts_leave_their_part_out() -> None:
    assert wording.words("case.accepted", FULL).text == "“农村宅基地和村民建房审批”已受理，承诺 2026年12月8日 前办结。"
    assert wording.words("case.accepted", BARE).text == "“建房”已受理。"
    assert wording.words("case.decided", FULL, "en").text.startswith("“农村宅基地和村民建房审批” has been decided: granted. Note: ")


def test_what_is_no_date_is_left_out() -> None:
    assert wording.words("case.accepted", {**FULL, "promised_on": "soon"}).text == "“农村宅基地和村民建房审批”已受理。"


def test_braces_that_somebody_typed_are_shown_as_typed() -> None:
    text = wording.words("case.progressed", {**FULL, "text": "见附件{number}[1]"}).text
    assert "见附件{number}[1]" in text


@pytest.mark.parametrize("event", sorted(PUSHED))
@pytest.mark.parametrize("data", [FULL, BARE, {**FULL, "decision": "refused"}], ids=["full", "bare", "refused"])
def test_every_pushed_event_fills_every_template_it_may_use(event: str, data: dict[str, Any]) -> None:
    notification = Notification("1", "a", "c", event, "wechat", data, 1, "h", AT)
    for name in wording.templates(event):
        template = TEMPLATES.by_name[name]
        values = fill(template, notification)
        assert check(KNOWN[template.template_id].fields, {field: {"value": value} for field, value in values.items()})


def test_times_are_those_of_china() -> None:
    assert wording.template_facts("case.accepted", FULL, AT)["time"] == "2026年11月25日 00:30"
    assert wording.template_facts("case.accepted", FULL, AT)["date"] == "2026年11月25日"
    assert wording.template_facts("case.accepted", FULL, AT)["note"] == "承诺2026年12月8日前办结"
