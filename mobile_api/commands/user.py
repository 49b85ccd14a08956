"""Keeps the accounts of staff: `mobile-api user add | list | change | password | close | reopen`."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Callable

from handlers import accounts, staff
from handlers.errors import Refused
from handlers.office import Office
from handlers.refusals import REFUSALS
from mobile_api.commands.common import read_settings
from mobile_api.composition import open_office

_ROLES = ["clerk", "officer", "approver", "supervisor", "administrator"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="everybody, with role and department")
    add = _named(actions, "add", "add a member of staff")
    add.add_argument("--name", required=True, type=_words(50), help="as residents see it")
    add.add_argument("--role", required=True, choices=_ROLES)
    add.add_argument("--department", default="", help="department code, for officers and approvers")
    add.add_argument("--hall", default="", type=_words(64, least=0), help="service hall, for clerks")
    change = _named(actions, "change", "another name, role, department or hall; what is left out stays")
    change.add_argument("--name", type=_words(50), help="as residents see it")
    change.add_argument("--role", choices=_ROLES)
    change.add_argument("--department", help="department code; empty takes it away")
    change.add_argument("--hall", type=_words(64, least=0), help="service hall; empty takes it away")
    for one in (add, _named(actions, "password", "a new password; everything logged in with the old one is logged out")):
        one.add_argument("--totp", action="store_true", help="with one-time codes; prints the secret for the authenticator")
        one.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    _named(actions, "close", "who leaves: log him out everywhere and let him in no more; his name stays in the records")
    _named(actions, "reopen", "who comes back, with the password he had")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; 1 with the reason when it cannot be."""
    settings = read_settings(arguments)
    arguments.secret = _password(arguments) if arguments.action in {"add", "password"} else ""

    async def act() -> str:
        async with open_office(settings) as office:
            return await _ACTS[arguments.action](office, arguments)

    try:
        print(asyncio.run(act()))
    except Refused as refusal:
        print(f"{refusal.code}: {_reason(refusal)}", file=sys.stderr)
        return 1
    return 0


def _named(actions: argparse._SubParsersAction[argparse.ArgumentParser], action: str, text: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(action, help=text)
    parser.add_argument("--username", required=True, type=_words(64))
    return parser


def _words(most: int, *, least: int = 1) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if not least <= len(text.strip()) <= most:
            raise argparse.ArgumentTypeError(f"give {least} to {most} characters")
        return text.strip()

    return checked


def _password(arguments: argparse.Namespace) -> str:
    return sys.stdin.readline().rstrip("\r\n") if arguments.password_stdin else getpass.getpass("Password: ")


def _reason(refusal: Refused) -> str:
    if refusal.code == "not_found":
        return "No account has this user name: `mobile-api user list` shows all."
    return " ".join(error.message_en for error in refusal.errors) or REFUSALS[refusal.code].detail_en


async def _add(office: Office, arguments: argparse.Namespace) -> str:
    await accounts.check_place(office, arguments.role, arguments.department)
    secret = await staff.add(
        office,
        username=arguments.username,
        name=arguments.name,
        role=arguments.role,
        password=arguments.secret,
        department=arguments.department,
        hall=arguments.hall,
        totp=arguments.totp,
    )
    return _can_log_in(arguments, secret)


async def _list(office: Office, _: argparse.Namespace) -> str:
    return "\n".join(
        "  ".join(
            (
                f"{one.username:16}", f"{one.role:13}", f"{one.department or '-':4}", "closed" if not one.active else "open  ",
                "codes" if one.totp else "-    ", one.name, one.hall,
            )
        ).rstrip()
        for one in await accounts.everybody(office)
    )  # fmt: skip


async def _change(office: Office, arguments: argparse.Namespace) -> str:
    now = {one.username: one for one in await accounts.everybody(office)}.get(arguments.username)
    if now is None:
        raise Refused("not_found")
    department = now.department if arguments.department is None else arguments.department
    await accounts.check_place(office, arguments.role or now.role, department)
    await accounts.change(
        office, arguments.username, name=arguments.name, role=arguments.role, department=arguments.department, hall=arguments.hall
    )
    return f"{arguments.username} is changed."


async def _set_password(office: Office, arguments: argparse.Namespace) -> str:
    secret = await accounts.set_password(office, arguments.username, arguments.secret, totp=arguments.totp)
    return _can_log_in(arguments, secret)


async def _close(office: Office, arguments: argparse.Namespace) -> str:
    await accounts.close(office, arguments.username)
    return f"{arguments.username} is logged out and can log in no more."


async def _reopen(office: Office, arguments: argparse.Namespace) -> str:
    await accounts.reopen(office, arguments.username)
    return f"{arguments.username} can log in."


def _can_log_in(arguments: argparse.Namespace, secret: str | None) -> str:
    return f"{arguments.username} can log in." + (f" Secret for one-time codes: {secret}" if secret else "")


_ACTS = {"add": _add, "list": _list, "change": _change, "password": _set_password, "close": _close, "reopen": _reopen}
