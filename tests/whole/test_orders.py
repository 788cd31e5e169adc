"""Whole sessions that are killed in the middle of an order's life: what was under way goes on, and once only.

An exchange with latency and small quotes holds each state open until the test has seen it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.kit.house import assert_books_equal_the_ledger
from tests.kit.puppet import Puppet
from tests.kit.screen import Screen

pytestmark = pytest.mark.timeout(240)

SLOW = """
[market.exchange]
latency_ms = 20_000
displayed = true
"""
LONG, SHORT, MOVED, LEFT, MOVING, GROWING = "AAPL", "AMD", "AMZN", "TSLA", "SPY", "NVDA"
ALL = {LONG, SHORT, MOVED, LEFT, MOVING, GROWING}
"""What each symbol is for: LEFT is being left, MOVING has its stop moved, GROWING is filled in part."""
LOSSES: dict[str, dict[str, float]] = {
    "lost_answer": {"share": 0.5, "for": 60},
    "updates_late": {"share": 0.5, "seconds": 20, "for": 60},
    "updates_lost": {"share": 0.2, "for": 60},
}
MANY = 24_000
"""Shares: at the size that quotes show they take some seconds to fill, also where all else is slow."""
Legs = dict[str, tuple[str, float, float]]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Puppet]:
    """A workspace whose strategy does as it is told, at an exchange that takes its time."""
    house = Puppet(tmp_path, speed=40, market=SLOW)
    yield house
    house.close()


@asynccontextmanager
async def screen_of(house: Puppet) -> AsyncIterator[Screen]:
    """Watch a session for a while."""
    screen = await Screen.attach(house)
    try:
        yield screen
    finally:
        await screen.close()


async def off(what: Callable[..., Any], *words: Any) -> Any:
    """Do something that waits for processes, and keep watching."""
    return await asyncio.to_thread(what, *words)


def legs(screen: Screen, symbol: str) -> Legs:
    """Protective orders that work: by our id, their role, price and shares."""
    return {
        row.client_order_id: (row.role, row.stop_price or row.limit_price or 0.0, row.qty)
        for row in screen.working(symbol)
        if row.role in ("stop", "target")
    }


def levels(screen: Screen, symbol: str) -> tuple[float, float | None, float | None]:
    """What is held, and the stop and target that it shall have."""
    row = screen.position(symbol)
    return (row.qty, row.stop, row.target) if row else (0.0, None, None)


def protected(screen: Screen, symbol: str, qty: float) -> bool:
    """Whether all of it is held, and a stop and a target work for all of it, where they shall be."""
    held, stop, target = levels(screen, symbol)
    wanted = {("stop", stop, abs(qty)), ("target", target, abs(qty))}
    return held == qty and set(legs(screen, symbol).values()) == wanted


def states(screen: Screen, symbol: str, role: str) -> list[str]:
    """The states of a symbol's working orders of a role."""
    return [row.state for row in screen.working(symbol) if row.role == role]


def working_at_the_broker(house: Puppet, batch_id: str) -> list[Any]:
    """Whatever the ledger says has not ended."""
    final = "('filled', 'canceled', 'expired', 'replaced', 'rejected')"
    return house.ledger(batch_id, f"SELECT client_order_id, status FROM orders WHERE status NOT IN {final}")  # noqa: S608 - our own words


def moments(house: Puppet, symbol: str, role: str, event: str) -> list[int]:
    """Where in the journal this was written of orders of a role."""
    sql = (
        "SELECT e.event_id FROM order_events e JOIN orders o USING (batch_id, client_order_id) "
        "WHERE o.symbol = ? AND o.role = ? AND e.event = ? ORDER BY e.event_id"
    )
    return [row[0] for row in house.books(sql, symbol, role, event)]


async def open_all(house: Puppet, screen: Screen) -> str:
    """Open a bracket in every symbol: the legs of five work, the sixth is halted as soon as a part is filled.

    Returns the halt's name.
    """
    await screen.until("all are watched", lambda: {hit.symbol for hit in screen.picture.hits} >= ALL)
    house.tell(GROWING, do="open", qty=MANY)
    await screen.until("a part is filled", lambda: levels(screen, GROWING)[0] > 0)
    halt = house.fault("halt", symbols=[GROWING])
    house.tell(LONG, MOVED, LEFT, MOVING, do="open", qty=100)
    house.tell(SHORT, do="open", qty=-100)
    await screen.until(
        "the others are filled and protected",
        lambda: (
            all(protected(screen, s, 100) for s in (LONG, MOVED, LEFT, MOVING))
            and protected(screen, SHORT, -100)
        ),
    )
    return halt


