"""An officer's decision lets a parked line go on: everything again in order, or without the one message that cannot work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backoffice import setaside
from backoffice.inbox import Inbox
from storage import inbox as rows
from storage.streams import Entry

MakeInbox = Callable[..., Inbox]


@pytest.fixture
async def parked(town: Any, make_inbox: MakeInbox, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    """An inbox whose first case line is parked at message 1, with message 2 behind it."""
    monkeypatch.setattr("backoffice.inbox.jitter", lambda *_: 0.0)
    town.ledger.failing[town.first, 1] = [KeyError("lasting")]
    inbox = make_inbox()
    for _ in range(3):
        inbox.begin_again()
        await inbox.take([Entry("1-1", town.answer(town.first, 1)), Entry("1-2", town.answer(town.first, 2))])
    assert len(await town.set_aside()) == 2
    return inbox


async def retry(town: Any) -> int:
    return await setaside.retry(town.database, town.clock, town.ledger.record, "MZ", town.first, by="admin")


async def test_a_parked_line_tried_again_takes_effect_in_order_and_goes_on(town: Any, parked: Inbox) -> None:
    town.ledger.failing.clear()
    assert await retry(town) == 2
    assert await town.set_aside() == []
    await parked.take([Entry("1-3", town.answer(town.first, 3))])
    assert await town.effects() == {town.first: [1, 2, 3]}
    assert await retry(town) == 0


async def test_while_it_still_fails_nothing_changes_and_the_message_is_named(town: Any, parked: Inbox) -> None:
    (first, _) = await rows.set_aside_of(town.database, "MZ")
    with pytest.raises(setaside.StillFails, match=f"{first['id']}: KeyError"):
        await retry(town)
    assert len(await town.set_aside()) == 2
    assert (await rows.lines(town.database, "MZ", [town.first]))[town.first].is_parked


async def test_the_rest_takes_effect_after_the_one_that_cannot_is_skipped(town: Any, parked: Inbox) -> None:
    (first, _) = await rows.set_aside_of(town.database, "MZ")
    assert await setaside.skip(town.database, town.clock, first["id"], by="admin")
    assert not await setaside.skip(town.database, town.clock, first["id"], by="admin")
    assert (await rows.lines(town.database, "MZ", [town.first]))[town.first].is_parked
    assert await retry(town) == 1
    assert await town.effects() == {town.first: [2]}
    settled = await town.database.rows("SELECT settled_how, settled_by FROM set_aside ORDER BY sequence")
    assert [(row["settled_how"], row["settled_by"]) for row in settled] == [("skipped", "admin"), ("replayed", "admin")]


async def test_what_was_read_before_the_line_went_on_is_not_set_aside_behind_it(town: Any, parked: Inbox) -> None:
    town.ledger.failing.clear()
    stale = await rows.lines(town.database, "MZ", [town.first])
    await retry(town)
    with pytest.raises(rows.Overtaken):
        await parked._commit([parked._message(Entry("1-3", town.answer(town.first, 3)))], stale)
    assert await town.set_aside() == []
