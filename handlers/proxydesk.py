"""Authorities to act for others as officers handle them: look at the paper, approve, refuse, take back."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from handlers import agents, proxies, uploads
from handlers.access import Officer
from handlers.authority import check_person, in_village
from handlers.errors import Refused
from handlers.limits import local_date
from handlers.office import Office
from handlers.policy import scope_of
from handlers.proxyviews import ProxyDeskView, ProxyLine, desk_line, desk_view
from handlers.uploads import Upload
from storage import agents as linked
from storage import cases
from storage import proxies as stored
from storage.database import Row, Transaction


async def listing(office: Office, officer: Officer, state: str, after: str, limit: int) -> list[ProxyLine]:
    """A page of the authorities of the officer's area in a state, the oldest first."""
    if scope_of(officer.role, "see_proxy") == "none":
        raise Refused("forbidden")
    return [desk_line(office, row) for row in await stored.of_area(office.database, officer.area, state, after, limit)]


async def show(office: Office, officer: Officer, proxy_id: str) -> ProxyDeskView:
    """One authority with both persons; the look is in the record."""
    async with office.database.transaction() as tx:
        row = _seen(officer, await stored.by_id(tx, proxy_id))
        await proxies.record(office, tx, officer.actor, "seen", row)
    return desk_view(office, row)


async def document(office: Office, officer: Officer, proxy_id: str) -> tuple[Upload, AsyncGenerator[bytes, None]]:
    """The paper that shows the authority; the look is in the record."""
    async with office.database.transaction() as tx:
        row = _seen(officer, await stored.by_id(tx, proxy_id))
        if row["upload_id"] is None:
            raise Refused("not_found")
        await proxies.record(office, tx, officer.actor, "document_seen", row)
    return await uploads.open_for_office(office, row["upload_id"])


async def approve(office: Office, officer: Officer, proxy_id: str) -> ProxyDeskView:
    """The paper is in order: the authority holds from now on."""
    async with office.database.transaction() as tx:
        row = await _taken(tx, officer, proxy_id, "asked")
        await _check(office, tx, row)
        row["settled_by"] = officer.id
        await proxies.change(office, tx, row, officer.actor, "active", None)
    return desk_view(office, row)


async def refuse(office: Office, officer: Officer, proxy_id: str, reason: str) -> ProxyDeskView:
    """The paper does not show an authority; the agent is told why."""
    return await _end(office, officer, proxy_id, "asked", "refused", reason)


async def revoke(office: Office, officer: Officer, proxy_id: str, reason: str) -> ProxyDeskView:
    """Take an authority back that should not hold, such as one whose principal has died or was impersonated."""
    return await _end(office, officer, proxy_id, "active", "revoked", reason)


async def unlink(office: Office, officer: Officer, proxy_id: str, reason: str) -> ProxyDeskView:
    """The account that confirmed is not the principal's: it loses what it saw as his; the authority stays as it is.

    Whoever cheats confirms with a second account of his own (docs/decisions/0017): to take the authority back leaves him that one.
    """
    if not reason.strip():
        raise Refused("reason_missing")
    async with office.database.transaction() as tx:
        row = _seen(officer, await stored.take(tx, proxy_id))
        if scope_of(officer.role, "settle_proxy") == "none":
            raise Refused("forbidden")
        account = row["principal_id"]
        if account is None:
            raise Refused("proxy_not_waiting")
        await proxies.record(office, tx, officer.actor, "unlinked", row, account=account, reason=reason.strip())
        for case_id in await linked.unlink(tx, row["principal_key"], account):
            tx.ring(cases.topic(case_id))
        await stored.unlink(tx, row["principal_key"], account, office.clock.now())
        row |= {"principal_id": None, "confirmed_at": None, "changed_at": office.clock.now()}
    return desk_view(office, row)


async def _end(office: Office, officer: Officer, proxy_id: str, begins: str, ends: str, reason: str) -> ProxyDeskView:
    if not reason.strip():
        raise Refused("reason_missing")
    async with office.database.transaction() as tx:
        row = await _taken(tx, officer, proxy_id, begins)
        row["settled_by"] = officer.id
        await proxies.change(office, tx, row, officer.actor, ends, reason.strip())
    return desk_view(office, row)


async def _check(office: Office, tx: Transaction, row: Row) -> None:
    """What held when it was asked for may not hold any more: age, the last day, the village."""
    authority, today = agents.open_authority(office, row), local_date(office.clock.now())
    check_person(authority.kind, authority.principal, today, incapable=row["is_incapable"])  # type: ignore[arg-type]  # a Kind, by the schema
    if authority.valid_to_on < today:
        raise Refused("proxy_over")
    if row["kind"] == "village_clerk":
        others = await stored.villages_of(tx, row["agent_id"]) - {row["village"]}
        if others or not in_village(row["village"], office.division):
            raise Refused("proxy_village")


async def _taken(tx: Transaction, officer: Officer, proxy_id: str, state: str) -> Row:
    row = _seen(officer, await stored.take(tx, proxy_id))
    if scope_of(officer.role, "settle_proxy") == "none":
        raise Refused("forbidden")
    if row["state"] != state:
        raise Refused("proxy_not_waiting")
    return row


def _seen(officer: Officer, row: Row | None) -> Row:
    """Unseen ones are "not found" alike: absent, of another town, or not for this role."""
    if row is None or scope_of(officer.role, "see_proxy") == "none" or row["area"] != officer.area:
        raise Refused("not_found")
    return row
