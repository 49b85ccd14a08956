"""Service items and departments as the outside sees them: the guide is the published row rendered, nothing is typed twice."""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from handlers import tolerance
from handlers.authority import allowed_kinds
from handlers.catalogue import (
    Audience,
    Catalogue,
    Department,
    FieldType,
    FormField,
    Handling,
    ItemType,
    Level,
    MaterialRule,
    Part,
    ServiceItem,
    Unit,
)

T = TypeVar("T")


class Named(msgspec.Struct, frozen=True):
    """A thing by code and name."""

    code: str
    name: str


class LimitView(msgspec.Struct, frozen=True):
    """A time limit."""

    days: int
    unit: Unit


class ItemSummary(msgspec.Struct, frozen=True):
    """An item in a list. `fee` null = free of charge."""

    code: str
    name: str
    type: ItemType
    handling: Handling
    department: Named
    audience: tuple[Audience, ...]
    promised: LimitView
    legal: LimitView
    visits: int
    online: bool
    fee: str | None
    events: tuple[str, ...]


class OptionView(msgspec.Struct, frozen=True):
    """One choice of a select field."""

    value: str
    label: str


class FieldView(msgspec.Struct, frozen=True):
    """One question of the form; `when` and `must` as in catalogue.FormField."""

    name: str
    label: str
    type: FieldType
    required: bool
    max_length: int | UnsetType = UNSET
    min: int | float | UnsetType = UNSET
    max: int | float | UnsetType = UNSET
    when: Literal["past", "future"] | UnsetType = UNSET
    must: bool | UnsetType = UNSET
    options: tuple[OptionView, ...] | UnsetType = UNSET
    help: str | UnsetType = UNSET


class FormView(msgspec.Struct, frozen=True):
    """The form."""

    fields: tuple[FieldView, ...]


class MaterialView(msgspec.Struct, frozen=True):
    """One material. `certificate_name` is the electronic certificate that may stand in for it.

    `tolerable`: may follow against a signed commitment; `may_be_owed`: may follow urgent aid.
    """

    code: str
    name: str
    required: bool
    certificate_type: str | None
    certificate_name: str | None
    condition: str | None
    tolerable: bool
    commitment: bool
    may_be_owed: bool
    source: Literal["upload", "form"]


class PartView(msgspec.Struct, frozen=True):
    """Another department's share, in working days.

    `after`: the departments it waits for; `silent_basis`: the rule by which its silence counts as agreement, null = it does not.
    """

    department: Named
    action: str
    days: int
    mode: Literal["parallel", "serial"]
    after: tuple[Named, ...]
    silent_basis: str | None


class SpecialProcedureView(msgspec.Struct, frozen=True):
    """A step outside the limit; `days` null = no limit is laid down."""

    name: str
    days: int | None
    unit: Unit


class AnnouncementView(msgspec.Struct, frozen=True):
    """A public notice before the decision."""

    days: int
    unit: Unit
    place: str
    counts_in_limit: bool


class StepView(msgspec.Struct, frozen=True):
    """One step of the way."""

    name: str
    days: int | None
    unit: Unit
    text: str | None


class QuestionView(msgspec.Struct, frozen=True):
    """A question residents ask, answered."""

    question: str
    answer: str


class ExtensionView(msgspec.Struct, frozen=True):
    """By how far the legal limit may be extended, in its unit."""

    to: int
    approver: str


class BasisView(msgspec.Struct, frozen=True):
    """Where the data come from; `belief` = to be confirmed by the town."""

    kind: Literal["source", "mixed", "belief"]
    source: str
    added: Literal["source", "mixed", "belief"]


class DepartmentView(msgspec.Struct, frozen=True):
    """A department and how to reach it."""

    code: str
    name: str
    unit: str
    consult_phone: str
    complaint_phone: str


class Guide(msgspec.Struct, frozen=True):
    """The guide of an item (办事指南)."""

    code: str
    version: int
    name: str
    type: ItemType
    handling: Handling
    department: DepartmentView
    audience: tuple[Audience, ...]
    events: tuple[str, ...]
    accept_level: Level
    decide_level: Level
    promised: LimitView
    legal: LimitView
    extension: ExtensionView | None
    visits: int
    visit_reason: str | None
    online: bool
    postal: bool
    fee: str | None
    fee_basis: str | None
    green_channel: bool
    urgent_hours: int
    owed_days: int
    proxy_allowed: bool
    proxy_kinds: tuple[str, ...]
    result: str
    certificate_type: str | None
    form: FormView
    materials: tuple[MaterialView, ...]
    departments: tuple[PartView, ...]
    special_procedures: tuple[SpecialProcedureView, ...]
    steps: tuple[StepView, ...]
    announcement: AnnouncementView | None
    faq: tuple[QuestionView, ...]
    basis: BasisView
    notes: str | None


