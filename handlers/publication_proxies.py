"""What must hold for who may act for the applicant of an item (代办) before it is published."""

from __future__ import annotations

from collections.abc import Iterator

from handlers.authority import KIND_NAMES, allowed_kinds, number_field
from handlers.catalogue import ServiceItem
from handlers.publication import Hit
from handlers.publication_rules import Rule

_AGENTS = "帮办代办"

PROXY_RULES: dict[str, Rule] = {
    "proxy-kinds-without-flag": Rule(
        "error",
        _AGENTS,
        "写了 proxy_kinds，但 proxy_allowed 不是 true",
        "改为 proxy_allowed = true，或删除 proxy_kinds。",
        "proxy_kinds without proxy_allowed",
        "Set proxy_allowed = true or delete proxy_kinds.",
    ),
    "proxy-kind-does-not-fit": Rule(
        "error",
        _AGENTS,
        "“{kind}”不能代办本事项：表单里没有 {field}",
        "从 proxy_kinds 中去掉，或在表单中加上这一项。",
        "{code} cannot act here: the form has no {field}",
        "Take it out of proxy_kinds or add the field to the form.",
    ),
    "proxy-kind-twice": Rule(
        "error", _AGENTS, "“{kind}”写了两次", "proxy_kinds 中每种只写一次。", "{code} stands there twice", "Name every kind once."
    ),
    "proxy-for-nobody": Rule(
        "error",
        _AGENTS,
        "可以代办，但表单里没有证件号码，认不出被代办人",
        "表单中加上 id_number 或 credit_code，或改为 proxy_allowed = false。",
        "proxies are allowed, but the form has no number to know the principal by",
        "Add id_number or credit_code to the form, or set proxy_allowed = false.",
    ),
}


def check_proxies(item: ServiceItem) -> Iterator[Hit]:
    """Whether the kinds that may act are possible at all."""
    names = {field.name for field in item.form.fields}
    if item.proxy_kinds and not item.proxy_allowed:
        yield Hit("proxy-kinds-without-flag", ("proxy_kinds",))
    for place, kind in enumerate(item.proxy_kinds):
        if kind in item.proxy_kinds[:place]:
            yield Hit("proxy-kind-twice", ("proxy_kinds", place), {"kind": KIND_NAMES[kind], "code": kind})
        if number_field(kind) not in names:
            values = {"kind": KIND_NAMES[kind], "code": kind, "field": number_field(kind)}
            yield Hit("proxy-kind-does-not-fit", ("proxy_kinds", place), values)
    if item.proxy_allowed and not item.proxy_kinds and not allowed_kinds(item):
        yield Hit("proxy-for-nobody", ("proxy_allowed",))
