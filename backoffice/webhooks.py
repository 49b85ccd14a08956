"""Every department that is called by webhook, as the bridge runs them: its address, its keys and its own connections."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from aiohttp.abc import AbstractResolver

from backoffice.addresses import reach_of
from backoffice.counts import Counts
from backoffice.crossing import NO_KEY, Border
from backoffice.holding import Holding
from backoffice.lanes import lanes_of
from backoffice.partner_keys import current_secret
from backoffice.webhook import Pace, WebhookCarrier, webhook_lease
from backoffice.webhook_post import Credentials, Poster
from handlers.catalogue import Department
from handlers.office import Office


class WebhookLink:
    """One department's webhook; `leases` are what it asks the bridge to hold for it."""

    def __init__(
        self,
        office: Office,
        department: Department,
        *,
        is_development: bool = False,
        pace: Pace | None = None,
        tls: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self.leases = (webhook_lease(department.code),)
        self._office = office
        self._department = department
        self._border = Border(office)
        self._reach = reach_of(department, is_development=is_development)
        self._pace = pace or Pace()
        self._tls = tls
        self._resolver = resolver

    async def run(self, holding: Holding, counts: Counts) -> None:
        """Deliver for ever, whenever the lease is held."""
        office, department = self._office, self._department
        poster = Poster(
            department.address, self._reach, office.clock, width=self._pace.width, tls=self._tls, resolver=self._resolver
        )  # fmt: skip
        async with poster:
            carrier = WebhookCarrier(
                office.database,
                office.clock,
                office.bell,
                lanes=lanes_of({department.code: department.partitions}),
                send=poster.post,
                unlock=self._unlock,
                holding=holding,
                counts=counts,
                pace=self._pace,
                sealer=office.keys.sealer,
            )
            await carrier.run()

    async def _unlock(self) -> Credentials | str:
        """The keys that are valid now, or why nothing can be sent."""
        code = self._department.code
        secret = await current_secret(self._office, code)
        if secret is None:
            return f"没有与部门 {code} 共用的密钥：请运行 mobile-api department add {code}"
        if not self._department.border:
            return Credentials(*secret)
        if self._border.keys.current is None:
            return NO_KEY
        return Credentials(*secret, self._border.keys.current, await self._border.recipient(self._department))


def webhook_links(office: Office, *, is_development: bool) -> Sequence[WebhookLink]:
    """Every department of the catalogue that is called by webhook."""
    wanted = (department for department in office.catalogue.departments.values() if department.link == "webhook")
    return [WebhookLink(office, department, is_development=is_development) for department in wanted]
