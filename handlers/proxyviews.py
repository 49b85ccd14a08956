"""What people see of authorities to act for others, and of both persons of a case. The structs are the answers."""

from __future__ import annotations

import datetime as dt

import msgspec

from handlers import agents
from handlers.authority import KIND_NAMES, RELATION_NAMES, Authority
from handlers.cards import Card, read_card
from handlers.numbers import mask_id_number, mask_name
from handlers.office import Office
from storage.database import Row

STATE_NAMES = {"asked": "待审核", "active": "有效", "refused": "未通过", "revoked": "已撤销", "ended": "已到期"}


class ScopeItem(msgspec.Struct, frozen=True):
    """An item that an authority names."""

    code: str
    name: str


class ProxyView(msgspec.Struct, frozen=True):
    """An authority as its agent or its principal sees it (`role`); numbers are masked, and so is the name of a minor.

    No `scope` = everything that the kind may do. `code`: what the agent tells his principal, who confirms with it; null when it is done.
    """

    id: str
    role: str
    kind: str
    kind_name: str
    state: str
    state_name: str
    principal_name: str
    principal_number: str
    agent_name: str
    relation_name: str
    minor: bool
    scope: tuple[ScopeItem, ...]
    village: str | None
    valid_to_on: dt.date
    asked_at: dt.datetime
    confirmed: bool
    reason: str | None
    code: str | None


class ProxyLine(msgspec.Struct, frozen=True):
    """An authority in the list of officers; both names masked."""

    id: str
    kind: str
    kind_name: str
    state: str
    state_name: str
    principal_name: str
    agent_name: str
    minor: bool
    asked_at: dt.datetime
    valid_to_on: dt.date


class ProxyDeskView(msgspec.Struct, frozen=True):
    """An authority as the officer sees it who checks it: both persons whole. `document`: there is a paper to look at."""

    id: str
    kind: str
    kind_name: str
    state: str
    state_name: str
    principal_name: str
    principal_number: str
    agent_name: str
    agent_number: str
    relation_name: str
    minor: bool
    incapable: bool
    scope: tuple[ScopeItem, ...]
    village: str | None
    valid_to_on: dt.date
    asked_at: dt.datetime
    changed_at: dt.datetime
    confirmed_at: dt.datetime | None
    reason: str | None
    document: bool


class BehalfView(msgspec.Struct, frozen=True):
    """Who acts for whom in a case; in lists both names are masked. `agent_id` is the agent's account."""

    kind: str
    kind_name: str
    agent_id: str
    agent_name: str
    principal_name: str
    relation_name: str
    minor: bool


class AgentParticulars(msgspec.Struct, frozen=True):
    """Both persons of a case for its officers, with their numbers; `document`: the upload that was shown for the authority.

    `holds`: the agent may still act and fetch the result. `told`: somebody hears of the case on a phone; else the office calls or writes.
    """

    proxy_id: str
    agent_number: str
    principal_number: str
    document: str | None
    holds: bool
    told: bool


def confirmation_code(office: Office, proxy_id: str) -> str:
    """The eight digits by which a principal confirms an authority; made from its id, so that nothing has to be kept."""
    return f"{int(office.keys.sealer.blind_index(proxy_id, 'proxy.confirmation')[:15], 16) % 10**8:08d}"


def view(office: Office, row: Row, account: str) -> ProxyView:
    """An authority for one of its two persons."""
    authority, agent = agents.open_authority(office, row), agents.open_agent(office, row)
    role = "agent" if row["agent_id"] == account else "principal"
    open_still = role == "agent" and row["principal_id"] is None and row["state"] in {"asked", "active"}
    return ProxyView(
        row["id"], role, row["kind"], KIND_NAMES[row["kind"]], row["state"], STATE_NAMES[row["state"]],
        authority.principal.shown(masked=row["is_minor"]), mask_id_number(authority.principal.number), agent.name,
        RELATION_NAMES[row["relation"]], row["is_minor"], _items(office, authority), row["village"], row["valid_to_on"],
        row["created_at"], row["confirmed_at"] is not None, row["reason"], confirmation_code(office, row["id"]) if open_still else None,
    )  # fmt: skip


def desk_line(office: Office, row: Row) -> ProxyLine:
    """An authority in the list of officers."""
    principal, agent = agents.open_authority(office, row).principal, agents.open_agent(office, row)
    return ProxyLine(
        row["id"], row["kind"], KIND_NAMES[row["kind"]], row["state"], STATE_NAMES[row["state"]],
        principal.name if row["kind"] == "company" else mask_name(principal.name), mask_name(agent.name), row["is_minor"],
        row["created_at"], row["valid_to_on"],
    )  # fmt: skip


def desk_view(office: Office, row: Row) -> ProxyDeskView:
    """An authority for the officer who checks it."""
    authority, agent = agents.open_authority(office, row), agents.open_agent(office, row)
    return ProxyDeskView(
        row["id"], row["kind"], KIND_NAMES[row["kind"]], row["state"], STATE_NAMES[row["state"]], authority.principal.name,
        authority.principal.number, agent.name, agent.number, RELATION_NAMES[row["relation"]], row["is_minor"], row["is_incapable"],
        _items(office, authority), row["village"], row["valid_to_on"], row["created_at"], row["changed_at"], row["confirmed_at"],
        row["reason"], row["upload_id"] is not None,
    )  # fmt: skip


def behalf(office: Office, row: Row, card: Card, *, masked: bool = False) -> BehalfView | None:
    """Who acts for whom in a case, None where nobody does."""
    one = card.agent
    if one is None:
        return None
    agent, principal = agents.agent_of(office, row["id"], one), agents.principal_of(office, row["id"], one)
    return BehalfView(
        one.kind, KIND_NAMES[one.kind], one.account, agent.shown(masked=masked),
        principal.shown(masked=masked and one.kind != "company"), RELATION_NAMES[one.relation], one.minor,
    )  # fmt: skip


def behalf_of_row(office: Office, row: Row) -> BehalfView | None:
    """The same for a case in a list: masked, and the card is only read where somebody acts for somebody."""
    return behalf(office, row, read_card(row), masked=True) if row["is_by_agent"] else None


async def agent_particulars(office: Office, row: Row, card: Card) -> AgentParticulars | None:
    """What the officers of a case may know of both persons."""
    one = card.agent
    if one is None:
        return None
    agent, principal = agents.agent_of(office, row["id"], one), agents.principal_of(office, row["id"], one)
    told = await agents.told_of(office, office.database, row)
    return AgentParticulars(one.proxy, agent.number, principal.number, one.document, one.account in told, bool(told))


def _items(office: Office, authority: Authority) -> tuple[ScopeItem, ...]:
    items = office.catalogue.items
    return tuple(ScopeItem(code, items[code].name if code in items else code) for code in authority.items)
