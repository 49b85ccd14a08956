"""What to expect: of an item before applying, of a case on its way."""

from __future__ import annotations

from handlers import expectations
from handlers.access import own_case
from handlers.expectations import Expectation
from handlers.office import Office
from mobile_api.web.caller import Caller


async def of_item(code: str, office: Office) -> Expectation:
    """How long like cases took."""
    return await expectations.of_item(office, office.catalogue.item(code))


async def of_case(id: str, caller: Caller, office: Office) -> Expectation | None:  # noqa: A002 - the path's own word
    """How long like cases took, and what is left of this one; nothing (204) once it is decided."""
    row = await own_case(office, caller.account_id, id)
    item = await office.catalogue.version(office.database, row["item_code"], row["item_version"])
    return await expectations.of_case(office, row, item)
