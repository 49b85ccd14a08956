"""Carries notifications to phones. The rows are the truth: whoever dies here, another sender goes on.

created -> sending -> sent -> delivered; back to temporary_failure for another try; suppressed, expired,
permanent_failure and technical_failure are final. A `sending` row whose time has passed is due again.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from prometheus_client import Counter, Histogram

from handlers.subscriptions import MessageTemplate, Templates, apply_pushes
from notifications import wording
from notifications.carrier import Carrier
from notifications.channels import Channel, Message, NotSent, NotWanted, OutOfReach, TryLater
from notifications.templates import fill
from storage import notifications, subscriptions, trace, wechat_push
from storage.bell import Bell
from storage.clock import Clock
from storage.database import Database
from storage.notifications import Address, Notification
from storage.subscriptions import Subscription

log = logging.getLogger(__name__)

ATTEMPTS = Counter("notification_attempts", "Attempts to send a notification by how they ended", ["channel", "state"])
WAITED = Histogram("notification_wait_seconds", "From the event to the provider's acceptance", buckets=(0.1, 0.3, 1, 3, 10, 60, 600, 3600))
OVERTAKEN = Counter("notification_overtaken", "Attempts that ended after another sender had taken the message over")

LEGAL = frozenset({"case.not_accepted", "case.correction_requested", "case.decided"})
"""Notices with legal effect: a preference does not stop them, and they are tried longer."""

LEGAL_GIVE_UP = dt.timedelta(days=7)
_BASE, _FACTOR, _CAP = 2.0, 4.0, 3600.0
_CAP_OUT_OF_REACH = 60.0
_PROBE_CAP = 15.0
_TIDY_EVERY = dt.timedelta(hours=1)
_REPEATS_END_AFTER = dt.timedelta(hours=24)
_OF_LEASE = 0.75
"""Nothing is begun in the last quarter of a lease, so that no two senders hold the same message."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended: the row's new state, a word about why, when to try again, the provider's id."""

    state: str
    detail: str = ""
    next_at: dt.datetime | None = None
    provider_id: str | None = None


class Breaker:
    """Keeps a channel that is out of reach from being asked for every message: one probe, then all again."""

    def __init__(self, clock: Clock, jitter: Callable[[float, float], float]) -> None:
        self._clock = clock
        self._jitter = jitter
        self._failures = 0
        self._until = clock.now()

    @property
    def probing(self) -> bool:
        """Whether the last word from the provider was a failure."""
        return self._failures > 0

    @property
    def is_resting(self) -> bool:
        """Whether the channel must not be asked now."""
        return self._clock.now() < self._until

    def failed(self, at_least: float = 0.0) -> None:
        """The provider as a whole did not work; ask again after a pause that grows to 15 seconds, or `at_least`."""
        self._failures += 1
        pause = max(at_least, self._jitter(0.5, 1.0) * min(_PROBE_CAP, 2.0 ** min(self._failures, 5)))
        self._until = self._clock.now() + dt.timedelta(seconds=pause)

    def worked(self) -> None:
        """The provider answered sense."""
        self._failures = 0


