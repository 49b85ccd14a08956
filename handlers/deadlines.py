"""What the law says happens by itself when nobody acts in time: acceptance by silence, and the lapse of a correction."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable

from handlers import corrections, procedure
from handlers.casefile import CaseFile, opened
from handlers.errors import Refused
from handlers.guards import SILENCE_DAYS
from handlers.limits import DAY, local_date, midnight
from handlers.office import Office
from handlers.workdays import WorkCalendar
from storage import cases
from storage.errors import Conflict

log = logging.getLogger(__name__)

BATCH = 100


async def sweep(office: Office) -> int:
    """One round; how many cases moved. A case that somebody answers at the same moment stays with him."""
    today = local_date(office.clock.now())
    silent = await cases.unanswered(office.database, _received_before(office), BATCH)
    late = await cases.uncorrected(office.database, today, BATCH)
    return await _each(office, silent, procedure.accept_by_silence) + await _each(office, late, corrections.lapse)


def _received_before(office: Office) -> dt.datetime:
    """What came in before this moment has waited more than the working days of the law."""
    day = local_date(office.clock.now())
    while not _is_over(office.calendar, day, office):
        day -= DAY
    return midnight(day + DAY)


def _is_over(calendar: WorkCalendar, received: dt.date, office: Office) -> bool:
    return calendar.add_workdays(received, SILENCE_DAYS).day < local_date(office.clock.now())


async def _each(office: Office, case_ids: Iterable[str], act: Callable[[CaseFile], None]) -> int:
    moved = 0
    for case_id in case_ids:
        try:
            async with opened(office, case_id) as file:
                act(file)
            moved += 1
        except (Refused, Conflict) as error:
            log.info("a deadline of case %s was met in time: %s", case_id, error)
    return moved
