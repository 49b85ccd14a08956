"""A process that commits messages of cases, and notes in its book whatever it was told.

`python -m tests.chaos.exchange.writer --name N --database URL --books FOLDER --departments MZ:2,GA:2 --seed S --pace SECONDS`.
An act is one transaction: a case's version and one to three messages about it; one act in twenty is rolled back on purpose.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import logging
import random
from pathlib import Path

from storage import inbox, outbox
from storage.bell import Bell
from storage.database import Database
from storage.errors import StoreUnavailable
from storage.ids import uuid7
from tests.chaos.exchange import bound
from tests.chaos.exchange.book import Book
from tests.support.exchange import command

_AUTHORS = 3
_UNDONE = 0.05


class _Undone(Exception):
    """The act is rolled back on purpose."""


class Writer:
    """Acts on all cases for ever; several authors at once, so that transactions meet within and between processes."""

    def __init__(self, database: Database, book: Book, departments: dict[str, int], chance: random.Random, pace: float) -> None:
        self._database = database
        self._book = book
        self._departments = departments
        self._chance = chance
        self._pace = pace
        self._life = uuid7()[-12:]
        self._acts = 0

    async def work(self) -> None:
        """Act until this process ends."""
        cases = {row["id"]: row["number"] for row in await self._database.rows("SELECT id, number FROM cases ORDER BY number")}
        await asyncio.gather(*(self._author(f"{self._life}.{n}", cases) for n in range(_AUTHORS)))

    async def _author(self, name: str, cases: dict[str, str]) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(0, 2 * self._pace))
            self._acts += 1
            case_id = self._chance.choice(list(cases))
            departments = self._chance.choices(list(self._departments), k=self._chance.choice((1, 1, 2, 3)))
            try:
                await self._act(f"{name}:{self._acts}", case_id, cases[case_id], departments)
            except StoreUnavailable:  # whether it was committed is not known: the book keeps the intention only
                await asyncio.sleep(0.1)

    async def _act(self, act: str, case_id: str, number: str, departments: list[str]) -> None:
        """Note the intention, commit, note the commit."""
        self._book.note("intended", act, lines=[(case_id, department) for department in departments])
        messages = [
            command(case_id, number, department, partitions=self._departments[department], reason=f"{act}:{n}")
            for n, department in enumerate(departments)
        ]
        try:
            async with self._database.transaction() as tx:
                await inbox.lock_cases(tx, [case_id])
                await tx.execute("UPDATE cases SET version = version + 1 WHERE id = $1", case_id)
                await outbox.append(tx, *messages, now=dt.datetime.now(dt.UTC))
                self._think_again()
        except _Undone:
            self._book.note("undone", act)
        else:
            self._book.note("committed", act)

    def _think_again(self) -> None:
        if self._chance.random() < _UNDONE:
            raise _Undone


async def write(name: str, url: str, books: Path, departments: dict[str, int], seed: str, pace: float) -> None:
    """Open the database as soon as it answers, and write."""
    while True:
        try:
            database = await Database.open(url, Bell(), pool=4)
            writer = Writer(database, Book(books / f"{name}-{uuid7()}.book"), departments, random.Random(f"{seed}/{name}"), pace)
            await writer.work()
        except StoreUnavailable:
            await asyncio.sleep(0.2)


def main() -> None:
    """Run one writer."""
    bound.to_parent()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    parser = argparse.ArgumentParser()
    for option in ("--name", "--database", "--departments", "--seed"):
        parser.add_argument(option, required=True)
    parser.add_argument("--books", required=True, type=Path)
    parser.add_argument("--pace", required=True, type=float)
    told = parser.parse_args()
    departments = {code: int(count) for code, _, count in (one.partition(":") for one in told.departments.split(","))}
    asyncio.run(write(told.name, told.database, told.books, departments, told.seed, told.pace))


if __name__ == "__main__":
    main()
