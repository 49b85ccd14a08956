"""What waits at the officer's desk."""

from __future__ import annotations

from typing import Annotated

import msgspec

from handlers import worklist_views
from handlers.office import Office
from handlers.worklist_views import Show, TaskItem
from mobile_api.views.desk import officer
from mobile_api.web.caller import Caller


class TasksQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`show`: todo = what the caller may take further, mine = what he holds, free = what nobody holds, all = also what waits for others.

    `state` of the case, `item` by its code, `late`: only what is past its day, the longest first; `cursor` comes from the last page.
    """

    show: Show = "todo"
    state: Annotated[str, msgspec.Meta(max_length=24)] = ""
    item: Annotated[str, msgspec.Meta(max_length=16)] = ""
    late: bool = False
    cursor: Annotated[str, msgspec.Meta(max_length=80)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class Inbox(msgspec.Struct, frozen=True):
    """A page of what waits, the most urgent first; what was given to the caller comes before everything else."""

    items: list[TaskItem]
    next_cursor: str | None


async def listing(query: TasksQuery, caller: Caller, office: Office) -> Inbox:
    """The inbox."""
    wanted = worklist_views.Query(query.show, query.state, query.item, query.late)
    items, more = await worklist_views.inbox(office, officer(caller), wanted, query.cursor, query.limit)
    return Inbox(items, more or None)
