"""The SQL of an act, caught while it happens, as a script for pgbench: the same statements with the same values as parameters.

What changes from one to the next (ids, the case number, the idempotency key, whose case it is) becomes a number of pgbench's;
everything else is given to pgbench as it was given to the driver.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

Statement = tuple[str, list[object]]

_PLACE = re.compile(r"\$(\d+)")
_TRANSACTIONS_A_SECOND = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_FAILED = re.compile(r"number of failed transactions: ([1-9]\d*)")


@contextmanager
def caught() -> Iterator[list[Statement]]:
    """The statements that tortoise's clients run meanwhile, those of other tasks included."""
    statements: list[Statement] = []
    logger = logging.getLogger("tortoise.db_client")
    level, handler = logger.level, _Catch(statements)
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield statements
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
        logger.propagate = True


class _Catch(logging.Handler):
    def __init__(self, statements: list[Statement]) -> None:
        super().__init__()
        self._statements = statements

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple) and len(record.args) == 2:  # noqa: PLR2004 - statement and values
            sql, values = str(record.args[0]), cast("list[Any]", record.args[1] or [])
            rows = values if values and isinstance(values[0], list) else [values]  # executemany: a statement for each row
            self._statements += [(sql, list(row)) for row in rows]


@dataclass(frozen=True, slots=True)
class Returned:
    """Stands for a value that the database itself returned under this name in a statement before."""

    name: str


@dataclass(frozen=True, slots=True)
class Script:
    """A transaction as pgbench takes it: its text, and the variables that never change."""

    text: str
    variables: dict[str, str]


def rising(number: int) -> str:
    """An expression for a value that is new in every transaction; they rise within a client, as our ids do."""
    return f"1000000000000000000 + :client_id * 10000000000000 + :n * 1000 + {number}"


def script(statements: Iterable[Statement], changing: Mapping[str, str]) -> Script:
    """One transaction of these statements; `changing` has pgbench's expression for every text that is not always the same."""
    names = {value: f"c{n}" for n, value in enumerate(changing)}
    variables: dict[str, str] = {}
    lines = ["\\set n :n + 1", *(f"\\set {names[value]} {expression}" for value, expression in changing.items()), "BEGIN;"]
    for sql, values in statements:
        returns = any(sql.rstrip().endswith(f"RETURNING {name}") for name in _returned(statements))
        lines.append(" ".join(_bound(sql, values, names, variables).split()) + (" \\gset" if returns else ";"))
    return Script("\n".join([*lines, "END;", ""]), variables)


def _returned(statements: Iterable[Statement]) -> set[str]:
    return {value.name for _, values in statements for value in values if isinstance(value, Returned)}


def _bound(sql: str, values: list[object], names: dict[str, str], variables: dict[str, str]) -> str:
    def put(place: re.Match[str]) -> str:
        value = values[int(place[1]) - 1]
        if value is None:
            return "NULL"
        if isinstance(value, Returned):
            return f":{value.name}"
        if isinstance(value, str) and value in names:
            return f":{names[value]}"
        if value == "":
            return "''"  # pgbench takes no empty variable
        name = f"v{len(variables)}"
        variables[name] = _text(value)
        return f":{name}"

    return _PLACE.sub(put, sql)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    return str(value)


def program() -> str | None:
    """Where pgbench is, if it is on this machine."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"), reverse=True)
    return shutil.which("pgbench") or next(map(str, places), None)


def transactions(wanted: Script, database_url: str, folder: Path, *, clients: int, seconds: float, round_number: int) -> float:
    """Transactions a second that pgbench reaches, statements prepared as our driver prepares them."""
    file = folder / "submission.pgbench"
    file.write_text(wanted.text, encoding="utf-8")
    parts = urlsplit(database_url)
    settings = {**wanted.variables, "n": str(round_number * 1_000_000)}
    command = [
        program() or "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(max(1, round(seconds))),
        "-f", str(file), "-h", parse_qs(parts.query)["host"][0], "-U", parts.username or "postgres",
        *(word for name, text in settings.items() for word in ("-D", f"{name}={text}")), parts.path.lstrip("/"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = _TRANSACTIONS_A_SECOND.search(done.stdout)
    if done.returncode or not found or _FAILED.search(done.stdout):
        raise SystemExit(f"pgbench failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return float(found[1])
