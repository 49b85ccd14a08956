from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from handlers import codes, procedure, sessions
from handlers.access import Officer
from handlers.casefile import opened
from handlers.errors import Refused
from handlers.office import Office
from handlers.shortcodes import receipt_code
from storage import account_events, audit
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database, Transaction
from storage.fleeting import Fleeting
from storage.redis import RedisStore
from tests.support.office import CLERK, DIVISION, open_office, raise_receipt_version, resident_with_session, submitted_case


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def refusal(office: Office, code: str, officer: Officer = CLERK) -> str:
    with pytest.raises(Refused) as refused:
        await codes.scan(office, officer, code, "hall")
    return refused.value.code


async def test_of_200_scans_at_once_exactly_one_opens_the_code(office: Office):
    resident, session = await resident_with_session(office, "zhang")
    shown = await codes.issue_lookup(office, resident, session, "hall", [])

    async def one_scan() -> str:
        try:
            await codes.scan(office, CLERK, shown.code, "hall")
        except Refused as refused:
            return refused.code
        return "opened"

    answers = Counter(await asyncio.gather(*(one_scan() for _ in range(200))))
    assert answers == {"opened": 1, "code_not_valid": 199}


async def test_a_scan_shows_the_cards_of_the_holders_cases_with_names_masked(office: Office):
    resident, session = await resident_with_session(office, "zhang")
    case = await submitted_case(office, resident)
    shown = await codes.issue_lookup(office, resident, session, "hall", [])

    found = await codes.scan(office, CLERK, shown.code, "hall")

    assert [(card.number, card.item.code, card.public_state) for card in found.cases] == [(case.number, "GA-05", "with_office")]
    assert re.fullmatch(r".\*{1,2}", found.holder.name_masked)
    assert str(case.form["id_number"]) not in msgspec.json.encode(found).decode()
    assert str(case.form["applicant_name"]) not in msgspec.json.encode(found).decode()


async def test_the_eight_digits_do_the_same_and_use_the_code_up(office: Office):
    resident, session = await resident_with_session(office, "zhang")
    shown = await codes.issue_lookup(office, resident, session, "hall", [])
    await codes.scan(office, CLERK, shown.short, "hall")
    assert await refusal(office, shown.code) == await refusal(office, shown.short) == "code_not_valid"


@pytest.mark.parametrize("shows", ["code", "short"])
async def test_a_scan_whose_answer_was_lost_opens_again_for_the_same_act_and_for_no_other(office: Office, shows: str):
    resident, session = await resident_with_session(office, "zhang")
    case = await submitted_case(office, resident)
    shown = getattr(await codes.issue_lookup(office, resident, session, "hall", []), shows)

    async def dies(tx: Transaction, opened: codes.Scan) -> None:
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        await codes.scan(office, CLERK, shown, "hall", "first", dies)

    assert await refusal(office, shown) == "code_not_valid"
    for officer, act in ((CLERK, "second"), (replace(CLERK, id="clerk-2"), "first")):
        with pytest.raises(Refused, match="code_not_valid"):
            await codes.scan(office, officer, shown, "hall", act)
    assert [card.id for card in (await codes.scan(office, CLERK, shown, "hall", "first")).cases] == [case.id]
    assert [row["outcome"] for row in await audit.of_object(office.database, "resident", resident)] == ["done"]


async def test_only_the_named_cases_are_shown_and_nobody_can_name_another_persons(office: Office):
    zhang, session = await resident_with_session(office, "zhang")
    wang, _ = await resident_with_session(office, "wang")
    first, _, foreign = await submitted_case(office, zhang), await submitted_case(office, zhang), await submitted_case(office, wang)

    shown = await codes.issue_lookup(office, zhang, session, "hall", [first.id])
    assert [card.id for card in (await codes.scan(office, CLERK, shown.code, "hall")).cases] == [first.id]
    with pytest.raises(Refused, match="not_found"):
        await codes.issue_lookup(office, zhang, session, "hall", [foreign.id])


async def test_a_code_is_dead_after_60_seconds(office: Office, store: RedisStore):
    resident, session = await resident_with_session(office, "zhang")
    shown = await codes.issue_lookup(office, resident, session, "hall", [])
    lives = [await store.commands.ttl(key) for key in await store.commands.keys("f:*")]
    assert len(lives) == 2
    assert all(0 < life <= 60 for life in lives)

    assert isinstance(office.clock, SettableClock)
    office.clock.advance(seconds=61)
    assert await refusal(office, shown.code) == "code_not_valid"


async def test_a_code_is_dead_once_its_phone_has_logged_out(office: Office):
    resident, session = await resident_with_session(office, "zhang")
    shown = await codes.issue_lookup(office, resident, session, "hall", [])
    await sessions.close(office, resident, session)
    assert await refusal(office, shown.code) == "code_not_valid"


async def test_a_code_for_one_hall_does_not_open_in_another_and_is_used_up_by_the_try(office: Office):
    resident, session = await resident_with_session(office, "zhang")
    shown = await codes.issue_lookup(office, resident, session, "hall", [], hall="便民大厅")
    elsewhere = Officer("clerk-2", "clerk", "", "另一大厅", DIVISION)
    assert await refusal(office, shown.code, elsewhere) == "code_not_valid"
    assert await refusal(office, shown.code) == "code_not_valid"
    refused = await audit.of_object(office.database, "resident", resident)
    assert [(row["actor_id"], row["outcome"]) for row in refused] == [("clerk-2", "refused")]


