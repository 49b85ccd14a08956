"""Many rows in one statement arrive as they were given."""

from __future__ import annotations

from storage.database import Database
from storage.rows import flat, places


def test_places_count_on_from_row_to_row():
    assert places([("a", 1), ("b", 2)]) == "($1, $2), ($3, $4)"
    assert flat([("a", 1), ("b", 2)]) == ["a", 1, "b", 2]


async def test_rows_written_together_are_read_one_by_one(database: Database):
    rows = [("first", 1), ("second", 2), ("third", 3)]
    await database.execute(f"INSERT INTO counter (name, value) VALUES {places(rows)}", *flat(rows))
    found = await database.rows("SELECT name, value FROM counter ORDER BY value")
    assert [(row["name"], row["value"]) for row in found] == rows
