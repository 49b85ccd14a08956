from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.mapping_checks import check_mapping
from backoffice.mapping_rules import MAPPING_RULES
from backoffice.mapping_sources import Source, describe, known_paths, steps_of
from backoffice.messages import File, Material, Opinion, TaskRequested
from handlers.catalogue import Catalogue, Form, FormField, MaterialRule, Part, ServiceItem
from handlers.publication_rules import RULES
from mobile_api.commands.department_sample import made_up
from mobile_api.tables import Inspection
from tests.support.mappings import form_of, mapping
from tests.support.offers import COLOURS, FIELDS, TOWN_TABLES, a_catalogue, a_department, an_item

ASKED = (
    *FIELDS,
    FormField(name="colour", label="颜色", type="select", required=True, options=COLOURS),
    FormField(name="ticked", label="是否", type="boolean", required=True),
    FormField(name="consent", label="同意", type="boolean", required=True, must=True),
    FormField(name="born_on", label="出生", type="date"),
)
MATERIALS = (
    MaterialRule(code="id_card", name="身份证", required=True, source="upload"),
    MaterialRule(code="form", name="申请表", required=True, source="form"),
    MaterialRule(code="proof", name="证明", required=True, source="upload", tolerable=True),
)
OWN = an_item(form=Form(fields=ASKED), materials=MATERIALS, parts=(Part(department="BB", action="核对", days=2),))
# AA leads both items, BB has a part in the first, CC in none.
CATALOGUE = a_catalogue(OWN, an_item("AA-02"), departments=[a_department(), a_department("BB"), a_department("CC")])


def found(folder: Path, text: str, catalogue: Catalogue = CATALOGUE) -> list[tuple[str, str]]:
    """Rule and key of every hit; each text can be filled in from the values."""
    hits = list(check_mapping(mapping(folder, text).table, catalogue))
    for hit in hits:
        told = (MAPPING_RULES | RULES)[hit.rule]
        assert all(line.format(**hit.values) for line in (told.text, told.remedy, told.text_en, told.remedy_en))
    return [(hit.rule, ".".join(map(str, hit.key))) for hit in hits]


def in_form(folder: Path, words: str, item: str = "AA-01") -> list[tuple[str, str]]:
    hits = found(folder, f'[[forms]]\nitem = "{item}"\n[[forms.fields]]\ntarget = "X"\n{words}\n')
    return [(rule, key.removeprefix("forms.0.fields.0").removeprefix(".")) for rule, key in hits]


@pytest.mark.parametrize(
    "words",
    [
        'source = "form.colour"\nvalues = [{ ours = "red", theirs = "1" }, { ours = "green", theirs = "2" }]',
        'source = "form.colour"\nvalues = [{ ours = "red", theirs = "1" }]\ndefault = "9"',
        'source = "form.consent"\nvalues = [{ ours = "true", theirs = "1" }]',
        'source = "form.born_on"\ndate = "%Y%m%d"',
        'source = "due_on"\ndate = "%Y%m%d"',
        'source = "form.applicant_name"\nrequired = true\nmax_length = 50',
        'source = "form.born_on"\nrequired = true\ndefault = "无"',
        'sources = ["form.born_on", "form.phone"]\nrequired = true',
        'source = "materials.id_card.files.upload"\nrequired = true',
        'source = "materials.form.name"\nrequired = true',
        'source = "materials.proof.material"\nvalues = [{ ours = "proof", theirs = "1" }]\ndefault = "0"',
        'source = "opinions.BB.result"',
        'source = "applicant.nation"',
        'source = "step"\nvalues = [{ ours = "accept", theirs = "1" }, { ours = "decide", theirs = "3" }]',
        'constant = ""',
    ],
)
def test_a_field_that_can_be_filled_from_the_items_form_passes(tmp_path: Path, words: str):
    assert in_form(tmp_path, words) == []


