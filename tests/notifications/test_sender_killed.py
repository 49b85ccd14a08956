"""kill -9 in the middle of a send: the row says `sending`, its time passes, another sender delivers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from notifications.sender import Sender
from storage import notifications, subscriptions
from storage.bell import Bell
from storage.clock import SystemClock
from storage.database import Database
from tests.support.town import settle_in
from tests.support.wechat import TEMPLATES, Platform

DOOMED = """
import asyncio, sys
import aiohttp
from notifications.channels.wechat import Account, WechatPlatform
from notifications.sender import Sender
from storage.bell import Bell
from storage.clock import SystemClock
from storage.database import Database
from tests.support.wechat import TEMPLATES

async def main(url, base_url):
    bell, clock = Bell(), SystemClock()
    database = await Database.open(url, bell)
    async with aiohttp.ClientSession() as session:
        client = WechatPlatform(session, Account(base_url, "sandbox-appid", "sandbox-secret"), clock)
        await Sender(database, clock, bell, client, TEMPLATES, holder="doomed", lease=2).round()

asyncio.run(main(*sys.argv[1:]))
"""


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.02)


@pytest.mark.slow
async def test_a_message_outlives_its_sender(platform: Platform, database: Database, database_url: str, bell: Bell) -> None:
    clock = SystemClock()
    account = await settle_in(database, platform.world.people.openid("zhang"))
    await platform.tap("zhang", progress="accept")
    async with database.transaction() as tx:
        await subscriptions.take(tx, account, "progress", "lasting", clock.now())
        await subscriptions.switch(tx, account, "progress", on=True, at=clock.now())
        await notifications.add(
            tx, account_id=account, case_id="c", event="case.accepted", once_key="k", data={"item_name": "建房"}, at=clock.now()
        )

    async def states() -> list[str]:
        return [row["state"] for row in await notifications.of_account(database, account)]

    async def in_flight() -> bool:
        return await states() == ["sending"] and bool(platform.calls("/cgi-bin/message/subscribe/send"))

    async def delivered() -> bool:
        return await states() == ["sent"]

    await platform.fault("slow", seconds=30, times=1, path="/cgi-bin/message")
    root = Path(__file__).parents[2]
    doomed = await asyncio.create_subprocess_exec(sys.executable, "-c", DOOMED, database_url, platform.base_url, cwd=root)
    await _until(in_flight)
    doomed.kill()
    await doomed.wait()
    heir = Sender(database, clock, bell, platform.client(), TEMPLATES, holder="heir", poll=0.05)
    await heir.start()
    await _until(delivered)
    await heir.stop()
    assert [message["data"]["phrase3"] for message in await platform.messages("zhang")] == ["已受理"]
