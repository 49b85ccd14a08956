"""What people see of supervision: a card with its explanation line by line, and what will be late in the next days."""

from __future__ import annotations

import datetime as dt

import msgspec

from handlers import clocks, explanations, supervision
from handlers.access import Officer
from handlers.caseviews import DepartmentRef, department_ref
from handlers.errors import Refused
from handlers.limits import DAY, HOUR, LOCAL, Hours, local_date, midnight
from handlers.office import Office
from handlers.policy import scope_of
from handlers.supervision_cards import APPEAL_RESULTS, STATE_NAMES, open_acts
from handlers.supervision_clocks import Watched
from handlers.supervision_objects import Facts
from handlers.supervision_rules import KIND_NAMES, LEVEL_NAMES
from storage import supervision as rows
from storage.database import Row

LONGEST_OUTLOOK = 200


class CardItem(msgspec.Struct, frozen=True):
    """A card in a list. `rule_version` 0 = given by hand."""

    id: str
    level: str
    level_name: str
    state: str
    state_name: str
    kind: str
    kind_name: str
    case_id: str | None
    item_name: str
    department: DepartmentRef
    text: str
    rule: str
    rule_version: int
    earned_at: dt.datetime
    issued_at: dt.datetime | None
    feedback_due_on: dt.date | None
    feedback_at: dt.datetime | None
    feedback_late: bool
    appealed_at: dt.datetime | None
    appeal_result: str | None


class ExplanationLine(msgspec.Struct, frozen=True):
    """One line of why a card was earned."""

    on: dt.date
    text: str
    text_en: str


class CardDetail(msgspec.Struct, frozen=True):
    """A card, whole: `recipients` are the roles it is told to, `acts` what the reader may do with it now."""

    card: CardItem
    basis: str
    recipients: tuple[str, ...]
    explanation: tuple[ExplanationLine, ...]
    feedback: str | None
    appeal: str | None
    appeal_result_name: str
    reason: str | None
    settled_at: dt.datetime | None
    acts: tuple[str, ...]


class Ahead(msgspec.Struct, frozen=True):
    """A card that will be earned if nothing is done: when, at which level, on which case."""

    at: dt.datetime
    level: str
    level_name: str
    kind: str
    kind_name: str
    case_id: str
    case_number: str
    item_name: str
    department: DepartmentRef
    step: str


def item(office: Office, row: Row) -> CardItem:
    """A card row in a list."""
    offered = office.catalogue.items.get(row["item_code"] or "")
    return CardItem(
        id=row["id"], level=row["level"], level_name=LEVEL_NAMES[row["level"]], state=row["state"], state_name=STATE_NAMES[row["state"]],
        kind=row["object_kind"], kind_name=KIND_NAMES[row["object_kind"]], case_id=row["case_id"],
        item_name=offered.name if offered else row["item_code"] or "", department=department_ref(office, row["department"]),
        text=row["text"], rule=row["rule"], rule_version=row["rule_version"], earned_at=row["earned_at"], issued_at=row["issued_at"],
        feedback_due_on=row["feedback_due_on"], feedback_at=row["feedback_at"], feedback_late=_late(office, row),
        appealed_at=row["appealed_at"], appeal_result=row["appeal_result"],
    )  # fmt: skip


async def detail(office: Office, officer: Officer, row: Row) -> CardDetail:
    """A card row, whole."""
    return CardDetail(
        card=item(office, row),
        basis=office.supervision.basis(row["rule"]),
        recipients=office.supervision.recipients.of(row["level"]),
        explanation=await _explain(office, row),
        feedback=row["feedback"],
        appeal=row["appeal"],
        appeal_result_name=APPEAL_RESULTS.get(row["appeal_result"] or "", ""),
        reason=row["reason"],
        settled_at=row["settled_at"],
        acts=tuple(open_acts(officer, row)),
    )


async def outlook(office: Office, officer: Officer, days: int) -> list[Ahead]:
    """What will earn a card up to the close of the `days`-th working day from today, the soonest first."""
    scope = scope_of(officer.role, "see_card")
    if scope == "none":
        raise Refused("forbidden")
    now = office.clock.now()
    to = midnight(office.calendar.add_workdays(local_date(now), days).day + DAY)
    department = officer.department if scope == "department" else None
    found = await rows.ahead(office.database, now, to, officer.area, department, LONGEST_OUTLOOK)
    if not found:
        return []
    facts = await supervision.load(office, office.database, sorted({row["case_id"] for row in found}))
    ahead = (_ahead(office, row, facts.get(row["case_id"])) for row in found)
    return [one for one in ahead if one is not None]


