from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice import mapping_dates
from backoffice.mapping import MAPPED, DepartmentMapping, MappingProblems, apply_mapping
from handlers import cases, reviews
from mobile_api.tables import load_mappings
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


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@pytest.fixture(scope="module")
def mappings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DepartmentMapping]:
    return {"AA": mapping(tmp_path_factory.mktemp("mappings"), TWO_FORMS)}


@given(extra=st.dictionaries(st.text(), VALUES, max_size=4), indent=st.sampled_from([None, 1]), escaped=st.sampled_from([True, False]))
def test_the_same_message_becomes_the_same_bytes_and_nothing_else_of_it_changes(
    mappings: dict[str, DepartmentMapping], extra: dict[str, Any], indent: int | None, escaped: object
):
    envelope = {**extra, "type": "cn.gov.town.task.requested.v1", "sequence": 1, "data": {**extra, **task()}}
    before = json.dumps(envelope, indent=indent, ensure_ascii=bool(escaped)).encode()
    after = apply_mapping(mappings, "AA", before)
    assert after == apply_mapping(mappings, "AA", before) == apply_mapping(mappings, "AA", after)
    read = json.loads(after)
    assert read["data"][MAPPED] == {"NO": "2611240001", "KIND": "own"}
    envelope["data"][MAPPED] = read["data"][MAPPED]
    assert read == envelope


def test_messages_without_a_form_keep_their_bytes(mappings: dict[str, DepartmentMapping]):
    urged = b'{ "type": "cn.gov.town.task.urged.v1", "data": {"case": "1"} }'
    requested = json.dumps({"type": "cn.gov.town.task.requested.v1", "data": task()}).encode()
    assert apply_mapping(mappings, "AA", urged) is urged
    assert apply_mapping(mappings, "BB", requested) is requested


def test_a_number_that_others_would_round_is_passed_on_as_it_is_written(mappings: dict[str, DepartmentMapping]):
    body = msgspec.json.encode(
        {"type": "cn.gov.town.task.requested.v1", "data": {**task(), "more": msgspec.Raw(b"1.10000000000000000000001e2")}}
    )
    assert b"1.10000000000000000000001e2" in apply_mapping(mappings, "AA", body)


async def test_a_system_that_knows_only_its_own_form_works_on_a_real_case(
    database: Database, bell: Bell, store: RedisStore, tmp_path: Path
):
    """The whole way: submission, outbox, the shipped mapping, a record in the department's words, and the case goes on."""
    office = await open_office(database, bell, store, tmp_path)
    resident = await settle_in(database, "openid-1")
    case = await submitted_case(office, resident, "MZ-01")
    letters = [letter for part in range(2) for letter in await outbox.unsent(database, ("MZ", part), 10)]
    sent = json.loads(apply_mapping(load_mappings(TOWN_TABLES), "MZ", outbox.opened(letters[0], office.keys.sealer)))
    form = sent["data"][MAPPED]
    assert (form["HJ"], form["ZKYY"], form["SQR"]["CSRQ"]) == ("SL", "01", "19491231")
    assert len(form["FJ"].split(";")) == 3

    record = {"YWLSH": form["YWLSH"], "RWBH": form["RWBH"], "HJ": form["HJ"], "ZT": "已受理"}
    kind, data = load_mappings(TOWN_TABLES)["MZ"].incoming(record)
    async with database.transaction() as tx:
        await reviews.record(office, tx, Answer(uuid7(), kind, "MZ", case.id, form["YWLSH"], 1, None, data))
    row = await rows.by_id(database, case.id)
    assert row is not None
    assert row["accepted_at"] is not None
    assert (await cases.show(office, resident, case.id)).state != case.state
