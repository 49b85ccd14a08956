"""Who stands at the door for departments: a signed request is let in once, and by its key it is known whose it is."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping

from backoffice import partner_keys, signatures
from backoffice.signatures import SECRET_SIZE, WINDOW, Malformed, Proof
from handlers.catalogue import Department
from handlers.errors import Refused
from handlers.office import Office
from storage import exchange_keys, nonces, standing

HEARD_EVERY = dt.timedelta(minutes=1)


class Doorkeeper:
    """Checks the requests of departments against their keys; one for a process."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._heard: dict[str, dt.datetime] = {}
        self._decoy = partner_keys.seal(office, "decoy", secrets.token_bytes(SECRET_SIZE))

    def glance(self, headers: Mapping[str, str]) -> Proof:
        """The proof of a request whose body need not be read yet; Refused where it is malformed or out of date."""
        try:
            proof = signatures.read(headers)
        except Malformed as bad:
            raise Refused("signature_missing", {"header": bad.header}) from None
        now = self._office.clock.now()
        if not proof.is_fresh(now):
            values = {"now": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "minutes": WINDOW // dt.timedelta(minutes=1)}
            raise Refused("signature_date", values)
        return proof

    async def admit(self, proof: Proof, method: str, target: str, body: bytes) -> Department:
        """The department whose key signed this; a key that is unknown or revoked takes as long and says the same as a wrong signature."""
        office = self._office
        row = await exchange_keys.by_id(office.database, proof.key)
        known = row is not None and row["secret_sealed"] is not None
        key_id, sealed = (proof.key, row["secret_sealed"]) if row and known else ("decoy", self._decoy)
        holds = proof.holds(partner_keys.unseal(office, key_id, sealed), method, target, body)
        department = office.catalogue.departments.get(row["department"]) if row and known else None
        if not holds or department is None:
            raise Refused("signature_wrong")
        now = office.clock.now()
        if not await nonces.use(office.database, proof.key, proof.nonce, now):
            raise Refused("signature_replayed")
        await self._note_heard(department.code, now)
        return department

    async def _note_heard(self, code: str, now: dt.datetime) -> None:
        last = self._heard.get(code)
        if last is None or not dt.timedelta(0) <= now - last < HEARD_EVERY:
            await standing.heard(self._office.database, code, now, now - HEARD_EVERY)
            self._heard[code] = now
