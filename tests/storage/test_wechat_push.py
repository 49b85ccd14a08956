"""Callbacks are kept once, and the two words about one tap count as one."""

from __future__ import annotations

import datetime as dt

from storage import wechat_push
from storage.database import Database

NOW = dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC)


def _later(seconds: float) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


async def _add(database: Database, key: str, event: str = "subscribe_msg_popup_event") -> bool:
    async with database.transaction() as tx:
        return await wechat_push.add(tx, key, event, {"Event": event, "文": [1]}, NOW)


async def _tap(database: Database, source: str, seconds: float, account: str = "a", template: str = "result") -> bool:
    async with database.transaction() as tx:
        return await wechat_push.is_new_tap(tx, account, template, source, _later(seconds))


async def test_a_callback_is_kept_once_and_handled_once(database: Database) -> None:
    assert [await _add(database, "k"), await _add(database, "k")] == [True, False]
    [push] = await wechat_push.unhandled(database, 10)
    assert push.body == {"Event": "subscribe_msg_popup_event", "文": [1]}
    async with database.transaction() as tx:
        assert await wechat_push.settle(tx, "k", NOW)
        assert not await wechat_push.settle(tx, "k", NOW)
    assert await wechat_push.unhandled(database, 10) == []


async def test_phone_and_platform_telling_of_one_tap_are_one(database: Database) -> None:
    assert [await _tap(database, "phone", 0), await _tap(database, "platform", 3)] == [True, False]
    assert [await _tap(database, "platform", 40), await _tap(database, "phone", 41)] == [True, False]


async def test_two_taps_are_two_whoever_tells_first(database: Database) -> None:
    words = [("phone", 0), ("phone", 5), ("platform", 1), ("platform", 6), ("platform", 20)]
    assert [await _tap(database, source, seconds) for source, seconds in words] == [True, True, False, False, True]


async def test_words_far_apart_or_about_something_else_are_not_twins(database: Database) -> None:
    await _tap(database, "phone", 0)
    others = [("platform", 31.0, "a", "result"), ("platform", 1.0, "b", "result"), ("platform", 1.0, "a", "correction")]
    assert [await _tap(database, *other) for other in others] == [True, True, True]


async def test_taps_are_no_callbacks_and_old_rows_are_dropped(database: Database) -> None:
    await _tap(database, "phone", 0)
    await _add(database, "open")
    await _add(database, "done")
    async with database.transaction() as tx:
        await wechat_push.settle(tx, "done", NOW)
    assert [push.once_key for push in await wechat_push.unhandled(database, 10)] == ["done", "open"][1:]
    await wechat_push.forget(database, _later(1))
    assert [row["once_key"] for row in await database.rows("SELECT once_key FROM wechat_push")] == ["open"]
