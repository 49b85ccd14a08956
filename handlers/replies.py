"""Reply templates: texts that a department's officers use again, with gaps that the case fills."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import msgspec

from handlers.access import Officer, check_officer
from handlers.casecards import applicant_of
from handlers.casefile import open_form
from handlers.errors import Refused
from handlers.limits import local_date
from handlers.office import Office
from handlers.policy import scope_of
from storage import audit, cases, replies
from storage.database import Row, Transaction
from storage.ids import uuid7

Kind = Literal["correction", "not_accept", "refuse", "opinion", "note"]

KINDS = {"correction": "补正告知", "not_accept": "不予受理", "refuse": "不予批准", "opinion": "审查意见", "note": "内部备注"}
GAPS = {"applicant": "申请人（姓名只留姓氏）", "item": "事项名称", "number": "办件编号", "date": "今天的日期"}
"""What may stand in braces in a template, and what fills it."""

_GAP = re.compile(r"\{(\w+)\}")


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text to use again; gaps: {applicant}, {item}, {number}, {date}."""

    kind: Kind
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class TemplateView(msgspec.Struct, frozen=True):
    """A template of a department."""

    id: str
    department: str
    kind: str
    kind_name: str
    title: str
    text: str
    changed_at: dt.datetime


Settle = Callable[[Transaction, TemplateView], Awaitable[None]]


async def listing(office: Office, officer: Officer, kind: str = "") -> list[TemplateView]:
    """The templates of the officer's department."""
    _may(officer)
    return [_view(row) for row in await replies.of_department(office.database, officer.department, kind)]


async def add(office: Office, officer: Officer, template: Template, settle: Settle | None = None) -> TemplateView:
    """A new template for one's department; `settle` keeps the answer with it."""
    _may(officer)
    _check(template)
    row = _row(office, officer, uuid7(), template)
    async with office.database.transaction() as tx:
        if not await replies.insert(tx, row):
            raise Refused("templates_full", {"most": replies.MOST})
        await _record(office, tx, officer, "template.added", row["id"])
        if settle is not None:
            await settle(tx, _view(row))
    return _view(row)


async def change(office: Office, officer: Officer, template_id: str, template: Template) -> TemplateView:
    """Change a template of one's department."""
    _may(officer)
    _check(template)
    new = _row(office, officer, template_id, template)
    async with office.database.transaction() as tx:
        if not await replies.change(tx, new):
            raise Refused("not_found")
        await _record(office, tx, officer, "template.changed", template_id)
    return _view(new)


async def retire(office: Office, officer: Officer, template_id: str) -> None:
    """Take a template out of use."""
    _may(officer)
    async with office.database.transaction() as tx:
        if not await replies.retire(tx, template_id, officer.department, officer.id, office.clock.now()):
            raise Refused("not_found")
        await _record(office, tx, officer, "template.retired", template_id)


async def for_case(office: Office, officer: Officer, case_id: str) -> list[TemplateView]:
    """The templates for a case, with its gaps filled: those of the officer's department, or of the lead one at the counter."""
    row = await cases.by_id(office.database, case_id)
    if row is None:
        raise Refused("not_found")
    check_officer(
        officer, "see_case", row, {row["department"], *(task["department"] for task in await cases.tasks(office.database, case_id))}
    )
    found = await replies.of_department(office.database, officer.department or row["department"])
    facts = _facts(office, row)
    return [_view({**one, "text": fill(one["text"], facts)}) for one in found]


def fill(text: str, facts: dict[str, str]) -> str:
    """A template's text with its gaps filled; what is no gap stays as it is."""
    return _GAP.sub(lambda gap: facts.get(gap[1], gap[0]), text)


def _facts(office: Office, row: Row) -> dict[str, str]:
    item = office.catalogue.items.get(row["item_code"])
    today = local_date(office.clock.now())
    return {
        "applicant": applicant_of(open_form(office, row)) or "申请人", "item": item.name if item else row["item_code"],
        "number": row["number"], "date": f"{today.year}年{today.month}月{today.day}日",
    }  # fmt: skip


def _check(template: Template) -> None:
    """Refused at saving, not when an applicant reads it."""
    if not template.title.strip() or not template.text.strip():
        raise Refused("template_empty")
    strange = [name for name in _GAP.findall(template.text) if name not in GAPS]
    if strange or "{" in _GAP.sub("", template.text) or "}" in _GAP.sub("", template.text):
        raise Refused("placeholder_unknown", {"known": "、".join(f"{{{name}}}" for name in GAPS)})


def _row(office: Office, officer: Officer, template_id: str, template: Template) -> Row:
    return {
        "id": template_id, "department": officer.department, "kind": template.kind, "title": template.title.strip(),
        "text": template.text.strip(), "changed_by": officer.id, "changed_at": office.clock.now(),
    }  # fmt: skip


def _may(officer: Officer) -> None:
    if scope_of(officer.role, "write_template") == "none" or not officer.department:
        raise Refused("forbidden")


def _view(row: Row) -> TemplateView:
    return TemplateView(row["id"], row["department"], row["kind"], KINDS[row["kind"]], row["title"], row["text"], row["changed_at"])


async def _record(office: Office, tx: Transaction, officer: Officer, action: str, template_id: str) -> None:
    await audit.record(
        tx, at=office.clock.now(), actor_kind="staff", actor_id=officer.id, action=action,
        object_kind="reply_template", object_id=template_id, outcome="done", data={"department": officer.department},
    )  # fmt: skip
