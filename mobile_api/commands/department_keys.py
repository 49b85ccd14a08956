"""Show the keys of a department, without their secrets; or keep a public key of its."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import sys
from pathlib import Path

import msgspec

from backoffice.partner_keys import PartnerKey, PublicPurpose, add_public_key, list_keys
from config.settings import Settings
from handlers.errors import Refused
from handlers.refusals import REFUSALS
from mobile_api.commands.common import read_settings
from mobile_api.composition import open_office

_MEANING = {"hmac": "signs requests, both ways", "verify": "checks what it signed", "encrypt": "encrypts what it gets"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("code", nargs="?", help="department code; left out: all")
    purposes = parser.add_mutually_exclusive_group()
    purposes.add_argument(
        "--verify", type=Path, metavar="FILE", help="its public Ed25519 key (JWK) with which it signs, beyond the inner network"
    )
    purposes.add_argument("--encrypt", type=Path, metavar="FILE", help="its public X25519 key (JWK) with which this town encrypts for it")


def run(arguments: argparse.Namespace) -> int:
    """One line a key; 1 with the reason when a key cannot be kept."""
    purpose: PublicPurpose = "verify" if arguments.verify else "encrypt"
    settings, file = read_settings(arguments), arguments.verify or arguments.encrypt
    try:
        if file:
            print(f"Kept as {asyncio.run(_keep(settings, arguments.code or '', purpose, _jwk(file)))}.")
            return 0
    except (OSError, msgspec.DecodeError) as error:
        print(f"{file} cannot be read: {error}", file=sys.stderr)
        return 1
    except Refused as refusal:
        print(REFUSALS[refusal.code].detail_en.format_map(refusal.values), file=sys.stderr)
        return 1
    keys = asyncio.run(_keys(settings, arguments.code))
    print(*map(_line, keys), sep="\n") if keys else print("No keys. `mobile-api department add CODE` makes one.")
    return 0


def _jwk(file: Path) -> dict[str, object]:
    return msgspec.json.decode(file.read_bytes(), type=dict[str, object])


async def _keep(settings: Settings, code: str, purpose: PublicPurpose, jwk: dict[str, object]) -> str:
    async with open_office(settings) as office:
        return await add_public_key(office, code, purpose, jwk)


async def _keys(settings: Settings, code: str | None) -> list[PartnerKey]:
    async with open_office(settings) as office:
        return await list_keys(office, code)


def _line(key: PartnerKey) -> str:
    state = f"revoked {_day(key.revoked_at)}" if key.revoked_at else "in use"
    return f"{key.id}  {key.department:16}  {key.purpose:7}  made {_day(key.created_at)}  {state:18}  {_MEANING[key.purpose]}"


def _day(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%d")
