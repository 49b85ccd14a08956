"""Reply templates of a department."""

from __future__ import annotations

from typing import Literal

import msgspec

from handlers import replies
from handlers.office import Office
from handlers.replies import Template, TemplateView
from mobile_api.views.desk import officer
from mobile_api.web.caller import Caller
from mobile_api.web.idempotency import Once
from mobile_api.web.operation import Answer


class TemplatesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`kind`: one of the kinds, empty for all."""

    kind: Literal["", "correction", "not_accept", "refuse", "opinion", "note"] = ""


class Templates(msgspec.Struct, frozen=True):
    """The templates in use, by kind and title."""

    items: list[TemplateView]
    next_cursor: None = None


async def listing(query: TemplatesQuery, caller: Caller, office: Office) -> Templates:
    """The templates of the caller's department."""
    return Templates(await replies.listing(office, officer(caller), query.kind))


async def for_case(id: str, caller: Caller, office: Office) -> Templates:  # noqa: A002 - the path's own word
    """The templates for a case, with its gaps filled."""
    return Templates(await replies.for_case(office, officer(caller), id))


async def add(body: Template, caller: Caller, office: Office, once: Once) -> Answer[TemplateView]:
    """A new template."""
    return await once.settled(lambda settle: replies.add(office, officer(caller), body, settle), _created)


async def change(id: str, body: Template, caller: Caller, office: Office) -> TemplateView:  # noqa: A002
    """Change a template."""
    return await replies.change(office, officer(caller), id, body)


async def retire(id: str, caller: Caller, office: Office) -> None:  # noqa: A002
    """Take a template out of use."""
    await replies.retire(office, officer(caller), id)


def _created(view: TemplateView) -> Answer[TemplateView]:
    return Answer(view, status=201)
