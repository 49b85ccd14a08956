"""What a department confirms, and what it puts among its confirmations by mistake."""

from __future__ import annotations

from typing import Any

import msgspec

from backoffice.confirmations import Confirmations
from backoffice.counts import Counts
from storage import inbox, outbox
from storage.streams import Entry
from tests.support.exchange import NOW, command, send


async def test_an_answer_among_the_confirmations_is_set_aside_once_and_lies_sealed(town: Any) -> None:
    counts = Counts()
    taker = Confirmations(town.database, town.clock, "MZ", counts, town.sealer)
    misplaced = Entry("1-1", town.answer(town.first, 1))
    for _ in range(2):
        assert await taker.take([misplaced]) == ["1-1"]

    [row] = await town.database.rows("SELECT message_id, kind, body FROM set_aside")
    assert row["kind"] == "poison"
    assert misplaced.body not in bytes(row["body"])
    assert inbox.unsealed(bytes(row["body"]), town.sealer, "MZ", row["message_id"]) == misplaced.body
    assert counts.get("poison", "MZ") == 1


async def test_nobody_confirms_what_was_not_sent_or_is_anothers(town: Any) -> None:
    await send(town.database, command(town.first, "2611240001"), command(town.first, "2611240001", "GA"))
    [mine] = await outbox.unsent(town.database, ("MZ", 0), 10)
    taker = Confirmations(town.database, town.clock, "MZ", Counts())
    everything = Entry("1-1", msgspec.json.encode({"case_id": town.first, "sequence": 2**31 - 1}))
    await taker.take([everything])
    assert await town.database.rows("SELECT id FROM outbox WHERE confirmed_at IS NOT NULL") == []

    await town.database.execute("UPDATE outbox SET sent_at = $1", NOW)
    await taker.take([everything])
    assert await town.database.rows("SELECT id FROM outbox WHERE confirmed_at IS NOT NULL") == [{"id": mine.id}]
