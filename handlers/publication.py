"""What must hold before the catalogue is published. Each check yields hits: a rule, the key it concerns, and what was found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers import tolerance
from handlers.catalogue import Bundle, Catalogue, CertificateType, Department, FormField, Limit, ServiceItem

SAMPLE_PHONE = "0000"

_LEVELS = {"village": 0, "town": 1, "county": 2}
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_BRACKETS = re.compile(r"[(（].*?[)）]")
_CERTIFICATE = re.compile("(?<![凭取])证$|证书$")
_FITS: dict[str, frozenset[str]] = {
    "min": frozenset({"integer", "number"}),
    "max": frozenset({"integer", "number"}),
    "max_length": frozenset({"text", "textarea", "address"}),
    "when": frozenset({"date"}),
    "must": frozenset({"boolean"}),
}
_PERMIT_STEPS = 5
# The longest holiday with the weekends around it: nine days on which nobody works (Spring Festival 2026).
_LONG_HOLIDAY = 9

Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that does not hold: its id in RULES, the key of the table it concerns, and values for its text."""

    rule: str
    key: Key = ()
    values: Mapping[str, Any] = field(default_factory=dict)


def check_item(item: ServiceItem, catalogue: Catalogue) -> Iterator[Hit]:
    """Everything to say about an item."""
    yield from _limits(item)
    yield from _access(item)
    yield from _result(item, catalogue)
    yield from _departments(item, catalogue)
    yield from _materials(item, catalogue)
    yield from _form(item)
    yield from _guide(item, catalogue)
    yield from _origin(item, "表单、关键词、步骤等", "form, keywords and steps")


def check_department(department: Department, _catalogue: Catalogue) -> Iterator[Hit]:
    """A department must be reachable by telephone, for questions and for complaints apart."""
    for key, which, which_en in (("consult_phone", "咨询电话", "consultation"), ("complaint_phone", "投诉电话", "complaint")):
        number = getattr(department, key)
        if not number:
            yield Hit("phones-missing", (key,), {"which": which, "which_en": which_en})
        elif number.startswith(SAMPLE_PHONE):
            yield Hit("phone-sample", (key,), {"which": which, "which_en": which_en})
    if department.consult_phone and department.consult_phone == department.complaint_phone:
        yield Hit("phones-same", ("complaint_phone",))


def check_certificate(certificate: CertificateType, catalogue: Catalogue) -> Iterator[Hit]:
    """Somebody of the town must issue a certificate."""
    if certificate.issuer not in catalogue.departments:
        yield Hit("department-unknown", ("issuer",), {"code": certificate.issuer})


def check_bundle(bundle: Bundle, catalogue: Catalogue) -> Iterator[Hit]:
    """A bundle names things that exist, orders all of them, and promises no less than its stages take."""
    yield from _unknown("item-unknown", ("items",), bundle.items, catalogue.items)
    yield from _unknown("item-unknown", ("optional",), bundle.optional, catalogue.items)
    yield from _unknown("department-unknown", ("departments",), bundle.departments, catalogue.departments)
    yield from _unknown("certificate-unknown", ("shared_materials",), bundle.shared_materials, catalogue.certificates)
    if bundle.lead not in catalogue.departments:
        yield Hit("department-unknown", ("lead",), {"code": bundle.lead})
    yield from _order(bundle)
    yield from _bundle_against_items(bundle, catalogue)
    yield from _events(bundle.events, catalogue)
    yield from _origin(bundle, "关键词和人生事件", "keywords and life events")


def _limits(item: ServiceItem) -> Iterator[Hit]:
    promised, legal = item.promised, item.legal
    if promised.unit == legal.unit and promised.days > legal.days:
        yield Hit("promised-over-legal", ("promised",), {"promised": promised.days, "legal": legal.days})
    elif promised.unit != legal.unit and _may_outlast(promised, legal):
        yield Hit("promised-may-outlast-legal", ("promised",), {"promised": promised.days, "legal": legal.days})
    if (item.handling == "即办件") != (promised.days == 0):
        yield Hit("immediate-means-zero", ("handling",), {"handling": item.handling, "promised": promised.days})
    if item.extension is not None and item.extension.to <= legal.days:
        yield Hit("extension-too-short", ("extension",), {"to": item.extension.to, "legal": legal.days})
    needed = max((part.days for part in item.parts if part.mode == "parallel"), default=0)
    needed += sum(part.days for part in item.parts if part.mode == "serial")
    if needed > promised.days:
        rule = "immediate-waits" if item.handling == "即办件" else "parts-over-promised"
        yield Hit(rule, ("parts",), {"days": needed, "promised": promised.days})


