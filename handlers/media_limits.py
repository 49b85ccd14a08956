"""What the office and its media child agree on: limits, reasons for refusing a file, and what comes back."""

from __future__ import annotations

import msgspec

MIB = 1 << 20


class Limits(msgspec.Struct, frozen=True):
    """How much one file may cost and hold. Sizes in bytes, times in seconds, sides in pixels."""

    memory: int = 1024 * MIB
    cpu_seconds: float = 20.0
    wall_seconds: float = 30.0
    uses: int = 40
    pixels: int = 50_000_000
    longest_side: int = 4096
    pages: int = 50
    out_bytes: int = 32 * MIB


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """The child's answer: a refusal, or type, pages and length of the clean file that follows."""

    refusal: str = ""
    media_type: str = ""
    pages: int = 0
    size: int = 0


class Unfit(Exception):
    """A file that cannot be taken; `code` is one of handlers.refusals.REFUSALS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
