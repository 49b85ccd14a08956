"""The two short codes: the receipt code, printed and good for years, and the look-up code, shown on a phone and good once.

A receipt code is the letter of its key, the case number and a 64-bit MAC over number and receipt version: nobody can walk through
numbers, and a raised version in the case row voids old paper. A look-up code is 128 random bits that say nothing by themselves.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Literal

from handlers.keys import Keys
from handlers.numbers import CASE_NUMBER_LENGTH, clean, parse_case_number

# Crockford's base 32: no I, L, O or U, and all of it within the alphanumeric mode of QR codes.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MAC_BITS = 64
MAC_LENGTH = 13
TOKEN_BITS = 128
TOKEN_LENGTH = 26
SHORT_LENGTH = 8
RECEIPT_LENGTH = 1 + CASE_NUMBER_LENGTH + MAC_LENGTH
# Paper is voided a few times in the life of a case at most; a small number keeps the MAC at 60 effective bits.
LAST_RECEIPT_VERSION = 16

_MISREAD = str.maketrans("OIL", "011")
_TOKEN = re.compile(rf"[{ALPHABET}]{{{TOKEN_LENGTH}}}")
_SHORT = re.compile(rf"\d{{{SHORT_LENGTH}}}", re.ASCII)

Kind = Literal["token", "short", "receipt", "number", "none"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt code vouches for: this case number, on paper of this version."""

    number: str
    version: int


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan field received: which kind of code, and its canonical text."""

    kind: Kind
    text: str


def receipt_code(keys: Keys, number: str, receipt_version: int) -> str:
    """The receipt code of a case, 37 characters; raises ValueError beyond LAST_RECEIPT_VERSION."""
    if not 1 <= receipt_version <= LAST_RECEIPT_VERSION:
        raise ValueError(f"Receipt versions run from 1 to {LAST_RECEIPT_VERSION}.")
    return keys.receipt_current + number + _mac(keys.receipt[keys.receipt_current], number, receipt_version)


def read_receipt(keys: Keys, code: str) -> Receipt | None:
    """What a receipt code vouches for, or None if it is not ours: decided without a look at any case (Q05)."""
    text = clean(code)
    if len(text) != RECEIPT_LENGTH:
        return None
    letter, number, mac = text[0], text[1 : 1 + CASE_NUMBER_LENGTH], text[1 + CASE_NUMBER_LENGTH :].translate(_MISREAD)
    key = keys.receipt.get(letter)
    if key is None or not mac.isascii():
        return None
    versions = range(1, LAST_RECEIPT_VERSION + 1)
    fitting = [version for version in versions if hmac.compare_digest(_mac(key, number, version), mac)]
    return Receipt(number, fitting[0]) if fitting else None


def new_token() -> str:
    """A new look-up code: 128 random bits, 26 characters."""
    return encode(secrets.randbits(TOKEN_BITS), TOKEN_LENGTH)


def new_short() -> str:
    """Eight random digits that stand for a look-up code where nothing can be scanned."""
    return f"{secrets.randbelow(10**SHORT_LENGTH):0{SHORT_LENGTH}d}"


def grouped(short: str) -> str:
    """Eight digits as people read them out: 1234 5678."""
    return f"{short[:4]} {short[4:]}"


def recognise(text: str) -> Scanned:
    """Tell the kinds of code apart: look-up code, its short number, receipt (its address or bare code), case number."""
    bare = clean(_last_part(text))
    if len(bare) == RECEIPT_LENGTH:
        return Scanned("receipt", bare)
    if _SHORT.fullmatch(bare):
        return Scanned("short", bare)
    if _TOKEN.fullmatch(bare.translate(_MISREAD)):
        return Scanned("token", bare.translate(_MISREAD))
    try:
        parse_case_number(bare)
    except ValueError:
        return Scanned("none", "")
    return Scanned("number", bare)


def encode(value: int, length: int) -> str:
    """A whole number in base 32, filled up to `length` characters."""
    return "".join(ALPHABET[value >> (5 * place) & 31] for place in reversed(range(length)))


def _last_part(text: str) -> str:
    """The end of an address, or the text itself: a scanner types the whole address of a receipt."""
    return text.rpartition("/")[2].partition("?")[0].partition("#")[0] if "/" in text else text


def _mac(key: bytes, number: str, version: int) -> str:
    digest = hmac.digest(key, f"receipt:{number}:{version}".encode(), "sha256")
    return encode(int.from_bytes(digest[: MAC_BITS // 8], "big"), MAC_LENGTH)
