"""Counts a due date and explains it line by line, without a case."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import msgspec

from handlers.clocks import Days, DueDate, Step, counting_of, due_date, earliest
from handlers.explanations import legal_first
from handlers.workdays import WorkCalendar
from mobile_api.commands.calendar import BAD_INPUT
from mobile_api.commands.moments import BadInput, add_common_arguments, calendar_of, days

_NO_DATE = {"zh": "计时中止，尚无到期日", "en": "the clock stands still: no date yet"}
_PROVISIONAL = {"zh": "（暂定）", "en": " (provisional)"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    add_common_arguments(parser)
    parser.add_argument("--days", required=True, type=days, metavar="N", help="the limit")
    parser.add_argument("--unit", choices=["working", "natural"], default="working", help="working days (default) or every day")
    parser.add_argument("--legal", type=days, metavar="N", help="a legal limit beside it: the earlier of the two holds")
    parser.add_argument("--legal-unit", choices=["working", "natural"], default="working", help="its days: working (default) or every day")


def run(arguments: argparse.Namespace) -> int:
    """Print the date and its reasons; 2 when something typed cannot be used."""
    try:
        calendar = calendar_of(arguments)
    except BadInput as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    due = _counted(arguments, calendar, Days(arguments.days, arguments.unit))
    steps = due.steps
    if arguments.legal is not None:
        legal = _counted(arguments, calendar, Days(arguments.legal, arguments.legal_unit))
        if legal.due_on is not None and earliest(due, legal) is legal:
            due, steps = legal, (*steps, *legal.steps, legal_first(legal.due_on))
    print(msgspec.json.encode(_values(due, steps)).decode() if arguments.json else _text(due, steps, arguments.lang))
    return 0


def _counted(arguments: argparse.Namespace, calendar: WorkCalendar, limit: Days) -> DueDate:
    return due_date(arguments.accepted, limit, arguments.suspended, calendar, counting_of(limit, arguments.counting))


def _values(due: DueDate, explained: tuple[Step, ...]) -> dict[str, Any]:
    steps = [{"on": step.on, "text": step.text, "text_en": step.text_en} for step in explained]
    return {"due_on": due.due_on, "due_at": due.due_at, "provisional": due.provisional, "days_left": due.left, "steps": steps}


def _text(due: DueDate, steps: tuple[Step, ...], language: str) -> str:
    end = due.due_at.isoformat() if due.due_at else due.due_on.isoformat() if due.due_on else _NO_DATE[language]
    lines = [end + (_PROVISIONAL[language] if due.provisional else "")]
    lines += [f"  {step.on}  {step.text if language == 'zh' else step.text_en}" for step in steps]
    return "\n".join(lines)
