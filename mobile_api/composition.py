"""The composition root: reads the settings, opens the stores, publishes the catalogue, and hands values to those who work with them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from backoffice import registry
from backoffice.mapping import department_form, department_record
from config.settings import Settings, production_problems
from handlers.items import publish
from handlers.keys import MARKER, Keys, problems
from handlers.media import Laundry
from handlers.office import Office
from handlers.scanner import Clamd
from handlers.workdays import WorkCalendar
from mobile_api.tables import Inspection, load_tables
from storage.bell import Bell
from storage.blocks import Blocks
from storage.clock import Clock, SystemClock
from storage.database import Database
from storage.errors import Mendable, StoreUnavailable
from storage.files import open_files
from storage.fleeting import Fleeting
from storage.migrate import migrate
from storage.redis import RedisStore, carry_bell, connect
from storage.tasks import end
from storage.valkey import EmbeddedValkey
from storage.valkey_door import Door

log = logging.getLogger(__name__)


class NotFit(Mendable):
    """This configuration must not serve; the text lists what to mend."""


@dataclass(frozen=True, slots=True)
class Stores:
    """What a process has open: the office, its pipe, and the settings it was opened with."""

    office: Office
    redis: RedisStore
    settings: Settings


@asynccontextmanager
async def open_stores(settings: Settings, *, clock: Clock | None = None, tables: Inspection | None = None) -> AsyncIterator[Stores]:
    """Everything a server needs, opened in order and closed in reverse; starts the embedded Redis if that is the setting.

    Who has read the town's tables already hands them in.
    """
    _check(settings)
    async with AsyncExitStack() as stack:
        bell = Bell()
        url = settings.redis.url
        if url == "embedded":
            valkey = EmbeddedValkey(Path(settings.redis.dir), door=Door(settings.redis.host, settings.redis.port))
            url = await valkey.start()
            stack.push_async_callback(valkey.stop)
            stack.push_async_callback(_cancelled, asyncio.create_task(valkey.watch(), name="valkey"))
        redis = await _reach(url)
        stack.push_async_callback(redis.close)
        stack.push_async_callback(_cancelled, asyncio.create_task(carry_bell(redis, bell), name="bell"))
        work = _office(settings, bell, Fleeting(redis.commands), clock or SystemClock(), tables)
        office = await stack.enter_async_context(work)
        yield Stores(office, redis, settings)


@asynccontextmanager
async def open_office(settings: Settings) -> AsyncIterator[Office]:
    """The office without a pipe, for commands that only change what is kept."""
    _check(settings)
    url = settings.redis.url
    redis = await connect("redis://127.0.0.1:6379" if url == "embedded" else url, must_answer=False)
    try:
        async with _office(settings, Bell(), Fleeting(redis.commands), SystemClock()) as office:
            yield office
    finally:
        await redis.close()


@asynccontextmanager
async def _office(
    settings: Settings, bell: Bell, fleeting: Fleeting, clock: Clock, tables: Inspection | None = None
) -> AsyncIterator[Office]:
    keys = Keys.load(Path(settings.secrets.dir))
    tables = tables or load_tables(settings.tables_dir)
    database = await Database.open(settings.database.url, bell, pool=settings.database.pool)
    laundry = Laundry(scanner=Clamd(Path(settings.files.clamd)) if settings.files.clamd else None)
    try:
        await migrate(database)
        catalogue = await publish(database, clock, tables.catalogue)
        yield Office(
            database=database,
            bell=bell,
            clock=clock,
            catalogue=catalogue,
            calendar=WorkCalendar(tables.years),
            keys=keys,
            files=open_files(settings.files.url),
            laundry=laundry,
            fleeting=fleeting,
            numbers=Blocks(database),
            division=settings.town.division,
            department_form=department_form(tables.mappings),
            department_record=department_record(tables.mappings),
            message_check=registry.vouch,
            town=settings.town.name,
            hotline=settings.town.hotline,
            public_base=settings.public_base,
            upload_limit=settings.files.max_bytes,
            counting=settings.clocks.counting,
            claim_minutes=settings.desk.claim_minutes,
            supervision=tables.rulebook,
            commitments=tables.commitments,
        )
    finally:
        await laundry.close()
        await database.close()


def _check(settings: Settings) -> None:
    """Refuse to serve people's papers with a configuration that is not meant for it; make a first start's keys otherwise."""
    production = settings.town.profile == "production"
    folder = Path(settings.secrets.dir)
    if not production and not any(folder.glob("*.key")):
        _make_keys(folder, marked=settings.demo.enabled)
    found = production_problems(settings) + problems(folder, production=production)
    if not (settings.tables_dir / "services").is_dir():
        found.append(f"town.tables (MOBILE_API_TOWN__TABLES): there is no folder {settings.tables_dir / 'services'}.")
    if found:
        raise NotFit("\n".join(["This configuration cannot serve:", *(f"- {line}" for line in found)]))


def _make_keys(folder: Path, *, marked: bool) -> None:
    try:
        Keys.create(folder)
        if marked:
            (folder / MARKER).touch(mode=0o600)
    except OSError as error:
        raise NotFit(f"secrets.dir (MOBILE_API_SECRETS__DIR): no keys can be made there: {error}") from error


async def _reach(url: str) -> RedisStore:
    """A town opens without its pipe too: submissions are taken and wait in the outbox."""
    try:
        return await connect(url)
    except StoreUnavailable as error:
        log.warning("%s; going on without it, messages wait in the database", error)
        return await connect(url, must_answer=False)


async def _cancelled(task: asyncio.Task[None]) -> None:
    await end([task])
