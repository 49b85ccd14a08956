"""A pretend family for the demo: 王小梅 may act for 张秀英, so that a newcomer can apply for somebody else at once. HTTP alone."""

from __future__ import annotations

import datetime as dt

import aiohttp

from sandbox.phones import Phone

AGENT, CLERK = "wang", ("clerk", "demo-clerk")
NUMBERS = {"principal": "11010519491231002X", "agent": "13020819880302002X"}
"""Valid by GB 11643, and nobody's."""

_DAYS = 300


async def introduce(base_url: str) -> None:
    """Ask for the authority and approve it, unless it is there from an earlier start."""
    async with aiohttp.ClientSession() as http:
        agent, clerk = Phone(AGENT, http, base_url), Phone(CLERK[0], http, base_url)
        await agent.log_in()
        if (await agent.call("GET", "/me/proxies"))["items"]:
            return
        asked = await agent.call("POST", "/me/proxies", _wish())
        clerk.token = (await clerk.call("POST", "/staff/login", {"username": CLERK[0], "password": CLERK[1]}))["access_token"]
        await clerk.call("POST", f"/desk/proxies/{asked['id']}/approve")


def _wish() -> dict[str, object]:
    return {
        "kind": "relative", "relation": "child", "principal_name": "张秀英", "principal_number": NUMBERS["principal"],
        "agent_name": "王小梅", "agent_number": NUMBERS["agent"],
        "valid_to_on": str(dt.datetime.now(dt.UTC).date() + dt.timedelta(days=_DAYS)),
    }  # fmt: skip
