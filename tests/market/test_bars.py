"""Bars: trades in, second and minute bars out, by the sale conditions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.market.bars import SecondBars, difference, minute_bars
from liu_tui.market.conditions import ALL, HIGH_LOW, VOLUME, effect
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Bar, Trade
from tests.kit.market import a_trade, at

TICKS = st.lists(
    st.tuples(st.integers(0, 9_999), st.integers(100, 20_000), st.integers(1, 500)), min_size=1, max_size=60
)


@pytest.mark.parametrize(
    ("conditions", "tape", "regular", "expected"),
    [
        (("@",), "C", True, ALL),
        (("@", "I"), "C", True, VOLUME),
        (("@", "T"), "C", True, VOLUME),
        (("@", "T"), "C", False, ALL),
        (("@", "T", "I"), "C", False, VOLUME),
        (("B",), "A", True, VOLUME),  # average price on New York's tape ...
        (("B",), "C", True, ALL),  # ... and bunched on Nasdaq's
        (("W",), "C", True, VOLUME),
        (("Z",), "A", True, VOLUME | HIGH_LOW),
        (("M",), "C", True, 0),
        (("@", "O"), "C", True, ALL),
        (("6",), "C", True, ALL),
    ],
)
def test_sale_conditions_say_what_a_trade_may_set(
    conditions: tuple[str, ...], tape: str, regular: bool, expected: int
) -> None:
    assert effect(conditions, tape, regular) == expected


def trades_of(ticks: list[tuple[int, int, int]]) -> list[Trade]:
    """ticks: milliseconds after the open, cents, shares."""
    return [a_trade(at("09:30") + ms * 1_000_000, cents / 100, float(n)) for ms, cents, n in sorted(ticks)]


@given(TICKS)
def test_second_bars_add_up_to_their_trades_exactly(ticks: list[tuple[int, int, int]]) -> None:
    trades = trades_of(ticks)
    maker = SecondBars()
    bars = [bar for trade in trades if (bar := maker.add(trade)) is not None]
    bars += maker.flush(at("09:31"))
    assert [bar.t_ns for bar in bars] == sorted({t.t_ns - t.t_ns % SECOND_NS for t in trades})
    for bar in bars:
        own = [t for t in trades if bar.t_ns <= t.t_ns < bar.end_ns]
        prices = [t.price for t in own]
        assert (bar.open, bar.high, bar.low, bar.close) == (prices[0], max(prices), min(prices), prices[-1])
        assert (bar.volume, bar.count) == (sum(t.size for t in own), len(own))
        assert bar.vwap == pytest.approx(sum(t.size * t.price for t in own) / bar.volume)
    assert maker.late == 0


@given(TICKS)
def test_minute_bars_hold_all_seconds(ticks: list[tuple[int, int, int]]) -> None:
    trades = trades_of(ticks)
    (bar,) = minute_bars("AAPL", trades)
    assert (bar.t_ns, bar.span_ns, bar.volume) == (at("09:30"), MINUTE_NS, sum(t.size for t in trades))


def test_symbols_do_not_close_each_others_seconds() -> None:
    maker = SecondBars()
    assert maker.add(a_trade(at("09:30"), symbol="A")) is None
    assert maker.add(a_trade(at("09:30") + 5 * SECOND_NS, symbol="B")) is None
    closed = maker.add(a_trade(at("09:30") + SECOND_NS, symbol="A"))
    assert isinstance(closed, Bar)
    assert closed.symbol == "A"


def test_a_flush_closes_only_what_has_ended_and_only_once() -> None:
    maker = SecondBars()
    maker.add(a_trade(at("09:30") + 300))
    assert maker.flush(at("09:30") + SECOND_NS - 1) == []
    assert [bar.t_ns for bar in maker.flush(at("09:30") + SECOND_NS)] == [at("09:30")]
    assert maker.flush(at("09:31")) == []


def test_a_trade_of_a_closed_second_is_counted_as_late() -> None:
    maker = SecondBars()
    maker.add(a_trade(at("09:30")))
    maker.flush(at("09:31"))
    assert maker.add(a_trade(at("09:30") + 5)) is None
    assert maker.late == 1


def test_an_interval_of_odd_lots_alone_has_no_bar() -> None:
    assert minute_bars("AAPL", [a_trade(at("09:30"), 100.0, 5.0, "@", "I")]) == []


def test_a_second_of_odd_lots_alone_is_closed_too() -> None:
    maker = SecondBars()
    maker.add(a_trade(at("09:30"), 100.0, 5.0, "@", "I"))
    assert maker.flush(at("09:31")) == []
    assert maker.add(a_trade(at("09:30") + 5)) is None
    assert maker.late == 1


def test_a_late_print_of_a_second_is_not_its_close() -> None:
    maker = SecondBars()
    for after_ns, price in ((500, 100.0), (900, 101.0), (700, 105.0), (100, 99.0)):
        maker.add(a_trade(at("09:30") + after_ns, price))
    (bar,) = maker.flush(at("09:31"))
    assert (bar.open, bar.high, bar.low, bar.close, bar.count) == (99.0, 105.0, 99.0, 101.0, 4)


def test_a_minute_differs_materially_by_more_than_a_cent_or_one_percent_of_volume() -> None:
    own = Bar("AAPL", at("09:30"), 10.0, 10.0, 10.0, 10.0, 1_000.0)
    assert difference(own, Bar("AAPL", at("09:30"), 10.01, 10.01, 9.99, 10.0, 1_009.0)) == ""
    assert difference(own, Bar("AAPL", at("09:30"), 10.0, 10.02, 10.0, 10.0, 1_020.0)) == (
        "AAPL 09:30: high 10.00, the vendor says 10.02; volume 1,000, the vendor says 1,020"
    )
