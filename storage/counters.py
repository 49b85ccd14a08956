"""Counters that rise within a transaction: no gap, at the price of a lock on the row until the commit (see blocks for the other)."""

from __future__ import annotations

from storage.database import Transaction

_NEXT = """
INSERT INTO counter AS c (name, value) VALUES ($1, 1)
ON CONFLICT (name) DO UPDATE SET value = c.value + 1 RETURNING value
"""


async def next_value(tx: Transaction, name: str) -> int:
    """The next number of `name`, from 1; it is given back if the transaction fails."""
    row = await tx.one(_NEXT, name)
    if row is None:
        raise RuntimeError("INSERT .. RETURNING gave no row")
    return int(row["value"])
