"""The evidence log: verify it, deposit a checkpoint, show what passed about a case, export lines for an auditor."""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec

from backoffice import evidence
from backoffice.evidence import Checkpoint, Verdict
from handlers.office import Office
from mobile_api.commands.common import read_settings
from mobile_api.composition import open_office
from storage import cases
from storage import evidence as log
from storage.evidence import Line


class NotThere(Exception):
    """What was asked for does not exist; the text says what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    actions = parser.add_subparsers(dest="action", required=True)
    verify = actions.add_parser("verify", help="walk the whole log; exit 1 and the first line that does not hold if one was changed")
    verify.add_argument("--checkpoint", type=Path, help="a checkpoint kept elsewhere, as `checkpoint` wrote it")
    verify.add_argument("--json", action="store_true", help="print the verdict as JSON")
    point = actions.add_parser("checkpoint", help="print how far the log is; keep it where the town's servers cannot change it")
    point.add_argument("--out", type=Path, help="write it to this file instead")
    show = actions.add_parser("show", help="every message about a case, in order")
    show.add_argument("--case", required=True, help="case number")
    export = actions.add_parser("export", help="lines with their exact bytes and hashes as JSON lines, for an auditor")
    export.add_argument("--first", type=int, default=1, help="from this line on")
    export.add_argument("--last", type=int, help="up to this line; to the end when left out")


def run(arguments: argparse.Namespace) -> int:
    """Do it; 1 when the log does not hold or what was asked for is not there."""
    acts: dict[str, Callable[[Office, argparse.Namespace], Coroutine[Any, Any, int]]] = {
        "verify": _verify, "checkpoint": _checkpoint, "show": _show, "export": _export,
    }  # fmt: skip
    try:
        return asyncio.run(_run(arguments, acts[arguments.action]))
    except NotThere as reason:
        print(reason, file=sys.stderr)
        return 1


async def _run(arguments: argparse.Namespace, act: Callable[[Office, argparse.Namespace], Coroutine[Any, Any, int]]) -> int:
    async with open_office(read_settings(arguments)) as office:
        return await act(office, arguments)


async def _verify(office: Office, arguments: argparse.Namespace) -> int:
    known = _known(arguments.checkpoint) if arguments.checkpoint else None
    began = time.perf_counter()
    verdict = await evidence.verify(office.database, office.keys.sealer, known)
    speed = verdict.lines / max(time.perf_counter() - began, 1e-6)
    if arguments.json:
        print(
            json.dumps(
                {
                    "holds": not verdict.broken,
                    "lines": verdict.lines,
                    "erased": verdict.erased,
                    "hash": verdict.head,
                    "broken": verdict.broken,
                }
            )
        )
    else:
        print(_said(verdict, known, speed))
    return 1 if verdict.broken else 0


def _said(verdict: Verdict, known: Checkpoint | None, speed: float) -> str:
    if verdict.broken:
        return f"The log does NOT hold: {verdict.broken}. {verdict.lines} lines before it hold."
    against = f", and agrees with the checkpoint at line {known.n}" if known else ""
    lines = f"{verdict.lines} lines, {verdict.erased} with erased bodies"
    return f"The log holds: {lines}{against} ({speed:,.0f} lines/s). Last hash {verdict.head}"


def _known(file: Path) -> Checkpoint:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Checkpoint)
    except FileNotFoundError:
        raise NotThere(f"{file} does not exist: give the file that `mobile-api evidence checkpoint --out` wrote.") from None
    except msgspec.DecodeError as error:
        raise NotThere(f"{file} is no checkpoint ({error}): give the file that `mobile-api evidence checkpoint --out` wrote.") from None


async def _checkpoint(office: Office, arguments: argparse.Namespace) -> int:
    text = msgspec.json.encode(await evidence.checkpoint(office.database, office.clock.now())).decode() + "\n"
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


async def _show(office: Office, arguments: argparse.Namespace) -> int:
    row = await cases.by_number(office.database, arguments.case)
    if row is None:
        raise NotThere(f"There is no case {arguments.case}.")
    for line in await log.of_case(office.database, row["id"]):
        facts = (
            f"{line.n:>8}",
            f"{line.direction:3}",
            line.department,
            line.sequence or "-",
            line.happened_at.isoformat(),
            line.body_digest,
        )
        print(*facts, sep="  ")
        if line.body is not None:
            print(f"          {log.opened(line, office.keys.sealer).decode('utf-8', 'backslashreplace')}")
    return 0


async def _export(office: Office, arguments: argparse.Namespace) -> int:
    async for line in log.lines(office.database, arguments.first, arguments.last):
        print(json.dumps(_exported(line, office)))
    return 0


def _exported(line: Line, office: Office) -> dict[str, Any]:
    body = None if line.body is None else base64.b64encode(log.opened(line, office.keys.sealer)).decode()
    facts = {name: getattr(line, name) for name in ("n", "direction", "department", "message_id", "case_id", "sequence")}
    return {**facts, "happened_at": line.happened_at.isoformat(), "body_digest": line.body_digest, "hash": line.hash, "body_base64": body}
