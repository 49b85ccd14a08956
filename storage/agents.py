"""Who acts for whom in a case, and by which authorities he may still do so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from storage.database import Queries, Row, Transaction

_NAMES = ("case_id", "kind", "agent_id", "proxy_id", "relation", "principal_sealed", "principal_id", "is_minor", "agent_sealed")
_INSERT = f"INSERT INTO case_agent ({', '.join(_NAMES)}) VALUES ({', '.join(f'${n}' for n in range(1, len(_NAMES) + 1))})"  # noqa: S608


async def insert(tx: Transaction, row: Mapping[str, object]) -> None:
    """Both persons of a new case."""
    await tx.execute(_INSERT, *(row[name] for name in _NAMES))


async def of_case(db: Queries, case_id: str) -> Row | None:
    """Both persons of a case; None for one that its applicant made himself."""
    return await db.one(f"SELECT {', '.join(_NAMES)} FROM case_agent WHERE case_id = $1", case_id)  # noqa: S608 - constants only


_LIVING = """
SELECT now.id, now.kind, now.items, now.state, now.valid_to_on, now.village, now.is_minor, now.is_incapable, now.principal_sealed
FROM case_agent a JOIN proxy then_ ON then_.id = a.proxy_id
JOIN proxy now ON now.principal_key = then_.principal_key AND now.agent_id = a.agent_id
WHERE a.case_id = $1 AND now.state = 'active' AND now.valid_to_on >= $2 ORDER BY now.id
"""


async def living(db: Queries, case_id: str, today: dt.date) -> list[Row]:
    """The authorities by which the agent of a case may act for its principal today: the one it was made by, or one that followed."""
    return await db.rows(_LIVING, case_id, today)


async def link(tx: Transaction, proxy_id: str, principal_id: str) -> None:
    """The principal has an account from now on: the cases made by this authority are his too."""
    await tx.execute("UPDATE case_agent SET principal_id = $2 WHERE proxy_id = $1", proxy_id, principal_id)


async def unlink(tx: Transaction, principal_key: str, account_id: str) -> list[str]:
    """An account is not that principal after all: the ids of the cases that it saw as his and sees no longer."""
    sql = (
        "UPDATE case_agent SET principal_id = NULL WHERE principal_id = $2 "
        "AND proxy_id IN (SELECT id FROM proxy WHERE principal_key = $1) RETURNING case_id"
    )
    return [str(row["case_id"]) for row in await tx.rows(sql, principal_key, account_id)]


async def cases_of(db: Queries, proxy_id: str) -> list[str]:
    """Ids of the cases that were made by an authority."""
    return [str(row["case_id"]) for row in await db.rows("SELECT case_id FROM case_agent WHERE proxy_id = $1", proxy_id)]
