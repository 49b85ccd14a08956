"""The comparison of schemas against a foreign validator: whatever it lets pass must be true of every value."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.narrowing import gaps

Schema = dict[str, Any]

unhurried = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)  # two cores, shared
words = st.text(st.sampled_from("abc"), max_size=4)
numbers = st.integers(-4, 4)


def within(*keywords: tuple[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Schema]:
    return st.fixed_dictionaries({}, optional=dict(keywords))


texts = st.builds(
    lambda limits: {"type": "string", **limits},
    within(("minLength", st.integers(0, 2)), ("maxLength", st.integers(2, 4)), ("pattern", st.sampled_from(["^a", "b"]))),
)
integers = st.builds(
    lambda limits: {"type": "integer", **limits},
    within(("minimum", st.integers(-4, 0)), ("maximum", st.integers(0, 4)), ("exclusiveMaximum", st.integers(1, 5))),
)
listed = st.lists(words | numbers | st.none(), min_size=1, max_size=4, unique=True).map(lambda values: {"enum": values})
simple = (
    texts | integers | listed | st.sampled_from([{}, {"type": "null"}, {"type": "number"}, {"const": "a"}, {"type": ["string", "null"]}])
)


def records(fields: dict[str, Schema], required: set[str], rest: object) -> Schema:
    return {"type": "object", "properties": fields, "required": sorted(required & fields.keys()), "additionalProperties": rest}


def objects(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    names = st.sampled_from("xyz")
    rest = st.just(False) | inner  # noqa: FBT003 - JSON Schema's own word
    return st.builds(records, st.dictionaries(names, inner, max_size=3), st.sets(names), rest)


schemas = st.recursive(
    simple,
    lambda inner: (
        objects(inner)
        | st.builds(lambda items, most: {"type": "array", "items": items, "maxItems": most}, inner, st.integers(0, 3))
        | st.lists(inner, min_size=1, max_size=3).map(lambda several: {"anyOf": several})
    ),
    max_leaves=6,
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Schema, Schema]:
    """A schema and one that was made of it by a change somewhere inside."""
    schema = draw(schemas)
    return schema, _changed(draw, schema)


def _changed(draw: st.DrawFn, schema: Schema) -> Schema:
    inside = [name for name in ("properties", "anyOf", "items") if schema.get(name)]
    if inside and draw(st.booleans()):
        part = draw(st.sampled_from(inside))
        return {**schema, part: _changed_part(draw, schema[part])}
    if "required" in schema and draw(st.booleans()):
        return {**schema, "required": draw(st.lists(st.sampled_from("xyz"), unique=True))}
    if schema and draw(st.booleans()):
        gone = draw(st.sampled_from(sorted(schema.keys() - {"type"}) or ["none"]))
        return {name: value for name, value in schema.items() if name != gone}
    more = draw({"string": texts, "integer": integers}.get(str(schema.get("type")), schemas))
    return {**schema, **more} if more.get("type") == schema.get("type") else more


def _changed_part(draw: st.DrawFn, part: Any) -> Any:
    if isinstance(part, dict) and part.keys() <= set("xyz"):
        name = draw(st.sampled_from(sorted(part)))
        return {**part, name: _changed(draw, part[name])}
    if isinstance(part, list):
        place = draw(st.integers(0, len(part) - 1))
        return [_changed(draw, one) if n == place else one for n, one in enumerate(part)]
    return _changed(draw, part)


def of(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that are likely to pass."""
    if "anyOf" in schema:
        return st.one_of([of(one) for one in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    kinds = schema.get("type", ["string", "integer", "null", "object"])
    return st.one_of([_of_type(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)])


def _of_type(kind: str, schema: Schema) -> st.SearchStrategy[Any]:
    if kind == "object":
        fields = {name: of(one) for name, one in schema.get("properties", {}).items()}
        required = {name: fields.pop(name, words) for name in schema.get("required", ())}
        return st.fixed_dictionaries(required, optional={name: fields.get(name, words | numbers) for name in "xyz" if name not in required})
    if kind == "array":
        return st.lists(of(schema.get("items", {})), max_size=3)
    return {"string": words, "integer": numbers, "number": numbers | st.just(0.5), "null": st.none()}[kind]


def passes(schema: Schema, value: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


@unhurried
@given(st.data(), pairs())
def test_where_no_gap_is_found_nothing_slips_through(data: st.DataObject, pair: tuple[Schema, Schema]) -> None:
    for inner, outer in (pair, pair[::-1]):
        if not gaps(inner, outer, "data"):
            tried = data.draw(st.lists(of(inner), min_size=5, max_size=10))
            assert [value for value in tried if passes(inner, value) and not passes(outer, value)] == []


@unhurried
@given(schemas)
def test_a_schema_has_no_gap_towards_itself(schema: Schema) -> None:
    assert gaps(schema, schema, "data") == []


@unhurried
@given(schemas, schemas)
def test_an_alternative_more_is_no_gap(schema: Schema, more: Schema) -> None:
    assert gaps(schema, {"anyOf": [more, schema]}, "data") == []
    assert gaps(schema, {}, "data") == []


@pytest.mark.parametrize(
    ("inner", "outer", "told"),
    [
        ({"type": "string"}, {"type": "integer"}, ("data", "type")),
        ({}, {"type": "string"}, ("data", "type")),
        ({"type": "number"}, {"type": "integer"}, ("data", "type")),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, ("data", "enum")),
        ({"type": "string"}, {"enum": ["a"]}, ("data", "enum")),
        ({"enum": ["a"], "x-open-enum": True}, {"enum": ["a"]}, ("data", "enum")),
        ({"enum": ["abc"]}, {"type": "string", "maxLength": 2}, ("data", "enum")),
        ({"type": "string", "maxLength": 3}, {"type": "string", "maxLength": 2}, ("data", "maxLength")),
        ({"type": "string"}, {"type": "string", "minLength": 1}, ("data", "minLength")),
        ({"type": "string", "pattern": "a"}, {"type": "string", "pattern": "b"}, ("data", "pattern")),
        ({"type": "string"}, {"type": "string", "format": "date"}, ("data", "format")),
        ({"type": "integer"}, {"type": "integer", "minimum": 0}, ("data", "minimum")),
        ({"type": "integer"}, {"type": "integer", "multipleOf": 2}, ("data", "multipleOf")),
        ({"type": ["string", "null"]}, {"type": "string"}, ("data", "type")),
        ({"type": "array", "items": {}}, {"type": "array", "items": {"type": "string"}}, ("data[]", "type")),
        ({"type": "object", "properties": {}}, {"type": "object", "properties": {"x": {}}, "required": ["x"]}, ("data.x", "required")),
        ({"type": "object"}, {"type": "object", "properties": {"x": {"type": "string"}}}, ("data", "properties")),
        ({"type": "object"}, {"type": "object", "additionalProperties": False}, ("data", "additionalProperties")),
        ({"type": "object"}, {"type": "object", "additionalProperties": {"type": "string"}}, ("data.*", "type")),
    ],
)
def test_each_way_to_be_narrower_is_found_where_it_is(inner: Schema, outer: Schema, told: tuple[str, str]) -> None:
    assert [(gap.path, gap.rule) for gap in gaps(inner, outer, "data")] == [told]


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ({"enum": ["a", "new"]}, {"enum": ["a"], "x-open-enum": True}),
        ({"type": "integer"}, {"type": "number"}),
        ({"enum": ["ab"]}, {"type": "string", "minLength": 2, "pattern": "^a"}),
        ({"const": 3}, {"type": "integer", "maximum": 3}),
        ({"type": "object", "properties": {"x": {}}}, {"type": "object", "properties": {"y": {"type": "string"}}}),
    ],
)
def test_what_is_wider_has_no_gap(inner: Schema, outer: Schema) -> None:
    assert gaps(inner, outer, "data") == []
