"""Dates as departments write them: a pattern of %Y, %m and %d, each at most once; everything else stands as it is."""

from __future__ import annotations

import datetime as dt
import re

_PARTS = {"%Y": r"(?P<Y>[0-9]{4})", "%m": r"(?P<m>[0-9]{2})", "%d": r"(?P<d>[0-9]{2})"}
_MARK = re.compile(r"%.?", re.DOTALL)


def is_pattern(pattern: str) -> bool:
    """Whether a pattern names year, month and day, each once, and nothing unknown: only then nothing is lost on the way back."""
    return sorted(_MARK.findall(pattern)) == sorted(_PARTS)


def written(text: str, pattern: str) -> str | None:
    """An ISO date in the department's way, or None if it is no date. Without strftime, whose answer hangs on the machine's language."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    shown = {"%Y": f"{day.year:04}", "%m": f"{day.month:02}", "%d": f"{day.day:02}"}
    return _MARK.sub(lambda mark: shown[mark[0]], pattern)


def read(text: str, pattern: str) -> str | None:
    """The ISO date that a department wrote in its way, or None if it is none."""
    literal = re.split(r"(%[Ymd])", pattern)
    found = re.fullmatch("".join(_PARTS.get(part) or re.escape(part) for part in literal), text)
    try:
        return dt.date(int(found["Y"]), int(found["m"]), int(found["d"])).isoformat() if found else None
    except ValueError:
        return None
