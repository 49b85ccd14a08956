"""Authorities to act for others (代办授权): asked for by the agent, confirmed or revoked by the principal, ended by the clock.

Officers approve and refuse in handlers/proxydesk.py; what an authority allows is in handlers/authority.py, what becomes of a case made
by one in handlers/agents.py.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated

import msgspec

from handlers.actors import SYSTEM, Actor
from handlers.authority import (
    KIND_NAMES,
    NEEDS_DOCUMENT,
    NEEDS_RELATION,
    Kind,
    Person,
    Relation,
    allowed_kinds,
    check_person,
    in_village,
    is_minor,
    last_day,
)
from handlers.complaints import complaint
from handlers.errors import FieldError, Refused
from handlers.limits import local_date
from handlers.numbers import clean, credit_code_problem, id_number_problem
from handlers.office import Office
from handlers.proxyviews import ProxyView, confirmation_code, view
from storage import account_events, agents, audit, cases, proxies, uploads
from storage.database import Row, Transaction
from storage.errors import StoreUnavailable
from storage.ids import uuid7

MOST_WAITING = 50
"""Authorities of one agent that may wait to be looked at."""

KEPT_SETTLED = dt.timedelta(days=180)
"""How long an authority that was refused, revoked or ended is kept: while its two persons may go to court (行政诉讼法 art. 46)."""

TRIES, TRIES_SECONDS = 5, 600
"""Confirmations that one account may try in ten minutes, and all accounts together for one person; a code has eight digits."""

_MOST_SHOWN = 500
_BATCH = 100
_VILLAGE_DIGITS = 12

Settle = Callable[[Transaction, ProxyView], Awaitable[None]]
Name = Annotated[str, msgspec.Meta(max_length=100)]
Number = Annotated[str, msgspec.Meta(max_length=40)]
Code = Annotated[str, msgspec.Meta(max_length=16)]


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An authority that is asked for: who acts for whom, for which `items` (none = all), until when.

    Numbers are ID numbers, the principal's of kind company a unified social credit code. `incapable`: an adult who needs a guardian.
    `village`: the twelve digits of a village clerk's village. `document`: the upload that shows the authority.
    """

    kind: Kind
    principal_name: Name
    principal_number: Number
    agent_name: Name
    agent_number: Number
    valid_to_on: dt.date
    relation: Relation = ""
    incapable: bool = False
    items: Annotated[tuple[Code, ...], msgspec.Meta(max_length=100)] = ()
    village: Annotated[str, msgspec.Meta(max_length=20)] = ""
    document: Annotated[str, msgspec.Meta(max_length=36)] = ""