def _ahead(office: Office, row: Row, facts: Facts | None) -> Ahead | None:
    one = supervision.watched(office, facts).get((row["object_kind"], row["object_id"])) if facts else None
    if facts is None or one is None or not one.runs:
        return None
    by = supervision.reckoner(office)
    level = next((found.rule.level for found in reversed(by.earned(one, row["look_at"]))), None)
    if level is None:
        return None
    return Ahead(
        row["look_at"], level, LEVEL_NAMES[level], one.kind, KIND_NAMES[one.kind], facts.row["id"], facts.row["number"], facts.item.name,
        department_ref(office, one.department), one.step,
    )  # fmt: skip


async def _explain(office: Office, row: Row) -> tuple[ExplanationLine, ...]:
    """How the days were counted, from the case as it is: its acceptance, holidays, procedures; then the rule that they met."""
    facts = (await supervision.load(office, office.database, [row["case_id"]])).get(row["case_id"]) if row["case_id"] else None
    one = supervision.watched(office, facts).get((row["object_kind"], row["object_id"])) if facts else None
    if one is None or row["rule_version"] == 0:
        return ()
    return (*_counted(office, row, one), _met(row))


def _counted(office: Office, row: Row, one: Watched) -> list[ExplanationLine]:
    rule = next((rule for rule in office.supervision.rules if rule.code == row["rule"]), None)
    if rule is None or row["rule_version"] > len(rule.editions):
        return []
    limit = one.limits[rule.editions[row["rule_version"] - 1].limit]
    if isinstance(limit, Hours):
        return _hours(one, limit)
    pauses = [pause for pause in one.pauses if pause.start < row["earned_at"]]
    due = clocks.due_date(one.start, limit, pauses, office.calendar, supervision.reckoner(office).counting_for(one, limit))
    begun = _BEGUN.get(one.kind)
    lines = [ExplanationLine(step.on, step.text, step.text_en) for step in (*due.steps, *_legal_first(office, one, due, pauses))]
    if begun and lines:
        lines[0] = ExplanationLine(
            lines[0].on, lines[0].text.replace("受理，", f"{begun[0]}，"), lines[0].text_en.replace("Accepted", begun[1])
        )
    return lines


def _hours(one: Watched, limit: Hours) -> list[ExplanationLine]:
    """From the second at which the papers were there to the second at which the hours were full."""
    first, last = (moment.astimezone(LOCAL) for moment in (one.start, one.start + limit.hours * HOUR))
    return [
        ExplanationLine(
            first.date(), f"{_moment(first)}提出急难救助申请，自此刻起计时，时限 {limit.hours} 小时，夜间、节假日都计入。",
            f"Urgent aid asked for {first:%Y-%m-%d %H:%M:%S}; {limit.hours} hours from that second, by night and on holidays too.",
        ),
        ExplanationLine(last.date(), f"{_moment(last)}届满，超过一秒即为超时。", f"Full {last:%Y-%m-%d %H:%M:%S}; one second over counts."),
    ]  # fmt: skip


def _moment(time: dt.datetime) -> str:
    return f"{time.year}年{time.month}月{time.day}日{time:%H:%M:%S}"


def _legal_first(office: Office, one: Watched, due: clocks.DueDate, pauses: list[clocks.Suspension]) -> list[clocks.Step]:
    """How the law's limit was counted, where it ends before the promise."""
    limit = one.limits.get("legal")
    if limit is None or isinstance(limit, Hours):
        return []
    legal = clocks.due_date(one.start, limit, pauses, office.calendar, clocks.counting_of(limit, office.counting))
    if legal.due_on is None or clocks.earliest(due, legal) is due:
        return []
    return [*legal.steps, explanations.legal_first(legal.due_on)]


_BEGUN = {
    "pre_acceptance": ("提交", "Handed in"),
    "step": ("转到本环节", "Step begun"),
    "procedure": ("开始特别程序", "Procedure begun"),
    "certificate": ("作出决定", "Decided"),
    "delivery": ("作出决定", "Decided"),
}
"""How the clocks of objects begin, where it is not by acceptance."""


def _met(row: Row) -> ExplanationLine:
    day, level = local_date(row["earned_at"]), LEVEL_NAMES[row["level"]]
    text = f"{day.year}年{day.month}月{day.day}日达到规则 {row['rule']}（第 {row['rule_version']} 版）：{level}。"
    return ExplanationLine(day, text, f"On {day} the rule {row['rule']} (edition {row['rule_version']}) was met: {row['level']}.")


def _late(office: Office, row: Row) -> bool:
    """Whether the unit's answer came, or is, after its day."""
    if row["feedback_due_on"] is None:
        return False
    due: dt.date = row["feedback_due_on"]
    return local_date(row["feedback_at"] or office.clock.now()) > due
