"""One line of events per account, read from a position: long-poll and socket ask the same question (decision 7)."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.office import Office
from storage import account_events
from storage.account_events import AccountEvent

__all__ = ["AccountEvent", "Page", "follow", "inbox", "page", "read"]

MOST = 200


@dataclass(frozen=True, slots=True)
class Page:
    """Events above a position; `next` is the position to ask from, `reset` says that older events are no longer kept."""

    events: list[AccountEvent]
    next: int
    unread: int
    reset: bool = False


async def page(office: Office, account_id: str, since: int) -> Page:
    """What happened above `since`; a position the line never had starts anew with `reset`."""
    position, events = await account_events.page(office.database, account_id, since, MOST)
    if since > position.last:
        return Page([], position.last, position.unread, reset=True)
    lost = bool(events) and events[0].n > since + 1
    return Page(events, events[-1].n if events else position.last, position.unread, reset=lost)


async def follow(office: Office, account_id: str, since: int, patience: float) -> Page:
    """Like `page`, but waits up to `patience` seconds for something to happen."""
    with office.bell.listen(account_events.topic(account_id)) as ticket:
        found = await page(office, account_id, since)
        if found.events or found.reset or not patience:
            return found
        await ticket.wait(patience)
        return await page(office, account_id, since)


async def inbox(office: Office, account_id: str, before: int | None, limit: int) -> tuple[list[AccountEvent], int]:
    """The newest events first, and how many are unread."""
    position = await account_events.position(office.database, account_id)
    return await account_events.latest(office.database, account_id, before, limit), position.unread


async def read(office: Office, account_id: str, to: int) -> int:
    """Mark everything up to `to` as read; answers how much is left unread."""
    async with office.database.transaction() as tx:
        return (await account_events.mark_read(tx, account_id, to)).unread
