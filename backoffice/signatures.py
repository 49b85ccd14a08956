r"""Signed requests between departments and this town: HMAC over what must not be changed, the same in both directions.

    X-Exchange-Key:        id of the key
    X-Exchange-Date:       now, RFC 3339, e.g. 2026-11-24T01:30:00Z
    X-Exchange-Nonce:      16 to 64 characters that were never used with this key
    X-Exchange-Signature:  hex HMAC-SHA256 (RFC 2104) over METHOD \n path-with-query \n date \n nonce \n hex SHA-256 of the body

The path is the bytes of the request line, so a proxy in between must not rewrite it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

KEY, DATE, NONCE, SIGNATURE = "X-Exchange-Key", "X-Exchange-Date", "X-Exchange-Nonce", "X-Exchange-Signature"
WINDOW = dt.timedelta(minutes=5)
"""How far a request's date may be from the receiver's clock, either way."""

SECRET_SIZE = 32

_KEY = re.compile(r"[0-9A-Za-z-]{1,36}")
_NONCE = re.compile(r"[0-9A-Za-z._~-]{16,64}")
_HEX = re.compile(r"[0-9a-f]{64}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")


class Malformed(Exception):
    """A header is missing or is none; `header` names it."""

    def __init__(self, header: str) -> None:
        super().__init__(header)
        self.header = header


@dataclass(frozen=True, slots=True)
class Proof:
    """What the four headers say; `date` is the text that was signed, `at` the moment it means."""

    key: str
    date: str
    at: dt.datetime
    nonce: str
    signature: str

    def is_fresh(self, now: dt.datetime) -> bool:
        """Whether the date is within the window."""
        return abs(now - self.at) <= WINDOW

    def holds(self, secret: bytes, method: str, target: str, body: bytes) -> bool:
        """Whether it was made with this secret for this request, in constant time."""
        return hmac.compare_digest(self.signature, sign(secret, method, target, self.date, self.nonce, body))


def read(headers: Mapping[str, str]) -> Proof:
    """The proof that a request brings; raises Malformed and nothing else."""
    date = _shaped(headers, DATE, _DATE)
    try:
        at = dt.datetime.fromisoformat(date)
    except ValueError:  # the 30th of February
        raise Malformed(DATE) from None
    return Proof(_shaped(headers, KEY, _KEY), date, at, _shaped(headers, NONCE, _NONCE), _shaped(headers, SIGNATURE, _HEX))


def sign(secret: bytes, method: str, target: str, date: str, nonce: str, body: bytes) -> str:
    """The signature of a request; `target` is the path with its query as it goes over the wire."""
    text = "\n".join((method, target, date, nonce, hashlib.sha256(body).hexdigest()))
    return hmac.digest(secret, text.encode(errors="surrogateescape"), "sha256").hex()


def signed_headers(
    secret: bytes, key_id: str, method: str, target: str, body: bytes, now: dt.datetime, nonce: str | None = None
) -> dict[str, str]:
    """The four headers for a request that is sent now."""
    date = now.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    once = nonce or secrets.token_hex(16)
    return {KEY: key_id, DATE: date, NONCE: once, SIGNATURE: sign(secret, method, target, date, once, body)}


def _shaped(headers: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    value = headers.get(name, "")
    if not form.fullmatch(value):
        raise Malformed(name)
    return value
