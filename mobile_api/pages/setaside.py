"""Messages of departments that wait for an officer: the list, one message with its text, and the two decisions."""

from __future__ import annotations

import json
from functools import partial

from aiohttp import web
from yarl import URL

from backoffice import setaside
from backoffice.setaside import Decision
from handlers import reviews
from handlers.access import Officer
from handlers.errors import Refused
from mobile_api.pages.rendering import page
from mobile_api.pages.session import officer, submitted
from mobile_api.web.keys import OFFICE
from storage.database import Row

PAGE = 50
DONE = {"replay": "已重新处理，该办件的消息继续往下走。", "skip": "已跳过这条消息，记录在案。"}
KINDS = {"poison": "这一条无法处理", "parked": "该办件的消息停在这里"}
_LONGEST = 500


async def listing(request: web.Request) -> web.StreamResponse:
    """What waits for a decision, oldest first."""
    who, office = await officer(request), request.app[OFFICE]
    rows = await setaside.waiting(office.database, _departments(request, who), request.query.get("after"), PAGE)
    names = {code: one.name for code, one in office.catalogue.departments.items()}
    more = rows[-1]["id"] if len(rows) == PAGE else ""
    done = DONE.get(request.query.get("done", ""), "")
    return await page(request, "setaside.html", messages=rows, names=names, kinds=KINDS, more=more, done=done)


async def show(request: web.Request) -> web.StreamResponse:
    """One message."""
    return await _message(request, await officer(request))


async def act(request: web.Request) -> web.StreamResponse:
    """Try the message again or skip it, with the reason."""
    who, fields = await officer(request), await submitted(request)
    name, reason = fields.get("act", ""), fields.get("reason", "").strip()
    if name not in DONE or len(reason) > _LONGEST:
        raise Refused("bad_request")
    if not reason:
        return await _message(request, who, problem="请先写明理由，再提交。")
    try:
        await _decide(request, who, name, Decision(who.id, reason))
    except setaside.StillFails as failed:
        return await _message(request, who, problem=f"还是不能处理，什么都没有改变：{failed}", reason=reason)
    raise web.HTTPSeeOther(URL("/desk/messages").with_query(done=name))


async def _decide(request: web.Request, who: Officer, name: str, decision: Decision) -> None:
    office, wanted = request.app[OFFICE], request.match_info["id"]
    await setaside.show(office.database, office.clock, _departments(request, who), wanted, by=who.id, sealer=office.keys.sealer)
    if name == "skip":
        await setaside.skip(office.database, office.clock, wanted, decision)
    else:
        await setaside.replay(office.database, office.clock, partial(reviews.record, office), wanted, decision, sealer=office.keys.sealer)


async def _message(request: web.Request, who: Officer, problem: str = "", reason: str = "") -> web.Response:
    office = request.app[OFFICE]
    row = await setaside.show(
        office.database, office.clock, _departments(request, who), request.match_info["id"], by=who.id, sealer=office.keys.sealer
    )
    return await page(
        request,
        "message.html",
        status=422 if problem else 200,
        message=row,
        department=office.catalogue.departments[row["department"]].name,
        kind=KINDS[row["kind"]],
        text=_readable(row),
        problem=problem,
        reason=reason,
    )


def _departments(request: web.Request, who: Officer) -> list[str]:
    return setaside.departments_of(who, list(request.app[OFFICE].catalogue.departments))


def _readable(row: Row) -> str:
    """The bytes as a person can read them: JSON in lines, else the text there is."""
    text = bytes(row["body"]).decode("utf-8", "backslashreplace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text