async def test_a_restart_in_mid_bracket_keeps_legs_stops_and_targets_managed(house: Puppet) -> None:
    await off(house.start)
    async with screen_of(house) as screen:
        batch_id = screen.picture.batch_id
        halt = await open_all(house, screen)
        stop = round(levels(screen, MOVED)[1] * 1.02, 2)  # type: ignore[operator] # it has one
        house.tell(MOVED, do="protect", stop=stop)
        await screen.until(
            "a stop is moved", lambda: levels(screen, MOVED)[1] == stop and protected(screen, MOVED, 100)
        )

        # An exit waits for its legs, a replacement is on its way, an entry is filled in part: the desk dies.
        moving = round(levels(screen, MOVING)[1] * 1.03, 2)  # type: ignore[operator] # it has one
        house.tell(LEFT, do="exit")
        house.tell(MOVING, do="protect", stop=moving)
        await screen.until(
            "both are under way",
            lambda: (
                states(screen, LEFT, "exit") == ["intent"]
                and "pending_replace" in states(screen, MOVING, "stop")
            ),
        )
        assert states(screen, GROWING, "entry") == ["partially_filled"]
        before = {s: (levels(screen, s), legs(screen, s)) for s in (LONG, SHORT, MOVED)}
        part = levels(screen, GROWING)
        await screen.kill("desk")
        await screen.until(
            "the exit is done", lambda: levels(screen, LEFT)[0] == 0 and not screen.working(LEFT)
        )
        await screen.until(
            "the stop is where it shall be",
            lambda: levels(screen, MOVING)[1] == moving and protected(screen, MOVING, 100),
        )
        assert {s: (levels(screen, s), legs(screen, s)) for s in before} == before
        assert (levels(screen, GROWING), states(screen, GROWING, "entry")) == (part, ["partially_filled"])
        house.tell_nothing()
        before[MOVING] = levels(screen, MOVING), legs(screen, MOVING)

    assert house.session is not None
    house.session.kill()
    await off(house.session.wait)
    await off(house.start)
    async with screen_of(house) as screen:
        assert screen.picture.batch_id == batch_id
        await screen.until("the desk has told all", lambda: len(screen.picture.positions) >= 5)
        assert {s: (levels(screen, s), legs(screen, s)) for s in before} == before
        assert (levels(screen, GROWING), states(screen, GROWING, "entry")) == (part, ["partially_filled"])
        house.end_fault(halt)
        await screen.until("the entry is filled and protected", lambda: protected(screen, GROWING, MANY))
        house.tell(LONG, do="exit")
        await screen.until(
            "an exit closes it", lambda: not levels(screen, LONG)[0] and not screen.working(LONG)
        )

    summary = await off(house.stop, "--flatten")
    assert summary["positions"] == {}
    for symbol in (LEFT, LONG):  # the legs were gone before the shares were sold
        (sent,) = moments(house, symbol, "exit", "released")
        assert max(moments(house, symbol, "stop", "canceled")) < sent
        assert max(moments(house, symbol, "target", "canceled")) < sent
    assert working_at_the_broker(house, batch_id) == []
    assert house.ledger(batch_id, "SELECT * FROM requests WHERE times > 1") == []
    assert_books_equal_the_ledger(house, batch_id)


async def test_a_desk_killed_in_the_middle_of_a_flatten_goes_on_and_a_release_lets_go(house: Puppet) -> None:
    await off(house.start)
    async with screen_of(house) as screen:
        batch_id = screen.picture.batch_id
        house.end_fault(await open_all(house, screen))
        house.tell_nothing()
        halt = house.fault("halt", symbols=[SHORT, LONG])
        await screen.until("the desk knows", lambda: sum(hit.halted for hit in screen.picture.hits) == 2)
        for kind, how in LOSSES.items():
            house.fault(kind, **how)
        await screen.ask("flatten", reason="news")
        await screen.until("legs are being withdrawn", lambda: bool(states(screen, MOVED, "liquidation")))
        (row,) = screen.picture.flattens
        assert (row.symbol, row.by, row.begun) == ("", "ann", 6)
        await screen.kill("desk")
        await screen.until(
            "it goes on until two are stuck",
            lambda: [(r.left, r.working) for r in screen.picture.flattens][:1] == [(2, 2)],
        )
        (row,) = screen.picture.flattens
        assert (row.by, row.reason, row.begun) == ("ann", "news", 6)
        assert row.stuck == ((LONG, 100.0, "halted"), (SHORT, -100.0, "halted"))
        kept = {symbol: levels(screen, symbol) for symbol in (LONG, SHORT)}

        await screen.ask("release")
        await screen.until("it is let go", lambda: not screen.picture.flattens)
        await screen.until(
            "what is held is protected again",
            lambda: protected(screen, LONG, 100) and protected(screen, SHORT, -100),
        )
        assert {symbol: levels(screen, symbol) for symbol in kept} == kept
        house.end_fault(halt)

    summary = await off(house.stop, "--flatten")
    assert summary["positions"] == {}
    assert working_at_the_broker(house, batch_id) == []
    assert_books_equal_the_ledger(house, batch_id)
    (first, last) = house.books("SELECT outcome, ended_ns > since_ns FROM flattens ORDER BY since_ns")
    assert first == ("released by ann", 1)
    assert last == ("flat", 1)
