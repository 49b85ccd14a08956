"""How often a caller may ask."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from mobile_api.web.pace import Addresses, MemoryPace, Pace

PACE = Pace(per_minute=60, burst=3)


class Watch:
    """A clock that is set by hand, in seconds."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_a_burst_passes_then_one_a_second():
    watch = Watch()
    keeper = MemoryPace(watch)
    assert [keeper.take("a", PACE) for _ in range(3)] == [0, 0, 0]
    assert keeper.take("a", PACE) == pytest.approx(1.0)
    watch.time += 1
    assert keeper.take("a", PACE) == 0
    assert keeper.take("a", PACE) == pytest.approx(1.0)


def test_being_refused_costs_nothing():
    watch = Watch()
    keeper = MemoryPace(watch)
    assert [keeper.take("a", PACE) > 0 for _ in range(100)].count(True) == 97
    watch.time += 1
    assert keeper.take("a", PACE) == 0


def test_callers_do_not_pay_for_each_other():
    keeper = MemoryPace(Watch())
    assert [keeper.take(who, PACE) for who in "aabbcc" for _ in range(1)] == [0] * 6


def test_rest_gives_back_the_whole_burst_but_no_more():
    watch = Watch()
    keeper = MemoryPace(watch)
    assert [keeper.take("a", PACE) for _ in range(3)] == [0, 0, 0]
    watch.time += 3600
    assert [keeper.take("a", PACE) > 0 for _ in range(4)] == [False, False, False, True]


def test_a_flood_of_names_does_not_fill_the_memory():
    watch = Watch()
    keeper = MemoryPace(watch)
    for number in range(120_000):
        keeper.take(str(number), PACE)
    assert len(keeper._arrivals) <= 50_000


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "nonsense"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
    ],
)
def test_only_trusted_proxies_say_who_asks(peer: str, forwarded: str, address: str):
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": forwarded} if forwarded else {}).clone(remote=peer)
    assert Addresses(["10.0.0.0/8"]).of(request) == address
