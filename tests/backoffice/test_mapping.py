from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice import mapping_dates
from backoffice.mapping import DepartmentMapping, MappingProblem, MappingProblems, department_form, department_record
from handlers import cases, reviews
from handlers.errors import Refused
from handlers.office import Office
from mobile_api.tables import load_tables
from storage import cases as rows
from storage import outbox
from storage.bell import Bell
from storage.database import Database
from storage.envelopes import Answer
from storage.ids import uuid7
from storage.redis import RedisStore
from tests.support.mappings import form_of, mapping, task
from tests.support.offers import TOWN_TABLES
from tests.support.office import open_office, submitted_case
from tests.support.town import settle_in

TWO_FORMS = """
[[forms]]
item = "*"
[[forms.fields]]
target = "NO"
source = "case"
[[forms.fields]]
target = "KIND"
constant = "common"

[[forms]]
item = "AA-01"
steps = ["review"]
[[forms.fields]]
target = "KIND"
constant = "own"
"""
ANSWERS = """
[[answer_fields]]
target = "case"
source = "NO"
required = true
[[answer_fields]]
target = "task"
source = "TASK"
required = true

[[answers]]
kind = "task.correction-requested"
when = [{ field = "STATE", among = ["3"] }]
[[answers.fields]]
target = "reason"
source = "TEXT"
required = true
[[answers.fields]]
target = "materials.material"
source = "PAPERS"
required = true
split = { by = "," }
values = [{ ours = "id_card", theirs = "01" }, { ours = "photo", theirs = "02" }]
[[answers.fields]]
target = "materials.message"
source = "TEXT"
required = true

[[answers]]
kind = "task.suspended"
when = [{ field = "STATE", among = ["4", "5"] }, { field = "MORE.WHY", among = ["1"] }]
[[answers.fields]]
target = "procedure"
constant = "听证"
[[answers.fields]]
target = "reason"
source = "TEXT"
required = true
[[answers.fields]]
target = "until_on"
source = "UNTIL"
date = "%Y/%m/%d"
"""
RECORD = {"NO": "2611240001", "TASK": "t-1", "TEXT": "不清楚"}


def out(mapped: DepartmentMapping, **changes: Any) -> Any:
    return mapped.outgoing("task.requested", task(**changes))


def problems(mapped: DepartmentMapping, **changes: Any) -> list[tuple[int, str]]:
    with pytest.raises(MappingProblems) as caught:
        out(mapped, **changes)
    return [(one.line, one.rule) for one in caught.value.problems]


@pytest.mark.parametrize(
    ("words", "made"),
    [
        ('source = "form.name"', "张三"),
        ('source = "form.size"', 3),
        ('source = "form.ticked"', True),
        ('source = "form.size"\ntype = "text"', "3"),
        ('source = "form.income"\ntype = "text"', "12.5"),
        ('source = "form.mite"\ntype = "text"', "0.000001"),
        ('source = "form.mite"\ntype = "number"', 0.000001),
        ('constant = "12"\ntype = "number"', 12),
        ('constant = "-0.5"\ntype = "number"', -0.5),
        ('source = "item.version"', 3),
        ('source = "form.born_on"\ndate = "%Y%m%d"', "19900203"),
        ('source = "due_on"\ndate = "%Y年%m月%d日"', "2026年12月01日"),
        ('source = "form.id"\ncut = { first = 7, last = 14 }', "19491231"),
        ('source = "form.id"\ncut = { first = 99, last = 100 }\ndefault = "无"', "无"),
        ('source = "form.born_on"\nsplit = { by = "-", take = 2 }', "02"),
        ('source = "form.born_on"\nsplit = { by = "-" }', ["1990", "02", "03"]),
        ('source = "form.born_on"\nsplit = { by = "-" }\njoin = "/"', "1990/02/03"),
        ('source = "form.born_on"\nsplit = { by = "-", take = 4 }\ndefault = "无"', "无"),
        ('sources = ["item.code", "form.nothing", "form.name"]\njoin = " "', "AA-01 张三"),
        ('sources = ["form.name", "form.size"]', "张三3"),
        ('source = "form.kind"\nvalues = [{ ours = "blue", theirs = "2" }, { ours = "red", theirs = "1" }]', "1"),
        ('source = "form.ticked"\nvalues = [{ ours = "true", theirs = "Y" }]', "Y"),
        ('source = "form.size"\nvalues = [{ ours = "3", theirs = "30" }]\ntype = "number"', 30),
        ('source = "form.kind"\nvalues = [{ ours = "blue", theirs = "2" }]\ndefault = "99"', "99"),
        ('source = "materials.id_card.files.upload"', ["u-1", "u-2"]),
        ('source = "materials.id_card.files.upload"\njoin = ";"', "u-1;u-2"),
        ('sources = ["materials.id_card.files.upload", "materials.photo.files.upload"]\njoin = ";"', "u-1;u-2;u-3"),
        ('source = "materials.photo.material"\nvalues = [{ ours = "photo", theirs = "有" }]\ndefault = "无"', "有"),
        ('source = "materials.other.material"\nvalues = [{ ours = "other", theirs = "有" }]\ndefault = "无"', "无"),
        ('source = "opinions.BB.result"', "agreed"),
        ('source = "form.name"\nmax_length = 2', "张三"),
    ],
)
def test_a_field_is_made_as_its_words_say(tmp_path: Path, words: str, made: object):
    assert out(form_of(tmp_path, words)) == {"X": made}


