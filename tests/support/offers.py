"""Small things on offer, correct in every respect until a test changes one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from handlers.catalogue import (
    Basis,
    Bundle,
    Catalogue,
    CertificateType,
    Department,
    Form,
    FormField,
    LifeEvent,
    Limit,
    MaterialRule,
    Option,
    ServiceItem,
    Step,
)

TOWN_TABLES = Path(__file__).parents[2] / "config"

FIELDS = (
    FormField(name="applicant_name", label="姓名", type="text", required=True, max_length=50),
    FormField(name="id_number", label="身份证号", type="id_number", required=True),
    FormField(name="phone", label="电话", type="phone", required=True),
)
COLOURS = (Option(value="red", label="红"), Option(value="green", label="绿"))


def an_item(code: str = "AA-01", name: str = "示例事项", **changes: Any) -> ServiceItem:
    """An item that passes every check."""
    values: dict[str, Any] = {
        "code": code, "name": name, "type": "公共服务", "handling": "承诺件", "department": "AA",
        "accept_level": "town", "decide_level": "town", "audience": ("person",), "events": ("创业",),
        "legal": Limit(days=20), "promised": Limit(days=10), "visits": 0, "online": True, "result": "办理结果",
        "basis": Basis(kind="source", source="实施清单"), "form": Form(fields=FIELDS),
        "materials": (MaterialRule(code="id_card", name="身份证", required=True, source="upload", certificate_type="ID_CARD"),),
        "steps": (Step(name="受理"),),
    }  # fmt: skip
    return ServiceItem(**{**values, **changes})


def an_item_asking(*fields: FormField) -> ServiceItem:
    """An item with these questions alone."""
    return an_item(form=Form(fields=fields))


def a_department(code: str = "AA", **changes: Any) -> Department:
    """A department that passes every check."""
    values: dict[str, Any] = {"name": f"{code}部门", "unit": "示例单位", "consult_phone": "0315-2000001", "complaint_phone": "0315-2000002"}
    return Department(code=code, **{**values, **changes})


def a_bundle(**changes: Any) -> Bundle:
    """A bundle of AA-01 and AA-02, one after the other."""
    values: dict[str, Any] = {
        "code": "YJS-01", "name": "示例一件事", "lead": "AA", "items": ("AA-01", "AA-02"), "departments": ("AA",),
        "promised": Limit(days=20), "order": (("AA-01",), ("AA-02",)), "one_form_fields": ("姓名",), "shared_materials": ("ID_CARD",),
        "basis": Basis(kind="source", source="方案"),
    }  # fmt: skip
    return Bundle(**{**values, **changes})


def a_catalogue(*items: ServiceItem, **more: Any) -> Catalogue:
    """A catalogue of these items, with the departments AA and BB, one certificate and one life event."""
    values: dict[str, Any] = {
        "departments": [a_department(), a_department("BB")],
        "certificates": [CertificateType(code="ID_CARD", name="居民身份证", issuer="AA", holder="person", validity="长期")],
        "events": [LifeEvent(name="创业")],
    }
    return Catalogue(items=items or [an_item()], **{**values, **more})