class Confirming(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The principal agrees: his own number, and the eight digits that the agent has told him."""

    number: Number
    code: Annotated[str, msgspec.Meta(max_length=20)]


async def ask(office: Office, account: str, asking: Asking, settle: Settle) -> ProxyView:
    """Ask for an authority; an officer looks at it before it can be used."""
    principal = Person(asking.principal_name.strip(), clean(asking.principal_number))
    agent = Person(asking.agent_name.strip(), clean(asking.agent_number))
    today = local_date(office.clock.now())
    if errors := list(_errors(office, asking, principal, agent, today)):
        raise Refused("invalid_form", errors=errors)
    if principal.number == agent.number:
        raise Refused("proxy_self")
    async with office.database.transaction() as tx:
        await _check_account(tx, account, asking)
        row = _row(office, account, asking, principal, agent)
        if not await proxies.insert(tx, row):
            raise Refused("proxy_exists")
        await record(office, tx, Actor("resident", account), "asked", row)
        seen = view(office, row, account)
        await settle(tx, seen)
    return seen


async def mine(office: Office, account: str) -> list[ProxyView]:
    """The authorities that an account has for others and has confirmed for others, newest first."""
    return [view(office, row, account) for row in await proxies.of_account(office.database, account, _MOST_SHOWN)]


async def revoke(office: Office, account: str, proxy_id: str) -> None:
    """The agent gives an authority back, or the principal takes it away; what was done by it stays."""
    async with office.database.transaction() as tx:
        row = await proxies.take(tx, proxy_id)
        if row is None or account not in {row["agent_id"], row["principal_id"]}:
            raise Refused("not_found")
        if row["state"] not in {"asked", "active"}:
            raise Refused("proxy_not_waiting")
        await change(office, tx, row, Actor("resident", account), "revoked", None)


async def confirm(office: Office, account: str, confirming: Confirming, settle: Settle) -> ProxyView:
    """The principal confirms with his number and the code: from then on he sees what is done for him and may take it back."""
    key = principal_key(office, clean(confirming.number))
    await _pace(office, account, key)
    try:
        return await _confirm(office, account, key, clean(confirming.code), settle)
    except Refused as refused:
        if refused.code == "proxy_code":  # who tries numbers and codes is to be found
            await audit.record(
                office.database, at=office.clock.now(), actor_kind="resident", actor_id=account, action="proxy.confirmed",
                object_kind="resident", object_id=account, outcome="refused", data={},
            )  # fmt: skip
        raise


async def _confirm(office: Office, account: str, key: str, code: str, settle: Settle) -> ProxyView:
    async with office.database.transaction() as tx:
        row = await _confirmed(office, tx, key, code)
        if row["agent_id"] == account:
            raise Refused("proxy_self")
        row |= {"principal_id": account, "confirmed_at": office.clock.now(), "changed_at": office.clock.now()}
        await proxies.save(tx, row)
        await agents.link(tx, row["id"], account)
        await record(office, tx, Actor("resident", account), "confirmed", row)
        await tell(office, tx, row["agent_id"], "proxy.confirmed", row)
        await _ring(tx, row)
        seen = view(office, row, account)
        await settle(tx, seen)
    return seen


async def change(office: Office, tx: Transaction, row: Row, actor: Actor, state: str, reason: str | None) -> None:
    """Give an authority another state: on record, told to both persons, felt by every open page of its cases."""
    row |= {"state": state, "reason": reason, "changed_at": office.clock.now()}
    act = "approved" if state == "active" else state
    await proxies.save(tx, row)
    await record(office, tx, actor, act, row)
    for account in sorted({row["agent_id"], row["principal_id"]} - {None, actor.id}):
        await tell(office, tx, account, f"proxy.{act}", row)
    await _ring(tx, row)


async def tell(office: Office, tx: Transaction, account: str, event: str, row: Row) -> None:
    """A line in an account's events; it names the kind of authority, nobody's name."""
    facts = {"text": KIND_NAMES[row["kind"]], "until_on": row["valid_to_on"], "reason": row["reason"]}
    await account_events.append(tx, account, event, None, facts, office.clock.now())


async def record(office: Office, tx: Transaction, actor: Actor, act: str, row: Row, **more: str) -> None:
    """Keep an act on an authority in the record that nobody edits."""
    await audit.record(
        tx, at=office.clock.now(), actor_kind=actor.kind, actor_id=actor.id, action=f"proxy.{act}", object_kind="proxy",
        object_id=row["id"], outcome="done", data={"kind": row["kind"], "state": row["state"], **more},
    )  # fmt: skip


async def sweep(office: Office) -> int:
    """One round: end what has run out; how many."""
    today = local_date(office.clock.now())
    ended = 0
    for proxy_id in await proxies.outlived(office.database, today, _BATCH):
        async with office.database.transaction() as tx:
            row = await proxies.take(tx, proxy_id)
            if row is not None and row["state"] == "active" and row["valid_to_on"] < today:
                await change(office, tx, row, SYSTEM, "ended", None)
                ended += 1
    return ended


async def forget(office: Office) -> int:
    """One round: delete what was settled long ago, names, numbers and the paper with it; how many.

    One by which a case was made stays as long as the case: it says who was allowed to act.
    """
    before = office.clock.now() - KEPT_SETTLED
    async with office.database.transaction() as tx:
        await proxies.keep_with_cases(tx, before, _BATCH)
        gone = await proxies.forget(tx, before, _BATCH)
        for row in gone:
            await record(office, tx, SYSTEM, "forgotten", row)
    return len(gone)


def principal_key(office: Office, number: str) -> str:
    """The fingerprint by which the same principal is known again."""
    return office.keys.sealer.blind_index(number, "proxy.principal")


def _errors(office: Office, asking: Asking, principal: Person, agent: Person, today: dt.date) -> Iterator[FieldError]:
    """Everything wrong with the fields, each with what to do; nothing that was typed is repeated."""
    yield from _persons(asking, principal, agent, today)
    if asking.kind in NEEDS_RELATION and not asking.relation:
        yield complaint("/relation", "required", verb="选择", label="您与被代办人的关系")
    if not all(_may_be_asked(office, asking.kind, code) for code in asking.items):
        yield complaint("/items", "kind_does_not_fit")
    if (asking.kind in NEEDS_DOCUMENT or asking.incapable) and not asking.document:
        yield complaint("/document", "document_missing")
    if asking.kind == "village_clerk" and not _is_village(office, clean(asking.village)):
        yield complaint("/village", "invalid_village")


def _persons(asking: Asking, principal: Person, agent: Person, today: dt.date) -> Iterator[FieldError]:
    for place, name in (("principal_name", principal.name), ("agent_name", agent.name)):
        if not name:
            yield complaint(f"/{place}", "required", verb="填写", label="姓名（名称）")
    if problem := id_number_problem(agent.number, today):
        yield complaint("/agent_number", "invalid_id_number", label="您的身份证号", problem=problem)
    elif is_minor(agent.number, today):
        yield complaint("/agent_number", "agent_is_minor")
    firm = asking.kind == "company"
    if problem := credit_code_problem(principal.number) if firm else id_number_problem(principal.number, today):
        code = "invalid_credit_code" if firm else "invalid_id_number"
        yield complaint("/principal_number", code, label="被代办人证件号码", problem=problem)
        return
    check_person(asking.kind, principal, today, incapable=asking.incapable)
    last = last_day(asking.kind, principal, today, incapable=asking.incapable)
    if not today <= asking.valid_to_on <= last:
        yield complaint("/valid_to_on", "valid_too_long", last=last)


def _may_be_asked(office: Office, kind: Kind, code: str) -> bool:
    item = office.catalogue.items.get(code)
    return item is not None and kind in allowed_kinds(item)


def _is_village(office: Office, village: str) -> bool:
    return village.isascii() and village.isdigit() and len(village) == _VILLAGE_DIGITS and in_village(village, office.division)


async def _check_account(tx: Transaction, account: str, asking: Asking) -> None:
    if await proxies.waiting_of(tx, account) >= MOST_WAITING:
        raise Refused("proxy_too_many", {"most": MOST_WAITING})
    if asking.kind == "village_clerk" and await proxies.villages_of(tx, account) - {clean(asking.village)}:
        raise Refused("proxy_village")
    if asking.document and not await uploads.ready_of_owner(tx, account, [asking.document]):
        raise Refused("invalid_form", errors=[complaint("/document", "upload_unusable", place=1)])


def _row(office: Office, account: str, asking: Asking, principal: Person, agent: Person) -> Row:
    now, proxy_id, sealer = office.clock.now(), uuid7(), office.keys.sealer
    minor = asking.kind != "company" and is_minor(principal.number, local_date(now))
    return {
        "id": proxy_id, "kind": asking.kind, "agent_id": account, "principal_id": None,
        "principal_sealed": sealer.seal(msgspec.json.encode(principal), f"proxy.principal_sealed:{proxy_id}"),
        "items": msgspec.json.encode(sorted(set(asking.items))).decode(),
        "village": clean(asking.village) if asking.kind == "village_clerk" else None, "upload_id": asking.document or None,
        "is_minor": minor, "state": "asked", "valid_to_on": asking.valid_to_on, "created_at": now, "changed_at": now,
        "principal_key": principal_key(office, principal.number),
        "agent_sealed": sealer.seal(msgspec.json.encode(agent), f"proxy.agent_sealed:{proxy_id}"),
        "relation": asking.relation if asking.kind in NEEDS_RELATION else "", "area": office.division,
        "is_incapable": asking.incapable and asking.kind == "guardian" and not minor, "reason": None, "settled_by": None,
        "confirmed_at": None,
    }  # fmt: skip


async def _confirmed(office: Office, tx: Transaction, key: str, code: str) -> Row:
    """The authority that number and code name together, locked."""
    for found in await proxies.of_person(tx, key, _MOST_SHOWN):
        if hmac.compare_digest(confirmation_code(office, found["id"]).encode(), code.encode()) and found["principal_id"] is None:
            row = await proxies.take(tx, found["id"])
            if row is not None and row["principal_id"] is None and row["state"] in {"asked", "active"}:
                return row
    raise Refused("proxy_code")


async def _pace(office: Office, *whose: str) -> None:
    """Eight digits are not to be guessed; without Redis nobody may try."""
    try:
        tries = [await office.fleeting.count(f"proxy-code:{one}", TRIES_SECONDS) for one in whose]
    except StoreUnavailable as error:
        raise Refused("unavailable", {"retry_after": 5}) from error
    if max(tries) > TRIES:
        raise Refused("too_many_requests", {"retry_after": TRIES_SECONDS})


async def _ring(tx: Transaction, row: Row) -> None:
    """Whoever looks at a case of this authority looks again: who may see it has changed."""
    for case_id in await agents.cases_of(tx, row["id"]):
        tx.ring(cases.topic(case_id))
