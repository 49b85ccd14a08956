"""Consents to WeChat messages: what the phone may be sent, and what its owner chose."""

from __future__ import annotations

import msgspec

from handlers import subscriptions
from handlers.office import Office
from handlers.subscriptions import Choice, Consent, Templates
from mobile_api.web.caller import Caller


class TemplateConsent(msgspec.Struct, frozen=True):
    """One message template: a "once" template sends as many messages as it has `credits`, a "lasting" one while it is `on`."""

    name: str
    template_id: str
    kind: str
    title: str
    credits: int
    on: bool


class Subscriptions(msgspec.Struct, frozen=True):
    """Every template of this mini-program; ids of different kinds must not stand in one wx.requestSubscribeMessage."""

    items: list[TemplateConsent]
    next_cursor: None = None


class Choices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What wx.requestSubscribeMessage answered: a choice for each template id."""

    results: dict[str, Choice]


async def show(caller: Caller, office: Office, templates: Templates) -> Subscriptions:
    """The templates and what the resident allows."""
    return _answer(await subscriptions.consents(office, templates, caller.account_id))


async def record(body: Choices, caller: Caller, office: Office, templates: Templates) -> Subscriptions:
    """Count what the resident chose in the dialog."""
    return _answer(await subscriptions.record_choices(office, templates, caller.account_id, body.results))


def _answer(consents: list[Consent]) -> Subscriptions:
    return Subscriptions(
        [
            TemplateConsent(held.template.name, held.template.template_id, held.template.kind, held.template.title, held.credits, held.on)
            for held in consents
        ]
    )
