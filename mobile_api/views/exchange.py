"""What departments' programmers read."""

from __future__ import annotations

from typing import Any

from backoffice import registry
from handlers.office import Office


async def asyncapi(office: Office) -> dict[str, Any]:
    """The messages between this town and its departments, as AsyncAPI 3.0."""
    return registry.asyncapi(office.division)
