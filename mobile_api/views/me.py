"""The resident himself."""

from __future__ import annotations

from handlers import residents
from handlers.office import Office
from handlers.residents import Preferences, Resident
from mobile_api.web.caller import Caller


async def show(caller: Caller, office: Office) -> Resident:
    """Who is logged in."""
    return await residents.show(office, caller.account_id)


async def show_preferences(caller: Caller, office: Office) -> Preferences:
    """How the resident wants to be served."""
    return (await residents.show(office, caller.account_id)).preferences


async def save_preferences(body: Preferences, caller: Caller, office: Office) -> Preferences:
    """Keep how the resident wants to be served."""
    return await residents.prefer(office, caller.account_id, body)