def test_what_is_not_filled_in_is_left_out(tmp_path: Path):
    assert out(form_of(tmp_path, 'source = "form.nothing"')) == {}
    assert out(form_of(tmp_path, 'source = "form.name"'), form={"name": ""}) == {}


def test_dots_in_a_target_make_groups(tmp_path: Path):
    text = TWO_FORMS.replace('target = "NO"', 'target = "A.B.NO"').replace('target = "KIND"', 'target = "A.KIND"')
    assert out(mapping(tmp_path, text)) == {"A": {"B": {"NO": "2611240001"}, "KIND": "own"}}


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ('source = "form.nothing"\nrequired = true', "mapping-value-missing"),
        ('sources = ["form.nothing", "form.nil"]\nrequired = true', "mapping-value-missing"),
        ('source = "form.kind"\nvalues = [{ ours = "blue", theirs = "2" }]', "mapping-value-unknown"),
        ('source = "form.name"\ndate = "%Y%m%d"', "mapping-not-a-date"),
        ('source = "form.name"\ntype = "number"', "mapping-not-a-number"),
        ('constant = "--5"\ntype = "number"', "mapping-not-a-number"),
        ('source = "form.id"\nmax_length = 17', "mapping-too-long"),
    ],
)
def test_what_does_not_fit_is_said_with_line_and_remedy_and_without_the_value(tmp_path: Path, words: str, rule: str):
    mapped = form_of(tmp_path, words)
    with pytest.raises(MappingProblems) as caught:
        out(mapped)
    [problem] = caught.value.problems
    assert (problem.path, problem.line, problem.rule) == (mapped.path, 5, rule)
    assert problem.remedy
    assert f"{mapped.path}:5: [{rule}]" in str(caught.value)
    assert not any(value in str(caught.value) for value in ("张三", "red", "11010519491231002X"))


def test_all_problems_are_said_at_once_in_order(tmp_path: Path):
    text = TWO_FORMS + '[[forms.fields]]\ntarget = "Z"\nsource = "form.name"\nmax_length = 1\n'
    text = text.replace('source = "case"', 'source = "form.nothing"\nrequired = true')
    assert problems(mapping(tmp_path, text)) == [(6, "mapping-value-missing"), (20, "mapping-too-long")]


def test_an_items_own_form_stands_over_the_common_one_at_its_step_only(tmp_path: Path):
    mapped = mapping(tmp_path, TWO_FORMS)
    assert out(mapped)["KIND"] == "own"
    assert out(mapped, step="accept")["KIND"] == "common"
    assert out(mapped, item={"code": "AA-02", "name": "另一事项", "version": 1})["KIND"] == "common"


def test_only_messages_with_an_application_carry_a_form(tmp_path: Path):
    mapped = mapping(tmp_path, TWO_FORMS)
    assert mapped.outgoing("task.material-added", task()) == out(mapped)
    assert mapped.outgoing("task.urged", task()) is None
    assert out(mapping(tmp_path, TWO_FORMS.replace('"*"', '"AA-02"').replace('"AA-01"', '"AA-03"'))) is None


def test_a_departments_record_becomes_an_answer_with_every_optional_field(tmp_path: Path):
    mapped = mapping(tmp_path, ANSWERS)
    assert mapped.incoming({**RECORD, "STATE": 5, "MORE": {"WHY": "1"}, "UNTIL": "2026/12/01"}) == (
        "task.suspended",
        {"case": "2611240001", "task": "t-1", "procedure": "听证", "reason": "不清楚", "until_on": "2026-12-01"},
    )


