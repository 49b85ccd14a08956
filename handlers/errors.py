"""A refusal is an answer: a code, what is wrong and what to do. The door for people turns it into a problem (RFC 9457)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong in what was handed in: where (JSON pointer), which rule, and what to do about it, in Chinese and English."""

    pointer: str
    code: str
    message: str
    message_en: str = ""


@dataclass(eq=False)
class Refused(Exception):
    """The office cannot do this. `code` is listed in `REFUSALS`; `values` fill the gaps of its text; nothing handed in is echoed."""

    code: str
    values: dict[str, object] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)

    def __str__(self) -> str:
        return self.code


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a code says: HTTP status it amounts to, and title and advice in Chinese and English (`{name}` = a value)."""

    status: int
    title: str
    detail: str
    title_en: str
    detail_en: str
