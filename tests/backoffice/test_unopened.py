"""A message that does not open holds up its own line and nothing else, by every link; nothing is lost and no order is broken."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice import link_acts, pull
from backoffice.counts import Counts
from backoffice.holding import Holding
from backoffice.outage import Outage
from backoffice.relay import Limits, Relay
from backoffice.unopened import Opening, try_again
from handlers.office import Office
from storage import deliveries, evidence, outbox
from storage.bell import Bell
from storage.database import Database
from storage.outbox import Letter
from storage.redis import RedisStore
from storage.sealing import Sealer
from tests.support import exchange, gatekept, webhooks
from tests.support.exchange import NOW, command, until
from tests.support.office import open_office
from tests.support.partners import linked
from tests.support.town import small_office

__all__ = ["small_office"]

OLD, NEW = bytes(range(32)), bytes(reversed(range(32)))
LANE = ("MZ", 0)
DAMAGED = "消息在本系统中无法解封：保存的内容已损坏或被改动"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12))
def test_of_each_line_goes_what_is_before_its_first_that_does_not_open(written: list[tuple[str, bool]]):
    sealer = Sealer({1: OLD}, 1)
    letters = []
    for n, (case_id, is_whole) in enumerate(written):
        sealed = sealer.seal(b"%d" % n, f"outbox.body:{n if is_whole else 'elsewhere'}")
        letters.append(Letter(str(n), case_id, n, sealed, None, None))
    first_bad: dict[str, int] = {}
    for n, (case_id, is_whole) in enumerate(written):
        if not is_whole:
            first_bad.setdefault(case_id, n)
    opening = Opening(sealer)
    going = [n for n, (case_id, _) in enumerate(written) if n < first_bad.get(case_id, len(written))]
    assert opening.all(letters) == [(letters[n], b"%d" % n) for n in going]
    assert sorted(letter.sequence for letter, _ in opening.closed) == sorted(first_bad.values())
    assert opening.left_out == len(written) - len(going)


@pytest.fixture
def make_relay(town: Any, bell: Bell) -> Callable[..., Relay]:
    """A relay of a process with these keys."""

    def make(sealer: Sealer, **limits: Any) -> Relay:
        counts = Counts()
        holding = Holding(town.database, town.clock, "one", seconds=1e6, names=["relay:MZ.0"], counts=counts)
        return Relay(
            town.database, town.clock, bell, town.streams,
            lanes=[LANE], holding=holding, limits=Limits(**limits), counts=counts, outage=Outage(), sealer=sealer,
        )  # fmt: skip

    return make


async def say(town: Any, sealer: Sealer, *numbers: str) -> list[str]:
    """A message for each of these cases, sealed; their ids."""
    async with town.database.transaction() as tx:
        return await outbox.append(tx, *(command(town.cases[one], one) for one in numbers), now=town.clock.now(), sealer=sealer)


FIRST, SECOND = "2611240001", "2611240002"


async def drain(relay: Relay) -> None:
    await relay._holding.renew()
    while await relay.send():
        pass


async def stream(town: Any) -> dict[str, list[int]]:
    """What is in the stream, in order: case number -> sequences."""
    lines: dict[str, list[int]] = {}
    for _, fields in await town.redis.xrange("q:{MZ.0}"):
        one = msgspec.json.decode(fields[b"e"])
        lines.setdefault(one["subject"].removeprefix("case/"), []).append(one["sequence"])
    return lines


async def damage(database: Database, letter_id: str) -> bytes:
    """Spoil what lies sealed; the bytes as they were."""
    row = await database.one("SELECT body FROM outbox WHERE id = $1", letter_id)
    assert row
    whole = bytes(row["body"])
    await database.execute("UPDATE outbox SET body = $1 WHERE id = $2", whole[:-1] + bytes([whole[-1] ^ 1]), letter_id)
    return whole


async def mend(database: Database, letter_id: str, body: bytes) -> None:
    await database.execute("UPDATE outbox SET body = $1 WHERE id = $2", body, letter_id)


async def held(database: Database, department: str = "MZ") -> list[tuple[int, str]]:
    """What an officer sees: (sequence, why)."""
    return [(row["sequence"], row["detail"]) for row in await deliveries.held(database, department)]


@pytest.mark.parametrize("batch", [1, 2, 200])
async def test_by_queue_only_its_line_waits_and_goes_on_in_order(town: Any, make_relay: Callable[..., Relay], batch: int):
    sealer = Sealer({1: OLD}, 1)
    [_, bad, *_] = await say(town, sealer, FIRST, FIRST, FIRST, SECOND)
    whole = await damage(town.database, bad)
    relay = make_relay(sealer, batch=batch)
    await drain(relay)
    await say(town, sealer, FIRST, SECOND)
    await drain(relay)
    assert await stream(town) == {FIRST: [1], SECOND: [1, 2]}
    assert await held(town.database) == [(2, DAMAGED)]
    assert await deliveries.held_counts(town.database) == {"MZ": 1}
    assert await outbox.waiting(town.database, [LANE]) == []  # the relay is not woken for what is held

    await mend(town.database, bad, whole)
    assert await deliveries.release(town.database, "MZ") == 1
    await drain(relay)
    assert await stream(town) == {FIRST: [1, 2, 3, 4], SECOND: [1, 2]}
    assert await held(town.database) == []


async def test_a_released_message_that_still_does_not_open_is_held_again(town: Any, make_relay: Callable[..., Relay]):
    sealer = Sealer({1: OLD}, 1)
    [bad, _] = await say(town, sealer, FIRST, FIRST)
    await damage(town.database, bad)
    relay = make_relay(sealer)
    await drain(relay)
    assert await deliveries.release(town.database, "MZ") == 1
    await drain(relay)
    assert await stream(town) == {}
    assert await held(town.database) == [(1, DAMAGED)]


async def test_when_the_key_is_back_everything_goes_with_the_next_start(town: Any, make_relay: Callable[..., Relay]):
    await say(town, Sealer({1: OLD}, 1), FIRST, FIRST)
    after = Sealer({2: NEW}, 2)
    await say(town, after, FIRST, SECOND)
    await drain(make_relay(after))
    assert await stream(town) == {SECOND: [1]}
    [(sequence, why)] = await held(town.database)
    assert sequence == 1
    assert "sealing-1.key" in why

    await try_again(town.database)
    await drain(make_relay(Sealer({1: OLD, 2: NEW}, 2)))
    assert await stream(town) == {SECOND: [1], FIRST: [1, 2, 3]}


async def test_one_given_up_never_left_and_its_line_goes_on(town: Any, make_relay: Callable[..., Relay]):
    sealer = Sealer({1: OLD}, 1)
    [bad, _] = await say(town, sealer, FIRST, FIRST)
    await damage(town.database, bad)
    relay = make_relay(sealer)
    await drain(relay)
    assert await deliveries.pass_over(town.database, bad, "已放弃", NOW)
    await drain(relay)
    assert await stream(town) == {FIRST: [2]}
    later = NOW + dt.timedelta(days=1)
    assert bad not in [one.message_id for one in await evidence.unchained(town.database, 10, later)]
    assert await outbox.forget(town.database, later) == 1


async def test_what_redis_lost_is_sent_again_beside_one_that_no_longer_opens(town: Any, make_relay: Callable[..., Relay]):
    sealer = Sealer({1: OLD}, 1)
    [bad, *_] = await say(town, sealer, FIRST, FIRST, SECOND, SECOND)
    relay = make_relay(sealer)
    await drain(relay)
    await town.redis.flushall()
    whole = await damage(town.database, bad)
    town.clock.advance(seconds=31)
    assert await relay.resend() == 2
    assert await stream(town) == {SECOND: [1, 2]}
    assert await held(town.database) == [(1, DAMAGED)]

    await mend(town.database, bad, whole)
    await deliveries.release(town.database, "MZ")
    await drain(relay)
    assert await stream(town) == {SECOND: [1, 2], FIRST: [1]}
    for _ in range(8):  # of so many looks for losses one reads everything
        await relay.resend()
    assert await stream(town) == {SECOND: [1, 2], FIRST: [1, 2]}


async def test_what_does_not_open_but_is_in_the_stream_is_not_held(town: Any, make_relay: Callable[..., Relay]):
    sealer = Sealer({1: OLD}, 1)
    [bad, _] = await say(town, sealer, FIRST, FIRST)
    relay = make_relay(sealer)
    await drain(relay)
    await damage(town.database, bad)
    town.clock.advance(seconds=31)
    assert await relay.resend() == 0
    assert await held(town.database) == []


async def test_one_that_is_held_after_it_was_sent_is_free_when_the_department_confirms_it(town: Any):
    sealer = Sealer({1: OLD}, 1)
    [bad, _] = await say(town, sealer, FIRST, FIRST)
    [letter, _] = await outbox.unsent(town.database, LANE, 10)
    await town.database.execute("UPDATE outbox SET sent_at = $1, stream_id = '1-1' WHERE id = $2", NOW, bad)
    await outbox.hold(town.database, letter, DAMAGED)
    assert await outbox.unsent(town.database, LANE, 10) == []
    await outbox.confirm(town.database, "MZ", {town.first: 1}, NOW)
    assert [one.sequence for one in await outbox.unsent(town.database, LANE, 10)] == [2]


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return linked(await open_office(database, bell, store, tmp_path), SJ="pull")


async def test_by_pull_its_line_loses_its_places_and_the_rest_is_read_and_confirmed(office: Office):
    resident = await exchange.add_resident(office.database)
    cases = [await exchange.add_case(office.database, resident, number) for number in (FIRST, SECOND)]
    both = dict(zip(cases, (FIRST, SECOND), strict=True))

    async def tell(*wanted: str) -> list[str]:
        messages = [command(one, both[one], "SJ", partitions=1) for one in wanted]
        async with office.database.transaction() as tx:
            return await outbox.append(tx, *messages, now=office.clock.now(), sealer=office.keys.sealer)

    async def read(after: int) -> tuple[list[tuple[str, int]], int]:
        page = await pull.read(office, office.catalogue.departments["SJ"], after, 3, 0)
        found = [msgspec.json.decode(body) for _, body in page.messages]
        return [(one["partitionkey"], one["sequence"]) for one in found], page.next

    first, second = cases
    [_, bad, _] = await tell(first, first, first)
    assert await read(0) == ([(first, 1), (first, 2), (first, 3)], 3)  # given out, but never confirmed
    await tell(second, second)
    whole = await damage(office.database, bad)
    found, last = await read(0)
    assert found == [(first, 1)]
    rest, last = await read(last)
    assert rest == [(second, 1), (second, 2)]
    assert await pull.acknowledge(office, office.catalogue.departments["SJ"], last) == last
    assert await held(office.database, "SJ") == [(2, DAMAGED)]
    assert not (await pull.state(office, office.catalogue.departments["SJ"])).is_more
    assert await read(last) == ([], last)

    await mend(office.database, bad, whole)
    assert await link_acts.wake(office, "SJ") == 1
    assert (await read(last))[0] == [(first, 2), (first, 3)]


async def test_by_pull_a_page_in_which_nothing_opens_is_not_the_end(office: Office):
    resident = await exchange.add_resident(office.database)
    for number in ("2611240001", "2611240002", "2611240003"):
        case_id = await exchange.add_case(office.database, resident, number)
        async with office.database.transaction() as tx:
            [letter] = await outbox.append(tx, command(case_id, number, "SJ"), now=office.clock.now(), sealer=office.keys.sealer)
        if number != "2611240003":
            await damage(office.database, letter)
    page = await pull.read(office, office.catalogue.departments["SJ"], 0, 1, 0)
    assert [msgspec.json.decode(body)["subject"] for _, body in page.messages] == ["case/2611240003"]


@pytest.fixture
async def gatekeeper(small_office: Office, tmp_path: Path) -> AsyncIterator[gatekept.Rig]:
    with gatekept.books(tmp_path) as (book, batches):
        rig = await gatekept.make_rig(small_office, tmp_path, book, batches)
        await rig.open_cases(2)
        yield rig


@pytest.mark.parametrize("spoilt", ["before its batch is made", "after"])
async def test_by_files_its_line_waits_and_comes_in_a_later_batch(gatekeeper: gatekept.Rig, spoilt: str):
    rig = gatekeeper
    await rig.say(0, "一", "二")
    await rig.say(1, "一")
    letters = await rig.office.database.rows("SELECT id FROM outbox ORDER BY case_id, sequence")
    if spoilt == "after":  # and the file is lost, so the batch has to be made again from the journal
        await rig.carrier.step()
        for name in rig.names("out"):
            (rig.folder / "out" / name).unlink()
        rig.advance(11)
    whole = await damage(rig.office.database, letters[0]["id"])
    await rig.turn(10)
    assert rig.commands() == {rig.cases[1][0]: [1]}
    assert await held(rig.office.database) == [(1, DAMAGED)]
    await mend(rig.office.database, letters[0]["id"], whole)
    assert await link_acts.wake(rig.office, "MZ") == 1
    await rig.settle()
    assert rig.commands() == {rig.cases[1][0]: [1], rig.cases[0][0]: [1, 2]}


async def test_by_webhook_its_line_waits_and_goes_on_in_order(small_office: Office, tmp_path: Path):
    async with webhooks.open_rig(small_office, tmp_path) as rig:
        await rig.open_cases(2)
        await rig.say(0, "一", "二")
        [bad, _] = [row["id"] for row in await rig.open_rows()]
        whole = await damage(rig.office.database, bad)
        await rig.say(1, "一")

        async def is_held() -> bool:
            return rig.lines() == {rig.cases[1][0]: [1]} and await held(rig.office.database) == [(1, DAMAGED)]

        async with rig.carrying():
            await until(is_held)
            await mend(rig.office.database, bad, whole)
            await link_acts.wake(rig.office, "MZ")
            await rig.delivered()
        assert rig.lines() == {rig.cases[1][0]: [1], rig.cases[0][0]: [1, 2]}
