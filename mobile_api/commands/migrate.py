"""`mobile-api migrate`: brings the database to the schema of this version."""

from __future__ import annotations

import argparse
import asyncio
import sys

from config.settings import Settings
from mobile_api.commands.common import read_settings
from storage.bell import Bell
from storage.database import Database
from storage.errors import MigrationError, StoreUnavailable
from storage.migrate import migrate, pending


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("--dry-run", action="store_true", help="say what would be applied, and apply nothing")


def run(arguments: argparse.Namespace) -> int:
    """Apply what is pending; 0 when the database is (or would be) as this version needs it, 1 with the reason when not."""
    settings = read_settings(arguments)
    try:
        names = asyncio.run(_migrate(settings, dry_run=arguments.dry_run))
    except (MigrationError, StoreUnavailable, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    if not names:
        print("The database is up to date.")
    for name in names:
        print(f"{'to apply' if arguments.dry_run else 'applied'}: {name}")
    return 0


async def _migrate(settings: Settings, *, dry_run: bool) -> list[str]:
    database = await Database.open(settings.database.url, Bell(), pool=1)
    try:
        return await (pending if dry_run else migrate)(database)
    finally:
        await database.close()