def test_a_list_of_codes_becomes_a_note_for_each_material(tmp_path: Path):
    kind, data = mapping(tmp_path, ANSWERS).incoming({**RECORD, "STATE": "3", "PAPERS": "02, 01"})
    assert kind == "task.correction-requested"
    assert data["materials"] == [{"material": "photo", "message": "不清楚"}, {"material": "id_card", "message": "不清楚"}]
    assert data["fields"] == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"STATE": "9"}, [(13, "mapping-record-unknown")]),
        ({"STATE": "5", "MORE": {"WHY": "2"}}, [(13, "mapping-record-unknown")]),
        ({"STATE": "3", "NO": None}, [(4, "mapping-value-missing"), (20, "mapping-value-missing")]),
        ({"STATE": "3", "PAPERS": "03"}, [(20, "mapping-value-unknown")]),
        ({"STATE": "4", "MORE": {"WHY": 1}, "UNTIL": "2026/13/01"}, [(41, "mapping-not-a-date")]),
        ({"STATE": "4", "MORE": {"WHY": 1}, "TEXT": 5}, [(31, "mapping-record-unsound")]),
    ],
)
def test_a_record_that_says_nothing_sound_is_refused_with_its_lines(tmp_path: Path, changes: dict[str, Any], found: list[tuple[int, str]]):
    with pytest.raises(MappingProblems) as caught:
        mapping(tmp_path, ANSWERS).incoming({**RECORD, **changes})
    assert [(one.line, one.rule) for one in caught.value.problems] == found


@given(day=st.dates(), pattern=st.sampled_from(["%Y%m%d", "%d.%m.%Y", "%Y年%m月%d日", "(%m)[%d]+%Y"]))
def test_a_date_written_in_the_departments_way_is_read_back(day: Any, pattern: str):
    text = mapping_dates.written(day.isoformat(), pattern)
    assert text is not None
    assert mapping_dates.read(text, pattern) == day.isoformat()


@pytest.mark.parametrize("pattern", ["%Y%m", "%Y%m%d%d", "%y%m%d", "%Y%m%d%", "%Y%m%%d", ""])
def test_a_pattern_that_would_lose_something_is_none(pattern: str):
    assert not mapping_dates.is_pattern(pattern)


@pytest.fixture
def mappings(tmp_path: Path) -> dict[str, DepartmentMapping]:
    return {"AA": mapping(tmp_path, TWO_FORMS)}


def test_a_message_with_an_application_gets_the_departments_form_and_no_other_does(mappings: dict[str, DepartmentMapping]):
    form = department_form(mappings)
    assert form("AA", "task.requested", task()) == {"NO": "2611240001", "KIND": "own"}
    assert form("AA", "task.urged", task()) is None
    assert form("BB", "task.requested", task()) is None


def test_a_table_that_does_not_fit_holds_nobody_up_and_is_said_in_the_log(
    mappings: dict[str, DepartmentMapping], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: Any) -> None:
        raise MappingProblems([MappingProblem(Path("AA.toml"), 7, "mapping-too-long", "太长", "放宽")])

    monkeypatch.setattr(DepartmentMapping, "outgoing", refuse)
    assert department_form(mappings)("AA", "task.requested", task()) is None
    assert "AA.toml" in caplog.text


def test_a_record_that_no_table_reads_is_refused_with_its_reasons(mappings: dict[str, DepartmentMapping]):
    for department in ("AA", "BB"):
        with pytest.raises(Refused, match="record_not_understood"):
            department_record(mappings)(department, {"ZT": "?"})


async def test_a_system_that_knows_only_its_own_form_works_on_a_real_case(
    database: Database, bell: Bell, store: RedisStore, tmp_path: Path
):
    """The whole way: submission, outbox, the shipped mapping, a record in the department's words, and the case goes on."""
    tables = load_tables(TOWN_TABLES).mappings
    office = dataclasses.replace(
        await open_office(database, bell, store, tmp_path),
        department_form=department_form(tables),
        department_record=department_record(tables),
    )
    resident = await settle_in(database, "openid-1")
    case = await submitted_case(office, resident, "MZ-01")
    (letter,) = [letter for part in range(2) for letter in await outbox.unsent(database, ("MZ", part), 10)]
    form = json.loads(outbox.opened(letter, office.keys.sealer))["data"]["form_mapped"]
    assert (form["HJ"], form["ZKYY"], form["SQR"]["CSRQ"]) == ("SL", "01", "19491231")
    assert len(form["FJ"].split(";")) == 3

    record = {"YWLSH": form["YWLSH"], "RWBH": form["RWBH"], "HJ": form["HJ"], "ZT": "已受理"}
    said = {"case": form["YWLSH"], "record": record}
    with pytest.raises(Refused, match="record_not_understood"):
        await hear(office, case.id, form["YWLSH"], {**said, "record": {**record, "YWLSH": "2611249999"}})
    await hear(office, case.id, form["YWLSH"], said)
    row = await rows.by_id(database, case.id)
    assert row is not None
    assert row["accepted_at"] is not None
    assert (await cases.show(office, resident, case.id)).state != case.state


async def hear(office: Office, case_id: str, number: str, data: dict[str, Any]) -> None:
    async with office.database.transaction() as tx:
        await reviews.record(office, tx, Answer(uuid7(), "task.answered", "MZ", case_id, number, 1, None, data))
