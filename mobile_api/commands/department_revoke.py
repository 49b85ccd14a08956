"""End a department's key, or its user of Redis, at once."""

from __future__ import annotations

import argparse
import asyncio
import sys
from urllib.parse import urlsplit

from backoffice.access import department_of, shut_out, user_of
from backoffice.partner_keys import revoke_key
from config.settings import Settings
from handlers.errors import Refused
from mobile_api.commands.common import read_settings
from mobile_api.commands.department_add import MANY_SERVERS
from mobile_api.composition import open_office, open_stores
from storage.errors import StoreUnavailable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("key", help="id of a key, as `department keys` shows it, or name of a user of Redis, e.g. department-MZ")


def run(arguments: argparse.Namespace) -> int:
    """Say what has ended; 1 if there is no such key or user, or Redis is away."""
    settings = read_settings(arguments)
    department = department_of(arguments.key)
    try:
        print(asyncio.run(_end_user(settings, department) if department else _end_key(settings, arguments.key)))
    except (LookupError, StoreUnavailable) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _end_key(settings: Settings, key: str) -> str:
    async with open_office(settings) as office:
        try:
            return f"Revoked. {await revoke_key(office, key)} cannot sign with it any more."
        except Refused:
            raise LookupError("No key in use has this id.") from None


async def _end_user(settings: Settings, department: str) -> str:
    if urlsplit(settings.redis.url).scheme in MANY_SERVERS:
        raise StoreUnavailable(f"Users live on each server of a cluster: run ACL DELUSER {user_of(department)} on every one.")
    async with open_stores(settings) as stores:
        if not await shut_out(stores.office, stores.redis, department):
            raise LookupError(f"Redis knows no user for {department}.")
    return f"{department} cannot reach Redis any more; its connections were closed. Messages wait in the database."
