"""What departments post: the answer to each message is read from the rows, so it is true however the request was disturbed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.intake import MOST, Intake, Verdict
from handlers.catalogue import Department
from handlers.errors import Refused
from handlers.office import Office
from mobile_api.views.exchange_v1 import bodies_of
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database
from storage.redis import RedisStore
from tests.support import exchange
from tests.support.exchange import Ledger
from tests.support.office import open_office
from tests.support.partners import linked

NUMBER = "2611240001"


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return linked(await open_office(database, bell, store, tmp_path), MZ="pull")


@pytest.fixture
async def case_id(office: Office) -> str:
    """A case with a line to MZ."""
    found = await exchange.add_case(office.database, await exchange.add_resident(office.database), NUMBER)
    await exchange.add_line(office.database, found)
    return found


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def mz(office: Office) -> Department:
    return office.catalogue.departments["MZ"]


async def take(office: Office, ledger: Ledger, *bodies: bytes) -> list[Verdict]:
    return (await Intake(office, ledger.record).take(mz(office), bodies)).verdicts


def statuses(verdicts: list[Verdict]) -> list[str]:
    return [verdict.status for verdict in verdicts]


def said(case_id: str, *sequences: int) -> list[bytes]:
    return [exchange.answer(case_id, NUMBER, sequence) for sequence in sequences]


async def test_a_request_takes_effect_in_the_order_of_the_numbers(office: Office, case_id: str, ledger: Ledger) -> None:
    assert statuses(await take(office, ledger, *said(case_id, 3, 1, 2, 1))) == ["taken"] * 4
    assert await ledger.effects(office.database) == {case_id: [1, 2, 3]}


async def test_what_comes_too_early_is_not_kept_and_is_taken_when_it_is_sent_again(office: Office, case_id: str, ledger: Ledger) -> None:
    [early] = await take(office, ledger, *said(case_id, 2))
    assert (early.status, "1 号" in str(early.reason)) == ("early", True)
    assert statuses(await take(office, ledger, *said(case_id, 1))) == ["taken"]
    assert await ledger.effects(office.database) == {case_id: [1]}
    assert statuses(await take(office, ledger, *said(case_id, 1, 2))) == ["known", "taken"]


async def test_the_same_request_in_many_processes_at_once_has_one_effect_each(office: Office, case_id: str, ledger: Ledger) -> None:
    found = await asyncio.gather(*(take(office, ledger, *said(case_id, 1, 2, 3)) for _ in range(6)))
    assert {status for verdicts in found for status in statuses(verdicts)} <= {"taken", "known"}
    assert await ledger.effects(office.database) == {case_id: [1, 2, 3]}


async def test_an_effect_that_breaks_is_to_be_sent_again_and_works_later(office: Office, case_id: str, ledger: Ledger) -> None:
    ledger.failing[case_id, 1] = [RuntimeError("broken")]
    [verdict] = await take(office, ledger, *said(case_id, 1))
    assert (verdict.status, verdict.reason) == ("early", "暂时未能办理，请稍后重发")
    ledger.failing.clear()
    clock = office.clock
    assert isinstance(clock, SettableClock)
    clock.advance(minutes=2)
    assert statuses(await take(office, ledger, *said(case_id, 1))) == ["taken"]


async def test_an_effect_that_never_works_parks_the_line_and_says_so(office: Office, case_id: str, ledger: Ledger) -> None:
    ledger.failing[case_id, 1] = [RuntimeError("broken")]
    clock = office.clock
    assert isinstance(clock, SettableClock)
    for _ in range(5):
        verdicts = await take(office, ledger, *said(case_id, 1, 2))
        clock.advance(minutes=2)
    assert statuses(verdicts) == ["set_aside", "set_aside"]
    assert "办理时出错" in str(verdicts[0].reason)


async def test_one_bad_message_does_not_hold_up_the_others(office: Office, case_id: str, ledger: Ledger) -> None:
    ledger.failing[case_id, 2] = [Refused("result_unknown")]
    bad = exchange.answer(case_id, NUMBER, 9, data="nothing")
    verdicts = await take(office, ledger, b"{}", *said(case_id, 1, 2, 3), bad, b"\xff\xfe")
    assert statuses(verdicts) == ["set_aside", "taken", "set_aside", "taken", "set_aside", "set_aside"]
    assert all(verdict.reason for verdict in verdicts if verdict.status == "set_aside")
    assert await ledger.effects(office.database) == {case_id: [1, 3]}


async def test_another_message_under_a_number_that_is_taken_is_set_aside(office: Office, case_id: str, ledger: Ledger) -> None:
    await take(office, ledger, *said(case_id, 1))
    [verdict] = await take(office, ledger, exchange.answer(case_id, NUMBER, 1, id="other"))
    assert (verdict.status, verdict.id) == ("set_aside", "other")
    assert "已被另一条消息使用" in str(verdict.reason)


async def test_another_message_under_an_id_that_was_used_is_set_aside_in_words(office: Office, case_id: str, ledger: Ledger) -> None:
    one, two = (exchange.answer(case_id, NUMBER, sequence, id="same") for sequence in (1, 2))
    assert statuses(await take(office, ledger, one, two, one)) == ["taken", "set_aside", "taken"]
    [known, again] = await take(office, ledger, one, two)
    assert (known.status, again.status) == ("known", "set_aside")
    assert "id：已被此前的另一条消息使用" in str(again.reason)
    assert await ledger.effects(office.database) == {case_id: [1]}


async def test_a_message_mended_under_its_old_id_is_taken(office: Office, case_id: str, ledger: Ledger) -> None:
    wrong = exchange.answer(case_id, NUMBER, 1, type="cn.gov.town.task.unheard-of.v1")
    assert statuses(await take(office, ledger, wrong)) == ["set_aside"]
    assert statuses(await take(office, ledger, *said(case_id, 1))) == ["taken"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(st.binary(max_size=200) | st.builds(lambda value: json.dumps(value).encode(), json_values))
def test_any_body_is_either_messages_or_refused(body: bytes) -> None:
    assert _read(body) in {"not_json", "messages_unreadable", "messages"}


def _read(body: bytes) -> str:
    try:
        return "messages" if 1 <= len(bodies_of(body)) <= MOST else "too many"
    except Refused as refused:
        return refused.code


@given(st.lists(json_values, min_size=1, max_size=5), st.sampled_from([None, 1, "\t"]))
def test_the_bytes_of_each_message_of_a_batch_are_kept(values: list[object], indent: int | str | None) -> None:
    bodies = [json.dumps(value, indent=indent).encode() for value in values]
    assert bodies_of(b'{ "messages" : [ ' + b" ,\n".join(bodies) + b" ] }") == bodies


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.dictionaries(st.sampled_from(["id", "source", "type", "sequence", "data", "subject", "time", "partitionkey"]), json_values)
)
async def test_no_envelope_breaks_the_intake(office: Office, case_id: str, ledger: Ledger, changes: dict[str, object]) -> None:
    body = json.dumps({**json.loads(exchange.answer(case_id, NUMBER, 1)), **changes}).encode()
    [first] = await take(office, ledger, body)
    [again] = await take(office, ledger, body)
    assert first.status in {"taken", "known", "early", "set_aside"}
    assert again.status == {"taken": "known"}.get(first.status, first.status)
    assert again.reason == first.reason
