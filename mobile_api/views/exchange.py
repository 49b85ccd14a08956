"""What departments' programmers read, and how the exchange with their systems is doing."""

from __future__ import annotations

from typing import Any

from backoffice import registry
from backoffice.watching import ExchangeFigures, Watch
from handlers.office import Office
from mobile_api.views.desk import officer
from mobile_api.web.caller import Caller


async def asyncapi(office: Office) -> dict[str, Any]:
    """The messages between this town and its departments, as AsyncAPI 3.0."""
    return registry.asyncapi(office.division)


async def departments(caller: Caller, watch: Watch) -> ExchangeFigures:
    """How far the exchange with each department is."""
    return await watch.show(officer(caller))
