"""A case that somebody makes for somebody else (代办): both are on it, both are told; the agent may act while his authority holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from handlers.authority import Authority, Person, check_applicant, check_use, identity
from handlers.cards import CardAgent
from handlers.catalogue import ServiceItem
from handlers.errors import Refused
from handlers.limits import local_date
from handlers.office import Office
from storage import agents, proxies
from storage.database import Queries, Row, Transaction

if TYPE_CHECKING:
    from handlers.casefile import CaseFile

Standing = Literal["owner", "principal", "agent", "former agent", "stranger"]
"""What somebody is to a case; all but the last two may see and change it."""


def open_authority(office: Office, row: Row) -> Authority:
    """A proxy row with its principal in the clear."""
    sealed = office.keys.sealer.unseal(row["principal_sealed"], f"proxy.principal_sealed:{row['id']}")
    return Authority(
        row["id"], row["kind"], row["state"], tuple(msgspec.json.decode(row["items"])), row["valid_to_on"], row["village"],
        row["is_incapable"], msgspec.json.decode(sealed, type=Person),
    )  # fmt: skip


def open_agent(office: Office, row: Row) -> Person:
    """The agent of a proxy row in the clear."""
    return msgspec.json.decode(office.keys.sealer.unseal(row["agent_sealed"], f"proxy.agent_sealed:{row['id']}"), type=Person)


async def usable(office: Office, db: Queries, account: str, proxy_id: str, *items: ServiceItem) -> Row:
    """The authority by which an account applies for these items today; refused if it does not carry them.

    Within a transaction the row is locked, so that a revocation comes before or after the application, never in between.
    """
    row = await (proxies.take(db, proxy_id) if isinstance(db, Transaction) else proxies.by_id(db, proxy_id))
    if row is None or row["agent_id"] != account or row["area"] != office.division:
        raise Refused("proxy_unknown")
    authority, today = open_authority(office, row), local_date(office.clock.now())
    for item in items:
        check_use(authority, item, office.division, today)
    return row


def filled_in(office: Office, proxy: Row, item: ServiceItem, form: dict[str, Any]) -> dict[str, Any]:
    """A form with the principal as its applicant; refused if it names anybody else. What is left out the office knows."""
    authority = open_authority(office, proxy)
    return completed(identity(authority.kind, authority.principal, item.form.fields), form)


def completed(wanted: dict[str, str], form: dict[str, Any]) -> dict[str, Any]:
    """A form with these answers where it has none; refused where it has others."""
    whole = {**wanted, **{name: value for name, value in form.items() if value not in (None, "")}}
    check_applicant(wanted, whole)
    return whole


def attach(file: CaseFile, proxy: Row) -> None:
    """Write both persons on a new case."""
    office, case_id = file.office, file.row["id"]
    authority = open_authority(office, proxy)
    principal = _seal(office, case_id, "principal_sealed", authority.principal)
    agent = _seal(office, case_id, "agent_sealed", open_agent(office, proxy))
    minor = authority.kind == "guardian" and not authority.is_incapable
    file.row["is_by_agent"] = True
    card = CardAgent(proxy["agent_id"], proxy["id"], proxy["kind"], proxy["relation"], minor, agent, principal, proxy["upload_id"])
    file.card = msgspec.structs.replace(file.card, agent=card)
    row = {
        "case_id": case_id, "kind": proxy["kind"], "agent_id": proxy["agent_id"], "proxy_id": proxy["id"], "relation": proxy["relation"],
        "principal_sealed": principal, "principal_id": proxy["principal_id"], "is_minor": minor, "agent_sealed": agent,
    }  # fmt: skip
    file.write(lambda tx: agents.insert(tx, row))


def as_principals(file: CaseFile, form: dict[str, Any]) -> dict[str, Any]:
    """The form of a case that is about to be handed in: where somebody acts for the applicant, it is the principal's."""
    agent = file.card.agent
    if agent is None:
        return form
    return completed(identity(agent.kind, principal_of(file.office, file.row["id"], agent), file.item.form.fields), form)


def principal_of(office: Office, case_id: str, agent: CardAgent) -> Person:
    """The principal of a case in the clear."""
    return _unseal(office, case_id, "principal_sealed", agent.principal_sealed)


def agent_of(office: Office, case_id: str, agent: CardAgent) -> Person:
    """The agent of a case in the clear."""
    return _unseal(office, case_id, "agent_sealed", agent.agent_sealed)


def standing(row: Row, both: Row | None, account: str, *, living: bool) -> Standing:
    """What an account is to a case: `both` is its row of persons, None where nobody acts for anybody."""
    if both is None:
        return "owner" if row["resident_id"] == account else "stranger"
    if account == both["principal_id"]:
        return "principal"
    if account != both["agent_id"]:
        return "stranger"
    return "agent" if living else "former agent"


async def standing_of(office: Office, db: Queries, row: Row, account: str) -> Standing:
    """What an account is to a case today; in a transaction the authority stays as it is until the commit."""
    both = await agents.of_case(db, row["id"]) if row["is_by_agent"] else None
    if both is None or account != both["agent_id"]:
        return standing(row, both, account, living=False)
    return standing(row, both, account, living=await _is_living(office, db, row))


async def told_of(office: Office, db: Queries, row: Row) -> list[str]:
    """The accounts that hear what becomes of a case: the principal too, the agent as long as he may act."""
    if not row["is_by_agent"]:
        return [row["resident_id"]]
    both = await agents.of_case(db, row["id"])
    if both is None:
        return []
    told = {both["principal_id"]} - {None} | ({both["agent_id"]} if await _living(office, db, row) else set())
    return sorted(told)  # one order for everybody: two who act for each other must not wait for each other


async def holds(office: Office, db: Queries, row: Row) -> bool:
    """Whether who acts for the applicant of a case may still do so today; False where nobody acts."""
    return bool(row["is_by_agent"] and await _living(office, db, row))


async def _is_living(office: Office, db: Queries, row: Row) -> bool:
    """Whether the agent may act; in a transaction one authority that says so is kept from being revoked meanwhile."""
    for proxy_id in await _living(office, db, row):
        locked = await proxies.take(db, proxy_id) if isinstance(db, Transaction) else None
        if locked is None or locked["state"] == "active":
            return True
    return False


async def _living(office: Office, db: Queries, row: Row) -> list[str]:
    """Ids of the authorities by which the agent of a case may act in it today."""
    today = local_date(office.clock.now())
    item = await office.catalogue.version(db, row["item_code"], row["item_version"])
    found = await agents.living(db, row["id"], today)
    return [one["id"] for one in found if open_authority(office, one).carries(item, today)]


def _seal(office: Office, case_id: str, column: str, person: Person) -> bytes:
    return office.keys.sealer.seal(msgspec.json.encode(person), f"case_agent.{column}:{case_id}")


def _unseal(office: Office, case_id: str, column: str, sealed: bytes) -> Person:
    return msgspec.json.decode(office.keys.sealer.unseal(sealed, f"case_agent.{column}:{case_id}"), type=Person)