def _may_outlast(promised: Limit, legal: Limit) -> bool:
    """Whether so many working days can end later than so many natural days, weekends and one long holiday included."""
    return legal.unit == "natural" and promised.days > 0 and promised.days * 7 // 5 + _LONG_HOLIDAY > legal.days


def _access(item: ServiceItem) -> Iterator[Hit]:
    if item.visits and not item.visit_reason:
        yield Hit("visit-needs-reason", ("visits",), {"visits": item.visits})
    if item.visit_reason and not item.visits:
        yield Hit("reason-without-visit", ("visit_reason",))
    if not item.visits and not item.online and not item.postal:
        yield Hit("no-way-in", ("online",))
    if item.fee and not item.fee_basis:
        yield Hit("fee-needs-basis", ("fee",))
    if item.fee_basis and not item.fee:
        yield Hit("basis-without-fee", ("fee_basis",))
    rise = _LEVELS[item.decide_level] - _LEVELS[item.accept_level]
    if rise < 0:
        yield Hit("levels-reversed", ("decide_level",))
    if item.handling == "上报件" and rise == 0:
        yield Hit("forwarded-is-decided-above", ("decide_level",))


def _result(item: ServiceItem, catalogue: Catalogue) -> Iterator[Hit]:
    key: Key = ("certificate_type",)
    if item.certificate_type is None:
        if _CERTIFICATE.search(_bare(item.result)):
            yield Hit("result-is-certificate", ("result",), {"result": item.result})
        return
    certificate = catalogue.certificates.get(item.certificate_type)
    if certificate is None:
        yield Hit("certificate-unknown", key, {"code": item.certificate_type})
        return
    result, name = _bare(item.result), _bare(certificate.name)
    if result not in name and name not in result:
        yield Hit("result-name", key, {"result": item.result, "certificate": certificate.name})
    if certificate.issuer not in {item.department, *(part.department for part in item.parts)}:
        yield Hit("result-issuer", key, {"certificate": certificate.name, "issuer": certificate.issuer})
    if certificate.holder != "both" and certificate.holder not in item.audience:
        yield Hit("result-holder", key, {"certificate": certificate.name})


def _departments(item: ServiceItem, catalogue: Catalogue) -> Iterator[Hit]:
    if item.department not in catalogue.departments:
        yield Hit("department-unknown", ("department",), {"code": item.department})
    for place, part in enumerate(item.parts):
        if part.department not in catalogue.departments:
            yield Hit("department-unknown", ("parts", place, "department"), {"code": part.department})
        if part.department == item.department:
            yield Hit("part-of-lead", ("parts", place, "department"))


def _materials(item: ServiceItem, catalogue: Catalogue) -> Iterator[Hit]:
    if not item.materials:
        yield Hit("no-materials")
    for place in _repeated([material.code for material in item.materials]):
        yield Hit("material-twice", ("materials", place, "code"), {"code": item.materials[place].code})
    for place, material in enumerate(item.materials):
        key: Key = ("materials", place, "certificate_type")
        if material.certificate_type is not None and material.certificate_type not in catalogue.certificates:
            yield Hit("certificate-unknown", key, {"code": material.certificate_type})
        if material.certificate_type is not None and material.source == "form":
            yield Hit("form-material-certificate", key, {"code": material.certificate_type})
        if material.tolerable and tolerance.is_safety(material):
            yield Hit("tolerable-safety", ("materials", place, "tolerable"), {"name": material.name})
        if material.tolerable and tolerance.is_core(material):
            yield Hit("tolerable-core", ("materials", place, "tolerable"), {"name": material.name})
    yield from _flags(item)


def _flags(item: ServiceItem) -> Iterator[Hit]:
    if item.tolerance != any(material.tolerable for material in item.materials):
        yield Hit("tolerance-flag", ("tolerance",), {"flag": str(item.tolerance).lower()})
    promises = {material.source for material in item.materials if material.commitment}
    # A pledge on the form stands in for nothing, so it needs no flag.
    if ("upload" in promises and not item.commitment) or (item.commitment and not promises):
        yield Hit("commitment-flag", ("commitment",), {"flag": str(item.commitment).lower()})


