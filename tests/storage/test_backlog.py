"""What waits for each department is counted by how far it has come."""

from __future__ import annotations

import datetime as dt

from storage import backlog
from storage.backlog import Backlog
from storage.database import Database
from tests.support.exchange import NOW, add_case, add_resident, command, send

LATER = NOW + dt.timedelta(minutes=5)


async def test_messages_are_counted_as_unsent_then_unconfirmed_and_then_no_more(database: Database):
    case = await add_case(database, await add_resident(database), "1302081082026112400001K")
    sent, confirmed, _, _ = await send(database, *(command(case, "1302081082026112400001K") for _ in range(3)), command(case, "1", "GA"))
    await database.execute("UPDATE outbox SET sent_at = $1 WHERE id = $2", NOW, sent)
    await database.execute("UPDATE outbox SET sent_at = $1, confirmed_at = $2 WHERE id = $3", NOW, LATER, confirmed)

    assert await backlog.read(database) == {"MZ": Backlog(1, 1, LATER), "GA": Backlog(1, 0, None)}
