"""Writes the town's cases to take along, for statistics and archives: one a line, nothing personal."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec

from config.settings import Settings
from handlers import exports
from handlers.limits import midnight
from mobile_api.commands.calendar import BAD_INPUT
from mobile_api.commands.common import read_settings
from mobile_api.composition import open_office
from mobile_api.web.sheets import csv_file
from storage.errors import StoreUnavailable

_FIRST, _LAST = dt.date(1949, 10, 1), dt.date(2199, 12, 31)
_TITLES = [field.name for field in msgspec.structs.fields(exports.ExportedCase)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("--since", type=_day, default=_FIRST, metavar="DATE", help="cases submitted on this day or later")
    parser.add_argument("--until", type=_day, default=_LAST, metavar="DATE", help="cases submitted on this day or earlier")
    parser.add_argument("--format", choices=["jsonl", "csv"], default="jsonl", help="a JSON object a line (default), or a table for Excel")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write to this new file instead of standard output")


def run(arguments: argparse.Namespace) -> int:
    """Write; 2 when what was typed cannot be used, 1 when a store or the file cannot."""
    if arguments.until < arguments.since:
        print("--until lies before --since.", file=sys.stderr)
        return BAD_INPUT
    settings = read_settings(arguments)
    try:
        with arguments.out.open("xb") if arguments.out else nullcontext(sys.stdout.buffer) as out:
            number = asyncio.run(_write(settings, arguments, out))
    except (OSError, StoreUnavailable) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{number} cases", file=sys.stderr)
    return 0


async def _write(settings: Settings, arguments: argparse.Namespace, out: Any) -> int:
    since, before = midnight(arguments.since), midnight(arguments.until + dt.timedelta(days=1))
    number, rows = 0, []
    async with open_office(settings) as office:
        async for case in exports.cases(office, since, before):
            number += 1
            if arguments.format == "csv":
                rows.append(list(msgspec.to_builtins(case).values()))
            else:
                out.write(msgspec.json.encode(case) + b"\n")
    if arguments.format == "csv":
        out.write(csv_file(_TITLES, rows))
    return number


def _day(text: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date: give one such as 2026-02-13") from None
    if not _FIRST <= day <= _LAST:
        raise argparse.ArgumentTypeError(f"{text!r} lies outside {_FIRST.year} to {_LAST.year}")
    return day
