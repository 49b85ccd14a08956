"""An officer's decision lets a parked line go on: everything again in order, or without the one message that cannot work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backoffice import setaside
from backoffice.inbox import Inbox
from backoffice.setaside import Decision
from handlers.access import Officer
from handlers.errors import Refused
from storage import audit
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


ADMIN = Decision("admin", "系统已修复")


async def replay(town: Any, set_aside_id: str) -> int:
    return await setaside.replay(town.database, town.clock, town.ledger.record, set_aside_id, ADMIN, sealer=town.sealer)


async def waiting(town: Any) -> list[str]:
    return [row["id"] for row in await setaside.waiting(town.database, ["MZ"], None, 10)]


async def test_a_parked_line_tried_again_takes_effect_in_order_and_goes_on(town: Any, parked: Inbox) -> None:
    town.ledger.failing.clear()
    first, _ = await waiting(town)
    assert await replay(town, first) == 2
    assert await town.set_aside() == []
    await parked.take([Entry("1-3", town.answer(town.first, 3))])
    assert await town.effects() == {town.first: [1, 2, 3]}
    with pytest.raises(Refused, match="not_found"):
        await replay(town, first)


async def test_while_it_still_fails_nothing_changes_and_the_message_is_named(town: Any, parked: Inbox) -> None:
    first, _ = await waiting(town)
    with pytest.raises(setaside.StillFails, match=f"{first}: KeyError"):
        await replay(town, first)
    assert len(await town.set_aside()) == 2
    assert (await rows.lines(town.database, "MZ", [town.first]))[town.first].is_parked


async def test_the_rest_takes_effect_after_the_one_that_cannot_is_skipped(town: Any, parked: Inbox) -> None:
    first, second = await waiting(town)
    await setaside.skip(town.database, town.clock, first, ADMIN)
    with pytest.raises(Refused, match="not_found"):
        await setaside.skip(town.database, town.clock, first, ADMIN)
    assert (await rows.lines(town.database, "MZ", [town.first]))[town.first].is_parked
    assert await replay(town, second) == 1
    assert await town.effects() == {town.first: [2]}
    settled = await town.database.rows("SELECT settled_how, settled_by FROM set_aside ORDER BY sequence")
    assert [(row["settled_how"], row["settled_by"]) for row in settled] == [("skipped", "admin"), ("replayed", "admin")]


async def test_what_a_department_said_lies_sealed_and_is_shown_in_the_clear(town: Any, parked: Inbox) -> None:
    first, _ = await waiting(town)
    (kept,) = await town.database.rows("SELECT body FROM set_aside WHERE id = $1", first)
    shown = await setaside.show(town.database, town.clock, ["MZ"], first, by="officer-1", sealer=town.sealer)
    assert shown["body"] == town.answer(town.first, 1)
    assert b"task.progressed" not in bytes(kept["body"])


async def test_every_decision_and_every_look_is_in_the_record(town: Any, parked: Inbox) -> None:
    first, second = await waiting(town)
    await setaside.show(town.database, town.clock, ["MZ"], first, by="officer-1")
    await setaside.skip(town.database, town.clock, first, ADMIN)
    town.ledger.failing.clear()
    await replay(town, second)
    acts = {(row["action"], row["actor_id"]) for one in (first, second) for row in await audit.of_object(town.database, "message", one)}
    assert acts == {("message.seen", "officer-1"), ("message.skipped", "admin"), ("message.replayed", "admin")}


async def test_one_that_was_refused_alone_takes_effect_alone_and_the_line_keeps_its_number(town: Any, make_inbox: MakeInbox) -> None:
    town.ledger.failing[town.first, 1] = [Refused("wrong_state", {"state": "已办结", "possible": "查看进度"})]
    await make_inbox().take([Entry(f"1-{n}", town.answer(town.first, n)) for n in (1, 2)])
    town.ledger.failing.clear()
    (refused,) = await waiting(town)
    assert await replay(town, refused) == 1
    assert await town.effects() == {town.first: [2, 1]}
    assert (await rows.lines(town.database, "MZ", [town.first]))[town.first].received == 2


async def test_what_could_not_be_read_takes_its_place_in_the_line_once_it_can(town: Any, make_inbox: MakeInbox) -> None:
    unknown = town.answer(town.first, 1, type="cn.gov.town.task.invented.v1")
    await make_inbox().take([Entry("1-1", unknown)])
    (poison,) = await waiting(town)
    with pytest.raises(setaside.StillFails, match=r"task\.invented"):
        await replay(town, poison)
    body = town.answer(town.first, 1)
    await town.database.execute("UPDATE set_aside SET body = $1 WHERE id = $2", body, poison)  # as a newer version would read it
    assert await replay(town, poison) == 1
    assert await make_inbox().take([Entry("1-2", body), Entry("1-3", town.answer(town.first, 2))]) == ["1-2", "1-3"]
    assert await town.effects() == {town.first: [1, 2]}


async def test_an_officer_settles_his_own_departments_messages_only(town: Any, parked: Inbox) -> None:
    codes = ["MZ", "GA"]
    assert setaside.departments_of(Officer("1", "officer", "MZ", "", "130208108"), codes) == ["MZ"]
    assert setaside.departments_of(Officer("1", "administrator", "", "", "130208108"), codes) == codes
    with pytest.raises(Refused, match="forbidden"):
        setaside.departments_of(Officer("1", "clerk", "", "大厅", "130208108"), codes)
    (first, _) = await waiting(town)
    with pytest.raises(Refused, match="not_found"):
        await setaside.show(town.database, town.clock, ["GA"], first, by="officer-2")
    assert await setaside.waiting(town.database, [], None, 10) == []


async def test_what_was_read_before_the_line_went_on_is_not_set_aside_behind_it(town: Any, parked: Inbox) -> None:
    town.ledger.failing.clear()
    stale = await rows.lines(town.database, "MZ", [town.first])
    await replay(town, (await waiting(town))[0])
    with pytest.raises(rows.Overtaken):
        await parked._commit([parked._message(Entry("1-3", town.answer(town.first, 3)))], stale)
    assert await town.set_aside() == []


async def test_one_whose_id_was_used_before_takes_effect_once_when_an_officer_says_so(town: Any, make_inbox: MakeInbox) -> None:
    both = [Entry(f"1-{n}", town.answer(town.first, n, id="same")) for n in (1, 2)]
    await make_inbox().take(both)
    (message,) = await waiting(town)

    assert await replay(town, message) == 1
    await make_inbox().take(both)  # sent again all the same

    assert await town.effects() == {town.first: [1, 2]}
    assert await waiting(town) == []


async def test_what_could_not_be_read_is_settled_in_one_act_and_what_was_read_waits(town: Any, make_inbox: MakeInbox) -> None:
    town.ledger.failing[town.first, 1] = [Refused("result_unknown")]
    await make_inbox().take([Entry("1-1", town.answer(town.first, 1)), *(Entry(f"2-{n}", b"rubbish %d" % n) for n in range(5))])

    assert await setaside.skip_unread(town.database, town.clock, "GA", ADMIN) == 0
    assert await setaside.skip_unread(town.database, town.clock, "MZ", ADMIN) == 5

    assert [(kind, sequence) for kind, _, sequence, _ in await town.set_aside()] == [("poison", 1)]
    record = await audit.of_object(town.database, "department", "MZ")
    assert [(row["action"], row["actor_id"]) for row in record] == [("message.skipped_unread", "admin")]


async def test_rubbish_beyond_a_bound_is_kept_by_its_beginning(town: Any, make_inbox: MakeInbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backoffice.inbox._FLOOD", 2)
    await make_inbox().take([Entry(f"1-{n}", b"%d" % n * 5000) for n in range(4)])
    found = await town.database.rows("SELECT message_id, body FROM set_aside ORDER BY id")
    sizes = [len(rows.unsealed(bytes(row["body"]), town.sealer, "MZ", row["message_id"])) for row in found]
    assert sizes == [5000, 5000, 1000, 1000]
