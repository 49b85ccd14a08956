"""Imports the State Council's holiday notice of a year and counts open cases again: `mobile-api calendar import FILE`."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from config.settings import HERE, Settings
from config.tables import UnreadableTable
from config.tables import read_table as read_file
from handlers import calendars, laterdates
from handlers.calendars import Recount, Recounted
from handlers.office import Office
from handlers.workdays import CalendarError, WorkCalendar, YearTable, read_table, statutory_days
from mobile_api.commands.common import read_settings
from mobile_api.composition import NotFit, open_office
from mobile_api.tables import TablesError
from storage.errors import StoreUnavailable

BAD_INPUT = 2
_KEPT = {
    "passed": "kept: it was over before the notice was imported",
    "would_have_passed": "kept: by the notice it would be over already",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    actions = parser.add_subparsers(dest="action", required=True)
    put = actions.add_parser("import", help="check a year's table, copy it into the town's calendar folder, count open cases again")
    put.add_argument("file", type=Path, metavar="FILE", help="TOML with year, source, days_off and makeup_workdays, as calendar/2026.toml")
    put.add_argument("--dry-run", action="store_true", help="only say which days and which cases would change")
    show = actions.add_parser("show", help="list the years that are known")
    show.set_defaults(file=None)


def run(arguments: argparse.Namespace) -> int:
    """Import or list; 2 with a reason when the table cannot be used or the cases cannot be reached."""
    settings = read_settings(arguments)
    try:
        if arguments.action == "show":
            return _show(settings.tables_dir / "calendar")
        return asyncio.run(_import(settings, arguments.file, dry_run=arguments.dry_run))
    except (CalendarError, TablesError, NotFit, StoreUnavailable, OSError) as error:
        print(error, file=sys.stderr)
        return BAD_INPUT


def read_year(path: Path) -> YearTable:
    """One year's table from its file; raises CalendarError with file, line and rule."""
    try:
        table = read_file(path)
    except UnreadableTable as error:
        raise CalendarError("not-toml", str(error)) from error
    except OSError as error:
        raise CalendarError("unreadable", f"{path} cannot be read: {error.strerror}.") from error
    try:
        return read_table(table.values)
    except CalendarError as error:
        raise CalendarError(error.rule, f"{path}:{table.line(error.key)}: [{error.rule}] {error}") from error


def read_calendar(files: list[Path]) -> WorkCalendar:
    """The calendar of several years' files; a later file of the same year takes the place of the earlier."""
    return WorkCalendar({table.year: table for table in map(read_year, files)}.values())


def town_calendar(folder: Path = HERE / "calendar") -> WorkCalendar:
    """The calendar of a town's folder."""
    return read_calendar(sorted(folder.glob("*.toml")))


async def _import(settings: Settings, file: Path, *, dry_run: bool) -> int:
    folder = settings.tables_dir / "calendar"
    new = read_year(file)
    known = town_calendar(folder) if folder.is_dir() else WorkCalendar()
    combined = known.with_table(new)
    _say_what_changes(known.tables.get(new.year), new, combined)
    async with _office(settings, combined) as office:
        # The table first, then the cases: whoever is stopped between the two says the same command again, and it goes on.
        _place(file, folder / f"{new.year}.toml", dry_run=dry_run)
        if office is None:
            print("There is no database yet, so no case to count again.")
        else:
            await _recount(office, new, dry_run=dry_run)
    if not dry_run:
        print("Restart the server: until then it counts by the calendar it was started with.")
    return 0


@asynccontextmanager
async def _office(settings: Settings, calendar: WorkCalendar) -> AsyncIterator[Office | None]:
    """The office with the new calendar; None where no database has been made yet."""
    path = settings.database.url.removeprefix("sqlite://")
    if path != settings.database.url and not Path(path).exists():
        yield None
        return
    async with open_office(settings) as office:
        yield replace(office, calendar=calendar)


async def _recount(office: Office, new: YearTable, *, dry_run: bool) -> None:
    done: Counter[str] = Counter()
    async for found in calendars.plan(office, _first_day(new)):
        if found.is_due and not dry_run:
            await calendars.recount(office, found.case_id)
        done.update([_kind(found)])
        for line in _lines(found):
            print(line)
    async for later in laterdates.plan(office, _first_day(new)):
        done.update(["kept" if later.date.kept else "later"])
        print(f"{later.number}  {later.what}  {later.date.former} -> {later.date.on}  {_why(later.date)}")
        if later.date.moves and not dry_run:
            await laterdates.recount(office, later.case_id)
    verb = "would be" if dry_run else "were"
    print(
        f"Cases that {verb} moved: {done['moved']}; confirmed as they stood: {done['settled']}; "
        f"that keep a date against the notice: {done['kept']}. Deliveries and papers that {verb} moved: {done['later']}."
    )


def _first_day(table: YearTable) -> dt.date:
    return min([*table.days_off, *table.makeup_workdays, dt.date(table.year, 1, 1)])


def _kind(found: Recount) -> str:
    if found.moves:
        return "moved"
    return "kept" if found.promised.kept or found.legal.kept else "settled"


def _lines(found: Recount) -> Iterator[str]:
    """One line for each date that moves or is kept against the notice."""
    for name, one in (("promised", found.promised), ("legal", found.legal)):
        if one.moves or one.kept:
            yield f"{found.number}  {name}  {one.former} -> {one.on}  {_why(one)}"


def _why(one: Recounted) -> str:
    days = (one.on - one.former).days
    shift = f"{abs(days)} {'day' if abs(days) == 1 else 'days'} {'later' if days > 0 else 'earlier'}" if days else ""
    return " ".join(part for part in (shift, _KEPT.get(one.kept, "")) if part)


def _say_what_changes(old: YearTable | None, new: YearTable, calendar: WorkCalendar) -> None:
    worked = calendar.count(dt.date(new.year - 1, 12, 31), dt.date(new.year, 12, 31))
    print(
        f"{new.year}: {len(new.days_off)} days off ({statutory_days(new.year)} by law), {len(new.makeup_workdays)} make-up workdays, "
        f"{worked} working days."
    )
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


def _place(file: Path, target: Path, *, dry_run: bool) -> None:
    """Whole or not at all: a server may be reading."""
    if dry_run:
        print(f"Nothing is written; without --dry-run the table goes to {target}.")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if not (target.exists() and file.samefile(target)):
        draft = target.with_suffix(".toml.new")
        shutil.copyfile(file, draft)
        draft.replace(target)
    print(f"Written to {target}.")


def _show(folder: Path) -> int:
    for year, table in sorted(town_calendar(folder).tables.items()):
        print(f"{year}  {len(table.days_off)} days off, {len(table.makeup_workdays)} make-up workdays  {table.source}")
    return 0
