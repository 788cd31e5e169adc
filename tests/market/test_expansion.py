"""Expansion: one minute bar becomes quotes and trades that give the same bar again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.market.bars import minute_bars
from liu_tui.market.expansion import expand, quote_around
from liu_tui.model.market import SECOND_NS, Bar, Quote, Trade
from tests.kit.market import at

CENTS = st.integers(1, 500_000)


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    low, high = sorted((draw(CENTS), draw(CENTS)))
    open_, close = draw(st.integers(low, high)), draw(st.integers(low, high))
    volume = float(draw(st.integers(0, 10_000_000)))
    return Bar("AAPL", at("09:30"), open_ / 100, high / 100, low / 100, close / 100, volume)


@given(bars())
def test_the_trades_of_a_bar_make_the_bar_again(bar: Bar) -> None:
    trades = [event for _, event in expand(bar) if isinstance(event, Trade)]
    assert sum(t.size for t in trades) == bar.volume
    assert all(t.size == int(t.size) for t in trades)
    if bar.volume >= 4:
        (again,) = minute_bars("AAPL", trades)
        assert (again.open, again.high, again.low, again.close) == (bar.open, bar.high, bar.low, bar.close)


@given(bars())
def test_every_quote_brackets_its_trade_and_comes_first(bar: Bar) -> None:
    events = expand(bar)
    assert [moment for moment, _ in events] == sorted(moment for moment, _ in events)
    quote: Quote | None = None
    for moment, event in events[:-1]:
        assert moment == event.t_ns
        if isinstance(event, Quote):
            quote = event
        elif isinstance(event, Trade):
            assert quote is not None
            assert quote.bid <= event.price <= quote.ask
    assert events[-1] == (bar.end_ns, bar)


@given(st.floats(1.0, 5_000.0))
def test_a_spread_is_a_cent_or_two_basis_points(price: float) -> None:
    bid, ask = quote_around(round(price, 4))
    assert bid <= round(price, 4) <= ask
    assert 0.0099 < ask - bid <= 0.0002 * price + 0.02


@given(st.floats(0.0002, 0.9999))
def test_a_quote_below_a_dollar_is_positive_and_not_crossed(price: float) -> None:
    bid, ask = quote_around(round(price, 4))
    assert 0 < bid <= round(price, 4) <= ask
    assert bid < ask


@pytest.mark.parametrize(("close", "second"), [(10.5, 9.0), (9.5, 11.0)])
def test_a_rising_minute_goes_low_first_and_a_falling_one_high(close: float, second: float) -> None:
    trades = [
        e for _, e in expand(Bar("A", at("09:30"), 10.0, 11.0, 9.0, close, 400.0)) if isinstance(e, Trade)
    ]
    assert [t.price for t in trades][1] == second
    assert [(t.t_ns - at("09:30")) // SECOND_NS for t in trades] == [1, 20, 40, 59]


def test_a_bar_without_volume_gives_quotes_only() -> None:
    events = [event for _, event in expand(Bar("A", at("09:30"), 10.0, 11.0, 9.0, 10.0, 0.0))]
    assert [type(event) for event in events] == [Quote] * 4 + [Bar]


def test_outside_regular_hours_trades_say_form_t() -> None:
    trades = [
        e for _, e in expand(Bar("A", at("08:00"), 10.0, 11.0, 9.0, 10.0, 10.0)) if isinstance(e, Trade)
    ]
    assert {t.conditions for t in trades} == {("@", "T")}
