"""Departments that the demo leaves to a program of your own: `./run demo --outside CODE[=queue|pull|webhook|files]`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from joserfc.jwk import OKPKey

from backoffice.access import admit, new_admission
from backoffice.partner_keys import add_hmac_key, add_public_key
from config.settings import Settings
from mobile_api.commands.department_add import redis_address
from mobile_api.commands.department_table import changed
from mobile_api.composition import Stores, open_stores
from storage.redis_acl import version_of

LINKS = {
    "queue": ".venv/bin/python examples/department_redis.py",
    "pull": "node examples/department_pull.mjs",
    "webhook": ".venv/bin/python -m sandbox.webhook_receiver",
    "files": ".venv/bin/python -m sandbox.behind_gatekeeper",
}
"""The ways that need nothing but what the demo has, and the program that goes each way."""

_FIRST_WEBHOOK = 8700


@dataclass(frozen=True, slots=True)
class Outside:
    """One department to be left out: its code and the way it is connected."""

    code: str
    link: str

    def address(self, folder: Path) -> str:
        """Where the town reaches it: a webhook on this machine, a folder of the demo's; nowhere by the other ways."""
        if self.link == "webhook":
            return f"http://127.0.0.1:{self.port}/webhook"
        return str((folder / f"gate-{self.code}").absolute()) if self.link == "files" else ""

    @property
    def port(self) -> int:
        """The port of its webhook, the same at every start and another for every department."""
        return _FIRST_WEBHOOK + sum(self.code.encode()) % 100


def wanted(text: str) -> Outside:
    """`SJ` or `SJ=pull`, as argparse reads it."""
    code, _, link = text.partition("=")
    if (link or "queue") not in LINKS:
        raise argparse.ArgumentTypeError(f"{text!r}: CODE={' or CODE='.join(LINKS)}")
    return Outside(code, link or "queue")


def tables_for(town: Path, folder: Path, outsiders: list[Outside]) -> Path:
    """A copy of the town's tables in which the departments are connected as wanted; the town's own stay as they are."""
    copy = folder / "tables"
    shutil.rmtree(copy, ignore_errors=True)
    for part in (entry for entry in town.iterdir() if entry.is_dir() and any(entry.glob("*.toml"))):
        shutil.copytree(part, copy / part.name, ignore=shutil.ignore_patterns("__pycache__"))
    for one in outsiders:
        table = copy / "departments" / f"{one.code}.toml"
        if not table.exists():
            raise LookupError(f"There is no department {one.code}: see config/departments.")
        address = {"address": found} if (found := one.address(folder)) else {}
        table.write_text(changed(table.read_text(encoding="utf-8"), {"link": one.link, **address}), encoding="utf-8")
        if one.link == "files":
            Path(one.address(folder)).mkdir(exist_ok=True)
    return copy


async def introduce(settings: Settings, folder: Path, outsiders: list[Outside]) -> str:
    """Give each its key and, for Redis, its user, as `department add` does; what its programmer is to type.

    Settings of an earlier start still hold and are kept, so that a program goes on with them.
    """
    lines = []
    async with open_stores(settings) as stores:
        for one in outsiders:
            file = (folder / f"outside-{one.code}-{one.link}.env").absolute()
            if not file.exists():
                write_settings(file, await _settings_of(stores, file, one))
            lines += [
                f"  {one.code} is yours ({one.link}); its settings are in {file}. For example, in another window:",
                "",
                *_to_type(file, one),
                "",
            ]
    return "\n".join(lines)


async def _settings_of(stores: Stores, file: Path, one: Outside) -> dict[str, str]:
    key_id, secret = await add_hmac_key(stores.office, one.code)
    found = {"DEPARTMENT": one.code, "TOWN_URL": stores.settings.public_base, "EXCHANGE_KEY": key_id, "EXCHANGE_SECRET": secret}
    if one.link == "queue":
        partitions = stores.office.catalogue.departments[one.code].partitions
        admission = new_admission(one.code, partitions, await version_of(stores.redis))
        await admit(stores.office, stores.redis, one.code, admission)
        found |= {"PARTITIONS": str(partitions), "REDIS_URL": redis_address(stores.settings, admission)}
    if one.link == "webhook":
        found |= {"WEBHOOK_PORT": str(one.port)}
    if one.link == "files":
        found |= {
            "TOWN_DIVISION": stores.office.division,
            "TOWN_FOLDER": one.address(file.parent),
            "SIGNING_KEY": str(await _signing_key(stores, file, one)),
        }
    return {**found, "STATE_FILE": str(file.with_suffix(".state"))}


async def _signing_key(stores: Stores, file: Path, one: Outside) -> Path:
    """The file of a private key to sign batches with; its public half is handed in, as the town's administrator would do."""
    key = OKPKey.generate_key("Ed25519")
    await add_public_key(stores.office, one.code, "verify", key.as_dict(private=False))
    path = file.with_suffix(".jwk")
    _write(path, json.dumps(key.as_dict(private=True)))
    return path


def _write(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
        opened.write(text)


def write_settings(file: Path, values: Mapping[str, str]) -> None:
    """A file that a shell reads with `.`; nobody else's to read."""
    _write(file, "".join(f"export {name}='{value}'\n" for name, value in values.items()))


def _to_type(file: Path, one: Outside) -> list[str]:
    return [f"    . {file}", f"    {LINKS[one.link]}"]
