from __future__ import annotations

import string
from typing import Any

import msgspec
import pytest

from handlers.catalogue import (
    Basis,
    CertificateType,
    Extension,
    FormField,
    Limit,
    MaterialRule,
    Option,
    Part,
    Question,
    ServiceItem,
    Step,
)
from handlers.publication import CHECKS, check_bundle, check_certificate, check_department, check_item
from handlers.publication_rules import RULES
from mobile_api.tables import Inspection
from tests.support.offers import COLOURS, FIELDS, TOWN_TABLES, a_bundle, a_catalogue, a_department, an_item, an_item_asking

CERTIFICATES = [
    CertificateType(code="ID_CARD", name="居民身份证", issuer="AA", holder="person", validity="长期"),
    CertificateType(code="LICENCE", name="经营许可证", issuer="BB", holder="org", validity="5年"),
]
AA_02 = an_item("AA-02")
CATALOGUE = a_catalogue(an_item(), AA_02, certificates=CERTIFICATES)
UPLOAD = MaterialRule(code="proof", name="证明", required=True, source="upload")
BRIEF = Part(department="BB", action="审", days=1)


def places(hits: Any) -> list[tuple[str, str]]:
    return [(hit.rule, ".".join(map(str, hit.key))) for hit in hits]


def of_item(item: ServiceItem) -> list[tuple[str, str]]:
    return places(check_item(item, CATALOGUE))


def question(**changes: Any) -> ServiceItem:
    return an_item_asking(*FIELDS, FormField(**{"name": "x", "label": "问题", "type": "text", **changes}))


def with_material(**changes: Any) -> ServiceItem:
    return an_item(materials=(msgspec.structs.replace(UPLOAD, **changes),), tolerance=bool(changes.get("tolerable")))


def test_nothing_is_said_about_what_is_correct():
    assert of_item(an_item()) == []
    assert places(check_department(a_department(), CATALOGUE)) == []
    assert places(check_certificate(CERTIFICATES[0], CATALOGUE)) == []
    assert places(check_bundle(a_bundle(), CATALOGUE)) == []


@pytest.mark.parametrize(
    ("item", "rule", "key"),
    [
        (an_item(promised=Limit(days=21)), "promised-over-legal", "promised"),
        (an_item(legal=Limit(days=15, unit="natural")), "promised-may-outlast-legal", "promised"),
        (an_item(handling="即办件"), "immediate-means-zero", "handling"),
        (an_item(promised=Limit(days=0)), "immediate-means-zero", "handling"),
        (an_item(extension=Extension(to=20, approver="领导")), "extension-too-short", "extension"),
        (an_item(parts=(Part(department="BB", action="审", days=11),)), "parts-over-promised", "parts"),
        (an_item(parts=tuple(Part(department="BB", action="审", days=6, mode="serial") for _ in "12")), "parts-over-promised", "parts"),
        (an_item(handling="即办件", promised=Limit(days=0), parts=(BRIEF,)), "immediate-waits", "parts"),
        (an_item(visits=1), "visit-needs-reason", "visits"),
        (an_item(visit_reason="核验"), "reason-without-visit", "visit_reason"),
        (an_item(online=False), "no-way-in", "online"),
        (an_item(fee="20元"), "fee-needs-basis", "fee"),
        (an_item(fee_basis="文件"), "basis-without-fee", "fee_basis"),
        (an_item(accept_level="county"), "levels-reversed", "decide_level"),
        (an_item(handling="上报件"), "forwarded-is-decided-above", "decide_level"),
        (an_item(certificate_type="GHOST"), "certificate-unknown", "certificate_type"),
        (an_item(certificate_type="ID_CARD", result="奖状"), "result-name", "certificate_type"),
        (an_item(result="经营许可证"), "result-is-certificate", "result"),
        (an_item(result="经营许可证", certificate_type="LICENCE", audience=("org",)), "result-issuer", "certificate_type"),
        (an_item(result="许可证", certificate_type="LICENCE", department="BB"), "result-holder", "certificate_type"),
        (an_item(department="ZZ"), "department-unknown", "department"),
        (an_item(parts=(Part(department="ZZ", action="审", days=1),)), "department-unknown", "parts.0.department"),
        (an_item(parts=(Part(department="AA", action="审", days=1),)), "part-of-lead", "parts.0.department"),
        (an_item(materials=()), "no-materials", ""),
        (an_item(materials=(UPLOAD, UPLOAD)), "material-twice", "materials.1.code"),
        (with_material(certificate_type="GHOST"), "certificate-unknown", "materials.0.certificate_type"),
        (with_material(source="form", certificate_type="ID_CARD"), "form-material-certificate", "materials.0.certificate_type"),
        (with_material(name="消防图", tolerable=True), "tolerable-safety", "materials.0.tolerable"),
        (an_item(tolerance=True), "tolerance-flag", "tolerance"),
        (with_material(commitment=True), "commitment-flag", "commitment"),
        (an_item(commitment=True), "commitment-flag", "commitment"),
        (an_item_asking(*FIELDS[1:]), "identity-fields", "form"),
        (an_item_asking(*FIELDS[:2]), "identity-fields", "form"),
        (an_item_asking(FIELDS[0], FIELDS[2]), "identity-fields", "form"),
        (an_item_asking(*FIELDS, FIELDS[0]), "field-twice", "form.fields.3.name"),
        (question(name="Größe"), "field-name", "form.fields.3.name"),
        (question(type="select"), "select-needs-options", "form.fields.3.type"),
        (question(options=COLOURS), "options-need-select", "form.fields.3.options"),
        (question(type="select", options=(*COLOURS, Option(value="red", label="赤"))), "option-twice", "form.fields.3.options.2"),
        (question(type="integer", min=2, max=1), "bounds-reversed", "form.fields.3.min"),
        (question(type="text", min=0), "bound-does-not-fit", "form.fields.3.min"),
        (question(type="integer", max_length=5), "bound-does-not-fit", "form.fields.3.max_length"),
        (question(type="text", when="past"), "bound-does-not-fit", "form.fields.3.when"),
        (question(type="text", must=True), "bound-does-not-fit", "form.fields.3.must"),
        (an_item(events=("飞升",)), "event-unknown", "events.0"),
        (an_item(events=()), "no-events", "events"),
        (an_item(type="行政许可", faq=(Question(question="问", answer="答"),)), "permit-steps", "steps"),
        (an_item(type="行政许可", steps=(Step(name="受理"),) * 5), "permit-faq", "faq"),
        (an_item(basis=Basis(kind="belief", source="belief")), "basis-belief", "basis.kind"),
        (an_item(basis=Basis(kind="source", source="实施清单", added="belief")), "added-belief", "basis.added"),
    ],
)  # fmt: skip
def test_an_item_that_breaks_a_rule_is_shown_where(item: ServiceItem, rule: str, key: str):
    assert of_item(item) == [(rule, key)]
    for hit in check_item(item, CATALOGUE):
        told = RULES[hit.rule]
        assert all(text.format(**hit.values) for text in (told.text, told.remedy, told.text_en, told.remedy_en))


