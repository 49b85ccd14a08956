"""What the town offers: service items, who handles them, which certificates count, which things go together (decision 16)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Literal, TypeVar

import msgspec

from handlers.errors import Refused
from handlers.search import Entry, SearchIndex
from storage import items as versions
from storage.database import Queries

# `omit_defaults`: what is left at its default is not written, so that a new optional key makes no new version of old items.
Unit = Literal["working", "natural"]
Level = Literal["village", "town", "county"]
Audience = Literal["person", "org"]
ItemType = Literal["行政许可", "行政给付", "行政确认", "行政备案", "行政奖励", "行政裁决", "其他行政权力", "公共服务"]
Handling = Literal["即办件", "承诺件", "上报件"]
ProxyKind = Literal["guardian", "relative", "mandate", "village_clerk", "company"]
FieldType = Literal["text", "textarea", "integer", "number", "date", "select", "boolean", "id_number", "phone", "credit_code", "address"]

Count = Annotated[int, msgspec.Meta(ge=0, le=3660)]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9_-]{1,15}$")]
MaterialCode = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,15}$")]


class Limit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A time limit: so many working days (工作日) or natural days (自然日). 0 = while the applicant waits."""

    days: Count
    unit: Unit = "working"


class Extension(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """By how far the legal limit may be extended, and who must approve (行政许可法 art. 42)."""

    to: Count
    approver: str


class Option(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One choice of a select field."""

    value: str
    label: str


class FormField(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question of an item's form. `when`: a date not after ("past") or not before ("future") today; `must`: has to be ticked."""

    name: str
    label: Words
    type: FieldType
    required: bool = False
    max_length: int | None = None
    min: int | float | None = None
    max: int | float | None = None
    when: Literal["past", "future"] | None = None
    must: bool = False
    options: tuple[Option, ...] = ()
    help: str = ""


class Form(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item's form."""

    fields: tuple[FormField, ...] = ()


class MaterialRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One material an item asks for. `tolerable` = may follow later (容缺), `commitment` = a signed promise may stand in (告知承诺).

    `source` "form" means that the filled-in form is the material; nothing is handed in for it. `core`: the case stands or falls with it,
    so it never follows later. `supply_days`: working days for a tolerable one to follow, 0 = until the promised day.
    """

    code: MaterialCode
    name: Words
    required: bool
    source: Literal["upload", "form"]
    certificate_type: str | None = None
    condition: str = ""
    tolerable: bool = False
    commitment: bool = False
    core: bool = False
    supply_days: Count = 0


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another department's share of the review: all "parallel" ones at once, "serial" ones after them in order. `days` = working days.

    `after` names the departments whose answers it waits for, whatever its mode. `silent` "agreed": past its days silence counts as
    agreement, by the rule named in `silent_basis`; without it a silent department is only supervised.
    """

    department: str
    action: str
    days: Count
    mode: Literal["parallel", "serial"] = "parallel"
    after: tuple[str, ...] = ()
    silent: Literal["", "agreed"] = ""
    silent_basis: str = ""


class SpecialProcedure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step outside the limit (行政许可法 art. 45). `days` None: no limit is laid down."""

    name: str
    days: Count | None = None
    unit: Unit = "working"


class Announcement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A public notice before the decision (公示): how long, where, and whether the limit runs on."""

    days: Count
    unit: Unit = "working"
    place: str
    counts_in_limit: bool


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step as the guide shows it, with its own limit where one is known."""

    name: str
    days: Count | None = None
    unit: Unit = "working"
    text: str = ""


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question residents ask about an item, with the answer."""

    question: str
    answer: str


class Basis(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an item's data come from. `added` says the same of form, keywords, life events, steps, visit reason and questions."""

    kind: Literal["source", "mixed", "belief"]
    source: str
    added: Literal["source", "mixed", "belief"] = "source"


class ServiceItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A service item (政务服务事项). `version` counts what was published; 0 = not published yet. `fee` "" = free of charge.

    `correction_days`: natural days, to a day worked, in which a correction notice waits for its answer; then it is sent back.
    `urgent_hours`, `owed_days`: urgent aid (绿色通道) is decided within so many hours, its papers follow within so many working days.
    `join`: when the review is done: "all" have answered, "any" one has agreed, or the "lead" department thinks it has heard enough.
    `proxy_kinds`: who may act for the applicant where anybody may (`proxy_allowed`); empty = every kind that fits the form.
    """

    code: Code
    name: Words
    type: ItemType
    handling: Handling
    department: str
    accept_level: Level
    decide_level: Level
    audience: tuple[Audience, ...]
    events: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    legal: Limit
    promised: Limit
    extension: Extension | None = None
    correction_days: Count = 30
    join: Literal["all", "any", "lead"] = "all"
    visits: Count
    visit_reason: str = ""
    online: bool
    postal: bool = False
    fee: str = ""
    fee_basis: str = ""
    green_channel: bool = False
    urgent_hours: Count = 48
    owed_days: Count = 5
    proxy_allowed: bool = False
    proxy_kinds: tuple[ProxyKind, ...] = ()
    commitment: bool = False
    tolerance: bool = False
    result: str
    certificate_type: str | None = None
    notes: str = ""
    basis: Basis
    announcement: Announcement | None = None
    form: Form = Form()
    materials: tuple[MaterialRule, ...] = ()
    parts: tuple[Part, ...] = ()
    special_procedures: tuple[SpecialProcedure, ...] = ()
    steps: tuple[Step, ...] = ()
    faq: tuple[Question, ...] = ()
    version: int = 0


class Department(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A department, and how it is reached.

    `link`: "desk", its officers work at ours; else its own system is connected: "queue" by Redis, "pull" asks us over HTTPS, "webhook"
    is called by us, "files" exchanges batches through a folder. `address` is the webhook's https address or the folder.
    `partitions`: parallel queues. `border`: messages leave the inner network, so they are signed, and encrypted where there is a key.
    """

    code: Code
    name: Words
    unit: str
    link: Literal["queue", "pull", "webhook", "files", "desk"] = "queue"
    address: str = ""
    border: bool = False
    partitions: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    consult_phone: str
    complaint_phone: str


class CertificateType(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A kind of electronic certificate (电子证照): who issues it, to whom, and how long it holds."""

    code: Code
    name: Words
    issuer: str
    holder: Literal["person", "org", "both"]
    validity: str


class Shared(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question or paper in which several items of a bundle ask for the same; `fills` names them as ITEM.name."""

    name: str
    label: str = ""
    fills: tuple[str, ...]


class HandedOn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Fields (ITEM.name) of later items that the number of an earlier item's certificate fills."""

    of: str
    fills: tuple[str, ...]


class Later(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What nobody can have at the application: asked for when the item's turn comes, and why not before."""

    item: str
    fields: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()
    why: str


class Bundle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Several items as one thing (一件事). `order`: stages one after another, the items of a stage at once.

    `asks` and `papers` are asked for once, `handed_on` and `later` not at first; `needs`: which items must be granted before this one.
    """

    code: Code
    name: Words
    lead: str
    items: tuple[str, ...]
    optional: tuple[str, ...] = ()
    departments: tuple[str, ...]
    promised: Limit
    order: tuple[tuple[str, ...], ...]
    one_form_fields: tuple[str, ...]
    shared_materials: tuple[str, ...]
    keywords: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    applicant: str = ""
    chain: str = ""
    choose: str = ""
    conditions: str = ""
    notes: str = ""
    asks: tuple[Shared, ...] = ()
    papers: tuple[Shared, ...] = ()
    handed_on: tuple[HandedOn, ...] = ()
    later: tuple[Later, ...] = ()
    needs: dict[str, tuple[str, ...]] = {}
    basis: Basis


class LifeEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A moment of life that leads people to the office; items and bundles name it."""

    name: str
    description: str = ""


Coded = TypeVar("Coded", ServiceItem, Department, CertificateType, Bundle)


class Page(msgspec.Struct, frozen=True):
    """One page of found items; `after` begins the next one, None = that was all."""

    items: tuple[ServiceItem, ...]
    after: str | None


class Catalogue:
    """Everything on offer, by code. Built once; look-ups are dictionary reads."""

    def __init__(
        self,
        *,
        items: Iterable[ServiceItem],
        departments: Iterable[Department],
        certificates: Iterable[CertificateType] = (),
        bundles: Iterable[Bundle] = (),
        events: Iterable[LifeEvent] = (),
    ) -> None:
        self.items = _by_code(items)
        self.departments = _by_code(departments)
        self.certificates = _by_code(certificates)
        self.bundles = _by_code(bundles)
        self.events: Mapping[str, LifeEvent] = MappingProxyType({event.name: event for event in events})
        self.event_counts = Counter(name for item in self.items.values() for name in item.events)
        self._former: dict[tuple[str, int], ServiceItem] = {}

    @cached_property
    def index(self) -> SearchIndex:
        """What a search looks in, made when it is first asked for: it takes most of a second, and most processes never search."""
        return SearchIndex(self._entry(item) for item in self.items.values())

    def item(self, code: str) -> ServiceItem:
        """An item on offer; refused with `item_not_found` otherwise."""
        found = self.items.get(code)
        if found is None:
            raise Refused("item_not_found")
        return found

    def bundle(self, code: str) -> Bundle:
        """A bundle on offer; refused with `bundle_not_found` otherwise."""
        found = self.bundles.get(code)
        if found is None:
            raise Refused("bundle_not_found")
        return found

    async def version(self, db: Queries, code: str, version: int) -> ServiceItem:
        """An item as it was published under a version number; a case keeps the one it was submitted under."""
        item = self.items.get(code)
        if item is not None and item.version == version:
            return item
        former = self._former.get((code, version))
        if former is None:
            former = self._former[code, version] = await _read(db, code, version)
        return former

    def search(
        self,
        q: str = "",
        *,
        department: str | None = None,
        audience: str | None = None,
        event: str | None = None,
        after: str | None = None,
        limit: int = 20,
    ) -> Page:
        """Items found by Chinese text, pinyin, initials or a word people use, best first; `after` is a former page's mark."""
        found = self.index.search(q, _wanted(department, audience, event), after)
        codes = found.take(limit)
        return Page(tuple(self.items[code] for code in codes), found.mark_after(codes))

    def _entry(self, item: ServiceItem) -> Entry:
        department = self.departments.get(item.department)
        around = (department.name if department else "", item.type, *item.events)
        facets = {f"department={item.department}", *(f"audience={a}" for a in item.audience), *(f"event={e}" for e in item.events)}
        return Entry(item.code, item.name, item.keywords, around, frozenset(facets))


def digest(item: ServiceItem) -> str:
    """SHA-256 of an item's content (hex), the same however its file is laid out and whatever its version number."""
    return hashlib.sha256(body(item)).hexdigest()


def body(item: ServiceItem) -> bytes:
    """An item as canonical JSON, without its version number."""
    return msgspec.json.encode(msgspec.structs.replace(item, version=0), order="deterministic")


async def _read(db: Queries, code: str, version: int) -> ServiceItem:
    found = await versions.version_of(db, code, version)
    if found is None:
        raise Refused("item_not_found")
    return msgspec.structs.replace(msgspec.json.decode(found, type=ServiceItem), version=version)


def _by_code(things: Iterable[Coded]) -> Mapping[str, Coded]:
    return MappingProxyType({thing.code: thing for thing in sorted(things, key=lambda thing: thing.code)})


def _wanted(department: str | None, audience: str | None, event: str | None) -> frozenset[str]:
    asked = {"department": department, "audience": audience, "event": event}
    return frozenset(f"{name}={value}" for name, value in asked.items() if value)
