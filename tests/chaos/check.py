"""An independent look at what a town kept: plain drivers and plain SQL, nothing of the program under test."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from tests.chaos.ledger import Ledger

Rows = list[dict[str, Any]]
ENDS = {"granted", "refused"}
PUSHED = ("accepted", "not_accepted", "correction_requested", "decided", "completed")


async def read(url: str, sql: str) -> Rows:
    """The rows of a query, on a connection of our own."""
    if url.startswith("sqlite://"):
        with sqlite3.connect(f"file:{url.removeprefix('sqlite://')}?mode=ro", uri=True, timeout=20) as database:
            database.row_factory = sqlite3.Row
            found = [dict(row) for row in database.execute(sql)]
        database.close()
        return found
    connection = await asyncpg.connect(url)
    try:
        return [dict(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def open_work(url: str) -> int:
    """How much is still under way: messages nobody has confirmed, cases without an end."""
    letters = await read(url, "SELECT count(*) AS number FROM outbox WHERE confirmed_at IS NULL")
    cases = await read(url, "SELECT count(*) AS number FROM cases WHERE completed_at IS NULL")
    return int(letters[0]["number"]) + int(cases[0]["number"])


class Kept:
    """Everything that a town kept and that promises hang on."""

    TABLES = (
        "cases", "case_event", "case_material", "case_line", "task", "outbox", "inbox", "set_aside", "account_event", "account_position",
        "upload", "evaluation", "notification",
    )  # fmt: skip

    def __init__(self, tables: Mapping[str, Rows], files: Path, departments: Path) -> None:
        self._tables = tables
        self.files = {path.name for path in files.rglob("*") if path.is_file()} if files.is_dir() else set()
        self.departments = departments
        self.cases = {row["id"]: row for row in tables["cases"]}

    @classmethod
    async def of(cls, url: str, folder: Path) -> Kept:
        """Read it all."""
        tables = {name: await read(url, f"SELECT * FROM {name}") for name in cls.TABLES}
        return cls(tables, folder / "files", folder / "departments.db")

    def __getitem__(self, table: str) -> Rows:
        return self._tables[table]

    def by_case(self, table: str) -> dict[str, Rows]:
        """A table's rows by case; every case has an entry."""
        found: dict[str, Rows] = {case_id: [] for case_id in self.cases}
        for row in self[table]:
            found.setdefault(row["case_id"], []).append(row)
        return found


def broken(kept: Kept, ledger: Ledger) -> list[str]:
    """Every promise that was not held, in words."""
    checks = (promised_cases, histories, lines, answers, accounts, files, cards, messages)
    return [f"{check.__name__}: {line}" for check in checks for line in check(kept, ledger)]


def promised_cases(kept: Kept, ledger: Ledger) -> Iterator[str]:
    """What was acknowledged is there, once, and decided; what was not acknowledged is not there."""
    submitted = {row["id"] for row in kept["cases"] if row["number"]}
    yield from (f"case {case_id} was acknowledged and is lost" for case_id in ledger.cases.keys() - submitted)
    yield from (f"case {case_id} was acknowledged to nobody: a request took effect twice" for case_id in submitted - ledger.cases.keys())
    for case_id, acknowledged in ledger.cases.items():
        row = kept.cases.get(case_id)
        if row and (row["number"] != acknowledged["number"] or row["state"] != "completed" or row["decision"] not in ENDS):
            yield f"case {case_id} is {row['state']} {row['decision']} as {row['number']}, acknowledged as {acknowledged['number']}"
    rated = Counter(row["case_id"] for row in kept["evaluation"])
    yield from (f"evaluation of {case_id} is there {rated[case_id]} times" for case_id in ledger.evaluations if rated[case_id] != 1)


def histories(kept: Kept, _ledger: Ledger) -> Iterator[str]:
    """Each case's history is numbered without gap and has every act once."""
    for case_id, events in kept.by_case("case_event").items():
        row, kinds = kept.cases[case_id], Counter(event["type"] for event in events)
        if sorted(event["seq"] for event in events) != list(range(1, row["events"] + 1)):
            yield f"history of {case_id} has a gap"
        for kind in ("submitted", "accepted", "decided", "completed"):
            if row["number"] and kinds[kind] != 1:
                yield f"case {case_id} was {kind} {kinds[kind]} times"
        if kinds["corrected"] != kinds["correction_requested"]:
            yield f"case {case_id} was asked to correct {kinds['correction_requested']} times and corrected {kinds['corrected']} times"
        yield from _tasks(case_id, [row for row in kept["task"] if row["case_id"] == case_id], kinds)


def _tasks(case_id: str, tasks: Rows, kinds: Counter[str]) -> Iterator[str]:
    reviews = sum(task["step"] == "review" for task in tasks)
    if any(task["state"] != "done" for task in tasks):
        yield f"case {case_id} has a task that is not done"
    if kinds["task_answered"] != reviews or kinds["progressed"] != reviews:
        yield f"case {case_id} has {reviews} reviews, {kinds['task_answered']} answers and {kinds['progressed']} words of progress"
    if Counter(task["step"] for task in tasks)["decide"] != 1:
        yield f"case {case_id} was not put to its decision once"