class Sender:
    """Sends what is due by one channel. Several may run, in one process or many; `holder` tells them apart."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        bell: Bell,
        channel: Channel,
        templates: Templates,
        *,
        holder: str,
        poll: float = 1.0,
        batch: int = 32,
        lease: float = 60.0,
        give_up: dt.timedelta = dt.timedelta(hours=24),
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._database = database
        self._clock = clock
        self._channel = channel
        self._templates = templates
        self._holder = holder
        self._batch = batch
        self._lease = dt.timedelta(seconds=lease)
        self._give_up = give_up
        self._jitter = jitter
        self._tidy_at = clock.now()
        self.breaker = Breaker(clock, jitter)
        self._carriers = (
            Carrier("notification sender", self.round, bell, notifications.BELL, poll=poll),
            Carrier("WeChat callbacks", self.callbacks, bell, wechat_push.BELL, poll=poll),
        )

    async def start(self) -> None:
        """Begin to send and to work on the platform's callbacks."""
        for carrier in self._carriers:
            await carrier.start()

    async def stop(self) -> None:
        """End; messages in hand are finished."""
        for carrier in self._carriers:
            await carrier.stop()

    async def callbacks(self) -> bool:
        """Work once on the callbacks that wait; drop those that nobody will repeat any more."""
        await apply_pushes(self._database, self._clock, self._templates)
        now = self._clock.now()
        if now >= self._tidy_at:
            self._tidy_at = now + _TIDY_EVERY
            await wechat_push.forget(self._database, now - _REPEATS_END_AFTER)
        return False

    async def round(self) -> bool:
        """Send once what is due; True if there may be more."""
        if self.breaker.is_resting:
            return False
        limit = 1 if self.breaker.probing else self._batch
        now = self._clock.now()
        taken = await notifications.claim(self._database, self._holder, now, now + self._lease, limit)
        if not taken:
            return False
        await self._send_all(taken, now + self._lease * _OF_LEASE)
        return not self.breaker.is_resting

    async def _send_all(self, taken: list[Notification], deadline: dt.datetime) -> None:
        accounts = sorted({one.account_id for one in taken})
        addresses = await notifications.addresses(self._database, accounts)
        by_account = groupby(sorted(taken, key=lambda one: one.account_id), key=lambda one: one.account_id)
        # One after the other for each person: the platform refuses two at once (43108). What goes wrong with one person's
        # messages must not break off another's in the middle of a send, hence no task group.
        turns = [self._send_in_turn(addresses.get(account_id), list(messages), deadline) for account_id, messages in by_account]
        for failure in await asyncio.gather(*turns, return_exceptions=True):
            if isinstance(failure, Exception):
                log.error("a message is left until its sender's time has passed", exc_info=failure)

    async def _send_in_turn(self, address: Address | None, messages: list[Notification], deadline: dt.datetime) -> None:
        for place, message in enumerate(messages):
            if self.breaker.is_resting or self._clock.now() > deadline:
                await notifications.put_back(self._database, messages[place:], self._clock.now())
                return
            with trace.carried(message.traceparent):
                await self._send_one(address, message)

    async def _send_one(self, address: Address | None, message: Notification) -> None:
        consents = await subscriptions.of_account(self._database, message.account_id)
        ending, used = self._beforehand(address, message, consents), None
        if ending is None and address is not None and address.openid is not None:
            ending, used = await self._try_templates(address.openid, message, self._allowed(message, consents))
        await self._write(message, ending or Ending("technical_failure", "no way to send"), used)

    def _beforehand(self, address: Address | None, message: Notification, consents: dict[str, Subscription]) -> Ending | None:
        """The reason not to send at all, if there is one."""
        give_up = LEGAL_GIVE_UP if message.event in LEGAL else self._give_up
        if self._clock.now() - message.created_at > give_up:
            return Ending("expired", "not deliverable in time")
        if address is None or address.openid is None:
            return Ending("suppressed", "account closed")
        if address.preferences.get("push") is False and message.event not in LEGAL:
            return Ending("suppressed", "preference")
        return None if self._allowed(message, consents) else Ending("suppressed", "no consent")

    def _allowed(self, message: Notification, consents: dict[str, Subscription]) -> list[MessageTemplate]:
        names = (name for name in wording.templates(message.event) if name in consents and consents[name].allows)
        return [self._templates.by_name[name] for name in names]

    async def _try_templates(
        self, openid: str, message: Notification, allowed: Iterable[MessageTemplate]
    ) -> tuple[Ending, MessageTemplate | None]:
        """Send with the first template that the person still wants; the ledger learns of each that is not (43101)."""
        ending = Ending("permanent_failure", "not wanted")
        for template in allowed:
            try:
                return await self._hand_over(openid, message, template), template
            except NotWanted as refusal:
                ending = Ending("permanent_failure", str(refusal))
                await subscriptions.clear(self._database, message.account_id, template.name, self._clock.now())
        return ending, None

    async def _hand_over(self, openid: str, message: Notification, template: MessageTemplate) -> Ending:
        page = template.page.format(case_id=message.case_id or "")
        try:
            fields = fill(template, message)
        except (ValueError, KeyError, TypeError) as defect:
            log.exception("notification %s does not fit the template %s", message.id, template.name)
            return Ending("technical_failure", f"does not fit {template.name}: {defect}")
        try:
            provider_id = await self._channel.send(Message(openid, template.template_id, fields, page))
        except NotWanted:
            self.breaker.worked()
            raise
        except TryLater as busy:
            return self._later(message, busy)
        except OutOfReach as failure:
            self.breaker.failed()
            log.warning("WeChat is out of reach: %s", failure)
            return Ending("temporary_failure", str(failure), self._after(message, 0.0, _CAP_OUT_OF_REACH))
        except NotSent as failure:
            self.breaker.worked()
            log.error("notification %s cannot be sent as %s: %s", message.id, template.name, failure)  # noqa: TRY400 - the trace says nothing
            return Ending("technical_failure", str(failure))
        self.breaker.worked()
        return Ending("sent", "", None, provider_id)

    def _later(self, message: Notification, busy: TryLater) -> Ending:
        if busy.for_all:
            self.breaker.failed(busy.after)
        return Ending("temporary_failure", str(busy), self._after(message, busy.after, _CAP))

    def _after(self, message: Notification, least: float, cap: float) -> dt.datetime:
        """The next try: exponential with full jitter, so that a thousand messages do not come back in step."""
        wait = least + self._jitter(0.0, min(cap, _BASE * _FACTOR ** min(message.attempts - 1, 8)))
        return self._clock.now() + dt.timedelta(seconds=wait)

    async def _write(self, message: Notification, ending: Ending, used: MessageTemplate | None) -> None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            ours = await notifications.settle(
                tx, message, ending.state, now, detail=ending.detail, next_at=ending.next_at, provider_id=ending.provider_id
            )
            if ours and ending.state == "sent" and used is not None:
                await subscriptions.spend(tx, message.account_id, used.name)
        ATTEMPTS.labels(message.channel, ending.state).inc()
        if not ours:
            OVERTAKEN.inc()
        elif ending.state == "sent":
            WAITED.observe((now - message.created_at).total_seconds())
            log.info("notification %s of %s is sent", message.id, message.event)
