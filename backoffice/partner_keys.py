"""Keys of departments: made, listed and ended here, each act on record. A secret is shown once, when it is made."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from backoffice.border import checked_jwk
from backoffice.signatures import SECRET_SIZE
from handlers.actors import SYSTEM, Actor
from handlers.errors import Refused
from handlers.office import Office
from storage import audit, exchange_keys
from storage.database import Row, Transaction
from storage.ids import uuid7

PublicPurpose = Literal["verify", "encrypt"]

_CURVES = {"verify": "Ed25519", "encrypt": "X25519"}
"""The one curve for each purpose (RFC 8037), to be named in English."""


@dataclass(frozen=True, slots=True)
class PartnerKey:
    """One key of a department, without its secret; `public_jwk` for "verify" and "encrypt"."""

    id: str
    department: str
    purpose: str
    created_at: dt.datetime
    revoked_at: dt.datetime | None
    public_jwk: dict[str, Any] | None


async def add_hmac_key(office: Office, department: str, by: Actor = SYSTEM) -> tuple[str, str]:
    """A new shared secret for a department: (key id, secret as 64 hex digits, 32 bytes). Older ones stay valid until they are revoked."""
    _known(office, department)
    key_id, secret = uuid7(), secrets.token_bytes(SECRET_SIZE)
    async with office.database.transaction() as tx:
        await exchange_keys.add_secret(tx, key_id, department, seal(office, key_id, secret), office.clock.now())
        await _on_record(office, tx, by, "exchange_key.added", key_id, {"department": department, "purpose": "hmac"})
    return key_id, secret.hex()


async def add_public_key(office: Office, department: str, purpose: PublicPurpose, jwk: Mapping[str, Any], by: Actor = SYSTEM) -> str:
    """Keep a department's public key; its id. Refused("public_key_unusable") for other curves, private keys and what is no JWK."""
    _known(office, department)
    key_id, public = uuid7(), _public(purpose, jwk)
    async with office.database.transaction() as tx:
        await exchange_keys.add_public(tx, key_id, department, purpose, json.dumps(public), office.clock.now())
        await _on_record(office, tx, by, "exchange_key.added", key_id, {"department": department, "purpose": purpose})
    return key_id


async def revoke_key(office: Office, key_id: str, by: Actor = SYSTEM) -> str:
    """End a key at once; whose it was. Refused("not_found") if no key in use has this id."""
    async with office.database.transaction() as tx:
        department = await exchange_keys.revoke(tx, key_id, office.clock.now())
        if department is None:
            raise Refused("not_found")
        await _on_record(office, tx, by, "exchange_key.revoked", key_id, {"department": department})
    return department


async def list_keys(office: Office, department: str | None = None) -> list[PartnerKey]:
    """Every key, revoked ones too, of one department or of all."""
    return [_key(row) for row in await exchange_keys.every(office.database) if department in {None, row["department"]}]


async def current_secret(office: Office, department: str) -> tuple[str, bytes] | None:
    """The newest (key id, secret) with which this town signs what it sends to a department; None if it has none."""
    rows = await exchange_keys.valid(office.database, department, "hmac")
    return (rows[0]["id"], unseal(office, rows[0]["id"], rows[0]["secret_sealed"])) if rows else None


async def public_keys(office: Office, department: str, purpose: PublicPurpose) -> list[PartnerKey]:
    """A department's public keys that are in use, the newest first."""
    return [_key(row) for row in await exchange_keys.valid(office.database, department, purpose)]


def seal(office: Office, key_id: str, secret: bytes) -> bytes:
    """A secret for the row of this key."""
    return office.keys.sealer.seal(secret, _context(key_id))


def unseal(office: Office, key_id: str, sealed: bytes) -> bytes:
    """What `seal` made for the same key."""
    return office.keys.sealer.unseal(bytes(sealed), _context(key_id))


def _context(key_id: str) -> str:
    return f"exchange_key.secret_sealed:{key_id}"


def _known(office: Office, department: str) -> None:
    if department not in office.catalogue.departments:
        raise Refused("department_unknown")


def _public(purpose: PublicPurpose, jwk: Mapping[str, Any]) -> dict[str, str]:
    try:
        return checked_jwk(jwk, purpose)
    except ValueError as error:
        raise Refused("public_key_unusable", {"curve": _CURVES[purpose], "reason": str(error)}) from None


async def _on_record(office: Office, tx: Transaction, by: Actor, action: str, key_id: str, data: Mapping[str, Any]) -> None:
    await audit.record(
        tx, at=office.clock.now(), actor_kind=by.kind, actor_id=by.id, action=action, object_kind="exchange_key",
        object_id=key_id, outcome="done", data=data,
    )  # fmt: skip


def _key(row: Row) -> PartnerKey:
    jwk = row["public_jwk"]
    return PartnerKey(
        row["id"], row["department"], row["purpose"], row["created_at"], row["revoked_at"], json.loads(jwk) if isinstance(jwk, str) else jwk
    )
