"""A department behind a gatekeeper as one program: the gatekeeper, the department's folder and its answers, for trials on one machine.

What it is told stands in the environment, as `./run demo --outside CODE=files` writes it; --faults makes gatekeeper or work go wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import signal
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
from joserfc.jwk import KeySet, OKPKey

from sandbox import department_ways, gatekeeper
from sandbox.department_book import Book
from sandbox.department_ways import Ways
from sandbox.file_book import FileBook
from sandbox.file_department import FileDepartment, FileKeys
from sandbox.gatekeeper import Gatekeeper

logger = logging.getLogger("sandbox.files")

SETTINGS = {
    "DEPARTMENT": "the department's code",
    "TOWN_URL": "where the town's public keys are read",
    "TOWN_DIVISION": "the town's division code",
    "TOWN_FOLDER": "the town's folder, the `address` in the department's table",
    "SIGNING_KEY": "a file with the department's private Ed25519 key as JWK",
    "STATE_FILE": "where the department keeps its records and its own folder",
}
"""What the environment must say."""


async def _main(parsed: argparse.Namespace, told: dict[str, str]) -> None:
    code, state = told["DEPARTMENT"], Path(told["STATE_FILE"])
    keys = FileKeys(await _town_keys(told["TOWN_URL"]), _own_key(Path(told["SIGNING_KEY"])))
    chance = random.Random(parsed.seed)
    faults = dict(parsed.faults)
    folder = state.with_suffix(".folder")
    carries = Gatekeeper(Path(told["TOWN_FOLDER"]), folder, parsed.gatekeeper_delay, faults, chance)
    with closing(Book(state)) as book, closing(FileBook(state.with_suffix(".batches"))) as batches:
        ways = Ways(f"{code}部门", parsed.delay, 3600.0, faults, chance)
        department = FileDepartment(code, told["TOWN_DIVISION"], folder, book, batches, ways, keys, resend=parsed.resend)
        print(f"files of {code}: {folder} <-> {told['TOWN_FOLDER']}", flush=True)  # noqa: T201 - says that it is ready
        work = asyncio.gather(carries.run(), department.run())
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        await asyncio.gather(work, return_exceptions=True)


async def _town_keys(town: str) -> KeySet:
    """The town's public keys, as soon as it answers."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
        while True:
            try:
                async with session.get(f"{town.rstrip('/')}/.well-known/jwks.json", raise_for_status=True) as answer:
                    found: Any = await answer.json(content_type=None)
                    return KeySet.import_key_set(found)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                logger.info("the town is away (%s)", error)
                await asyncio.sleep(1)


def _own_key(file: Path) -> OKPKey:
    return OKPKey.import_key(json.loads(file.read_text(encoding="ascii")))


def _rate(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    known = gatekeeper.FAULTS | department_ways.FAULTS
    if name not in known:
        raise argparse.ArgumentTypeError(f"no fault {name!r}; there are {', '.join(known)}")
    return name, float(rate or 1)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sandbox.behind_gatekeeper",
        description=__doc__,
        epilog="Environment: " + "; ".join(f"{name}, {what}" for name, what in SETTINGS.items()),
    )
    parser.add_argument("--delay", type=float, default=1.5, help="seconds between the steps of the department")
    parser.add_argument("--gatekeeper-delay", type=float, default=1.0, help="seconds that a file is on its way")
    parser.add_argument("--resend", type=float, default=30.0, help="seconds after which an unacknowledged batch is written again")
    parser.add_argument("--faults", action="append", default=[], type=_rate, metavar="NAME=RATE", help="may be repeated")
    parser.add_argument("--seed", type=int, help="makes the faults repeatable")
    parsed = parser.parse_args(words)
    if missing := [name for name in SETTINGS if not os.environ.get(name)]:
        parser.error(f"the environment lacks {', '.join(missing)}: `./run demo --outside CODE=files` writes a file with them")
    return parsed


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(_main(_arguments(None), {name: os.environ.get(name, "") for name in SETTINGS}))
