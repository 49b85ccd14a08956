"""Base64url without padding (RFC 7515, section 2), in the one spelling each value has: a token cannot be written in two ways."""

from __future__ import annotations

import base64
import binascii


class NotCanonical(ValueError):
    """This is no base64url, or not the shortest spelling of its bytes."""


def encode(raw: bytes) -> str:
    """Bytes as text."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: bytes) -> bytes:
    """Text as bytes; raises NotCanonical."""
    try:
        raw = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise NotCanonical from error
    if encode(raw).encode() != text:
        raise NotCanonical
    return raw
