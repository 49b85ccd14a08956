"""Opens what the platform pushes to us: signature, safe mode (AES), XML or JSON; rules of the page "消息推送"."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from storage.clock import Clock

MAX_BYTES = 64 * 1024
FRESH_SECONDS = 600
"""A callback's timestamp may be so far from our clock, either way; without a bound a signature would be good for ever."""

REPEAT_SECONDS = 900
"""A callback that came in time may be repeated, with the same timestamp and nonce, until it is this old."""

_RANDOM = 16
_LENGTH = 4
_BLOCK_BITS = 256
"""The platform pads to 32 bytes, not to the 16 of AES: PKCS7(128) refuses valid messages."""

_TIMESTAMP = re.compile(r"[0-9]{10}")
_NESTED_AT_MOST = 8
_INTEGERS = range(-(2**63), 2**63)
_LISTED = ("SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent")


class Forged(Exception):
    """The callback is not from the platform, or not readable; the text is for the log, never for the caller."""


class Freshness:
    """Tells callbacks of now from recorded ones; a repeat of what came in time is welcome a little longer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._came: dict[tuple[str, str], int] = {}

    def check(self, timestamp: str, nonce: str) -> None:
        """Raises Forged for a timestamp (Unix seconds) too far from now; call it only after the signature was found good."""
        if not _TIMESTAMP.fullmatch(timestamp):
            raise Forged("timestamp")
        now, stamp = self._clock.now().timestamp(), int(timestamp)
        repeated = (timestamp, nonce) in self._came and now - stamp <= REPEAT_SECONDS
        if abs(now - stamp) > FRESH_SECONDS and not repeated:
            raise Forged("timestamp")
        self._came[timestamp, nonce] = stamp
        while now - next(iter(self._came.values())) > REPEAT_SECONDS:
            del self._came[next(iter(self._came))]


class Callback:
    """Knows the push token, the AES key and the appid, and checks callbacks against them.

    With `safe_only` a plain body is refused: its signature does not cover it, so that whoever saw one could send anything.
    """

    def __init__(self, token: str, aes_key: str, appid: str, *, safe_only: bool, clock: Clock) -> None:
        self._token = token
        self._safe_only = safe_only
        self._freshness = Freshness(clock)
        # 43 characters; published keys have spare bits set, which a strict decoder would refuse.
        self._key = base64.b64decode(aes_key + "=")
        self._appid = appid.encode()

    def echo(self, query: Mapping[str, str]) -> str:
        """The answer to the platform's check of our address (GET); raises Forged."""
        self._verify(query.get("signature", ""), query)
        return query.get("echostr", "")

    def open(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """The event or message of a POST, with event entries always under `List`; raises Forged."""
        outer = _parse(body)
        encrypted = outer.get("Encrypt")
        if encrypted or self._safe_only or query.get("encrypt_type") == "aes":
            if not isinstance(encrypted, str):
                raise Forged("not encrypted")
            # In safe mode `signature` is valid as well, but only this one covers the content.
            self._verify(query.get("msg_signature", ""), query, encrypted)
            return _normal(_parse(self._decrypt(encrypted)))
        self._verify(query.get("signature", ""), query)
        return _normal(outer)

    def _verify(self, signature: str, query: Mapping[str, str], *more: str) -> None:
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        parts = sorted([self._token, timestamp, nonce, *more])
        expected = hashlib.sha1("".join(parts).encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode(errors="surrogatepass")):
            raise Forged("signature")
        self._freshness.check(timestamp, nonce)

    def _decrypt(self, encrypted: str) -> bytes:
        try:
            decryptor = Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16])).decryptor()
            padded = decryptor.update(base64.b64decode(encrypted)) + decryptor.finalize()
            unpadder = PKCS7(_BLOCK_BITS).unpadder()
            plain = unpadder.update(padded) + unpadder.finalize()
        except (ValueError, binascii.Error):
            raise Forged("encryption") from None
        start = _RANDOM + _LENGTH
        length = int.from_bytes(plain[_RANDOM:start], "big")
        if not hmac.compare_digest(plain[start + length :], self._appid):
            raise Forged("appid")
        return plain[start : start + length]


def _parse(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BYTES:
        raise Forged("too large")
    try:
        text = body.decode("utf-8-sig").strip()
        return _storable(_from_xml(text) if text.startswith("<") else _from_json(text))
    except (ValueError, ET.ParseError, RecursionError):
        raise Forged("neither XML nor JSON") from None


def _storable(event: dict[str, Any]) -> dict[str, Any]:
    """The event itself, if a database can keep it; raises ValueError."""
    _check_value(event, 0)
    return event


def _check_value(value: object, depth: int) -> None:
    if isinstance(value, dict | list):
        if depth == _NESTED_AT_MOST:
            raise ValueError("nested too deep")
        for inner in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_value(inner, depth + 1)
    elif isinstance(value, str):
        value.encode()  # a lone surrogate is no UTF-8: UnicodeEncodeError is a ValueError
        if "\0" in value:
            raise ValueError("NUL")
    elif (isinstance(value, int) and value not in _INTEGERS) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError("number")


def _from_json(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise Forged("not an object")
    return {str(name).strip(): entry for name, entry in value.items()}  # a documented sample has " OpenID"


def _from_xml(text: str) -> dict[str, Any]:
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise Forged("DOCTYPE")
    return _element(ET.fromstring(text))  # noqa: S314 - DOCTYPE, and with it every entity, was refused above


def _element(element: ET.Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for child in element:
        value = _element(child) if len(child) else (child.text or "")
        if child.tag == "List":
            found.setdefault("List", []).append(value)
        else:
            found[child.tag] = value
    return found


def _normal(event: dict[str, Any]) -> dict[str, Any]:
    """Entries of subscribe events under `List` as a list of objects, whatever way they came in."""
    for name in _LISTED:
        nested = event.pop(name, None)
        if isinstance(nested, dict):
            event["List"] = nested.get("List", nested)
    entries = event.pop("List", None)
    if entries is not None:
        event["List"] = [entry for entry in (entries if isinstance(entries, list) else [entries]) if isinstance(entry, dict)]
    return event
