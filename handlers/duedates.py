"""Both due dates of a case, counted from its row and its card; every other place asks here, so there is one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers import clocks, guards, partdates
from handlers.cards import Card
from handlers.catalogue import ServiceItem
from handlers.office import Office
from storage.database import Row

if TYPE_CHECKING:
    from handlers.casefile import CaseFile


def limits(item: ServiceItem, card: Card) -> tuple[clocks.Days, clocks.Days]:
    """The promised and the legal limit of a case with what was granted on top (行政许可法 art. 42)."""
    legal = sum(one.days for one in card.extensions)
    promised = sum(one.days for one in card.extensions if one.promise)
    return clocks.Days(item.promised.days + promised, item.promised.unit), clocks.Days(item.legal.days + legal, item.legal.unit)


def pauses(card: Card) -> list[clocks.Suspension]:
    """The times in which the clocks of a case stand still."""
    return [clocks.Suspension(pause.start, pause.end, pause.name) for pause in card.pauses]


def due_dates(row: Row, card: Card, item: ServiceItem, office: Office) -> tuple[clocks.DueDate, clocks.DueDate]:
    """Promised and legal due date of an accepted case, with their explanation."""
    stops = pauses(card)
    promised, legal = (
        clocks.due_date(row["accepted_at"], limit, stops, office.calendar, clocks.counting_of(limit, office.counting))
        for limit in limits(item, card)
    )
    return promised, legal


def set_due_dates(file: CaseFile) -> None:
    """Both clocks and those of the parts, counted anew; while a special procedure lasts the dates stay as they were (decision 15)."""
    promised, legal = due_dates(file.row, file.card, file.item, file.office)
    if promised.due_on is not None and legal.due_on is not None:
        _set(file, promised, legal)
    partdates.follow(file)


def _set(file: CaseFile, promised: clocks.DueDate, legal: clocks.DueDate) -> None:
    first = clocks.earliest(promised, legal)
    file.row.update(promised_on=first.due_on, legal_on=legal.due_on, is_provisional=first.provisional or legal.provisional)
    for task in file.tasks:
        if task["step"] == "decide" and task["state"] in guards.LIVE and first.due_on is not None:
            partdates.move(file, task, first.due_on)
