"""Imports the State Council's holiday notice of a year: `mobile-api calendar import FILE`."""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import sys
from pathlib import Path

from config.settings import HERE
from config.tables import UnreadableTable
from config.tables import read_table as read_file
from handlers.workdays import CalendarError, WorkCalendar, YearTable, read_table
from mobile_api.commands.common import read_settings

BAD_INPUT = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    actions = parser.add_subparsers(dest="action", required=True)
    put = actions.add_parser("import", help="check a year's table and copy it into the town's calendar folder")
    put.add_argument("file", type=Path, metavar="FILE", help="TOML with year, source, days_off and makeup_workdays, as calendar/2026.toml")
    put.add_argument("--dry-run", action="store_true", help="only say what would change")
    show = actions.add_parser("show", help="list the years that are known")
    show.set_defaults(file=None)


def run(arguments: argparse.Namespace) -> int:
    """Import or list; 2 with a reason when the table cannot be used."""
    folder = read_settings(arguments).tables_dir / "calendar"
    try:
        return _show(folder) if arguments.action == "show" else _import(arguments.file, folder, dry_run=arguments.dry_run)
    except (CalendarError, OSError) as error:
        print(error, file=sys.stderr)
        return BAD_INPUT


def read_year(path: Path) -> YearTable:
    """One year's table from its file; raises CalendarError that names the file."""
    try:
        return read_table(read_file(path).values)
    except UnreadableTable as error:
        raise CalendarError(str(error)) from error
    except OSError as error:
        raise CalendarError(f"{path} cannot be read: {error.strerror}.") from error
    except CalendarError as error:
        raise CalendarError(f"{path}: {error}") from error


def read_calendar(files: list[Path]) -> WorkCalendar:
    """The calendar of several years' files; a later file of the same year takes the place of the earlier."""
    return WorkCalendar({table.year: table for table in map(read_year, files)}.values())


def town_calendar(folder: Path = HERE / "calendar") -> WorkCalendar:
    """The calendar of a town's folder."""
    return read_calendar(sorted(folder.glob("*.toml")))


def _import(file: Path, folder: Path, *, dry_run: bool) -> int:
    new = read_year(file)
    known = town_calendar(folder) if folder.is_dir() else WorkCalendar()
    combined = known.with_table(new)
    _say_what_changes(known.tables.get(new.year), new, combined)
    target = folder / f"{new.year}.toml"
    if dry_run:
        print(f"Nothing was written; without --dry-run it goes to {target}.")
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    _place(file, target)
    print(f"Written to {target}. Restart the server: provisional due dates of {new.year} are then counted anew.")
    return 0


def _say_what_changes(old: YearTable | None, new: YearTable, calendar: WorkCalendar) -> None:
    worked = calendar.count(dt.date(new.year - 1, 12, 31), dt.date(new.year, 12, 31))
    print(f"{new.year}: {len(new.days_off)} days off, {len(new.makeup_workdays)} make-up workdays, {worked} working days.")
    if old is None:
        print(f"{new.year} was not known before.")
        return
    before = WorkCalendar([old])
    days = sorted({*old.days_off, *old.makeup_workdays, *new.days_off, *new.makeup_workdays})
    changed = [day for day in days if before.is_workday(day) != calendar.is_workday(day)]
    for day in changed:
        print(f"{day} {day:%a}: {'worked' if calendar.is_workday(day) else 'off'} (was {'worked' if before.is_workday(day) else 'off'})")
    if not changed:
        print("No working day changes.")


def _place(file: Path, target: Path) -> None:
    """Whole or not at all: a server may be reading."""
    if target.exists() and file.samefile(target):
        return
    draft = target.with_suffix(".toml.new")
    shutil.copyfile(file, draft)
    draft.replace(target)


def _show(folder: Path) -> int:
    for year, table in sorted(town_calendar(folder).tables.items()):
        print(f"{year}  {len(table.days_off)} days off, {len(table.makeup_workdays)} make-up workdays  {table.source}")
    return 0
