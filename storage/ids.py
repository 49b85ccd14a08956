"""Ids are made by the application: UUID version 7 (RFC 9562), so that rows sort by the time they were made."""

from __future__ import annotations

import os
import time
import uuid


def uuid7(at: float | None = None) -> str:
    """A new id; `at` is the Unix time in seconds to carry (now, if left out)."""
    milliseconds = int((time.time() if at is None else at) * 1000) & ((1 << 48) - 1)
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return str(uuid.UUID(int=value))
