"""Numbers over trips, by hand and by property."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.analysis.stats import Stats, by_hour, by_strategy, by_symbol, realized_curve, stats
from liu_tui.market.calendar import NEW_YORK, to_ns
from liu_tui.model.books import Trip
from liu_tui.model.market import MINUTE_NS
from tests.kit.store import T0


def a_trip(
    gross: float = 10.0,
    *,
    minute: int = 0,
    minutes: int = 1,
    strategy: str = "alpha",
    symbol: str = "AAPL",
    direction: int = 1,
    fees: float = 0.0,
    r_units: float | None = None,
) -> Trip:
    """Make a trip that began `minute` minutes after T0 and took `minutes`."""
    start = T0 + minute * MINUTE_NS
    return Trip(
        strategy=strategy,
        symbol=symbol,
        n=1,
        direction=direction,
        qty=10,
        start_ns=start,
        end_ns=start + minutes * MINUTE_NS,
        entry_price=100,
        exit_price=100 + gross / 10,
        cost=1000,
        gross=gross,
        fees=fees,
        fills=2,
        r_units=r_units,
    )


def test_a_days_numbers_are_those_worked_out_by_hand() -> None:
    done = stats(
        [
            a_trip(30, minute=0, fees=1, r_units=1.5),
            a_trip(-10, minute=2, fees=1, r_units=-0.5, direction=-1),
            a_trip(-20, minute=4),
            a_trip(11, minute=6, fees=1),
            a_trip(0, minute=8),
        ]
    )
    assert (done.trips, done.wins, done.losses, done.longs, done.shorts) == (5, 2, 2, 4, 1)
    assert (done.gross, done.fees, done.net) == (11, 3, 8)
    assert (done.win_rate_pct, done.average_win, done.average_loss) == (40, 19.5, -15.5)
    assert (done.best, done.worst) == (29, -20)
    assert done.profit_factor == pytest.approx(39 / 31)
    assert done.expectancy == pytest.approx(1.6)
    assert done.expectancy_r == 0.5
    assert done.max_drawdown == 31
    assert done.exposure_s == 300


def test_no_trips_have_no_rates() -> None:
    assert stats([]) == Stats()


def test_a_day_without_losses_has_no_profit_factor() -> None:
    done = stats([a_trip(5)])
    assert (done.profit_factor, done.average_loss, done.max_drawdown) == (None, None, 0)


def test_a_first_loss_is_a_drawdown_from_nothing() -> None:
    assert stats([a_trip(-7), a_trip(3, minute=5)]).max_drawdown == 7


def test_time_in_the_market_counts_each_second_once() -> None:
    trips = [a_trip(minute=0, minutes=10), a_trip(minute=5, minutes=10), a_trip(minute=6, minutes=1)]
    assert stats([*trips, a_trip(minute=30, minutes=2)]).exposure_s == 17 * 60


def test_the_curve_goes_up_and_down_in_the_order_of_the_exits() -> None:
    late, early = a_trip(5, minute=0, minutes=9), a_trip(-2, minute=1)
    assert realized_curve([late, early]) == [(early.end_ns, -2), (late.end_ns, 3)]


def test_trips_are_told_apart_by_strategy_and_by_symbol() -> None:
    trips = [a_trip(1, strategy="beta"), a_trip(2), a_trip(4, symbol="MSFT")]
    assert {name: group.net for name, group in by_strategy(trips).items()} == {"alpha": 6, "beta": 1}
    assert {name: group.net for name, group in by_symbol(trips).items()} == {"AAPL": 3, "MSFT": 4}


def test_the_hour_is_that_of_the_entry_in_new_york() -> None:
    open_ns = to_ns(datetime(2026, 7, 6, 9, 30, tzinfo=NEW_YORK))
    trip = msgspec.structs.replace(a_trip(), start_ns=open_ns, end_ns=open_ns + 90 * MINUTE_NS)
    assert list(by_hour([trip])) == ["09:00"]


cents = st.integers(-100_000, 100_000).map(lambda n: n / 100)


@given(
    st.lists(st.builds(a_trip, cents, minute=st.integers(0, 300), minutes=st.integers(0, 60)), max_size=20)
)
def test_the_parts_make_the_whole(trips: list[Trip]) -> None:
    done = stats(trips)
    assert sum(group.net for group in by_hour(trips).values()) == pytest.approx(done.net)
    assert done.wins + done.losses <= done.trips
    assert 0 <= done.exposure_s <= sum(t.end_ns - t.start_ns for t in trips) / 1e9
    assert done.max_drawdown >= max(-done.net, 0) - 1e-6
    assert realized_curve(trips)[-1][1] == pytest.approx(done.net) if trips else done == Stats()
