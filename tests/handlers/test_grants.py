"""A department may fetch what its task names, as long as it works on it and a week longer, and it is on record."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from handlers import cases, grants, uploads
from handlers.cases import Application, Change
from handlers.caseviews import CaseView
from handlers.errors import Refused
from handlers.materials import HandedIn
from handlers.office import Office
from mobile_api import sweeps
from mobile_api.journey.sample import fill_form, photo
from storage import audit, outbox
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database, Row, Transaction
from storage.outbox import Letter
from storage.redis import RedisStore
from tests.handlers.test_procedure import say
from tests.support.office import open_office
from tests.support.town import settle_in
from tests.support.uploads import hand_in

LEAD = "SJ"


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def no_answer(_tx: Transaction, _view: CaseView) -> None:
    """Nobody waits."""


async def submitted(office: Office, resident: str) -> CaseView:
    """A case with a real photograph for every material."""
    item = office.catalogue.items["SJ-03"]
    needed = [rule.code for rule in item.materials if rule.source == "upload" and rule.required]
    materials = tuple([HandedIn(code, ((await hand_in(office, resident, photo(code))).id,)) for code in needed])
    fields = [{name: getattr(field, name) for name in field.__struct_fields__} for field in item.form.fields]
    form = fill_form(fields, office.clock.now().date())
    return await cases.apply(office, resident, Application(item="SJ-03", form=form, materials=materials), no_answer)


async def files_told(office: Office) -> list[list[dict[str, Any]]]:
    """The files that each message with papers to the lead department names, in the order of the messages."""
    rows = await office.database.rows("SELECT * FROM outbox WHERE department = $1 ORDER BY sequence", LEAD)
    letters = [Letter(row["id"], row["case_id"], row["sequence"], bytes(row["body"]), None, None) for row in rows]
    told = [json.loads(outbox.opened(letter, office.keys.sealer))["data"] for letter in letters]
    return [[file for material in data["materials"] for file in material["files"]] for data in told if "materials" in data]


async def fetched(office: Office, grant: str, department: str = LEAD) -> bytes:
    _, blocks = await grants.open_granted(office, department, grant)
    return b"".join([block async for block in blocks])


async def refused(office: Office, grant: str, department: str = LEAD) -> bool:
    try:
        await fetched(office, grant, department)
    except Refused as refusal:
        return refusal.code == "grant_not_valid"
    return False


async def kept(office: Office) -> list[Row]:
    return await office.database.rows("SELECT * FROM file_grant ORDER BY id")


def advance(office: Office, **duration: float) -> None:
    assert isinstance(office.clock, SettableClock)
    office.clock.advance(**duration)


async def test_the_digest_in_the_message_is_that_of_the_bytes_that_are_served(office: Office) -> None:
    await submitted(office, await settle_in(office.database, "o1"))
    [files] = await files_told(office)
    assert files
    for file in files:
        content = await fetched(office, file["grant"])
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["size"])


async def test_every_look_at_a_file_is_counted_and_on_record(office: Office) -> None:
    case = await submitted(office, await settle_in(office.database, "o1"))
    [[file, *_]] = await files_told(office)
    await fetched(office, file["grant"])
    await fetched(office, file["grant"])
    rows = await audit.of_object(office.database, "upload", file["upload"])
    assert [(row["actor_kind"], row["actor_id"], row["action"], row["data"]["case_id"]) for row in rows] == [
        ("department", LEAD, "file.fetched", case.id)
    ] * 2
    assert next(row["fetches"] for row in await kept(office) if row["id"] == file["grant"]) == 2


async def test_another_department_an_unknown_id_and_an_upload_id_open_nothing(office: Office) -> None:
    await submitted(office, await settle_in(office.database, "o1"))
    [[file, *_]] = await files_told(office)
    assert await refused(office, file["grant"], "GA")
    assert await refused(office, file["upload"])
    assert await refused(office, "0192f0c1-0000-7000-8000-000000000001")
    assert await audit.of_object(office.database, "upload", file["upload"]) == []


async def test_a_grant_holds_a_week_beyond_its_task_and_no_longer(office: Office) -> None:
    case = await submitted(office, await settle_in(office.database, "o1"))
    advance(office, days=60)  # as long as the task lives
    [[file, *_]] = await files_told(office)
    assert not await refused(office, file["grant"])
    await say(office, case, "task.accepted", LEAD, "accept")
    advance(office, days=7, seconds=-1)
    assert not await refused(office, file["grant"])
    advance(office, seconds=1)
    assert await refused(office, file["grant"])
    _, decide = await files_told(office)
    assert decide[0]["grant"] != file["grant"]
    assert not await refused(office, decide[0]["grant"])


async def test_a_withdrawal_ends_the_grants_of_every_department(office: Office) -> None:
    resident = await settle_in(office.database, "o1")
    case = await submitted(office, resident)
    await cases.withdraw(office, resident, case.id, "", no_answer)
    assert {row["expires_at"] for row in await kept(office)} == {office.clock.now() + dt.timedelta(days=7)}


async def test_a_corrected_paper_is_granted_and_the_others_keep_their_grants(office: Office) -> None:
    resident = await settle_in(office.database, "o1")
    case = await submitted(office, resident)
    note = {"material": "id_card", "message": "不清晰"}
    await say(office, case, "task.correction-requested", LEAD, "accept", reason="请补正", fields=[], materials=[note])
    mended = await hand_in(office, resident, photo("anew", 640, 480))
    await cases.correct(office, resident, case.id, Change(materials=(HandedIn("id_card", (mended.id,)),)), no_answer)

    asked, again = await files_told(office)
    before, after = ({file["upload"]: file["grant"] for file in files} for files in (asked, again))

    assert mended.id in after
    assert {upload: grant for upload, grant in after.items() if upload != mended.id}.items() <= before.items()
    assert not await refused(office, after[mended.id])


async def test_a_replaced_paper_goes_when_nobody_may_fetch_it_any_more(office: Office) -> None:
    resident = await settle_in(office.database, "o1")
    case = await submitted(office, resident)
    [asked] = await files_told(office)
    note = {"material": "id_card", "message": "不清晰"}
    await say(office, case, "task.correction-requested", LEAD, "accept", reason="请补正", fields=[], materials=[note])
    mended = await hand_in(office, resident, photo("anew", 640, 480))
    await cases.correct(office, resident, case.id, Change(materials=(HandedIn("id_card", (mended.id,)),)), no_answer)
    stored = {row["upload_id"] for row in await office.database.rows("SELECT upload_id FROM case_material WHERE upload_id IS NOT NULL")}
    [old] = [file["upload"] for file in asked if file["upload"] not in stored]

    advance(office, days=30)
    await sweeps.sweep(office)
    assert (await uploads.show(office, resident, old)).state == "ready"  # the task still lives
    await say(office, case, "task.accepted", LEAD, "accept")
    advance(office, days=8)
    await sweeps.sweep(office)

    with pytest.raises(Refused, match="not_found"):
        await uploads.show(office, resident, old)
    assert all(row["expires_at"] is None for row in await kept(office))


async def test_what_is_rolled_back_grants_nothing(office: Office) -> None:
    async def breaks(_tx: Transaction, _view: CaseView) -> None:
        raise RuntimeError("the answer could not be kept")

    resident = await settle_in(office.database, "o1")
    draft = await submitted(office, resident)
    count = len(await kept(office))
    with pytest.raises(RuntimeError):
        await cases.withdraw(office, resident, draft.id, "", breaks)
    assert [row["expires_at"] for row in await kept(office)] == [None] * count
