from __future__ import annotations

import asyncio

from storage.bell import Bell


async def test_a_ring_between_look_and_wait_is_not_lost():
    bell = Bell()
    with bell.listen("a") as ticket:
        bell.ring("a")
        assert await ticket.wait(1)


async def test_a_ring_counts_once():
    bell = Bell()
    with bell.listen("a") as ticket:
        bell.ring("a")
        bell.ring("a")
        assert await ticket.wait(1)
        assert not await ticket.wait(0)


async def test_every_listener_of_a_topic_wakes_and_no_other():
    bell = Bell()
    with bell.listen("a") as one, bell.listen("a") as two, bell.listen("b") as other:
        bell.ring("a")
        assert await asyncio.gather(one.wait(1), two.wait(1), other.wait(0.01)) == [True, True, False]


async def test_a_lost_ring_costs_one_poll():
    with Bell().listen("a") as ticket:
        assert not await ticket.wait(0.01)


async def test_who_left_is_forgotten():
    bell = Bell()
    with bell.listen("a"):
        pass
    bell.ring("a")
    assert not bell._listeners


async def test_a_ring_goes_on_to_other_processes_and_a_sound_does_not():
    bell, forwarded = Bell(), []
    bell.forward = forwarded.append
    with bell.listen("a") as ticket:
        bell.sound("a")
        assert await ticket.wait(1)
        assert forwarded == []
        bell.ring("a")
        assert await ticket.wait(1)
    assert forwarded == ["a"]


async def test_all_can_be_woken_after_a_time_of_deafness():
    bell = Bell()
    with bell.listen("a") as one, bell.listen("b") as two:
        bell.sound_all()
        assert await one.wait(1)
        assert await two.wait(1)


async def test_who_is_called_hears_every_topic_and_when_rings_may_have_been_lost():
    bell, heard = Bell(), []
    bell.call(heard.append)
    bell.ring("a")
    bell.sound("b")
    bell.sound_all()
    assert heard == ["a", "b", None]
