"""Files by claim check: a department fetches what a task names; who looked at which file is on record."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator

from handlers import uploads
from handlers.actors import Actor, department_actor
from handlers.errors import Refused
from handlers.office import Office
from handlers.uploads import Upload
from storage import audit, grants
from storage.database import Row, Transaction

KEPT_AFTER_TASK = dt.timedelta(days=7)
"""How long after the end of its task a file can still be fetched."""


async def open_granted(office: Office, department: str, grant_id: str) -> tuple[Upload, AsyncGenerator[bytes, None]]:
    """The file behind a grant; Refused("grant_not_valid") alike for one that is unknown, another department's, or over."""
    async with office.database.transaction() as tx:
        row = await grants.fetch(tx, grant_id, department, office.clock.now())
        if row is not None:
            await _on_record(office, tx, department_actor(department), row)
    if row is None:
        raise Refused("grant_not_valid", {"days": KEPT_AFTER_TASK.days})
    return await uploads.open_for_office(office, row["upload_id"])


async def _on_record(office: Office, tx: Transaction, actor: Actor, row: Row) -> None:
    await audit.record(
        tx, at=office.clock.now(), actor_kind=actor.kind, actor_id=actor.id, action="file.fetched", object_kind="upload",
        object_id=row["upload_id"], outcome="done", data={"case_id": row["case_id"], "task_id": row["task_id"], "grant": row["id"]},
    )  # fmt: skip
