"""Answers kept with their effect, so that the same request sent again gets the same answer (draft-ietf-httpapi-idempotency-key-header).

The row is written in the transaction of the effect: there is no moment at which one exists without the other, and a
process that is killed leaves nothing to clean up. Answers hold personal data and are sealed; fingerprints of requests
are keyed, since an unkeyed digest of a form with an ID number can be searched.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

import msgspec

from storage.database import Queries, Transaction
from storage.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Act:
    """One act of one account: the operation (`POST /cases`) and the key that its caller made for it."""

    account_id: str
    operation: str
    key: str


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer that was given, to the byte."""

    status: int
    headers: dict[str, str]
    body: bytes


class AnswerBook:
    """Keeps and finds answers; the sealer seals them and keys the fingerprints of requests."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def fingerprint(self, *parts: bytes) -> str:
        """A keyed digest of a request; the same parts give the same 64 hex digits."""
        digest = hashlib.sha256()
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)
        return self._sealer.blind_index(digest.hexdigest(), "idempotency.request_digest")

    async def find(self, db: Queries, act: Act) -> tuple[str, KeptAnswer] | None:
        """The fingerprint of the first request with this key and the answer it got, or None."""
        row = await db.one(
            "SELECT request_digest, status, headers, body FROM idempotency WHERE account_id = $1 AND operation = $2 AND key = $3",
            act.account_id,
            act.operation,
            act.key,
        )
        if row is None:
            return None
        body = self._sealer.unseal(row["body"], _place(act))
        return row["request_digest"], KeptAnswer(row["status"], msgspec.json.decode(row["headers"], type=dict[str, str]), body)

    async def keep(self, tx: Transaction, act: Act, fingerprint: str, answer: KeptAnswer, now: dt.datetime) -> bool:
        """Keep an answer with the effect of `tx`; False if another request with this key was first (then `tx` must be undone)."""
        row = await tx.one(
            "INSERT INTO idempotency (account_id, operation, key, request_digest, status, headers, body, started_at, finished_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT DO NOTHING RETURNING key",
            act.account_id,
            act.operation,
            act.key,
            fingerprint,
            answer.status,
            msgspec.json.encode(answer.headers).decode(),
            self._sealer.seal(answer.body, _place(act)),
            now,
        )
        return row is not None


async def purge(db: Queries, before: dt.datetime) -> int:
    """Forget answers given before a moment (callers are promised 24 hours); how many went."""
    return len(await db.rows("DELETE FROM idempotency WHERE started_at < $1 RETURNING key", before))


def _place(act: Act) -> str:
    """Bound into the seal, so that an answer cannot be moved to another act."""
    return "idempotency.body:" + msgspec.json.encode((act.account_id, act.operation, act.key)).decode()