def lines(kept: Kept, _ledger: Ledger) -> Iterator[str]:
    """Messages to departments: numbered without gap a line, all of them confirmed."""
    sent: dict[tuple[str, str], list[int]] = {}
    for row in kept["outbox"]:
        sent.setdefault((row["case_id"], row["department"]), []).append(row["sequence"])
        if row["confirmed_at"] is None:
            yield f"message {row['sequence']} of {row['case_id']} to {row['department']} was never confirmed"
    for line in kept["case_line"]:
        numbers = sorted(sent.get((line["case_id"], line["department"]), []))
        if numbers != list(range(1, line["sent"] + 1)):
            yield f"line {line['case_id']} to {line['department']} counts {line['sent']} and has {numbers}"
        if line["parked_at"]:
            yield f"line {line['case_id']} to {line['department']} is parked"
    yield from (f"set aside for {row['department']}: {row['reason']}" for row in kept["set_aside"])


def answers(kept: Kept, _ledger: Ledger) -> Iterator[str]:
    """Every answer in the departments' own books was taken in once, in order; nothing else was."""
    with sqlite3.connect(f"file:{kept.departments}?mode=ro", uri=True) as book:
        said = book.execute("SELECT department, case_id, sequence, body FROM answer WHERE sequence IS NOT NULL").fetchall()
    book.close()
    taken = Counter((row["source"], row["message_id"]) for row in kept["inbox"])
    last: Counter[tuple[str, str]] = Counter()
    for department, case_id, sequence, body in said:
        envelope = json.loads(body)
        last[case_id, department] = max(last[case_id, department], sequence)
        if taken.pop((envelope["source"], envelope["id"]), 0) != 1:
            yield f"answer {sequence} of {department} to {case_id} was never taken in"
    yield from (f"message {key} was taken in and is in no department's book" for key in taken)
    for line in kept["case_line"]:
        if line["received"] != last[line["case_id"], line["department"]]:
            yield f"line {line['case_id']} from {line['department']} is at {line['received']}"


def accounts(kept: Kept, ledger: Ledger) -> Iterator[str]:
    """Each account's events are numbered without gap, and the resident saw every one of them once, as it is kept."""
    told: dict[str, list[tuple[int, str]]] = {row["account_id"]: [] for row in kept["account_position"]}
    for row in kept["account_event"]:
        told.setdefault(row["account_id"], []).append((row["n"], row["type"]))
    ends = {row["account_id"]: row["last"] for row in kept["account_position"]}
    for account, events in told.items():
        events.sort()
        if [n for n, _ in events] != list(range(1, ends.get(account, 0) + 1)):
            yield f"the line of account {account} has a gap"
    for account, seen in ledger.events.items():
        if [(event["n"], event["type"]) for event in seen] != told.get(account, [])[: len(seen)]:
            yield f"account {account} was told another story than the one that is kept"


def files(kept: Kept, ledger: Ledger) -> Iterator[str]:
    """No clean upload without its file, no acknowledged one without its row, no material without its upload."""
    rows = {row["id"]: row for row in kept["upload"] if row["state"] == "ready"}
    yield from (f"upload {upload_id} has no file" for upload_id in rows.keys() - kept.files)
    yield from (f"upload {upload_id} was acknowledged and is lost" for upload_id in ledger.uploads - rows.keys())
    handed_in = {row["upload_id"] for row in kept["case_material"] if row["upload_id"]}
    yield from (f"material {upload_id} has no upload" for upload_id in handed_in - rows.keys())


def cards(kept: Kept, _ledger: Ledger) -> Iterator[str]:
    """What lists show is what the tables say."""
    tasks, materials = kept.by_case("task"), kept.by_case("case_material")
    for case_id, row in kept.cases.items():
        card = json.loads(row["card"])
        shown = sorted((task["id"], task["state"], task.get("result")) for task in card["tasks"])
        if shown != sorted((task["id"], task["state"], task["result"]) for task in tasks[case_id]):
            yield f"the card of {case_id} shows other tasks than its table"
        uploads = sorted(upload["id"] for material in card["materials"] for upload in material["uploads"])
        if uploads != sorted(one["upload_id"] for one in materials[case_id] if one["upload_id"]):
            yield f"the card of {case_id} shows other materials than its table"


def messages(kept: Kept, _ledger: Ledger) -> Iterator[str]:
    """Each event worth a message has exactly one, whoever died meanwhile."""
    rows = kept.by_case("notification")
    for case_id, events in kept.by_case("case_event").items():
        wanted = sorted(f"case.{event['type']}" for event in events if event["type"] in PUSHED)
        if sorted(row["event"] for row in rows[case_id]) != wanted:
            yield f"case {case_id} has other messages than events"


def same_server(url: str) -> str:
    """An address to show: without its password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
