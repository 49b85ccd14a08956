"""`mobile-api exchange links | pause | wake | replay | pass-over`: the links to departments, and what could not be delivered."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable

from backoffice import link_acts
from handlers.actors import Actor
from handlers.errors import Refused
from handlers.limits import moment_of
from handlers.office import Office
from mobile_api.commands.moments import moment
from storage import deliveries, links
from storage.links import Link

Actions = argparse._SubParsersAction  # noqa: SLF001 - argparse names the type of add_subparsers nowhere else


def add_actions(actions: Actions[argparse.ArgumentParser]) -> None:
    """The words that this module understands."""
    actions.add_parser("links", help="show how the link with each department stands, and what could not be delivered")
    pause = actions.add_parser("pause", help="stop sending to a department until somebody wakes its link")
    pause.add_argument("department", help="department code")
    pause.add_argument("--reason", default="人工暂停", help="shown to whoever asks")
    wake = actions.add_parser("wake", help="go on at once, also with what was refused, did not open or waits for another try")
    wake.add_argument("department", help="department code")
    replay = actions.add_parser("replay", help="deliver again to a department that has lost data; it skips what it knows")
    replay.add_argument("department", help="department code")
    begin = replay.add_mutually_exclusive_group(required=True)
    begin.add_argument("--from", dest="position", type=int, metavar="POSITION", help="the first position to come again (not by queue)")
    begin.add_argument("--since", type=moment, metavar="T", help="what was confirmed since then, e.g. since the backup: 2026-11-28T22:00")
    over = actions.add_parser("pass-over", help="give up one held message; its line goes on with a gap, so ask the department first")
    over.add_argument("id", help="its id, as `links` shows it")


async def _links(office: Office, _: argparse.Namespace) -> str:
    known = await links.read_all(office.database)
    lines = []
    for one in office.catalogue.departments.values():
        held = [
            f"  {row['id']}  case {row['case_id']}  no. {row['sequence']}  position {row['position'] or '-'}  {row['detail']}"
            for row in await deliveries.held(office.database, one.code)
        ]
        if held or one.link in link_acts.JOURNALS:
            lines += [_line(known.get(one.code, Link(one.code)), one.link), *held]
    return "\n".join(lines) or "No department is linked by pull, webhook or files."


def _line(link: Link, way: str) -> str:
    heard = link.heard_at.strftime("%Y-%m-%d %H:%M") if link.heard_at else "never"
    return f"{link.department:8} {way:8} {link.state:8} heard {heard}  failures {link.failures}  {link.reason or ''}".rstrip()


async def _pause(office: Office, arguments: argparse.Namespace) -> str:
    is_news = await link_acts.pause(office, arguments.department, arguments.reason, _by(arguments))
    return "paused" if is_news else "It was paused already."


async def _wake(office: Office, arguments: argparse.Namespace) -> str:
    return f"awake; {await link_acts.wake(office, arguments.department, _by(arguments))} messages are tried again"


async def _replay(office: Office, arguments: argparse.Namespace) -> str:
    code, by = arguments.department, _by(arguments)
    if arguments.since is None:
        again = await link_acts.replay(office, code, arguments.position, by)
    else:
        again = await link_acts.replay_since(office, code, moment_of(arguments.since), by)
    return f"{again} messages are delivered again"


async def _pass_over(office: Office, arguments: argparse.Namespace) -> str:
    return f"given up; the line of {await link_acts.pass_over(office, arguments.id, _by(arguments))} goes on"


def _by(arguments: argparse.Namespace) -> Actor:
    return Actor("staff", arguments.by)


_ACTS: dict[str, Callable[[Office, argparse.Namespace], Awaitable[str]]] = {
    "links": _links,
    "pause": _pause,
    "wake": _wake,
    "replay": _replay,
    "pass-over": _pass_over,
}
ACTIONS = frozenset(_ACTS)
"""What `act` can do."""


async def act(office: Office, arguments: argparse.Namespace) -> str:
    """Do what was asked and say so; raises LookupError when there is nothing of that name."""
    try:
        return await _ACTS[arguments.action](office, arguments)
    except Refused as refused:
        raise LookupError(
            "No such link or message: `mobile-api exchange links` shows them (a queue is replayed with --since, a desk has none)."
        ) from refused
