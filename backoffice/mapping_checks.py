"""What must hold of a mapping before it is used: its own words, the catalogue's forms it takes from, and the contract it answers in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from backoffice import mapping_dates
from backoffice.mapping import ANSWERS
from backoffice.mapping_sources import Source, describe, hint, known_paths, steps_of
from backoffice.mapping_table import EVERY_ITEM, AnswerRule, FieldRule, FormRule, MappingTable
from handlers.catalogue import Catalogue, ServiceItem
from handlers.publication import Hit, Key

_MOST_SHOWN = 3
# A request for corrections that names nothing to correct is refused (handlers/procedure.py).
_ONE_OF = {"task.correction-requested": ("materials", "fields")}


def check_mapping(table: MappingTable, catalogue: Catalogue) -> Iterator[Hit]:
    """Everything to say about a department's mapping."""
    if table.code not in catalogue.departments:
        yield Hit("department-unknown", ("code",), {"code": table.code})
        return
    common = [rule.target for form in table.forms if form.item == EVERY_ITEM for rule in form.fields]
    for place, form in enumerate(table.forms):
        others = [] if form.item == EVERY_ITEM else common
        yield from _under(("forms", place), _form(form, table.code, catalogue))
        yield from _under(("forms", place, "fields"), _words(form.fields, "ours", others))
    yield from _under(("answer_fields",), _words(table.answer_fields, "theirs", []))
    for place, answer in enumerate(table.answers):
        yield from _answer(answer, ("answers", place), list(table.of_answer(place).values()))
        yield from _under(("answers", place, "fields"), _words(answer.fields, "theirs", []))
    yield from _hidden(table.answers)


def _under(key: Key, hits: Iterable[Hit]) -> Iterator[Hit]:
    return (Hit(hit.rule, (*key, *hit.key), hit.values) for hit in hits)


def _words(fields: tuple[FieldRule, ...], known: Literal["ours", "theirs"], others: list[str]) -> Iterator[Hit]:
    """The fields of one form by themselves; `known` is the side of the code tables that is looked up."""
    for place, rule in enumerate(fields):
        ways = bool(rule.source) + bool(rule.sources) + (rule.constant is not None)
        if ways != 1:
            yield Hit("mapping-one-source", (place,), {"target": rule.target})
        if rule.date and not mapping_dates.is_pattern(rule.date):
            yield Hit("mapping-date", (place, "date"), {"target": rule.target, "pattern": rule.date})
        if rule.cut and rule.cut.first > rule.cut.last:
            yield Hit("mapping-cut", (place, "cut"), {"target": rule.target})
        looked_up = [str(getattr(pair, known)) for pair in rule.values]
        for at in (at for at, value in enumerate(looked_up) if value in looked_up[:at]):
            yield Hit("mapping-pair-twice", (place, "values", at), {"target": rule.target, "value": looked_up[at]})
    targets = [rule.target for rule in fields]
    for place, target in enumerate(targets):
        if target in targets[:place] or _clashes(target, [*others, *targets]):
            yield Hit("mapping-target-twice", (place, "target"), {"target": target})


def _clashes(target: str, others: Iterable[str]) -> bool:
    """Whether a target is the name of a group of the others."""
    return any(other.startswith(f"{target}.") or target.startswith(f"{other}.") for other in others)


def _form(form: FormRule, department: str, catalogue: Catalogue) -> Iterator[Hit]:
    if form.item == EVERY_ITEM:
        items = [item for item in catalogue.items.values() if steps_of(department, item)]
    elif form.item not in catalogue.items:
        yield Hit("item-unknown", ("item",), {"code": form.item})
        return
    else:
        items = [catalogue.items[form.item]]
        if not steps_of(department, items[0]):
            yield Hit("mapping-item-foreign", ("item",), {"department": department, "item": form.item})
    for place, rule in enumerate(form.fields):
        key: Key = ("fields", place)
        yield from _under(key, _field(rule, _Seen(rule, items, {item.code: _steps(form, department, item) for item in items})))


def _steps(form: FormRule, department: str, item: ServiceItem) -> tuple[str, ...]:
    return tuple(step for step in steps_of(department, item) if not form.steps or step in form.steps)


class _Seen:
    """The sources of one field in every item that it is meant for."""

    def __init__(self, rule: FieldRule, items: list[ServiceItem], steps: dict[str, tuple[str, ...]]) -> None:
        self.items = items
        self.found = {path: {item.code: describe(path, item, steps[item.code]) for item in items} for path in rule.paths}

    def sources(self) -> Iterator[tuple[str, str, Source]]:
        """Path, item and what is known of the value there."""
        for path, by_item in self.found.items():
            yield from ((path, item, source) for item, source in by_item.items() if source is not None)

    def lacking(self) -> list[str]:
        """The items in which none of the sources is sure to hold something."""
        return [item.code for item in self.items if all(_may_lack(found[item.code]) for found in self.found.values())]


def _may_lack(source: Source | None) -> bool:
    return source is None or source.may_lack


