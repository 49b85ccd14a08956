from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice import messages
from backoffice.compatibility import Contract, contract, incompatible
from backoffice.registry import REGISTRY, MessageType

ASKED, DECIDED = "cn.gov.town.task.requested.v1", "cn.gov.town.task.decided.v1"
Change = Callable[[dict[str, Any]], object]


def after(message: str, change: Change) -> list[tuple[str, str]]:
    """The findings, as (path, keyword), when one message's schema has been changed."""
    present = contract()
    change(present[message]["schema"])
    return [(found.path, found.rule.partition(" ")[0]) for found in incompatible(contract(), present)]


def test_the_baseline_holds_every_message_and_no_reference() -> None:
    assert contract().keys() == {entry.type for entry in REGISTRY} | {"Envelope", "Confirmation"}
    assert "$ref" not in json.dumps(contract())


def _field(schema: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = schema["properties"][name]
    return found


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda schema: schema["required"].append("opinion"), ("data.opinion", "required")),
        (lambda schema: schema["properties"].pop("opinion"), ("data.opinion", "removed")),
        (lambda schema: _field(schema, "result")["enum"].remove("agreed"), ("data.result", "enum")),
        (lambda schema: _field(schema, "task").update(maxLength=32), ("data.task", "maxLength")),
        (lambda schema: _field(schema, "task").update(pattern="^t"), ("data.task", "pattern")),
        (lambda schema: _field(schema, "case").update(type="integer"), ("data.case", "type")),
        (lambda schema: _field(schema, "opinion")["anyOf"].pop(), ("data.opinion", "type")),
        (lambda schema: _field(schema, "opinion").update(default="同意"), ("data.opinion", "default")),
        (lambda schema: schema.update(additionalProperties=False), ("data", "additionalProperties")),
    ],
)
def test_what_departments_say_must_still_be_understood(change: Change, told: tuple[str, str]) -> None:
    assert after(DECIDED, change) == [told]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda schema: schema["properties"].pop("item"), ("data.item", "removed")),
        (lambda schema: schema["required"].remove("action"), ("data.action", "required")),
        (lambda schema: _field(schema, "step")["enum"].append("inspect"), ("data.step", "enum")),
        (lambda schema: _field(schema, "task").update(maxLength=128), ("data.task", "maxLength")),
        (lambda schema: _field(schema, "action").update(type=["string", "null"]), ("data.action", "type")),
        (lambda schema: _field(schema["properties"]["item"], "version").update(type="string"), ("data.item.version", "type")),
        (
            lambda schema: schema["properties"]["materials"]["items"]["properties"].pop("files"),
            ("data.materials[].files", "removed"),
        ),
    ],
)
def test_departments_are_told_nothing_that_they_were_not_promised(change: Change, told: tuple[str, str]) -> None:
    assert after(ASKED, change) == [told]


@pytest.mark.parametrize(
    ("message", "change"),
    [
        (DECIDED, lambda schema: _field(schema, "result")["enum"].append("deferred")),
        (DECIDED, lambda schema: schema["required"].remove("result")),
        (DECIDED, lambda schema: _field(schema, "task").pop("maxLength")),
        (ASKED, lambda schema: schema["required"].append("due_on")),
        (ASKED, lambda schema: _field(schema, "step")["enum"].remove("review")),
        (ASKED, lambda schema: _field(schema, "task").update(maxLength=36)),
    ],
)
def test_a_change_in_the_other_sides_favour_is_no_finding(message: str, change: Change) -> None:
    assert after(message, change) == []


def test_an_enumeration_that_is_declared_open_may_grow() -> None:
    baseline = contract()
    _field(baseline[ASKED]["schema"], "step")["x-open-enum"] = True
    present = copy.deepcopy(baseline)
    _field(present[ASKED]["schema"], "step")["enum"].append("inspect")
    assert incompatible(baseline, present) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda present: present.pop(DECIDED), "removed"),
        (lambda present: present[DECIDED].update(direction="to_department"), "direction"),
    ],
)
def test_a_whole_message_must_stay(change: Callable[[Contract], object], told: str) -> None:
    present = contract()
    change(present)
    (found,) = incompatible(contract(), present)
    assert (found.message, found.path, found.rule) == (DECIDED, "the whole message", told)


def test_a_finding_says_what_to_do_instead() -> None:
    present = contract()
    present[DECIDED]["schema"]["required"].append("opinion")
    (found,) = incompatible(contract(), present)
    assert "cn.gov.town.task.decided.v2 beside this one" in found.remedy
    assert str(found).startswith(f"{DECIDED}: data.opinion: required")


def test_the_envelope_is_promised_to_both_sides() -> None:
    for change in (
        lambda schema: schema["properties"].pop("traceparent"),
        lambda schema: schema["properties"]["id"].update(maxLength=36),
        lambda schema: schema["properties"]["id"].update(maxLength=99),
        lambda schema: schema["required"].append("time"),
    ):
        assert after("Envelope", change)


additions = st.dictionaries(
    st.text("abcdefgh_", min_size=12, max_size=20),  # no field of today is called so
    st.sampled_from([{"type": "string"}, {"type": ["integer", "null"], "default": None}, {"type": "array", "items": {}}]),
    min_size=1,
)


@given(st.sampled_from(sorted(contract())), additions)
def test_fields_may_be_added_to_every_message(message: str, fields: dict[str, Any]) -> None:
    assert after(message, lambda schema: schema["properties"].update(fields)) == []


@given(st.data())
def test_no_field_may_go_or_change_its_type_anywhere(data: st.DataObject) -> None:
    present = contract()
    message = data.draw(st.sampled_from(sorted(present)))
    holder, name = data.draw(st.sampled_from(_places(present[message]["schema"])))
    if data.draw(st.booleans()):
        del holder["properties"][name]
    else:
        holder["properties"][name] = {"type": "boolean"}
    assert {found.message for found in incompatible(contract(), present)} == {message}


def _places(schema: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Every field, as the schema that holds it and its name."""
    inside = [*schema.get("properties", {}).values(), *filter(None, [schema.get("items")]), *schema.get("anyOf", ())]
    return [(schema, name) for name in schema.get("properties", {})] + [place for one in inside for place in _places(one)]


class TaskDecidedV2(messages.FromDepartment, frozen=True, kw_only=True):
    """The department's result with its legal basis, which the first version did not ask for."""

    outcome: str
    basis: list[str]


def test_a_second_version_beside_the_first_breaks_nothing() -> None:
    both = (*REGISTRY, MessageType("task.decided", "from_department", TaskDecidedV2, version=2))
    assert incompatible(contract(), contract(both)) == []
    assert contract(both).keys() - contract().keys() == {"cn.gov.town.task.decided.v2"}


class Said(messages.FromDepartment, frozen=True, kw_only=True):
    """The same form as TaskProgressed under another name."""

    text: messages.Text


def test_another_struct_of_the_same_form_is_the_same_promise() -> None:
    present = tuple(MessageType(entry.name, entry.direction, Said) if entry.name == "task.progressed" else entry for entry in REGISTRY)
    assert contract(present) == contract()
