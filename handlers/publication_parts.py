"""What must hold for parts of a review and for the one form of a bundle before they are published (并联审批, 一件事)."""

from __future__ import annotations

from collections.abc import Iterator

from handlers import joins, oneform
from handlers.catalogue import Bundle, Catalogue, FormField, ServiceItem
from handlers.publication import Hit, Key
from handlers.publication_rules import Rule

_PARALLEL, _BUNDLE = "并联审批", "一件事联办"

PART_RULES: dict[str, Rule] = {
    "part-after-unknown": Rule(
        "error",
        _PARALLEL,
        "会办部门中没有“{code}”",
        "after 里写同一事项 [[parts]] 中的其他部门。",
        "{code} has no part in this item",
        "Name other departments of this item's parts.",
    ),
    "part-after-circle": Rule(
        "error",
        _PARALLEL,
        "会办顺序互相等待",
        "检查 after 和 mode，去掉其中一处等待。",
        "these parts wait for each other for ever",
        "Take one of the edges away.",
    ),
    "silent-needs-basis": Rule(
        "error",
        _PARALLEL,
        "“逾期视为同意”没有写依据",
        "填写 silent_basis：文件名称和条款；没有依据的，删除 silent。",
        "silence counts as agreement without a basis",
        "Name the rule in silent_basis, or delete silent.",
    ),
    "basis-without-silent": Rule(
        "error",
        _PARALLEL,
        "写了 silent_basis，却没有写 silent",
        '加上 silent = "agreed"，或删除 silent_basis。',
        "a silent_basis without silent",
        'Set silent = "agreed" or delete the basis.',
    ),
    "join-without-parts": Rule(
        "warning",
        _PARALLEL,
        "没有会办部门，join 不起作用",
        "删除 join，或补上 [[parts]]。",
        "join without parts",
        "Delete join or add parts.",
    ),
    "fills-unknown": Rule(
        "error",
        _BUNDLE,
        "“{name}”不是这件事中事项的字段或材料",
        "写成“事项编码.字段名”或“事项编码.材料编码”。",
        "{name} is no field or material of this bundle's items",
        "Write ITEM.name.",
    ),
    "fills-differ": Rule(
        "error",
        _BUNDLE,
        "“{name}”与“{first}”的类型不同，不能合并成一问",
        "分开问，或把两个事项的字段类型改为一致。",
        "{name} and {first} are of different types",
        "Ask twice or make the types agree.",
    ),
    "shared-twice": Rule(
        "error",
        _BUNDLE,
        "“{name}”写了两次",
        "asks、papers 中每个名称和每个字段、材料只写一次。",
        "{name} stands there twice",
        "Name everything once.",
    ),
    "no-common-option": Rule(
        "error",
        _BUNDLE,
        "“{name}”合并后没有共同的选项",
        "分开问，或统一各事项的选项。",
        "{name} has no option in common",
        "Ask twice or make the options agree.",
    ),
    "needs-order": Rule(
        "error",
        _BUNDLE,
        "“{code}”要等“{before}”，但“{before}”没有排在它前面",
        "在 order 里把“{before}”排在前面的批次。",
        "{code} waits for {before}, which does not come before it",
        "Put {before} into an earlier stage.",
    ),
}


def check_parts(item: ServiceItem) -> Iterator[Hit]:
    """The parts of an item: whom they wait for, and what silence means."""
    departments = {part.department for part in item.parts}
    for place, part in enumerate(item.parts):
        key: Key = ("parts", place)
        for code in part.after:
            if code not in departments - {part.department}:
                yield Hit("part-after-unknown", (*key, "after"), {"code": code})
        if part.silent and not part.silent_basis:
            yield Hit("silent-needs-basis", (*key, "silent"))
        if part.silent_basis and not part.silent:
            yield Hit("basis-without-silent", (*key, "silent_basis"))
    for place in sorted(joins.in_circles(item.parts)):
        yield Hit("part-after-circle", ("parts", place))
    if item.join != "all" and not item.parts:
        yield Hit("join-without-parts", ("join",))


def check_one_form(bundle: Bundle, catalogue: Catalogue) -> Iterator[Hit]:
    """The one form of a bundle: every name leads to a question or a paper of one of its items, once."""
    known = _known(bundle, catalogue)
    absent = frozenset((*bundle.items, *bundle.optional)) - catalogue.items.keys()  # said already: item-unknown
    for hit in _one_form(bundle, known):
        if oneform.split(str(hit.values.get("name", "")))[0] not in absent:
            yield hit


def _one_form(bundle: Bundle, known: dict[str, object]) -> Iterator[Hit]:
    yield from _shared(bundle, known)
    for place, one in enumerate(bundle.handed_on):
        yield from _missing(("handed_on", place, "fills"), (name for name in one.fills if not isinstance(known.get(name), FormField)))
        yield from _order(bundle, ("handed_on", place, "of"), [(oneform.split(name)[0], one.of) for name in one.fills])
    for place, later in enumerate(bundle.later):
        names = (*later.fields, *later.materials)
        yield from _missing(("later", place), (f"{later.item}.{name}" for name in names if f"{later.item}.{name}" not in known))
    yield from _order(bundle, ("needs",), [(code, before) for code, needed in bundle.needs.items() for before in needed])


def _known(bundle: Bundle, catalogue: Catalogue) -> dict[str, object]:
    items = [catalogue.items[code] for code in (*bundle.items, *bundle.optional) if code in catalogue.items]
    papers: dict[str, object] = {f"{item.code}.{rule.code}": rule for item in items for rule in item.materials}
    return papers | {f"{item.code}.{field.name}": field for item in items for field in item.form.fields}


def _shared(bundle: Bundle, known: dict[str, object]) -> Iterator[Hit]:
    for kind, shared in (("asks", bundle.asks), ("papers", bundle.papers)):
        seen: set[str] = set()
        for place, one in enumerate(shared):
            for name in (one.name, *one.fills):
                if name in seen:
                    yield Hit("shared-twice", (kind, place), {"name": name})
                seen.add(name)
            yield from _missing((kind, place, "fills"), (name for name in one.fills if name not in known))
            if kind == "asks":
                yield from _alike(place, [(name, known[name]) for name in one.fills if name in known])


def _alike(place: int, members: list[tuple[str, object]]) -> Iterator[Hit]:
    fields = [(name, field) for name, field in members if isinstance(field, FormField)]
    for name, field in fields[1:]:
        if field.type != fields[0][1].type:
            yield Hit("fills-differ", ("asks", place, "fills"), {"name": name, "first": fields[0][0]})
    choices = [{option.value for option in field.options} for _, field in fields]
    if choices and choices[0] and not set.intersection(*choices):
        yield Hit("no-common-option", ("asks", place, "fills"), {"name": fields[0][0]})


def _missing(key: Key, names: Iterator[str]) -> Iterator[Hit]:
    for name in names:
        yield Hit("fills-unknown", key, {"name": name})


def _order(bundle: Bundle, key: Key, edges: list[tuple[str, str]]) -> Iterator[Hit]:
    stages = oneform.stages_of(bundle)
    for code, before in edges:
        if before not in stages or stages[before] >= stages.get(code, len(bundle.order) + 1):
            yield Hit("needs-order", key, {"code": code, "before": before})