def _field(rule: FieldRule, seen: _Seen) -> Iterator[Hit]:
    if not rule.paths or not seen.items:
        return
    known = [path for item in seen.items for path in known_paths(item)]
    unknown = [at for at, path in enumerate(rule.paths) if not any(seen.found[path].values())]
    for at in unknown:
        path = rule.paths[at]
        yield Hit("mapping-source-unknown", ("sources", at) if rule.sources else ("source",), {"source": path, **hint(path, known)})
    lacking = seen.lacking()
    if rule.required and rule.default is None and lacking and not unknown:
        yield Hit("mapping-may-lack", (), {"target": rule.target, "source": "、".join(rule.paths), "items": _few(lacking)})
    if not rule.cut and not rule.split:
        yield from _choices(rule, seen)
        yield from _shape(rule, seen)


def _choices(rule: FieldRule, seen: _Seen) -> Iterator[Hit]:
    """The code table against the choices that the items' forms give."""
    ours = {pair.ours for pair in rule.values}
    closed = [(item, source.choices) for _, item, source in seen.sources() if source.choices]
    missing = {choice: item for item, choices in reversed(closed) for choice in reversed(choices) if choice not in ours}
    if ours and missing and rule.default is None:
        values = {"target": rule.target, "values": _few(sorted(missing)), "item": _few(sorted(set(missing.values())))}
        yield Hit("mapping-choice-lacks", ("values",), values)
    if closed and len(closed) == len(list(seen.sources())):
        choices = {choice for _, choices in closed for choice in choices}
        for at, pair in enumerate(rule.values):
            if pair.ours not in choices:
                yield Hit("mapping-choice-unknown", ("values", at), {"target": rule.target, "value": pair.ours})


def _shape(rule: FieldRule, seen: _Seen) -> Iterator[Hit]:
    """Dates and lengths, where nothing comes between the source and the target."""
    if rule.values:
        return
    for path, item, source in seen.sources():
        if rule.date and not source.is_date and not path.startswith("applicant."):
            yield Hit("mapping-date-source", ("date",), {"target": rule.target, "source": path, "item": item})
            return
        if rule.source and rule.max_length and source.longest and source.longest > rule.max_length:
            values = {"target": rule.target, "source": path, "item": item, "limit": rule.max_length, "longest": source.longest}
            yield Hit("mapping-may-overflow", ("max_length",), values)
            return


def _answer(answer: AnswerRule, key: Key, fields: list[tuple[Key, FieldRule]]) -> Iterator[Hit]:
    data = ANSWERS.get(answer.kind)
    if data is None:
        yield Hit("mapping-kind-unknown", (*key, "kind"), {"kind": answer.kind, **hint(answer.kind, ANSWERS)})
        return
    targets = _targets(data)
    for at, rule in fields:
        if rule.target not in targets:
            values = {"kind": answer.kind, "target": rule.target, **hint(rule.target, targets)}
            yield Hit("mapping-target-unknown", (*at, "target"), values)
        yield from _under(at, _meanings(rule, get_args(targets.get(rule.target))))
    missing = _missing(answer.kind, data, [rule for _, rule in fields])
    yield from (Hit("mapping-target-missing", key, {"kind": answer.kind, "target": target}) for target in missing)


def _meanings(rule: FieldRule, choices: tuple[Any, ...]) -> Iterator[Hit]:
    """What a field may mean where the contract allows some words only."""
    said: list[tuple[Key, str]] = [(("values", at), pair.ours) for at, pair in enumerate(rule.values)]
    said += [((name,), value) for name in ("constant", "default") if (value := getattr(rule, name)) is not None]
    for key, value in said:
        if choices and value not in choices:
            yield Hit("mapping-meaning-unknown", key, {"target": rule.target, "value": value, "choices": "、".join(choices)})


def _targets(data: type[msgspec.Struct]) -> dict[str, Any]:
    """Every target in a kind of answer; the value is a Literal where only some words are allowed, else None."""
    targets: dict[str, Any] = {}
    for name, hinted in get_type_hints(data).items():
        if get_origin(hinted) is list:
            targets |= {f"{name}.{part}": None for part in get_args(hinted)[0].__struct_fields__}
        else:
            targets[name] = hinted if get_origin(hinted) is Literal else None
    return targets


def _missing(kind: str, data: type[msgspec.Struct], fields: list[FieldRule]) -> Iterator[str]:
    """What the contract needs and this answer does not surely give."""
    sure = {rule.target for rule in fields if rule.required or rule.constant is not None or rule.default is not None}
    groups = {rule.target.partition(".")[0] for rule in fields if "." in rule.target}
    needed = [field.name for field in msgspec.structs.fields(data) if field.required]
    needed += [target for target in _targets(data) if target.partition(".")[0] in groups]
    yield from (target for target in needed if target not in sure)
    one_of = _ONE_OF.get(kind, ())
    if one_of and not groups.intersection(one_of):
        yield next(target for target in _targets(data) if target.startswith(one_of[0]))


def _hidden(answers: tuple[AnswerRule, ...]) -> Iterator[Hit]:
    always = next((place for place, answer in enumerate(answers) if not answer.when), len(answers))
    for place in range(always + 1, len(answers)):
        yield Hit("mapping-answer-hidden", ("answers", place))


def _few(names: list[str]) -> str:
    return "、".join(names[:_MOST_SHOWN]) + ("……" if len(names) > _MOST_SHOWN else "")
