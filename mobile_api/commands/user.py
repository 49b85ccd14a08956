"""Adds members of staff: `mobile-api user add`."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys

from config.settings import Settings
from handlers import staff
from handlers.errors import Refused
from handlers.refusals import REFUSALS
from mobile_api.commands.common import read_settings
from mobile_api.composition import open_office


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="add a member of staff")
    add.add_argument("--username", required=True)
    add.add_argument("--name", required=True, help="as residents see it")
    add.add_argument("--role", required=True, choices=["clerk", "officer", "approver", "supervisor", "administrator"])
    add.add_argument("--department", default="", help="department code, for officers and approvers")
    add.add_argument("--hall", default="", help="service hall, for clerks")
    add.add_argument("--totp", action="store_true", help="with one-time codes; prints the secret for the authenticator")
    add.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def run(arguments: argparse.Namespace) -> int:
    """Add the account."""
    settings = read_settings(arguments)
    password = sys.stdin.readline().rstrip("\n") if arguments.password_stdin else getpass.getpass("Password: ")
    try:
        secret = asyncio.run(_add(settings, arguments, password))
    except Refused as refusal:
        messages = [error.message_en for error in refusal.errors] or [REFUSALS[refusal.code].detail_en]
        print(f"{refusal.code}: {' '.join(messages)}", file=sys.stderr)
        return 1
    print(f"{arguments.username} can log in." + (f" Secret for one-time codes: {secret}" if secret else ""))
    return 0


async def _add(settings: Settings, arguments: argparse.Namespace, password: str) -> str | None:
    async with open_office(settings) as office:
        return await staff.add(
            office,
            username=arguments.username,
            name=arguments.name,
            role=arguments.role,
            password=password,
            department=arguments.department,
            hall=arguments.hall,
            totp=arguments.totp,
        )
