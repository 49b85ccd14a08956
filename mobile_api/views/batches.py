"""One act on many cases at once."""

from __future__ import annotations

import msgspec

from handlers import batches
from handlers.batches import Batch, Outcome
from handlers.office import Office
from mobile_api.views.desk import officer
from mobile_api.web.caller import Caller
from mobile_api.web.idempotency import Once
from mobile_api.web.operation import Language
from mobile_api.web.problems import problem_of
from mobile_api.web.trace import current_trace


class Result(msgspec.Struct, frozen=True):
    """What became of one case: done, or why not."""

    case_id: str
    done: bool
    code: str | None = None
    title: str | None = None
    detail: str | None = None


class Results(msgspec.Struct, frozen=True):
    """One result for each case of the batch, in its order."""

    items: list[Result]
    next_cursor: None = None


async def run(body: Batch, caller: Caller, office: Office, language: Language, once: Once) -> Results:
    """Do one act on many cases; each result is kept with its case, and the whole answer at the end."""
    key = once.act.key if once.act else ""
    results = Results([_result(one, language) for one in await batches.run(office, officer(caller), body, key)])
    async with office.database.transaction() as tx:
        await once.keep(tx, results)
    return results


def _result(outcome: Outcome, language: Language) -> Result:
    if outcome.refused is None:
        return Result(outcome.case_id, done=True)
    trace = current_trace()
    problem = problem_of(outcome.refused, language, trace.trace_id if trace else "")
    return Result(outcome.case_id, False, problem.code, problem.title, problem.detail)  # noqa: FBT003 - the answer's own order
