"""What every act of the office needs, as one plain value that is passed on explicitly."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.catalogue import Catalogue
from handlers.keys import Keys
from handlers.limits import Counting
from handlers.media import Laundry
from handlers.workdays import WorkCalendar
from storage.bell import Bell
from storage.blocks import Blocks
from storage.clock import Clock
from storage.database import Database
from storage.files import FileStore
from storage.fleeting import Fleeting


@dataclass(frozen=True, slots=True)
class Office:
    """Stores, clock, published catalogue, calendar and keys of one town; `counting` is how its time limits run (docs/decisions/0009)."""

    database: Database
    bell: Bell
    clock: Clock
    catalogue: Catalogue
    calendar: WorkCalendar
    keys: Keys
    files: FileStore
    laundry: Laundry
    fleeting: Fleeting
    numbers: Blocks
    division: str
    town: str
    hotline: str
    public_base: str
    upload_limit: int = 20 * 1024 * 1024
    counting: Counting = "date"