def _form(item: ServiceItem) -> Iterator[Hit]:
    types = {one.type for one in item.form.fields}
    wanted = {
        ("申请人名称", "the applicant's name"): any(one.name == "applicant_name" for one in item.form.fields),
        ("证件号码", "an ID number or credit code"): bool(types & {"id_number", "credit_code"}),
        ("联系电话", "a telephone number"): "phone" in types,
    }
    for (what, what_en), present in wanted.items():
        if not present:
            yield Hit("identity-fields", ("form",), {"what": what, "what_en": what_en})
    for place in _repeated([one.name for one in item.form.fields]):
        yield Hit("field-twice", ("form", "fields", place, "name"), {"name": item.form.fields[place].name})
    for place, one in enumerate(item.form.fields):
        for hit in _field(one):
            yield Hit(hit.rule, ("form", "fields", place, *hit.key), {"name": one.label, **hit.values})


def _field(one: FormField) -> Iterator[Hit]:
    if not _FIELD_NAME.fullmatch(one.name):
        yield Hit("field-name", ("name",), {"name": one.name})
    if one.type == "select" and not one.options:
        yield Hit("select-needs-options", ("type",))
    if one.options and one.type != "select":
        yield Hit("options-need-select", ("options",))
    for place in _repeated([option.value for option in one.options]):
        yield Hit("option-twice", ("options", place))
    if one.min is not None and one.max is not None and one.min > one.max:
        yield Hit("bounds-reversed", ("min",))
    for bound, types in _FITS.items():
        value = getattr(one, bound)
        if value is not None and value is not False and one.type not in types:
            yield Hit("bound-does-not-fit", (bound,), {"bound": bound, "type": one.type})


def _guide(item: ServiceItem, catalogue: Catalogue) -> Iterator[Hit]:
    yield from _events(item.events, catalogue)
    if not item.events:
        yield Hit("no-events", ("events",))
    if item.type == "行政许可" and len(item.steps) < _PERMIT_STEPS:
        yield Hit("permit-steps", ("steps",))
    if item.type == "行政许可" and not item.faq:
        yield Hit("permit-faq", ("faq",))


def _events(names: tuple[str, ...], catalogue: Catalogue) -> Iterator[Hit]:
    for place, name in enumerate(names):
        if name not in catalogue.events:
            yield Hit("event-unknown", ("events", place), {"name": name})


def _origin(thing: ServiceItem | Bundle, what: str, what_en: str) -> Iterator[Hit]:
    if thing.basis.kind == "belief":
        yield Hit("basis-belief", ("basis", "kind"))
    if thing.basis.added == "belief":
        yield Hit("added-belief", ("basis", "added"), {"what": what, "what_en": what_en})


def _order(bundle: Bundle) -> Iterator[Hit]:
    listed = {*bundle.items, *bundle.optional}
    seen: set[str] = set()
    for stage, codes in enumerate(bundle.order):
        for place, code in enumerate(codes):
            if code not in listed:
                yield Hit("order-foreign", ("order", stage, place), {"code": code})
            if code in seen:
                yield Hit("order-twice", ("order", stage, place), {"code": code})
            seen.add(code)
    for code in bundle.items:
        if code not in seen:
            yield Hit("order-incomplete", ("order",), {"code": code})


def _bundle_against_items(bundle: Bundle, catalogue: Catalogue) -> Iterator[Hit]:
    items = {code: catalogue.items[code] for code in (*bundle.items, *bundle.optional) if code in catalogue.items}
    for code, item in items.items():
        if item.department not in bundle.departments:
            yield Hit("bundle-department", ("departments",), {"item": code, "code": item.department})
    needed = sum(
        max((items[code].promised.days for code in stage if code in items and code in bundle.items), default=0) for stage in bundle.order
    )
    if needed > bundle.promised.days:
        yield Hit("bundle-promise", ("promised",), {"days": needed, "promised": bundle.promised.days})


def _unknown(rule: str, key: Key, codes: tuple[str, ...], known: Mapping[str, object]) -> Iterator[Hit]:
    for place, code in enumerate(codes):
        if code not in known:
            yield Hit(rule, (*key, place), {"code": code})


def _repeated(names: list[str]) -> list[int]:
    """The places of names that came before."""
    seen: Counter[str] = Counter()
    places = []
    for place, name in enumerate(names):
        if seen[name]:
            places.append(place)
        seen[name] += 1
    return places


def _bare(name: str) -> str:
    """A name without what is added in brackets."""
    return _BRACKETS.sub("", name)


CHECKS: dict[type, Callable[[Any, Catalogue], Iterator[Hit]]] = {
    ServiceItem: check_item,
    Department: check_department,
    CertificateType: check_certificate,
    Bundle: check_bundle,
}
