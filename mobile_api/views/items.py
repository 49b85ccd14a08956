"""What the town offers, for anyone: items, their guides, bundles, departments, life events."""

from __future__ import annotations

from typing import Annotated

import msgspec

from handlers.bundleguides import BundleSummary, BundleView, bundle_summary, bundle_view
from handlers.catalogue import Audience
from handlers.itemviews import (
    DepartmentView,
    Guide,
    ItemSummary,
    department_view,
    guide,
    item_summary,
)
from handlers.office import Office
from mobile_api.web.operation import Answer


class ItemQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`q`: Chinese, pinyin, first letters or an everyday word; `event`: a life event; `cursor` comes from the last page."""

    q: Annotated[str, msgspec.Meta(max_length=100)] = ""
    department: str | None = None
    audience: Audience | None = None
    event: str | None = None
    cursor: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class ItemList(msgspec.Struct, frozen=True):
    """A page of items, best match first."""

    items: list[ItemSummary]
    next_cursor: str | None


class BundleQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`parts`: the optional items that are wanted too, with commas between."""

    parts: Annotated[str, msgspec.Meta(max_length=200)] = ""


class BundleList(msgspec.Struct, frozen=True):
    """All bundles."""

    items: list[BundleSummary]
    next_cursor: None = None


class DepartmentList(msgspec.Struct, frozen=True):
    """All departments."""

    items: list[DepartmentView]
    next_cursor: None = None


class EventView(msgspec.Struct, frozen=True):
    """A moment of life by which items are found, and how many there are."""

    name: str
    description: str
    items: int


class EventList(msgspec.Struct, frozen=True):
    """All life events."""

    items: list[EventView]
    next_cursor: None = None


async def list_items(query: ItemQuery, office: Office) -> ItemList:
    """Find items."""
    catalogue = office.catalogue
    page = catalogue.search(
        query.q, department=query.department, audience=query.audience, event=query.event, after=query.cursor or None, limit=query.limit
    )
    return ItemList([item_summary(catalogue, item) for item in page.items], page.after)


async def show_item(code: str, office: Office) -> Answer[Guide]:
    """The guide of an item; its ETag is the version published."""
    item = office.catalogue.item(code)
    return Answer(guide(office.catalogue, item), etag=item.version)


async def list_bundles(office: Office) -> BundleList:
    """All bundles."""
    return BundleList([bundle_summary(office.catalogue, bundle) for bundle in office.catalogue.bundles.values()])


async def show_bundle(code: str, query: BundleQuery, office: Office) -> BundleView:
    """One bundle with its items in order, and the one form for the parts chosen."""
    parts = tuple(part for part in query.parts.split(",") if part)
    return bundle_view(office.catalogue, office.catalogue.bundle(code), parts)


async def list_departments(office: Office) -> DepartmentList:
    """All departments with their telephone numbers."""
    return DepartmentList([department_view(department) for department in office.catalogue.departments.values()])


async def list_events(office: Office) -> EventList:
    """All life events, in the order of the town's table."""
    counts = office.catalogue.event_counts
    return EventList([EventView(event.name, event.description, counts[event.name]) for event in office.catalogue.events.values()])
