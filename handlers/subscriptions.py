"""Consent to WeChat messages: what may be sent to whom, told by the phone and by the platform, counted once."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from handlers.errors import Refused
from handlers.office import Office
from storage import notifications, subscriptions, wechat_push
from storage.clock import Clock
from storage.database import Database, Transaction
from storage.wechat_push import Push

Choice = Literal["accept", "reject", "ban", "filter", "acceptWithAudio", "acceptWithAlert"]
"""What wx.requestSubscribeMessage answers per template."""

_SENDING_TAKES_AT_MOST = dt.timedelta(minutes=1)

_PROVIDER_ID = 64
"""Of the platform's message id this much is kept with a notification, so this much is compared."""

_ACCEPTS = frozenset({"accept", "acceptWithAudio", "acceptWithAlert"})


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """One of our message templates: its name here, its id at the platform, and which fact stands in which field."""

    name: str
    title: str
    kind: Literal["once", "lasting"]
    template_id: str
    page: str
    fields: Mapping[str, str]


class Templates:
    """The templates of this mini-program, by name and by the platform's id."""

    def __init__(self, templates: Iterable[MessageTemplate]) -> None:
        self.by_name = {template.name: template for template in templates}
        self.by_id = {template.template_id: template for template in self.by_name.values()}


@dataclass(frozen=True, slots=True)
class Consent:
    """What one resident allows for one template."""

    template: MessageTemplate
    credits: int
    on: bool


async def consents(office: Office, templates: Templates, account_id: str) -> list[Consent]:
    """Every template with what the resident allows."""
    known = await subscriptions.of_account(office.database, account_id)
    nothing = subscriptions.Subscription("once", 0, is_on=False)
    found = ((template, known.get(template.name, nothing)) for template in templates.by_name.values())
    return [Consent(template, held.credits, held.allows) for template, held in found]


async def record_choices(office: Office, templates: Templates, account_id: str, choices: Mapping[str, Choice]) -> list[Consent]:
    """What the resident chose in the dialog, by template id; raises Refused("unknown_template")."""
    if not choices.keys() <= templates.by_id.keys():
        raise Refused("unknown_template")
    now = office.clock.now()
    async with office.database.transaction() as tx:
        for template_id, choice in sorted(choices.items()):
            template = templates.by_id[template_id]
            if choice in _ACCEPTS:
                await _accepted(tx, account_id, template, "phone", now)
            elif choice == "reject" and template.kind == "lasting":
                await _turned_off(tx, account_id, template, now)
    return await consents(office, templates, account_id)


async def receive(office: Office, event: Mapping[str, Any]) -> bool:
    """Keep a callback of the platform for later work; False if it is a repeat. Never works on it inside the request."""
    name = str(event.get("Event") or event.get("MsgType") or "unknown")[:60]
    async with office.database.transaction() as tx:
        return await wechat_push.add(tx, once_key(event), name, event, office.clock.now())


def once_key(event: Mapping[str, Any]) -> str:
    """What makes a callback the same as another: sender with MsgId, or sender, time and what it is about."""
    sender = str(event.get("FromUserName", ""))
    if event.get("MsgId"):
        return f"message|{sender[:64]}|{str(event['MsgId'])[:64]}"
    about = [event.get(name) for name in ("TemplateId", "MsgID", "trace_id", "EventKey", "OpenID", "RevokeInfo")]
    about += [(entry.get("TemplateId"), entry.get("MsgID"), entry.get("SubscribeStatusString")) for entry in event.get("List") or []]
    digest = hashlib.sha256(repr(about).encode()).hexdigest()[:32]
    return f"event|{sender[:64]}|{str(event.get('CreateTime', ''))[:12]}|{str(event.get('Event', ''))[:50]}|{digest}"


async def apply_pushes(database: Database, clock: Clock, templates: Templates, limit: int = 100) -> int:
    """Work on callbacks that wait, each in a transaction of its own; answers how many took effect."""
    done = 0
    for push in await wechat_push.unhandled(database, limit):
        try:
            async with database.transaction() as tx:
                if await wechat_push.settle(tx, push.once_key, clock.now()):
                    await _apply(tx, templates, push, clock.now())
                    done += 1
        except _TooEarly:
            continue
    return done


class _TooEarly(Exception):
    """The platform was quicker than we: it reports on a message whose sending is not written down yet."""


async def _apply(tx: Transaction, templates: Templates, push: Push, now: dt.datetime) -> None:
    account_id = await subscriptions.account_of(tx, str(push.body.get("FromUserName", "")))
    if account_id is None:
        return
    for entry in push.body.get("List") or []:
        template = templates.by_id.get(str(entry.get("TemplateId", "")))
        if push.event == "subscribe_msg_sent_event":
            await _sent(tx, account_id, push, entry, now)
        elif template is not None:
            await _consented(tx, account_id, template, push, entry)


async def _sent(tx: Transaction, account_id: str, push: Push, entry: Mapping[str, Any], now: dt.datetime) -> None:
    code = str(entry.get("ErrorCode", "0"))
    error = "" if code == "0" else f"{code} {entry.get('ErrorStatus', '')}"
    known = await notifications.report(tx, str(entry.get("MsgID", ""))[:_PROVIDER_ID], account_id, error=error, now=now)
    if not known and now - push.received_at < _SENDING_TAKES_AT_MOST:
        raise _TooEarly


async def _consented(tx: Transaction, account_id: str, template: MessageTemplate, push: Push, entry: Mapping[str, Any]) -> None:
    at = _time_of(push)
    popup = push.event == "subscribe_msg_popup_event"
    if popup and entry.get("SubscribeStatusString") == "accept":
        await _accepted(tx, account_id, template, "platform", at)
    elif push.event == "subscribe_msg_change_event" or (popup and template.kind == "lasting"):
        await _turned_off(tx, account_id, template, at)


async def _accepted(tx: Transaction, account_id: str, template: MessageTemplate, source: str, at: dt.datetime) -> None:
    await subscriptions.take(tx, account_id, template.name, template.kind, at)
    if template.kind == "lasting":
        await subscriptions.switch(tx, account_id, template.name, on=True, at=at)
    elif await wechat_push.is_new_tap(tx, account_id, template.name, source, at):
        await subscriptions.add_credit(tx, account_id, template.name, at)


async def _turned_off(tx: Transaction, account_id: str, template: MessageTemplate, at: dt.datetime) -> None:
    await subscriptions.take(tx, account_id, template.name, template.kind, at)
    if template.kind == "lasting":
        await subscriptions.switch(tx, account_id, template.name, on=False, at=at)
    else:
        await subscriptions.clear(tx, account_id, template.name, at)


def _time_of(push: Push) -> dt.datetime:
    """When it happened at the platform: CreateTime in Unix seconds, a number or a string."""
    stamp = str(push.body.get("CreateTime", ""))
    return dt.datetime.fromtimestamp(int(stamp[:10]), dt.UTC) if stamp.isdecimal() else push.received_at
