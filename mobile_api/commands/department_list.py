"""List the departments: how each is connected, and what waits for it."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import unicodedata
from collections.abc import Iterable

import msgspec

from config.settings import Settings
from handlers.catalogue import Department
from mobile_api.commands.common import read_settings
from mobile_api.composition import open_office
from storage import backlog, links
from storage.backlog import Backlog
from storage.links import Link

_HEAD = ("code", "name", "link", "state", "last heard", "unsent", "unconfirmed")


class Line(msgspec.Struct, frozen=True):
    """One department; `last_heard_at` is when it last asked, answered or confirmed, as far as that is kept."""

    code: str
    name: str
    link: str
    state: str
    last_heard_at: dt.datetime | None
    unsent: int
    unconfirmed: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("--json", action="store_true", help="one JSON object a department")


def run(arguments: argparse.Namespace) -> int:
    """One line a department."""
    lines = asyncio.run(_lines(read_settings(arguments)))
    if arguments.json:
        print(*(msgspec.json.encode(line).decode() for line in lines), sep="\n")
    else:
        print(*_table([_HEAD, *map(_cells, lines)]), sep="\n")
    return 0


async def _lines(settings: Settings) -> list[Line]:
    async with open_office(settings) as office:
        waiting, standing = await backlog.read(office.database), await links.read_all(office.database)
        departments = office.catalogue.departments
        return [_line(departments[code], waiting.get(code, Backlog()), standing.get(code, Link(code))) for code in sorted(departments)]


def _line(department: Department, waiting: Backlog, link: Link) -> Line:
    heard = max(filter(None, (link.heard_at, waiting.confirmed_at)), default=None)
    state = "-" if department.link == "desk" else link.state
    return Line(department.code, department.name, department.link, state, heard, waiting.unsent, waiting.unconfirmed)


def _cells(line: Line) -> tuple[str, ...]:
    heard = line.last_heard_at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if line.last_heard_at else "never"
    return line.code, line.name, line.link, line.state, heard, str(line.unsent), str(line.unconfirmed)


def _table(rows: list[tuple[str, ...]]) -> Iterable[str]:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()


def _width(text: str) -> int:
    """Columns on a terminal, where a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
