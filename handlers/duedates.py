"""Both due dates of a case, counted from its row and its card; every other place asks here, so there is one answer."""

from __future__ import annotations

from handlers import clocks
from handlers.cards import Card
from handlers.casefile import CaseFile
from handlers.catalogue import ServiceItem
from handlers.office import Office
from storage.database import Row


def set_due_dates(file: CaseFile) -> None:
    """Both clocks, counted anew; while a special procedure lasts the dates stay as they were (decision 15)."""
    promised, legal = due_dates(file.row, file.card, file.item, file.office)
    if promised.due_on is not None and legal.due_on is not None:
        first = clocks.earliest(promised, legal)
        file.row.update(promised_on=first.due_on, legal_on=legal.due_on, is_provisional=first.provisional or legal.provisional)


def due_dates(row: Row, card: Card, item: ServiceItem, office: Office) -> tuple[clocks.DueDate, clocks.DueDate]:
    """Promised and legal due date of an accepted case, with their explanation."""
    pauses = [clocks.Suspension(pause.start, pause.end, pause.name) for pause in card.pauses]
    promised, legal = (
        clocks.due_date(row["accepted_at"], limit, pauses, office.calendar, clocks.counting_of(limit, office.counting))
        for limit in (item.promised, item.legal)
    )
    return promised, legal
