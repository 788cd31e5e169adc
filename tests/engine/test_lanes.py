"""Lanes: what is known of a symbol stays when the table changes, and counts never fall."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.engine.lanes import Lane, Lanes
from liu_tui.engine.messages import Route
from liu_tui.engine.outlet import Outlet
from liu_tui.model.market import SECOND_NS, Halt
from tests.kit.session import a_trade, at

NAMES = ("A", "B")
NOW = at(10)


def routes(*symbols: str, consumers: tuple[int, ...] = (0,)) -> list[Route]:
    return [Route(symbol=symbol, events=("trade",), consumers=consumers) for symbol in symbols]


def outlets(*names: str) -> dict[str, Outlet]:
    return {name: cast(Outlet, object()) for name in names}


def lanes_of(*symbols: str) -> Lanes:
    lanes = Lanes()
    lanes.lay(routes(*symbols), NAMES, NOW)
    return lanes


def see_twice(lanes: Lanes, symbols: Iterable[str]) -> None:
    """Show each symbol a print of now, and show it again."""
    for n, symbol in enumerate(symbols):
        trade = msgspec.structs.replace(a_trade(10, symbol=symbol), id=n + 1)
        lanes[symbol].sieve.admit(trade)
        lanes[symbol].sieve.admit(trade)


def test_a_table_says_what_is_new_and_a_lane_that_stays_is_the_same() -> None:
    lanes = Lanes()
    assert lanes.lay(routes("AAPL", "TSLA"), NAMES, NOW) == ["AAPL", "TSLA"]
    kept = lanes["TSLA"]
    assert lanes.lay(routes("TSLA", "F"), NAMES, NOW) == ["F"]
    assert lanes["TSLA"] is kept
    assert list(lanes) == ["TSLA", "F"]
    assert lanes.pulses == {symbol: lanes[symbol].pulse for symbol in lanes}


def test_a_lanes_outlets_are_those_of_its_consumers_that_are_there() -> None:
    lanes = Lanes()
    lanes.lay(routes("AAPL", consumers=(0, 1)), NAMES, NOW)
    there = outlets("A", "desk")
    lanes.connect(there)
    assert list(lanes["AAPL"].outlets) == [there["A"]]
    there = outlets("A", "B", "desk")
    lanes.connect(there)
    assert list(lanes["AAPL"].outlets) == [there["A"], there["B"]]


@given(st.lists(st.sets(st.sampled_from("ABCDE")), max_size=12))
def test_whatever_leaves_and_comes_back_the_counts_never_fall(tables: list[set[str]]) -> None:
    lanes, last = Lanes(), (0, 0, 0)
    for table in tables:
        lanes.lay(routes(*sorted(table)), NAMES, NOW)
        see_twice(lanes, sorted(table))
        counts = lanes.counts()
        assert all(new >= old for new, old in zip(counts, last, strict=True))
        assert counts[0] >= last[0] + len(table)
        last = counts


def test_a_lanes_health_is_in_wall_seconds_and_has_no_age_before_its_first_event() -> None:
    lane = Lane("AAPL", NOW)
    assert lane.health(NOW, 60.0, stale=False).age_s == -1.0
    lane.pulse.beat(NOW)
    health = lane.health(NOW + 120 * SECOND_NS, 60.0, stale=True)
    assert (health.age_s, health.stale, health.halted) == (2.0, True, False)


def test_the_same_word_on_a_halt_is_no_news_and_another_is() -> None:
    lane = Lane("AAPL", NOW)
    halt = Halt("AAPL", NOW, True, "News Pending")
    assert [lane.note(halt), lane.note(halt)] == [True, False]
    assert lane.pulse.halted
    assert lane.note(Halt("AAPL", NOW + SECOND_NS, True, "News Released"))
    assert lane.note(Halt("AAPL", NOW + 2 * SECOND_NS, False, "Resumption"))
    assert not lane.pulse.halted


def test_what_was_quiet_is_told_once_since_its_last_event_and_then_since_it_was_told() -> None:
    lanes = lanes_of("AAPL", "TSLA", "F")
    lanes["AAPL"].pulse.beat(NOW + 5 * SECOND_NS)
    lanes["TSLA"].pulse.beat(NOW + 9 * SECOND_NS)
    for symbol in ("AAPL", "TSLA"):
        lanes[symbol].hush()
        lanes[symbol].hush()
    assert lanes.quiet(NOW + 60 * SECOND_NS) == (("AAPL", "TSLA"), NOW + 5 * SECOND_NS)
    assert lanes.quiet(NOW + 60 * SECOND_NS) == ((), NOW + 60 * SECOND_NS)
    lanes["TSLA"].hush()  # it still says nothing
    lanes["F"].hush()  # it never did
    assert lanes.quiet(NOW + 90 * SECOND_NS) == (("TSLA", "F"), NOW)
