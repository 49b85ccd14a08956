"""Where a page of a list in order of days ends: the day and the id of its last line, as one text."""

from __future__ import annotations

import datetime as dt

from handlers.errors import Refused


def mark(day: dt.date, line_id: str) -> str:
    """The cursor behind a line."""
    return f"{day.isoformat()}_{line_id}"


def place(cursor: str | None) -> tuple[dt.date, str] | None:
    """The day and the id behind which a page begins, None for the first; refused where it is no cursor of ours."""
    if not cursor:
        return None
    day, _, line_id = cursor.partition("_")
    try:
        return dt.date.fromisoformat(day), line_id
    except ValueError:
        raise Refused("invalid_cursor") from None
