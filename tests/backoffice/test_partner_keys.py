"""Keys of departments are made, listed and ended, each act on record; a secret rests sealed and is shown once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from backoffice import partner_keys
from backoffice.border import checked_jwk
from handlers.errors import Refused
from handlers.office import Office
from storage import audit
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database
from storage.redis import RedisStore
from tests.support.office import open_office


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


def jwk(curve: str = "Ed25519", *, private: bool = False) -> dict[str, Any]:
    return dict(OKPKey.generate_key(curve, private=True).as_dict(private=private))  # type: ignore[arg-type]  # curves by name


async def test_a_secret_is_shown_once_and_rests_sealed(office: Office) -> None:
    key_id, secret = await partner_keys.add_hmac_key(office, "MZ")
    [row] = await office.database.rows("SELECT * FROM exchange_key")
    assert len(bytes.fromhex(secret)) == 32
    assert bytes.fromhex(secret) not in bytes(row["secret_sealed"])
    assert await partner_keys.current_secret(office, "MZ") == (key_id, bytes.fromhex(secret))
    assert [key.purpose for key in await partner_keys.list_keys(office, "MZ")] == ["hmac"]
    assert await partner_keys.list_keys(office, "GA") == []


async def test_a_sealed_secret_moved_to_another_key_does_not_open(office: Office) -> None:
    first, _ = await partner_keys.add_hmac_key(office, "MZ")
    second, _ = await partner_keys.add_hmac_key(office, "GA")
    await office.database.execute(
        "UPDATE exchange_key SET secret_sealed = (SELECT secret_sealed FROM exchange_key WHERE id = $1) WHERE id = $2", first, second
    )
    with pytest.raises(Exception, match="does not open"):
        await partner_keys.current_secret(office, "GA")


async def test_the_newest_secret_signs_and_older_ones_stay_valid_until_revoked(office: Office) -> None:
    clock = office.clock
    assert isinstance(clock, SettableClock)
    old, _ = await partner_keys.add_hmac_key(office, "MZ")
    clock.advance(minutes=1)
    new, _ = await partner_keys.add_hmac_key(office, "MZ")
    assert (await partner_keys.current_secret(office, "MZ") or ("",))[0] == new
    assert await partner_keys.revoke_key(office, new) == "MZ"
    assert (await partner_keys.current_secret(office, "MZ") or ("",))[0] == old
    with pytest.raises(Refused, match="not_found"):
        await partner_keys.revoke_key(office, new)


async def test_every_act_is_on_record(office: Office) -> None:
    key_id, secret = await partner_keys.add_hmac_key(office, "MZ")
    await partner_keys.revoke_key(office, key_id)
    rows = await audit.of_object(office.database, "exchange_key", key_id)
    assert {row["action"] for row in rows} == {"exchange_key.added", "exchange_key.revoked"}
    assert secret not in json.dumps([row["data"] for row in rows])


async def test_public_keys_are_kept_without_what_does_not_belong_to_them(office: Office) -> None:
    given = jwk()
    key_id = await partner_keys.add_public_key(office, "MZ", "verify", {**given, "note": "ours"})
    [kept] = await partner_keys.public_keys(office, "MZ", "verify")
    assert (kept.id, kept.public_jwk) == (key_id, checked_jwk(given, "verify"))
    assert await partner_keys.public_keys(office, "MZ", "encrypt") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"kty": "OKP", "crv": "Ed25519"}, {"kty": "OKP", "crv": "Ed25519", "x": 7}, {"kty": "OKP", "crv": "Ed25519", "x": "!!"},
        {"kty": "oct", "k": "AA"}, jwk("X25519"), jwk(private=True),
    ],
)  # fmt: skip
async def test_what_is_no_public_key_for_the_purpose_is_refused(office: Office, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="public_key_unusable"):
        await partner_keys.add_public_key(office, "MZ", "verify", wrong)
    assert await partner_keys.list_keys(office) == []


async def test_a_department_that_is_not_in_the_tables_gets_no_key(office: Office) -> None:
    with pytest.raises(Refused, match="department_unknown"):
        await partner_keys.add_hmac_key(office, "XX")
