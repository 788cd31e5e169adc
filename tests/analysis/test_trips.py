"""Fills become round trips, and no dollar is lost on the way."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.analysis.gain_loss import gain_loss
from liu_tui.analysis.trips import round_trips
from liu_tui.model.account import Position
from liu_tui.model.books import Trip
from liu_tui.model.market import MINUTE_NS, Bar
from liu_tui.model.orders import Fill, Operation
from liu_tui.trading.positions import filled
from tests.kit.store import T0, a_fill

Step = tuple[float, float]


def booked(
    steps: Iterable[Step],
    *,
    strategy: str = "alpha",
    symbol: str = "AAPL",
    stop: float | None = None,
    fee: float = 0,
) -> list[Fill]:
    """Book (signed qty, price) steps a minute apart, as the desk does."""
    position = Position(strategy=strategy, symbol=symbol, qty=0, avg_price=0)
    fills = []
    for n, (qty, price) in enumerate(steps):
        position, realized = filled(position, qty, price, T0 + n * MINUTE_NS, stop=stop)
        fills.append(
            a_fill(
                f"{strategy}-{symbol}-{n}",
                qty,
                price,
                strategy=strategy,
                symbol=symbol,
                operation=Operation.BUY if qty > 0 else Operation.SELL,
                t_ns=T0 + n * MINUTE_NS,
                position=position.qty,
                avg_price=position.avg_price,
                realized=realized,
                stop=stop,
                reason=f"step {n}",
                fee=fee,
            )
        )
    return fills


def the_trip(*steps: Step, stop: float | None = None, fee: float = 0) -> Trip:
    """Make the one trip of these steps."""
    (trip,) = round_trips(booked(steps, stop=stop, fee=fee)).closed
    return trip


def test_a_long_trip_earns_what_the_price_rose() -> None:
    trip = the_trip((10, 100.0), (-10, 103.0), stop=98.0)
    assert (trip.direction, trip.qty, trip.entry_price, trip.exit_price) == (1, 10, 100, 103)
    assert (trip.gross, trip.net, trip.cost, trip.gain_percentage) == (30, 30, 1000, 3)
    assert (trip.start_ns, trip.end_ns, trip.fills) == (T0, T0 + MINUTE_NS, 2)
    assert (trip.entry_reason, trip.exit_reason) == ("step 0", "step 1")
    assert trip.r_units == 1.5


def test_a_short_trip_earns_what_the_price_fell() -> None:
    trip = the_trip((-10, 100.0), (10, 95.0), stop=102.0)
    assert (trip.direction, trip.qty, trip.gross, trip.r_units) == (-1, 10, 50, 2.5)


def test_a_trip_scaled_in_and_out_uses_every_price() -> None:
    trip = the_trip((10, 100.0), (10, 102.0), (-5, 104.0), (-15, 106.0), stop=99.0)
    assert (trip.qty, trip.entry_price, trip.exit_price) == (20, 101, 105.5)
    assert trip.gross == pytest.approx(5 * 3 + 15 * 5)
    assert trip.r_units == pytest.approx(90 / (2 * 20))


def test_a_fill_through_zero_ends_one_trip_and_begins_the_next() -> None:
    trips = round_trips(booked([(10, 100.0), (-30, 101.0), (20, 99.0)], fee=3.0)).closed
    assert [(t.direction, t.qty, t.gross, t.n) for t in trips] == [(1, 10, 10, 1), (-1, 20, 40, 2)]
    assert [t.fees for t in trips] == [4, 5]


def test_no_stop_has_no_r() -> None:
    assert the_trip((10, 100.0), (-10, 103.0)).r_units is None
    assert the_trip((10, 100.0), (-10, 103.0), stop=100.0).r_units is None


def test_fees_come_off_the_net_and_the_r() -> None:
    trip = the_trip((10, 100.0), (-10, 103.0), stop=98.0, fee=2.0)
    assert (trip.gross, trip.fees, trip.net, trip.r_units) == (30, 4, 26, 1.3)


def test_the_first_stop_stays_the_measure_of_risk() -> None:
    first, last = (
        booked([(10, 100.0)], stop=98.0),
        booked([(10, 100.0), (10, 100.0), (-20, 102.0)], stop=99.0)[1:],
    )
    (trip,) = round_trips([*first, *last]).closed
    assert (trip.stop, trip.r_units) == (98.0, 1.0)


def test_strategies_and_symbols_are_kept_apart() -> None:
    fills = [
        *booked([(10, 100.0), (-10, 101.0)], strategy="alpha", symbol="AAPL"),
        *booked([(-5, 50.0), (5, 52.0)], strategy="alpha", symbol="MSFT"),
        *booked([(1, 100.0), (-1, 90.0)], strategy="beta", symbol="AAPL"),
    ]
    trips = round_trips(fills).closed
    assert {(t.strategy, t.symbol): t.gross for t in trips} == {
        ("alpha", "AAPL"): 10,
        ("alpha", "MSFT"): -10,
        ("beta", "AAPL"): -10,
    }


def test_what_is_still_open_is_told_apart_with_what_it_realised() -> None:
    trips = round_trips(booked([(10, 100.0), (-4, 105.0)], stop=99.0))
    assert trips.closed == ()
    (left,) = trips.open
    assert (left.qty, left.avg_price, left.realized, left.closed_cost, left.stop) == (6, 100, 20, 400, 99)


def test_shares_left_by_an_earlier_session_are_no_short() -> None:
    # 10 were held at 90 before the batch; the desk says so in the fill's position and realised dollars.
    sold = a_fill("x", -10, 95.0, position=0.0, avg_price=0.0, realized=50.0, reason="target")
    (trip,) = round_trips([sold]).closed
    assert (trip.direction, trip.qty, trip.entry_price, trip.gross) == (1, 10, 90, 50)
    assert (trip.entry_reason, trip.exit_reason) == ("carried over", "target")


def test_shares_added_to_an_earlier_sessions_keep_its_average() -> None:
    more = a_fill("x", 10, 100.0, position=20.0, avg_price=95.0)
    (left,) = round_trips([more]).open
    assert (left.qty, left.avg_price) == (20, 95)


def test_a_short_left_by_an_earlier_session_is_covered_as_one() -> None:
    covered = a_fill("x", 4, 80.0, position=-6.0, avg_price=90.0, realized=40.0)
    (left,) = round_trips([covered]).open
    assert (left.qty, left.avg_price, left.realized) == (-6, 90, 40)


def a_bar(minute: int, low: float, high: float) -> Bar:
    """Make a minute bar that starts `minute` minutes after the first fill."""
    return Bar("AAPL", T0 + minute * MINUTE_NS, low, high, low, high, 100)


def test_excursions_are_measured_from_the_average_entry() -> None:
    bars = [a_bar(0, 97.0, 101.0), a_bar(1, 99.0, 108.0)]
    fills = booked([(10, 100.0), (5, 100.0), (-15, 103.0)])
    (long,) = round_trips(fills, {"AAPL": bars}).closed
    assert (long.mae, long.mfe) == (3, 8)
    (short,) = round_trips(booked([(-10, 100.0), (-5, 100.0), (15, 103.0)]), {"AAPL": bars}).closed
    assert (short.mae, short.mfe) == (8, 3)


def test_bars_that_reach_beyond_the_trip_say_nothing_of_it() -> None:
    bars = [a_bar(-1, 1.0, 999.0), a_bar(1, 1.0, 999.0)]
    (trip,) = round_trips(booked([(10, 100.0), (-10, 103.0)]), {"AAPL": bars}).closed
    assert (trip.mae, trip.mfe) == (0, 3)


def test_without_bars_there_are_no_excursions() -> None:
    (trip,) = round_trips(booked([(10, 100.0), (-10, 103.0)]), {"MSFT": []}).closed
    assert (trip.mae, trip.mfe) == (None, None)


def test_no_fills_make_no_trips() -> None:
    assert round_trips([]).closed == ()


quantities = st.one_of(
    st.integers(-500, 500).filter(bool).map(float),
    st.integers(-500_000_000, 500_000_000).filter(lambda n: abs(n) > 1000).map(lambda n: n / 1e6),
)
prices = st.integers(1, 2_000_00).map(lambda cents: cents / 100)
days = st.lists(st.tuples(quantities, prices), max_size=30)


@given(days, days)
def test_trips_earn_what_the_desk_booked(first: list[Step], second: list[Step]) -> None:
    fills = booked(first, symbol="AAPL") + booked(second, symbol="MSFT")
    trips = round_trips(fills)
    earned = sum(t.gross for t in trips.closed) + sum(t.realized for t in trips.open)
    assert earned == pytest.approx(sum(f.realized for f in fills), rel=1e-6, abs=0.01)
    assert sum(row.gain_value for row in gain_loss(trips)) == pytest.approx(earned, rel=1e-6, abs=0.01)


@given(days, prices)
def test_once_flat_trips_earn_the_cash_that_came_in(steps: list[Step], last: float) -> None:
    held = round(sum(qty for qty, _ in steps), 9)
    fills = booked([*steps, (-held, last)] if held else steps)
    trips = round_trips(fills)
    cash = sum(-f.qty * f.price for f in fills)
    turnover = sum(abs(f.qty) * f.price for f in fills)
    assert trips.open == ()
    assert sum(t.gross for t in trips.closed) == pytest.approx(cash, rel=1e-6, abs=1e-9 * turnover + 0.01)


@given(days)
def test_what_is_open_is_the_sum_of_the_fills(steps: list[Step]) -> None:
    trips = round_trips(booked(steps))
    assert sum(t.qty for t in trips.open) == pytest.approx(sum(qty for qty, _ in steps), abs=1e-6)


@given(days)
def test_a_trip_never_holds_more_than_it_entered(steps: list[Step]) -> None:
    for trip in round_trips(booked(steps)).closed:
        assert trip.start_ns <= trip.end_ns
        assert 0 < trip.qty <= trip.cost / trip.entry_price * (1 + 1e-9)
