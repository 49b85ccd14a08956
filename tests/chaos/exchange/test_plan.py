from __future__ import annotations

import pytest

from tests.chaos.exchange.faults import Faults
from tests.chaos.exchange.plan import draw, kinds

DATABASES = ("sqlite", "postgres")


def test_a_seed_says_everything() -> None:
    assert draw(5, 60, "sqlite") == draw(5, 60, "sqlite")
    assert draw(5, 60, "sqlite").faults != draw(6, 60, "sqlite").faults
    assert draw(5, 60, "sqlite").faults != draw(5, 60, "postgres").faults


@pytest.mark.parametrize("database", DATABASES)
def test_half_a_minute_holds_every_kind_that_the_database_can_suffer(database: str) -> None:
    dealt = {fault.kind for fault in draw(7, 30, database).faults}
    assert dealt == {kind.name for kind in kinds(10) if database in kind.database}


def test_every_kind_can_be_done() -> None:
    assert all(hasattr(Faults, f"_{kind.name.replace('-', '_')}") for kind in kinds(10))


@pytest.mark.parametrize("database", DATABASES)
def test_faults_come_in_order_and_within_the_time(database: str) -> None:
    plan = draw(8, 20, database, furthest=3)
    moments = [fault.at for fault in plan.faults]
    assert moments == sorted(moments)
    assert moments[-1] < plan.seconds
    assert {abs(fault.amount) <= 3 for fault in plan.faults if fault.kind == "clock"} == {True}
