"""Connect a department: its table, a key, for Redis a user, and everything its programmer needs."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from backoffice.access import Admission, admit, new_admission, reach_of
from backoffice.partner_keys import add_hmac_key
from config.settings import Settings
from handlers.catalogue import Department
from mobile_api.commands.common import read_settings
from mobile_api.commands.department_table import Draft, TableUnfit, Value, draft
from mobile_api.composition import Stores, open_stores
from storage.errors import StoreUnavailable
from storage.redis_acl import Version, version_of

LINKS = ("queue", "pull", "webhook", "files", "desk")
GUIDE = "docs/how-to/connect-a-department.md"

MANY_SERVERS = ("redis+sentinel", "redis+cluster")
"""Addresses behind which several servers stand, each with users of its own."""

_ASSUMED: Version = (7, 0)
_DESCRIPTIONS = {
    "queue": "by Redis",
    "pull": "asks this town over HTTPS",
    "webhook": "is called by this town",
    "files": "exchanges batches of files",
    "desk": "works at /desk",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("code", help="department code, e.g. MZ")
    parser.add_argument("--link", choices=LINKS, help=f"how it is connected; which way fits: {GUIDE}")
    parser.add_argument("--address", help="https address of its webhook, or folder of its file batches")
    parser.add_argument("--border", action=argparse.BooleanOptionalAction, help="its messages leave the inner network")
    parser.add_argument("--partitions", type=int, help="parallel queues (default: as in the table, 2 in a new one)")
    for name, text in (
        ("name", "name"),
        ("unit", "unit"),
        ("consult-phone", "telephone for questions"),
        ("complaint-phone", "for complaints"),
    ):
        parser.add_argument(f"--{name}", help=f"{text} of a new department")
    parser.add_argument("--write", action="store_true", help="write the table; without it a change is only shown")
    parser.add_argument("--apply", action="store_true", help="make the user in the Redis that the town uses, and save it there")


def run(arguments: argparse.Namespace) -> int:
    """Print what was done, and settings to paste; 1 with the reason when it cannot be done."""
    settings = read_settings(arguments)
    try:
        table, department = draft(settings.tables_dir, arguments.code, _wanted(arguments))
        _must_be_reachable(settings, department, apply=arguments.apply)
        print(*_about_table(table, written=arguments.write), sep="\n")
        if table.is_changed and not arguments.write:
            return 0
        if table.is_changed:
            table.write()
        print(*asyncio.run(_connect(settings, department, apply=arguments.apply)), sep="\n")
    except (TableUnfit, StoreUnavailable) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _wanted(arguments: argparse.Namespace) -> dict[str, Value]:
    names = ("name", "unit", "link", "address", "border", "partitions", "consult_phone", "complaint_phone")
    return {name: value for name in names if (value := getattr(arguments, name)) is not None}


def _must_be_reachable(settings: Settings, department: Department, *, apply: bool) -> None:
    """Before anything is made: a user of a Redis that lets nobody in would be of no use."""
    if department.link != "queue":
        return
    if settings.redis.url == "embedded" and not settings.redis.port:
        raise StoreUnavailable("The embedded Redis lets nobody in: set redis.port (and redis.host), restart the town, and come back.")
    if apply and urlsplit(settings.redis.url).scheme in MANY_SERVERS:
        raise StoreUnavailable("Users live on each server of a cluster: leave out --apply, and run the printed command on every one.")


def _about_table(table: Draft, *, written: bool) -> Iterator[str]:
    if not table.is_changed:
        yield f"# {table.path} is as wanted."
        return
    yield f"# {table.path}{':' if written else ' would be:'}"
    yield from (f"#   {line}" for line in table.difference())
    if written:
        yield "# Written. Restart the town's processes, so that they know it."
    else:
        yield "# Nothing was written and no key was made: say --write."


async def _connect(settings: Settings, department: Department, *, apply: bool) -> list[str]:
    """Make the key, and the user; everything for the department's programmer, as lines that a shell can read."""
    if department.link == "desk":
        return [f"# {department.name} ({department.code}) {_DESCRIPTIONS['desk']}: add its people with `mobile-api user add`."]
    async with open_stores(settings) as stores:
        admission, kept = await _admission(stores, department, apply=apply) if department.link == "queue" else (None, None)
        key_id, secret = await add_hmac_key(stores.office, department.code)
    pasted = {"DEPARTMENT": department.code, "TOWN_URL": settings.public_base, "EXCHANGE_KEY": key_id, "EXCHANGE_SECRET": secret}
    lines = [f"# {department.name} ({department.code}) {_DESCRIPTIONS[department.link]}. Shown once: hand it over on a safe way."]
    if admission is not None:
        pasted |= {"PARTITIONS": str(department.partitions), "REDIS_URL": redis_address(settings, admission)}
        lines += [*_streams(department), *_about_user(admission, kept=kept)]
    return [*lines, *(f"{name}={value}" for name, value in pasted.items()), f"# How to go on: {GUIDE}"]


async def _admission(stores: Stores, department: Department, *, apply: bool) -> tuple[Admission, bool | None]:
    """The user of the department's program, and whether Redis will know it after a restart; None: it was not asked to."""
    address = urlsplit(stores.settings.redis.url)
    database = int(address.path.strip("/") or 0) if address.scheme in {"redis", "rediss"} else 0
    try:
        version = await version_of(stores.redis)
    except StoreUnavailable:
        if apply:
            raise
        version = _ASSUMED
    made = new_admission(department.code, department.partitions, version, database)
    return made, await admit(stores.office, stores.redis, department.code, made) if apply else None


def redis_address(settings: Settings, admission: Admission) -> str:
    """The address of the town's Redis as the department's program uses it, with its own user."""
    login = f"{admission.user}:{quote(admission.password)}@"
    if settings.redis.url == "embedded":
        return f"redis://{login}{settings.redis.host}:{settings.redis.port}/0"
    parts = urlsplit(settings.redis.url)
    return parts._replace(netloc=login + parts.netloc.rpartition("@")[2]).geturl()


def _streams(department: Department) -> list[str]:
    reach = reach_of(department.code, department.partitions)
    return [f"# It reads {', '.join(reach.reads)} (group g, field e) and adds to {', '.join(reach.adds)}."]


def _about_user(admission: Admission, *, kept: bool | None) -> list[str]:
    if kept is None:
        return ["# For whoever keeps the Redis (or say --apply):", f"#   {admission.command}"]
    if kept:
        return [f"# Redis knows the user {admission.user}, and will after a restart."]
    return [f"# Redis knows the user {admission.user} until its next restart: it has neither an ACL file nor a configuration file."]