@pytest.mark.parametrize(
    ("words", "rule", "key"),
    [
        ("", "mapping-one-source", ""),
        ('source = "case"\nconstant = "1"', "mapping-one-source", ""),
        ('source = "due_on"\ndate = "%y%m"', "mapping-date", "date"),
        ('source = "case"\ncut = { first = 3, last = 2 }', "mapping-cut", "cut"),
        ('source = "case"\nvalues = [{ ours = "1", theirs = "a" }, { ours = "1", theirs = "b" }]', "mapping-pair-twice", "values.1"),
        ('source = "form.aplicant_name"', "mapping-source-unknown", "source"),
        ('source = "materials.photo.name"', "mapping-source-unknown", "source"),
        ('source = "materials.id_card"', "mapping-source-unknown", "source"),
        ('source = "opinions.CC.result"', "mapping-source-unknown", "source"),
        ('source = "applicant"', "mapping-source-unknown", "source"),
        ('source = "form_mapped"', "mapping-source-unknown", "source"),
        ('sources = ["case", "form.x"]', "mapping-source-unknown", "sources.1"),
        ('source = "form.born_on"\nrequired = true', "mapping-may-lack", ""),
        ('sources = ["form.born_on", "due_on"]\nrequired = true', "mapping-may-lack", ""),
        ('source = "materials.proof.name"\nrequired = true', "mapping-may-lack", ""),
        ('source = "materials.form.files.upload"\nrequired = true', "mapping-may-lack", ""),
        ('source = "form.colour"\nvalues = [{ ours = "red", theirs = "1" }]', "mapping-choice-lacks", "values"),
        ('source = "form.ticked"\nvalues = [{ ours = "true", theirs = "1" }]', "mapping-choice-lacks", "values"),
        ('source = "step"\nvalues = [{ ours = "accept", theirs = "1" }]', "mapping-choice-lacks", "values"),
        (
            'source = "form.consent"\nvalues = [{ ours = "true", theirs = "1" }, { ours = "yes", theirs = "1" }]',
            "mapping-choice-unknown",
            "values.1",
        ),
        ('source = "form.phone"\ndate = "%Y%m%d"', "mapping-date-source", "date"),
        ('source = "form.applicant_name"\nmax_length = 20', "mapping-may-overflow", "max_length"),
    ],
)
def test_a_field_that_breaks_a_rule_is_shown_where(tmp_path: Path, words: str, rule: str, key: str):
    assert in_form(tmp_path, words) == [(rule, key)]


def test_a_wrong_name_comes_with_the_one_it_is_like(tmp_path: Path):
    [hit] = check_mapping(form_of(tmp_path, 'source = "form.aplicant_name"').table, CATALOGUE)
    assert "form.applicant_name" in hit.values["hint"]


def test_a_form_for_every_item_takes_what_some_have_but_requires_only_what_all_have(tmp_path: Path):
    assert in_form(tmp_path, 'source = "form.colour"', "*") == []
    assert in_form(tmp_path, 'source = "form.applicant_name"\nrequired = true', "*") == []
    assert in_form(tmp_path, 'source = "form.colour"\nrequired = true', "*") == [("mapping-may-lack", "")]


def test_a_form_at_one_step_only_needs_codes_for_that_step(tmp_path: Path):
    words = 'steps = ["accept"]\n[[forms.fields]]\ntarget = "X"\nsource = "step"\nvalues = [{ ours = "accept", theirs = "1" }]\n'
    assert found(tmp_path, f'[[forms]]\nitem = "AA-01"\n{words}') == []


def test_targets_are_written_once_and_are_no_group_of_another(tmp_path: Path):
    def two(first: str, second: str, between: str = "") -> list[str]:
        fields = (f'[[forms.fields]]\ntarget = "{target}"\nconstant = "1"\n' for target in (first, second))
        return [key for rule, key in found(tmp_path, '[[forms]]\nitem = "*"\n' + between.join(fields)) if rule == "mapping-target-twice"]

    assert two("A", "A") == ["forms.0.fields.1.target"]
    assert two("A", "A.B") == ["forms.0.fields.0.target", "forms.0.fields.1.target"]
    assert two("A.B", "A.C") == two("A", "AB") == []
    own = '[[forms]]\nitem = "AA-01"\n'
    assert two("A", "A", own) == []
    assert two("A", "A.B", own) == ["forms.1.fields.0.target"]


def test_unknown_departments_and_items_and_foreign_items_are_found(tmp_path: Path):
    assert found(tmp_path, "", a_catalogue(departments=[a_department("BB")])) == [("department-unknown", "code")]
    assert found(tmp_path, '[[forms]]\nitem = "AA-09"\nfields = []\n') == [("item-unknown", "forms.0.item")]
    foreign = a_catalogue(an_item("BB-01", department="BB"))
    assert found(tmp_path, '[[forms]]\nitem = "BB-01"\nfields = []\n', foreign) == [("mapping-item-foreign", "forms.0.item")]


