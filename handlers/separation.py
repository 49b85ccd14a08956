"""Separation of duties (岗位分离): who prepared a case does not approve it; the person counts, whatever role he has today."""

from __future__ import annotations

from handlers.actors import Actor
from handlers.casefile import CaseFile
from handlers.errors import Refused
from storage import cases

PREPARING = ("accepted", "task_answered", "forwarded")
"""The acts after which somebody else must decide (承办, 审核, 批准 are three steps: 电子监察 rules)."""


async def check(file: CaseFile, actor: Actor) -> None:
    """Refuse an approval by somebody who did an earlier step of this case."""
    if actor.kind == "staff" and await cases.has_acted(file.tx, file.row["id"], actor.id, PREPARING):
        raise Refused("separation")