def test_departments_at_work_together_only_need_the_time_of_the_slowest():
    parts = tuple(Part(department="BB", action="审", days=10) for _ in "123")
    assert of_item(an_item(parts=parts)) == []


def test_a_pledge_on_the_form_needs_no_commitment_flag():
    assert of_item(with_material(source="form", commitment=True)) == []


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"consult_phone": ""}, [("phones-missing", "consult_phone")]),
        ({"complaint_phone": "0315-2000001"}, [("phones-same", "complaint_phone")]),
        ({"consult_phone": "0000-1"}, [("phone-sample", "consult_phone")]),
    ],
)
def test_a_department_needs_two_real_telephone_numbers(changes: dict[str, str], rules: list[tuple[str, str]]):
    assert places(check_department(a_department(**changes), CATALOGUE)) == rules


def test_a_certificate_needs_an_issuer():
    lost = msgspec.structs.replace(CERTIFICATES[0], issuer="ZZ")
    assert places(check_certificate(lost, CATALOGUE)) == [("department-unknown", "issuer")]


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"items": ("AA-01", "XX-01"), "order": (("AA-01", "XX-01"),)}, [("item-unknown", "items.1")]),
        ({"optional": ("XX-01",)}, [("item-unknown", "optional.0")]),
        ({"lead": "ZZ"}, [("department-unknown", "lead")]),
        ({"departments": ("AA", "ZZ")}, [("department-unknown", "departments.1")]),
        ({"departments": ("BB",), "items": ("AA-01",), "order": (("AA-01",),)}, [("bundle-department", "departments")]),
        ({"shared_materials": ("GHOST",)}, [("certificate-unknown", "shared_materials.0")]),
        ({"order": (("AA-01",),)}, [("order-incomplete", "order")]),
        ({"order": (("AA-01", "AA-02"), ("BB-01",))}, [("order-foreign", "order.1.0")]),
        ({"order": (("AA-01",), ("AA-02", "AA-01")), "promised": Limit(days=30)}, [("order-twice", "order.1.1")]),
        ({"promised": Limit(days=19)}, [("bundle-promise", "promised")]),
        ({"events": ("飞升",)}, [("event-unknown", "events.0")]),
        ({"basis": Basis(kind="belief", source="belief")}, [("basis-belief", "basis.kind")]),
    ],
)
def test_a_bundle_that_breaks_a_rule_is_shown_where(changes: dict[str, Any], rules: list[tuple[str, str]]):
    assert places(check_bundle(a_bundle(**changes), CATALOGUE)) == rules


def test_every_text_is_there_in_both_languages_with_the_same_gaps():
    for name, rule in RULES.items():
        assert all((rule.source, rule.text, rule.remedy, rule.text_en, rule.remedy_en)), name
        chinese, english = ({gap.removesuffix("_en") for gap in _gaps(text)} for text in (rule.text, rule.text_en))
        assert chinese == english, name


def test_the_shipped_town_may_be_published():
    inspection = Inspection(TOWN_TABLES)
    assert [f"{one.path}:{one.line} {one.message}" for one in inspection.errors] == []
    assert (len(inspection.catalogue.items), len(inspection.catalogue.bundles), len(inspection.catalogue.departments)) == (69, 6, 21)
    assert len(inspection.catalogue.certificates) == 41
    assert {table.year for table in inspection.years} >= {2025, 2026}


def test_every_kind_of_thing_is_checked():
    assert {kind.__name__ for kind in CHECKS} == {"ServiceItem", "Department", "CertificateType", "Bundle"}


def _gaps(text: str) -> set[str]:
    return {gap for _, gap, _, _ in string.Formatter().parse(text) if gap}
