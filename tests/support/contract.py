"""Whether what the office has written to departments is what the contract promises them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backoffice.envelope import decode
from backoffice.registry import check
from handlers.office import Office
from storage import outbox
from storage.outbox import Letter


async def breaches(office: Office) -> list[str]:
    """Every message in the outbox that does not fit its type, or says what its type does not know."""
    rows = await office.database.rows("SELECT id, case_id, sequence, body FROM outbox")
    letters = [Letter(row["id"], row["case_id"], row["sequence"], bytes(row["body"]), None, None) for row in rows]
    return [found for letter in letters for found in _breaches(outbox.opened(letter, office.keys.sealer), office.division)]


def _breaches(body: bytes, division: str) -> list[str]:
    envelope = decode(body, f"/town/{division}")
    kind, known = check(envelope, "to_department")
    return [f"{kind}: {place}" for place in _unknown(envelope.data, known)]


def _unknown(said: Any, known: Any, place: str = "data") -> list[str]:
    """Where something is said that is not among the known."""
    if isinstance(said, Mapping):
        extra = [f"{place}.{name}" for name in said if name not in known]
        return extra + [one for name in said if name in known for one in _unknown(said[name], known[name], f"{place}.{name}")]
    if isinstance(said, Sequence) and not isinstance(said, str):
        return [one for left, right in zip(said, known, strict=True) for one in _unknown(left, right, f"{place}[]")]
    return []
