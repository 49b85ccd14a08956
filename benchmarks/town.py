"""A town to measure: its stores, residents who are logged in, and cases."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.machine import cores, postgres_server, valkey_server
from config.settings import load
from handlers import sessions
from handlers.caseviews import CaseView
from handlers.office import Office
from mobile_api.composition import Stores, open_stores
from mobile_api.identity import Identity
from mobile_api.journey.sample import fill_form
from storage import residents
from storage.database import Transaction
from storage.ids import uuid7
from tests.support.apart import run_apart

DIALECTS = ("postgres", "sqlite")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a town's stores are: the settings of its processes, its database's address, and a folder for anything else."""

    environment: Mapping[str, str]
    database_url: str
    folder: Path

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Stores]:
        """The stores in this process, to prepare what is measured."""
        async with open_stores(load(None, dict(self.environment))) as stores:
            yield stores


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody who is logged in."""

    id: str
    token: str


@contextlib.contextmanager
def place(dialect: str) -> Iterator[Place]:
    """New, empty stores; database and Valkey live on the core of the load, never on the measured server's."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="town-bench-")))
        url = f"sqlite://{folder}/town.db"
        if dialect == "postgres":
            url = run_apart(stack.enter_context(postgres_server(cores()[1])).create("bench"))
        valkey = stack.enter_context(valkey_server(folder / "valkey", cores()[1]))
        yield Place(_environment(url, valkey, folder), url, folder)


def _environment(database_url: str, valkey_url: str, folder: Path) -> dict[str, str]:
    return {
        "MOBILE_API_DATABASE__URL": database_url,
        "MOBILE_API_DATABASE__POOL": "16",
        "MOBILE_API_REDIS__URL": valkey_url,
        "MOBILE_API_FILES__URL": f"file://{folder / 'files'}",
        "MOBILE_API_SECRETS__DIR": str(folder / "secrets"),
        "MOBILE_API_HTTP__PACE_FACTOR": "0",
        "MOBILE_API_WECHAT__BASE_URL": "http://127.0.0.1:9",
    }


async def settle_in(office: Office, number: int) -> list[Resident]:
    """Residents, logged in."""
    identity = Identity(office)
    found = []
    for _ in range(number):
        row = await residents.of_openid(office.database, uuid7(), f"openid-{uuid7()}", office.clock.now())
        opened = await sessions.open_session(office, row["id"], "resident", "benchmark")
        found.append(Resident(row["id"], identity.issue(opened).access_token))
    return found


async def application(office: Office, resident: Resident, item_code: str) -> dict[str, Any]:
    """A complete application for an item, its files uploaded before (their rows; nobody reads the bytes)."""
    item = office.catalogue.items[item_code]
    wanted = [rule for rule in item.materials if rule.required and rule.source == "upload"]
    materials = [{"material": rule.code, "uploads": [await _uploaded(office, resident)]} for rule in wanted]
    return {"item": item_code, "form": fill_form(msgspec.to_builtins(item.form.fields)), "materials": materials, "submit": True}


async def _uploaded(office: Office, resident: Resident) -> str:
    upload = uuid7()
    await office.database.execute(
        "INSERT INTO upload (id, owner_id, state, name, media_type, size, pages, digest, created_at) "
        "VALUES ($1, $2, 'ready', '身份证.jpg', 'image/jpeg', 240000, 1, $3, $4)",
        upload,
        resident.id,
        upload.replace("-", "").ljust(64, "0"),
        office.clock.now(),
    )
    return upload


async def nobody_waits(_tx: Transaction, _view: CaseView) -> None:
    """For acts whose answer need not be kept."""