NAMES = """
[[answer_fields]]
target = "case"
source = "NO"
required = true
[[answer_fields]]
target = "task"
source = "T"
required = true
"""
RESULT = '[[answers.fields]]\ntarget = "result"\nsource = "R"\nrequired = true\n'
REASON = '[[answers.fields]]\ntarget = "reason"\nconstant = "补"\n'


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        (NAMES + '[[answers]]\nkind = "task.accepted"\n', []),
        (NAMES + '[[answers]]\nkind = "task.decided"\n' + RESULT, []),
        ('[[answers]]\nkind = "task.accepted"\n', [("mapping-target-missing", "answers.0")] * 2),
        (NAMES + '[[answers]]\nkind = "task.decided"\n' + RESULT.replace("required", "#"), [("mapping-target-missing", "answers.0")]),
        (NAMES + '[[answers]]\nkind = "task.taken"\n', [("mapping-kind-unknown", "answers.0.kind")]),
        (NAMES + '[[answers]]\nkind = "task.requested"\n', [("mapping-kind-unknown", "answers.0.kind")]),
        (
            NAMES + '[[answers]]\nkind = "task.accepted"\n[[answers.fields]]\ntarget = "cases"\nsource = "X"\n',
            [("mapping-target-unknown", "answers.0.fields.0.target")],
        ),
        (
            NAMES + '[[answers]]\nkind = "task.decided"\n' + RESULT + 'values = [{ ours = "ok", theirs = "1" }]\ndefault = "no"\n',
            [("mapping-meaning-unknown", "answers.0.fields.0.values.0"), ("mapping-meaning-unknown", "answers.0.fields.0.default")],
        ),
        (
            NAMES + '[[answers]]\nkind = "task.decided"\n' + RESULT
            + 'values = [{ ours = "agreed", theirs = "1" }, { ours = "disagreed", theirs = "1" }]\n',
            [("mapping-pair-twice", "answers.0.fields.0.values.1")],
        ),
        (NAMES + '[[answers]]\nkind = "task.correction-requested"\n' + REASON, [("mapping-target-missing", "answers.0")]),
        (
            NAMES + '[[answers]]\nkind = "task.correction-requested"\n' + REASON
            + '[[answers.fields]]\ntarget = "fields.name"\nsource = "F"\nrequired = true\n',
            [("mapping-target-missing", "answers.0")],
        ),
        (NAMES + '[[answers]]\nkind = "task.accepted"\n' * 2, [("mapping-answer-hidden", "answers.1")]),
    ],
)  # fmt: skip
def test_answers_are_held_against_the_contract(tmp_path: Path, text: str, hits: list[tuple[str, str]]):
    assert found(tmp_path, text) == hits


def test_the_paths_a_mapping_may_take_are_those_of_the_messages():
    """What is known here of tasks is what backoffice/messages.py says of them."""
    names = {kind: {field.name for field in msgspec.structs.fields(kind)} for kind in (TaskRequested, Material, File, Opinion)}
    paths = [path.split(".") for path in known_paths(OWN)]
    assert {path[0] for path in paths} | {"applicant", "form_mapped"} == names[TaskRequested]
    assert {path[2] for path in paths if path[0] == "materials"} == names[Material]
    assert {path[3] for path in paths if path[0] == "materials" and path[2] == "files"} == names[File]
    assert {path[2] for path in paths if path[0] == "opinions"} == names[Opinion]


TOWN = Inspection(TOWN_TABLES)


def _answers(field: FormField) -> st.SearchStrategy[Any]:
    """What a resident may fill in, as handlers/forms.py keeps it."""
    if field.type == "boolean":
        return st.just(value=True) if field.must else st.booleans()
    if field.type == "select":
        return st.sampled_from([option.value for option in field.options])
    if field.type == "date":
        return st.dates().map(str)
    if field.type in {"integer", "number"}:
        low, high = int(field.min or 0), int(field.max or 10**15 - 1)
        parts = st.integers(low * 10**6, high * 10**6).map(lambda millionths: millionths / 10**6)
        return st.integers(low, high) if field.type == "integer" else st.integers(low, high) | parts
    if field.type == "id_number":
        return st.just("11010519491231002X")
    return st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=field.max_length or 100).filter(str.strip)


@st.composite
def tasks(draw: st.DrawFn, item: ServiceItem, department: str) -> dict[str, Any]:
    """A task of an item: whatever may be left out is sometimes left out."""
    data = made_up(item, department, draw(st.sampled_from(steps_of(department, item))))
    data["form"] = {one.name: draw(_answers(one)) for one in item.form.fields if one.required or draw(st.booleans())}
    given = {rule.code for rule in item.materials if describe(f"materials.{rule.code}.name", item, ()) == Source() or draw(st.booleans())}
    opinions = [{"department": one.department, "result": draw(st.sampled_from(["agreed", "disagreed"]))} for one in item.parts]
    return {
        **data,
        "due_on": draw(st.sampled_from([None, "2026-12-31"])),
        "materials": [one for one in data["materials"] if one["material"] in given],
        "opinions": [one for one in opinions if draw(st.booleans())],
    }


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_what_check_lets_pass_is_broken_by_no_case_that_a_resident_may_hand_in(data: st.DataObject):
    code = data.draw(st.sampled_from(sorted(TOWN.mappings)))
    item = data.draw(st.sampled_from([item for item in TOWN.catalogue.items.values() if steps_of(code, item)]))
    form = TOWN.mappings[code].outgoing("task.requested", data.draw(tasks(item, code)))
    assert form


def test_every_text_is_there_in_both_languages_with_the_same_gaps():
    for name, rule in MAPPING_RULES.items():
        assert name not in RULES
        assert all((rule.source, rule.text, rule.remedy, rule.text_en, rule.remedy_en)), name
        chinese, english = (
            {gap.removesuffix("_en") for _, gap, _, _ in string.Formatter().parse(text) if gap} for text in (rule.text, rule.text_en)
        )
        assert chinese == english, name
