"""One act on many cases: each in a transaction of its own, each with a result of its own. A repeat gives the results again.

What has been done under a key is noted in the transaction of the case itself, so that a batch that was cut off halfway and is sent
again goes on where it stopped and says of the first ones that they are done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec

from handlers import desk, handovers, procedure
from handlers.access import Officer
from handlers.casefile import CaseFile
from handlers.caseviews import CaseView
from handlers.errors import Refused
from handlers.guards import LIVE
from handlers.office import Office
from storage.database import Transaction
from storage.idempotency import Act, AnswerBook, KeptAnswer

MOST = 50
Deed = Literal["accept", "agree", "deliver"]

DEEDS = {"accept": "accept", "agree": "give_opinion", "deliver": "deliver"}
"""What may be done to many at once, and the act of the policy table that it is."""

DEED_NAMES = {"accept": "受理", "agree": "同意", "deliver": "登记送达"}


class Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case in the version that was looked at."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=36)]
    version: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`act` on up to fifty cases: accept them, agree to them with an opinion, or hand the result out at the counter or electronically."""

    act: Deed
    cases: Annotated[tuple[Chosen, ...], msgspec.Meta(min_length=1, max_length=MOST)]
    opinion: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    method: Literal["counter", "electronic"] = "counter"


class Outcome(msgspec.Struct, frozen=True):
    """What became of one case; `refused` is why it was left as it is."""

    case_id: str
    refused: Refused | None = None


async def run(office: Office, officer: Officer, batch: Batch, key: str) -> list[Outcome]:
    """Do the act on each case in turn; `key` names the batch, and the same one again does nothing twice."""
    chosen = {one.id: one for one in batch.cases}
    return [await _one(office, officer, batch, one, key) for one in chosen.values()]


async def _one(office: Office, officer: Officer, batch: Batch, one: Chosen, key: str) -> Outcome:
    book = AnswerBook(office.keys.sealer)
    mark = Act(officer.id, "batch", hashlib.sha256(f"{key}\n{one.id}".encode()).hexdigest())
    fingerprint = book.fingerprint(batch.act.encode(), batch.opinion.encode(), batch.method.encode())
    if (done := await _done(office, book, mark, fingerprint, one)) is not None:
        return done

    async def settle(tx: Transaction, _view: CaseView) -> None:
        if not await book.keep(tx, mark, fingerprint, KeptAnswer(200, {}, b""), office.clock.now()):
            raise Refused("idempotency_in_flight", {"retry_after": 1})

    try:
        await desk.do(office, officer, DEEDS[batch.act], one.id, one.version, _deed(officer, batch), settle)
    except Refused as refused:  # of two that came at once (a double click) the second finds the case changed by the first
        return await _done(office, book, mark, fingerprint, one) or Outcome(one.id, refused)
    return Outcome(one.id)


async def _done(office: Office, book: AnswerBook, mark: Act, fingerprint: str, one: Chosen) -> Outcome | None:
    """What is noted of this act on the case; None if it was not done."""
    done = await book.find(office.database, mark)
    if done is None:
        return None
    return Outcome(one.id, None if done[0] == fingerprint else Refused("idempotency_key_reused"))


def _deed(officer: Officer, batch: Batch) -> Callable[[CaseFile], None]:
    def agree(file: CaseFile) -> None:
        own = [task for task in file.tasks if task["step"] == "review" and task["department"] == officer.department]
        waiting = [task for task in own if task["state"] in LIVE]
        if not waiting:
            raise Refused("task_settled" if own else "not_found")
        desk.answer(file, officer, waiting[0], "agreed", batch.opinion.strip())

    def accept(file: CaseFile) -> None:
        procedure.accept(file, officer.actor)

    def deliver(file: CaseFile) -> None:
        handovers.send(file, officer.actor, handovers.Dispatch(batch.method))

    return {"accept": accept, "agree": agree, "deliver": deliver}[batch.act]
