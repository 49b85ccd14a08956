"""Copies every row into another, empty database: from SQLite to PostgreSQL, or back. Stop the town first."""

from __future__ import annotations

import argparse
import asyncio
import sys

from config.settings import Settings
from mobile_api.commands.common import read_settings
from storage.bell import Bell
from storage.copying import copy_rows
from storage.database import Database


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("--to", required=True, metavar="URL", help="the new, empty database: postgres://USER:PASSWORD@HOST:PORT/NAME")


def run(arguments: argparse.Namespace) -> int:
    """Copy and say how many rows; all or nothing."""
    try:
        rows = asyncio.run(_move(read_settings(arguments), arguments.to))
    except ValueError as error:
        print(f"--to: {error}", file=sys.stderr)
        return 1
    print(*(f"{number:9}  {table}" for table, number in rows.items() if number), sep="\n")
    print(f"{sum(rows.values())} rows copied. Set database.url (MOBILE_API_DATABASE__URL) to the new address, then start the town.")
    return 0


async def _move(settings: Settings, to: str) -> dict[str, int]:
    source = await Database.open(settings.database.url, Bell(), pool=2)
    try:
        target = await Database.open(to, Bell(), pool=2)
        try:
            return await copy_rows(source, target)
        finally:
            await target.close()
    finally:
        await source.close()
