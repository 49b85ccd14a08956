"""Bundles (一件事) as the outside sees them: their items stage by stage, and the one form for what is chosen."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from handlers.authority import KIND_NAMES, allowed_kinds
from handlers.bundleplans import chosen_parts
from handlers.catalogue import Bundle, Catalogue, Later
from handlers.itemviews import BasisView, FormView, LimitView, MaterialView, Named, field_view, material_view, named_department
from handlers.oneform import one_form


class BundleSummary(msgspec.Struct, frozen=True):
    """A bundle in a list."""

    code: str
    name: str
    lead: Named
    promised: LimitView
    items: tuple[Named, ...]
    events: tuple[str, ...]


class BundleItem(msgspec.Struct, frozen=True):
    """An item of a bundle; stages begin at 1, the items of a stage are handled at once."""

    code: str
    name: str
    department: Named
    promised: LimitView
    required: bool
    stage: int | None


class LaterView(msgspec.Struct, frozen=True):
    """What is asked for when an item's turn comes, because nobody can have it before."""

    item: Named
    fields: tuple[str, ...]
    materials: tuple[str, ...]
    why: str


class BundleView(msgspec.Struct, frozen=True):
    """A bundle (一件事): one form, materials handed in once, departments at work together.

    `form` and `materials` are those of the chosen parts: what several of them ask for stands there once. `proxy_kinds`: who may act for
    the applicant in all of them.
    """

    code: str
    name: str
    lead: Named
    departments: tuple[Named, ...]
    promised: LimitView
    items: tuple[BundleItem, ...]
    form: FormView
    materials: tuple[MaterialView, ...]
    later: tuple[LaterView, ...]
    one_form_fields: tuple[str, ...]
    shared_materials: tuple[Named, ...]
    events: tuple[str, ...]
    applicant: str | None
    chain: str | None
    choose: str | None
    conditions: str | None
    notes: str | None
    basis: BasisView
    proxy_kinds: tuple[str, ...]


def bundle_summary(catalogue: Catalogue, bundle: Bundle) -> BundleSummary:
    """A bundle as lists show it."""
    return BundleSummary(
        code=bundle.code,
        name=bundle.name,
        lead=named_department(catalogue, bundle.lead),
        promised=LimitView(bundle.promised.days, bundle.promised.unit),
        items=tuple(Named(code, catalogue.items[code].name) for code in bundle.items),
        events=bundle.events,
    )


def bundle_view(catalogue: Catalogue, bundle: Bundle, parts: tuple[str, ...] = ()) -> BundleView:
    """A bundle with its items in the order in which they are handled, and the one form for these optional parts."""
    form = one_form(bundle, catalogue, chosen_parts(bundle, parts))
    return BundleView(
        code=bundle.code,
        name=bundle.name,
        lead=named_department(catalogue, bundle.lead),
        departments=tuple(named_department(catalogue, code) for code in bundle.departments),
        promised=LimitView(bundle.promised.days, bundle.promised.unit),
        items=tuple(_bundle_items(catalogue, bundle)),
        form=FormView(tuple(field_view(one.field) for one in form.fields)),
        materials=tuple(material_view(catalogue, one.rule) for one in form.papers),
        later=tuple(_later(catalogue, one) for one in bundle.later),
        one_form_fields=bundle.one_form_fields,
        shared_materials=tuple(Named(code, catalogue.certificates[code].name) for code in bundle.shared_materials),
        events=bundle.events,
        applicant=bundle.applicant or None,
        chain=bundle.chain or None,
        choose=bundle.choose or None,
        conditions=bundle.conditions or None,
        notes=bundle.notes or None,
        basis=BasisView(bundle.basis.kind, bundle.basis.source, bundle.basis.added),
        proxy_kinds=_proxy_kinds(catalogue, chosen_parts(bundle, parts)),
    )


def _proxy_kinds(catalogue: Catalogue, codes: Iterable[str]) -> tuple[str, ...]:
    kinds = [allowed_kinds(catalogue.items[code]) for code in codes]
    return tuple(kind for kind in KIND_NAMES if all(kind in allowed for allowed in kinds))


def _bundle_items(catalogue: Catalogue, bundle: Bundle) -> Iterable[BundleItem]:
    stages = {code: stage for stage, codes in enumerate(bundle.order, 1) for code in codes}
    last = len(bundle.order) + 1
    for code in sorted((*bundle.items, *bundle.optional), key=lambda code: stages.get(code, last)):
        item = catalogue.items[code]
        promised = LimitView(item.promised.days, item.promised.unit)
        department = named_department(catalogue, item.department)
        yield BundleItem(code, item.name, department, promised, code in bundle.items, stages.get(code))


def _later(catalogue: Catalogue, later: Later) -> LaterView:
    item = catalogue.items[later.item]
    fields = tuple(field.label for field in item.form.fields if field.name in later.fields)
    materials = tuple(rule.name for rule in item.materials if rule.code in later.materials)
    return LaterView(Named(item.code, item.name), fields, materials, later.why)
