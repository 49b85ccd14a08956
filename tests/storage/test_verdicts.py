"""Why a message was set aside is told until an officer has replayed it."""

from __future__ import annotations

from storage import inbox, verdicts
from storage.database import Database
from tests.support.exchange import NOW


async def put(database: Database, message_id: str, department: str = "MZ") -> None:
    await inbox.set_aside(
        database, department=department, kind="poison", message_id=message_id, reason=f"因 {message_id}", body=b"", now=NOW
    )


async def test_reasons_are_found_by_department_and_id(database: Database) -> None:
    await put(database, "a")
    await put(database, "b")
    await put(database, "c", "GA")
    assert await verdicts.reasons(database, "MZ", ["a", "a", "c", "d"]) == {"a": "因 a"}
    assert await verdicts.reasons(database, "MZ", []) == {}


async def test_what_was_replayed_is_no_longer_set_aside_and_what_was_skipped_is(database: Database) -> None:
    for message_id, how in (("a", "replayed"), ("b", "skipped")):
        await put(database, message_id)
        await database.execute("UPDATE set_aside SET settled_at = $1, settled_how = $2 WHERE message_id = $3", NOW, how, message_id)
    assert await verdicts.reasons(database, "MZ", ["a", "b"]) == {"b": "因 b"}
