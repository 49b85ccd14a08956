"""Authorities come and go in any order over years; after every step each of three people may do exactly what the rules give him."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from handlers import agents, cases, proxies, proxydesk
from handlers.errors import Refused
from handlers.limits import local_date
from handlers.office import Office
from storage.bell import Bell
from storage.database import Database
from storage.ids import uuid7
from storage.redis import RedisStore, connect
from tests.support.lives import clock_of, row_of
from tests.support.office import CLERK, open_office
from tests.support.proxies import OLD, RELIEF, TAX, active, applied, asked, quiet, seen
from tests.support.town import settle_in

Run = Callable[[Coroutine[Any, Any, Any]], Any]

SCOPES: tuple[tuple[str, ...], ...] = ((), (RELIEF,), (TAX,), (TAX, RELIEF))


class Family(RuleBasedStateMachine):
    """One case made by a granddaughter, and whatever becomes of her authorities; `wanted` are they as the rules have them."""

    def __init__(self, run: Run, office: Office) -> None:
        super().__init__()
        self._run, self._office = run, office
        self._people = {name: run(settle_in(office.database, uuid7())) for name in ("agent", "principal", "stranger")}
        first = run(active(office, self._people["agent"]))
        self._case = run(applied(office, self._people["agent"], first.id))
        self._wanted: list[dict[str, Any]] = [{"id": first.id, "state": "active", "until": first.valid_to_on, "items": (), "linked": False}]
        self._tries = 0

    @property
    def _today(self) -> dt.date:
        return local_date(self._office.clock.now())

    def _open(self) -> list[dict[str, Any]]:
        return [one for one in self._wanted if one["state"] in {"asked", "active"}]

    @precondition(lambda self: not self._open())
    @rule(items=st.sampled_from(SCOPES), days=st.integers(0, 300))
    def ask(self, items: tuple[str, ...], days: int) -> None:
        until = self._today + dt.timedelta(days=days)
        new = self._run(asked(self._office, self._people["agent"], items=items, valid_to_on=until))
        self._wanted.append({"id": new.id, "state": "asked", "until": until, "items": items, "linked": False})

    @precondition(lambda self: any(one["state"] == "asked" and one["until"] >= self._today for one in self._wanted))
    @rule(approve=st.booleans())
    def settle(self, approve: bool) -> None:  # noqa: FBT001 - made by hypothesis
        one = next(one for one in self._wanted if one["state"] == "asked")
        act = proxydesk.approve(self._office, CLERK, one["id"]) if approve else proxydesk.refuse(self._office, CLERK, one["id"], "不符")
        self._run(act)
        one["state"] = "active" if approve else "refused"

    @precondition(lambda self: self._open() and self._tries < proxies.TRIES)
    @rule()
    def confirm(self) -> None:
        one = self._open()[0]
        if one["linked"]:
            return
        self._tries += 1
        code = self._run(seen(self._office, self._people["agent"], one["id"])).code
        self._run(proxies.confirm(self._office, self._people["principal"], proxies.Confirming(OLD, str(code)), quiet))
        one["linked"] = True

    @precondition(lambda self: self._open())
    @rule(who=st.sampled_from(["agent", "principal", "stranger"]))
    def revoke(self, who: str) -> None:
        one = self._open()[0]
        act = proxies.revoke(self._office, self._people[who], one["id"])
        if who == "stranger" or (who == "principal" and not one["linked"]):
            with pytest.raises(Refused, match="not_found"):
                self._run(act)
            return
        self._run(act)
        one["state"] = "revoked"

    @rule(days=st.integers(1, 200), sweeps=st.booleans())
    def days_pass(self, days: int, sweeps: bool) -> None:  # noqa: FBT001 - made by hypothesis
        clock_of(self._office).time += dt.timedelta(days=days)
        if sweeps:
            self._run(proxies.sweep(self._office))
            for one in self._wanted:
                if one["state"] == "active" and one["until"] < self._today:
                    one["state"] = "ended"

    @invariant()
    def each_may_what_the_rules_give(self) -> None:
        may = {"agent": any(self._covers(one) for one in self._wanted), "principal": self._wanted[0]["linked"], "stranger": False}
        refusals = {"agent": "proxy_over", "principal": "not_found", "stranger": "not_found"}
        row = self._run(row_of(self._office, self._case))
        for name, account in self._people.items():
            assert self._look(account) == ("" if may[name] else refusals[name]), name
            listed = self._run(cases.mine(self._office, account, [], None, 10))
            assert bool(listed) == (name == "agent" or may[name]), name
        told = self._run(agents.told_of(self._office, self._office.database, row))
        assert told == sorted(self._people[name] for name in may if may[name])

    def _covers(self, one: dict[str, Any]) -> bool:
        return one["state"] == "active" and self._today <= one["until"] and (not one["items"] or RELIEF in one["items"])

    def _look(self, account: str) -> str:
        try:
            self._run(cases.show(self._office, account, self._case.id))
        except Refused as refused:
            return refused.code
        return ""


@pytest.mark.parametrize(("dialect", "lives"), [("sqlite", 15), ("postgres", 5)])
def test_families_over_years(dialect: str, lives: int, request: pytest.FixtureRequest, valkey_url: str, tmp_path: Path) -> None:
    url: str = request.getfixturevalue(f"{dialect}_url")
    with asyncio.Runner() as runner:
        database, bell, store = runner.run(_open(url, valkey_url))
        wanted = settings(max_examples=lives, stateful_step_count=20, deadline=None)
        try:
            run_state_machine_as_test(
                lambda: Family(runner.run, runner.run(open_office(database, bell, store, tmp_path / uuid7()))),
                settings=wanted,
            )
        finally:
            runner.run(store.close())
            runner.run(database.close())


async def _open(url: str, valkey_url: str) -> tuple[Database, Bell, RedisStore]:
    bell = Bell()
    return await Database.open(url, bell), bell, await connect(valkey_url)
