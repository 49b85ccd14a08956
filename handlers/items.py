"""Publishing the catalogue: every content of an item that was ever on offer keeps its number."""

from __future__ import annotations

import msgspec

from handlers.catalogue import Catalogue, body, digest
from storage import items as versions
from storage.clock import Clock
from storage.database import Database


async def publish(database: Database, clock: Clock, catalogue: Catalogue) -> Catalogue:
    """The same catalogue with every item's version number; contents not seen before become new versions."""
    async with database.transaction() as tx:
        rows = [(item.code, digest(item), body(item)) for item in catalogue.items.values()]
        numbers = await versions.publish(tx, rows, clock.now())
    return Catalogue(
        items=[msgspec.structs.replace(item, version=numbers[item.code]) for item in catalogue.items.values()],
        departments=catalogue.departments.values(),
        certificates=catalogue.certificates.values(),
        bundles=catalogue.bundles.values(),
        events=catalogue.events.values(),
    )