@pytest.mark.parametrize("role", ["officer", "approver", "supervisor", "administrator"])
async def test_only_clerks_scan_and_the_try_of_another_does_not_use_the_code_up(office: Office, role: str):
    resident, session = await resident_with_session(office, "zhang")
    shown = await codes.issue_lookup(office, resident, session, "hall", [])
    assert await refusal(office, shown.code, Officer("o", role, "GA", "", DIVISION)) == "forbidden"
    assert (await codes.scan(office, CLERK, shown.code, "hall")).cases == []


async def test_every_look_is_in_the_record_and_on_the_residents_phone(office: Office):
    resident, session = await resident_with_session(office, "zhang")
    case = await submitted_case(office, resident)
    shown = await codes.issue_lookup(office, resident, session, "hall", [])
    await codes.scan(office, CLERK, shown.code, "hall")

    record = await audit.of_object(office.database, "resident", resident)
    assert (record[0]["action"], record[0]["actor_id"], record[0]["data"]["cases"]) == ("code.scanned", CLERK.id, [case.number])
    told = (await account_events.latest(office.database, resident, None, 1))[0]
    assert (told.type, told.case_id, told.data["department_name"]) == ("code.scanned", case.id, "便民大厅")


async def test_neither_the_token_nor_its_digits_are_readable_in_redis(office: Office, store: RedisStore):
    resident, session = await resident_with_session(office, "zhang")
    shown = await codes.issue_lookup(office, resident, session, "hall", [])
    kept = b"".join([key + await store.commands.get(key) for key in await store.commands.keys("*")])
    assert shown.code.encode() not in kept
    assert shown.short.replace(" ", "").encode() not in kept


async def test_guessing_digits_is_stopped_after_twenty_tries_while_codes_go_on_working(office: Office):
    resident, session = await resident_with_session(office, "zhang")
    shown = await codes.issue_lookup(office, resident, session, "hall", [])
    answers = [await refusal(office, f"{n:08d}") for n in range(codes.SHORT_TRIES + 1)]
    assert answers[-2:] == ["code_not_valid", "too_many_requests"]
    assert (await codes.scan(office, CLERK, shown.code, "hall")).cases == []


async def test_without_redis_look_up_codes_are_refused_as_unavailable_and_receipts_go_on_working(office: Office):
    resident, session = await resident_with_session(office, "zhang")
    case = await submitted_case(office, resident)
    nobody = aioredis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    without = replace(office, fleeting=Fleeting(nobody))
    with pytest.raises(Refused, match="unavailable"):
        await codes.issue_lookup(without, resident, session, "hall", [])
    assert await refusal(without, "1234 5678") == "unavailable"
    assert [card.id for card in (await codes.scan(without, CLERK, str(case.receipt_code), "hall")).cases] == [case.id]


@pytest.mark.parametrize("kind", ["number", "receipt", "address"])
async def test_a_case_number_and_a_printed_receipt_open_their_case_alone(office: Office, kind: str):
    resident, _ = await resident_with_session(office, "zhang")
    case, _ = await submitted_case(office, resident), await submitted_case(office, resident)
    text = {"number": case.number, "receipt": case.receipt_code, "address": f"{office.public_base}/r/{case.receipt_code}"}[kind]
    assert [card.id for card in (await codes.scan(office, CLERK, str(text), "hall")).cases] == [case.id]


async def test_what_belongs_to_another_town_is_refused_like_what_does_not_exist(office: Office):
    resident, session = await resident_with_session(office, "zhang")
    case = await submitted_case(office, resident)
    shown = await codes.issue_lookup(office, resident, session, "hall", [])
    stranger = Officer("clerk-9", "clerk", "", "邻镇大厅", "130208109")
    assert await refusal(office, str(case.number), stranger) == "code_not_valid"
    assert (await codes.scan(office, stranger, shown.code, "hall")).cases == []


async def test_a_receipt_tells_anybody_the_stage_and_nothing_personal(office: Office):
    resident, _ = await resident_with_session(office, "zhang")
    case = await submitted_case(office, resident)
    public = await codes.read_public(office, str(case.receipt_code))
    assert (public.item, public.stage) == (case.item.name, "with_office")
    assert set(msgspec.to_builtins(public)) == {"item", "stage", "stage_name", "promised_on", "provisional"}


async def test_wrong_mac_unknown_case_and_old_paper_are_refused_alike(office: Office):
    resident, _ = await resident_with_session(office, "zhang")
    case = await submitted_case(office, resident)
    code = str(case.receipt_code)
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    unknown = receipt_code(office.keys, "13020810820260213999990", 1)
    await raise_receipt_version(office, case.id)

    refused = []
    for text in (wrong, unknown, code, "", "x" * 500):
        with pytest.raises(Refused) as caught:
            await codes.read_public(office, text)
        refused.append((caught.value.code, caught.value.values, caught.value.errors))
    assert refused == [("not_found", {}, [])] * 5
    assert await codes.read_public(office, receipt_code(office.keys, str(case.number), 2))


async def test_the_card_on_the_clerks_screen_says_when_a_case_is_late(office: Office):
    resident, _ = await resident_with_session(office, "zhang")
    case = await submitted_case(office, resident)
    async with opened(office, case.id) as file:
        procedure.accept(file, CLERK.actor)
    assert isinstance(office.clock, SettableClock)
    levels = []
    for _ in range(4):
        card = (await codes.scan(office, CLERK, str(case.number), "hall")).cases[0]
        levels.append(card.supervision)
        office.clock.advance(days=14)
    assert (levels[0], levels[-1]) == ("none", "red")
    assert card.supervision_reason.endswith("红牌。")