def item_summary(catalogue: Catalogue, item: ServiceItem) -> ItemSummary:
    """An item as lists show it."""
    return ItemSummary(
        code=item.code,
        name=item.name,
        type=item.type,
        handling=item.handling,
        department=named_department(catalogue, item.department),
        audience=item.audience,
        promised=LimitView(item.promised.days, item.promised.unit),
        legal=LimitView(item.legal.days, item.legal.unit),
        visits=item.visits,
        online=item.online,
        fee=item.fee or None,
        events=item.events,
    )


def guide(catalogue: Catalogue, item: ServiceItem) -> Guide:
    """An item's guide."""
    return Guide(
        code=item.code,
        version=item.version,
        name=item.name,
        type=item.type,
        handling=item.handling,
        department=department_view(catalogue.departments[item.department]),
        audience=item.audience,
        events=item.events,
        accept_level=item.accept_level,
        decide_level=item.decide_level,
        promised=LimitView(item.promised.days, item.promised.unit),
        legal=LimitView(item.legal.days, item.legal.unit),
        extension=ExtensionView(item.extension.to, item.extension.approver) if item.extension else None,
        visits=item.visits,
        visit_reason=item.visit_reason or None,
        online=item.online,
        postal=item.postal,
        fee=item.fee or None,
        fee_basis=item.fee_basis or None,
        green_channel=item.green_channel,
        urgent_hours=item.urgent_hours,
        owed_days=item.owed_days,
        proxy_allowed=item.proxy_allowed,
        proxy_kinds=allowed_kinds(item),
        result=item.result,
        certificate_type=item.certificate_type,
        form=FormView(tuple(field_view(field) for field in item.form.fields)),
        materials=tuple(material_view(catalogue, rule) for rule in item.materials),
        departments=tuple(_part(catalogue, part) for part in item.parts),
        special_procedures=tuple(SpecialProcedureView(one.name, one.days, one.unit) for one in item.special_procedures),
        steps=tuple(StepView(step.name, step.days, step.unit, step.text or None) for step in item.steps),
        announcement=_announcement(item),
        faq=tuple(QuestionView(one.question, one.answer) for one in item.faq),
        basis=BasisView(item.basis.kind, item.basis.source, item.basis.added),
        notes=item.notes or None,
    )


def department_view(department: Department) -> DepartmentView:
    """A department as the outside sees it; how it is linked stays inside."""
    return DepartmentView(department.code, department.name, department.unit, department.consult_phone, department.complaint_phone)


def named_department(catalogue: Catalogue, code: str) -> Named:
    """A department by code and name."""
    return Named(code, catalogue.departments[code].name)


def field_view(field: FormField) -> FieldView:
    """A question as the outside sees it."""
    return FieldView(
        name=field.name,
        label=field.label,
        type=field.type,
        required=field.required,
        max_length=_set(field.max_length),
        min=_set(field.min),
        max=_set(field.max),
        when=_set(field.when),
        must=field.must or UNSET,
        options=tuple(OptionView(option.value, option.label) for option in field.options) or UNSET,
        help=field.help or UNSET,
    )


def _set(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value


def material_view(catalogue: Catalogue, rule: MaterialRule) -> MaterialView:
    """A material as the outside sees it."""
    certificate = catalogue.certificates.get(rule.certificate_type or "")
    return MaterialView(
        code=rule.code,
        name=rule.name,
        required=rule.required,
        certificate_type=rule.certificate_type,
        certificate_name=certificate.name if certificate else None,
        condition=rule.condition or None,
        tolerable=tolerance.may_follow(rule),
        commitment=rule.commitment,
        may_be_owed=tolerance.may_be_owed(rule),
        source=rule.source,
    )


def _part(catalogue: Catalogue, part: Part) -> PartView:
    after = tuple(named_department(catalogue, code) for code in part.after)
    return PartView(named_department(catalogue, part.department), part.action, part.days, part.mode, after, part.silent_basis or None)


def _announcement(item: ServiceItem) -> AnnouncementView | None:
    one = item.announcement
    return AnnouncementView(one.days, one.unit, one.place, one.counts_in_limit) if one else None
