"""Waiting, ending, and what a machine of our own is."""

import asyncio

import pytest

from liu_tui.adapters.net.backoff import Backoff
from liu_tui.adapters.net.closing import Closing
from liu_tui.adapters.net.dial import Lost, Shut, dial
from liu_tui.adapters.net.loopback import is_loopback


def test_waits_double_up_to_a_cap_and_begin_again() -> None:
    backoff = Backoff(1.0, 4.0)
    for bound in (1.0, 2.0, 4.0, 4.0):
        assert bound / 2 <= backoff.next_s() <= bound
    backoff.reset()
    assert backoff.next_s() <= 1.0


async def test_who_waits_through_a_door_hears_at_once_that_it_was_shut() -> None:
    closing = Closing()
    waiting = asyncio.create_task(closing.race(asyncio.Event().wait()))
    await asyncio.sleep(0)
    closing.set()
    assert await waiting is None
    assert await closing.race(asyncio.sleep(0, "late")) is None
    await closing.sleep(1_000)


def test_only_this_machine_is_loopback() -> None:
    assert all(map(is_loopback, ("http://127.0.0.1:1", "ws://localhost/x", "http://[::1]:2/")))
    assert not any(map(is_loopback, ("wss://socket.massive.com/stocks", "http://10.0.0.1", "nothing")))


async def test_what_cannot_be_dialled_is_lost_and_what_is_no_address_is_shut() -> None:
    with pytest.raises(Shut, match="no websocket address"):
        await dial("http://127.0.0.1:1", open_s=1)
    with pytest.raises(Lost):
        await dial("ws://127.0.0.1:1/stocks", open_s=5)
