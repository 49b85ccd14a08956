"""Messages of departments set aside: list, retry, skip, skip-unread; links to departments: links, pause, wake, replay, pass-over."""

from __future__ import annotations

import argparse
import asyncio
import sys
from functools import partial

from backoffice import setaside
from backoffice.setaside import Decision
from config.settings import Settings
from handlers import reviews
from handlers.errors import Refused
from handlers.office import Office
from mobile_api.commands import exchange_links
from mobile_api.commands.common import read_settings
from mobile_api.composition import open_office
from storage import inbox

_LIMIT = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("--by", default="operator", help="who decides, at most 36 characters (for the record)")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="show what waits for a decision, with its reason")
    again = actions.add_parser("retry", help="try a message again; a parked one with all that waits behind it, in order")
    again.add_argument("id", help="its id, as `list` shows it")
    skip = actions.add_parser("skip", help="settle one message without effect")
    skip.add_argument("id", help="its id, as `list` shows it")
    rubbish = actions.add_parser("skip-unread", help="settle everything of a department that could not be read, in one act")
    rubbish.add_argument("department", help="department code")
    rubbish.add_argument("--reason", default="", help="why, for the record")
    exchange_links.add_actions(actions)


def run(arguments: argparse.Namespace) -> int:
    """Do it; 1 with the reason when it cannot be done."""
    settings = read_settings(arguments)
    try:
        print(asyncio.run(_run(settings, arguments)))
    except (setaside.StillFails, LookupError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _run(settings: Settings, arguments: argparse.Namespace) -> str:
    async with open_office(settings) as office:
        if arguments.action in exchange_links.ACTIONS:
            return await exchange_links.act(office, arguments)
        if arguments.action == "list":
            return await _list(office)
        if arguments.action == "skip-unread":
            return await _skip_unread(office, arguments)
        decision = Decision(arguments.by, kind="operator")
        try:
            if arguments.action == "skip":
                await setaside.skip(office.database, office.clock, arguments.id, decision)
                return "skipped"
            number = await setaside.replay(
                office.database, office.clock, partial(reviews.record, office), arguments.id, decision, sealer=office.keys.sealer
            )
        except Refused as refused:
            raise LookupError("No open message has this id: `mobile-api exchange list` shows those that wait.") from refused
        return f"{number} messages took effect; the line goes on."


async def _skip_unread(office: Office, arguments: argparse.Namespace) -> str:
    if arguments.department not in office.catalogue.departments:
        raise LookupError(f"There is no department {arguments.department}: `mobile-api department list` shows them.")
    decision = Decision(arguments.by, arguments.reason, kind="operator")
    return f"{await setaside.skip_unread(office.database, office.clock, arguments.department, decision)} messages skipped"


async def _list(office: Office) -> str:
    lines = [
        f"{row['id']}  {row['kind']:6}  {department}  {row['case_id'] or '-'}  {row['sequence'] or '-'}  {row['reason']}"
        for department in office.catalogue.departments
        for row in await inbox.set_aside_of(office.database, department, limit=_LIMIT)
    ]
    return "\n".join(lines) or "Nothing is set aside."
