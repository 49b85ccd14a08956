"""People who act for each other: pretend ID numbers that hold by every rule, authorities in each state, applications made by them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handlers import cases, proxies, proxydesk
from handlers.caseviews import CaseView
from handlers.limits import local_date
from handlers.materials import HandedIn
from handlers.office import Office
from handlers.proxies import Asking
from handlers.proxyviews import ProxyView
from mobile_api.journey.sample import fill_form
from storage.bell import Bell
from storage.database import Database, Transaction
from storage.redis import RedisStore
from tests.support.lives import no_answer
from tests.support.office import CLERK, open_office, ready_upload
from tests.support.town import settle_in

RELIEF, TAX = "MZ-03", "SW-02"  # 临时救助; 开具税收完税证明
RATE = "GA-05"  # 无犯罪记录证明, which only guardians and mandates may ask for
GRANDMOTHER = "赵桂兰"
FIRM = ("幸福村合作社", "91350100M000100Y43")
VILLAGE, NEXT_VILLAGE, FOREIGN_VILLAGE = "130208108201", "130208108202", "130208109201"


def id_number(born: str, serial: int = 1) -> str:
    """An ID number of the town for somebody born on YYYY-MM-DD (GB 11643)."""
    body = f"130208{born.replace('-', '')}{serial:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(weight * int(digit) for weight, digit in zip(weights, body, strict=True)) % 11]


OLD, YOUNG, CHILD = id_number("1941-05-06"), id_number("1988-03-02"), id_number("2017-09-01")


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    """The office where they ask."""
    return await open_office(database, bell, store, tmp_path)


@pytest.fixture
async def agent(office: Office) -> str:
    """The granddaughter, who acts."""
    return await settle_in(office.database, "granddaughter")


@pytest.fixture
async def principal(office: Office) -> str:
    """The grandmother, for whom she acts."""
    return await settle_in(office.database, "grandmother")


def asking(office: Office, **changes: Any) -> Asking:
    """A granddaughter asks for her grandmother, for everything and a year."""
    usual = {
        "kind": "relative", "principal_name": GRANDMOTHER, "principal_number": OLD, "agent_name": "王小梅", "agent_number": YOUNG,
        "relation": "grandchild", "valid_to_on": local_date(office.clock.now()) + dt.timedelta(days=365),
    }  # fmt: skip
    return Asking(**{**usual, **changes})


async def quiet(_tx: Transaction, _view: ProxyView) -> None:
    """Nobody waits for an answer to be kept."""


async def asked(office: Office, agent: str, **changes: Any) -> ProxyView:
    """An authority that waits; a paper is handed in where the kind needs one."""
    wish = asking(office, **changes)
    if wish.kind in {"guardian", "mandate", "company"} and "document" not in changes:
        wish = msgspec.structs.replace(wish, document=await ready_upload(office, agent))
    return await proxies.ask(office, agent, wish, quiet)


async def active(office: Office, agent: str, **changes: Any) -> ProxyView:
    """An authority that a clerk has approved."""
    waiting = await asked(office, agent, **changes)
    await proxydesk.approve(office, CLERK, waiting.id)
    return await seen(office, agent, waiting.id)


async def guardian(office: Office, agent: str, **changes: Any) -> ProxyView:
    """A mother's authority for her child."""
    child = {"kind": "guardian", "relation": "parent", "principal_name": "王小宝", "principal_number": CHILD}
    return await active(office, agent, **{**child, **changes})


async def confirmed(office: Office, agent: str, principal: str, **changes: Any) -> ProxyView:
    """An authority that its principal has confirmed in an account of her own."""
    one = await active(office, agent, **changes)
    wish = proxies.Confirming(changes.get("principal_number", OLD), str(one.code))
    return await proxies.confirm(office, principal, wish, quiet)


async def seen(office: Office, account: str, proxy_id: str) -> ProxyView:
    """An authority as one of its persons sees it now."""
    return next(one for one in await proxies.mine(office, account) if one.id == proxy_id)


async def application(office: Office, account: str, proxy_id: str, item: str = RELIEF, **more: Any) -> cases.Application:
    """A complete application by an authority; the applicant's name and number are left to the office."""
    rule = office.catalogue.items[item]
    form = fill_form(msgspec.to_builtins(rule.form.fields), local_date(office.clock.now()))
    form = {name: value for name, value in form.items() if name not in {"applicant_name", "id_number", "credit_code"}}
    asked_for = [one.code for one in rule.materials if one.source == "upload" and one.required]
    papers = tuple([HandedIn(code, (await ready_upload(office, account),)) for code in asked_for])
    return cases.Application(item=item, form={**form, **more.pop("form", {})}, materials=papers, on_behalf_of=proxy_id, **more)


async def applied(office: Office, account: str, proxy_id: str, item: str = RELIEF, **more: Any) -> CaseView:
    """A case made by an authority."""
    return await cases.apply(office, account, await application(office, account, proxy_id, item, **more), no_answer)
