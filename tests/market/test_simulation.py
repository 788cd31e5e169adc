"""SimulatedSource: a seeded day that is consistent with itself, wherever it is entered."""

from datetime import date
from itertools import islice, pairwise

import pytest

from liu_tui.errors import FeedError
from liu_tui.market.bars import minute_bars
from liu_tui.market.calendar import hours
from liu_tui.market.simulation import QUANTUM_NS, SimulatedSource
from liu_tui.market.source import Batch
from liu_tui.market.universe import MOST, listings
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar, Quote, Trade
from tests.kit.market import at, events_of, order_key

DAY = "2024-08-26"


@pytest.fixture(scope="module")
def source() -> SimulatedSource:
    return SimulatedSource(30, 7, DAY)


@pytest.fixture(scope="module")
def opening(source: SimulatedSource) -> list[Batch]:
    """The steps of the first six minutes around the open, the first of them the end of 09:27."""
    return [step for step in islice(source.steps(DAY, at("09:28")), 2_000) if step[0] <= at("09:34")]


def test_steps_come_in_time_and_hold_what_happened_in_their_quarter_second(opening: list[Batch]) -> None:
    assert all(a[0] < b[0] for a, b in pairwise(opening))
    for moment, events in opening:
        keys = [order_key(event) for event in events]
        assert keys == sorted(keys)
        assert all(moment - QUANTUM_NS <= key[0] <= moment for key in keys)


def test_a_trade_prints_within_the_quote(opening: list[Batch]) -> None:
    quotes: dict[str, Quote] = {}
    printed = 0
    for event in events_of(opening):
        if isinstance(event, Quote):
            assert 0 < event.bid < event.ask
            quotes[event.symbol] = event
        elif isinstance(event, Trade) and event.symbol in quotes:
            printed += 1
            assert quotes[event.symbol].bid <= event.price <= quotes[event.symbol].ask
    assert printed > 1_000


def test_minute_bars_are_what_their_trades_add_up_to(opening: list[Batch]) -> None:
    events = list(events_of(opening))
    checked = 0
    for bar in (event for event in events if isinstance(event, Bar) and event.t_ns >= at("09:28")):
        own = [
            e
            for e in events
            if isinstance(e, Trade) and e.symbol == bar.symbol and bar.t_ns <= e.t_ns < bar.end_ns
        ]
        (made,) = minute_bars(bar.symbol, own)
        assert made.vwap == pytest.approx(bar.vwap)
        assert (made.open, made.high, made.low, made.close) == (bar.open, bar.high, bar.low, bar.close)
        assert (made.volume, made.count) == (bar.volume, bar.count)
        assert max(t.price for t in own) == bar.high  # odd lots too keep within the bar
        checked += 1
    assert checked > 100


def test_the_auctions_print_with_their_conditions(source: SimulatedSource, opening: list[Batch]) -> None:
    firsts: dict[str, Trade] = {}
    for event in events_of(opening):
        if isinstance(event, Trade) and event.t_ns >= at("09:30"):
            firsts.setdefault(event.symbol, event)
    assert len(firsts) == 30
    assert all("O" in trade.conditions for trade in firsts.values())
    lasts = [
        e
        for e in events_of(source.steps(DAY, at("15:59:59")))
        if isinstance(e, Trade) and "6" in e.conditions
    ]
    assert len(lasts) == 30


def test_a_day_may_be_entered_anywhere_and_twice(source: SimulatedSource) -> None:
    start = at("12:00:30")
    whole = [
        step for step in islice(source.steps(DAY, at("11:58")), 2_000) if start <= step[0] <= at("12:03")
    ]
    entered = [step for step in islice(source.steps(DAY, start), 1_000) if step[0] <= at("12:03")]
    assert entered == whole


def test_history_is_the_very_bars_that_were_played(source: SimulatedSource, opening: list[Batch]) -> None:
    played = [e for e in events_of(opening) if isinstance(e, Bar) and e.symbol == "SPY"]
    assert source.bars("SPY", MINUTE_NS, at("09:27"), at("09:34")) == played


def test_the_same_seed_gives_the_same_day_and_another_seed_another(source: SimulatedSource) -> None:
    span = ("NVDA", MINUTE_NS, at("09:30"), at("10:00"))
    assert SimulatedSource(30, 7, DAY).bars(*span) == source.bars(*span)
    assert SimulatedSource(30, 8, DAY).bars(*span) != source.bars(*span)


def test_yesterday_ends_at_the_close_that_today_is_measured_from(source: SimulatedSource) -> None:
    yesterday = source.bars("AAPL", MINUTE_NS, at("2024-08-23 09:30"), at("2024-08-23 16:00"))
    daily = source.previous_daily("AAPL", DAY)
    assert daily is not None
    assert daily.close == source.previous_close("AAPL", DAY) == yesterday[-1].close
    assert daily.volume == sum(bar.volume for bar in yesterday)
    assert (daily.high, daily.low) == (max(b.high for b in yesterday), min(b.low for b in yesterday))


def test_there_are_thirty_earlier_daily_bars(source: SimulatedSource) -> None:
    bars = source.bars("AAPL", DAY_NS, 0, at("00:00") + DAY_NS // 2)
    assert len(bars) == 30
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)
    assert all(a.t_ns < b.t_ns for a, b in pairwise(bars))


def test_the_day_looks_like_a_day(source: SimulatedSource) -> None:
    volume: dict[int, float] = {}
    for asset in source.assets():
        for bar in source.bars(asset.symbol, MINUTE_NS, at("09:30"), at("16:00")):
            volume[bar.t_ns] = volume.get(bar.t_ns, 0.0) + bar.volume
    first, noon, last = (
        sum(volume.get(at(start) + k * MINUTE_NS, 0.0) for k in range(15))
        for start in ("09:30", "12:30", "15:45")
    )
    assert first > 3 * noon
    assert last > 2 * noon
    moves = {
        asset.symbol: source.bars(asset.symbol, MINUTE_NS, at("09:30"), at("16:00"))[-1].close
        / (source.previous_close(asset.symbol, DAY) or 1.0)
        - 1
        for asset in source.assets()
    }
    assert max(moves.values()) > 0.03
    assert abs(moves["SPY"]) < 0.06


def test_a_short_day_closes_early() -> None:
    source = SimulatedSource(5, 1, "2024-11-29")
    session = hours(date(2024, 11, 29))
    assert session is not None
    spy = source.bars("SPY", MINUTE_NS, session.open_ns, session.close_ns)
    assert spy[-1].end_ns == session.close_ns
    last = max(step[0] for step in source.steps("2024-11-29", session.close_ns - MINUTE_NS))
    assert last <= session.close_ns + 60 * MINUTE_NS


def test_a_closed_day_gives_the_next_session() -> None:
    assert SimulatedSource(2, 1, "2024-08-24").days() == [DAY]


def test_another_day_is_refused_before_the_first_step(source: SimulatedSource) -> None:
    with pytest.raises(FeedError, match="It plays 2024-08-26 only"):
        source.steps("2024-08-27")


def test_two_thousand_tickers_are_unique_and_look_like_tickers() -> None:
    symbols = [listing.symbol for listing in listings(MOST)]
    assert len(set(symbols)) == MOST
    assert all(symbol.isalpha() and symbol.isupper() and len(symbol) <= 5 for symbol in symbols)
    assert symbols[0] == "SPY"
    assert [x.symbol for x in listings(100)] == symbols[:100]
    with pytest.raises(ValueError, match="1 to 2000"):
        listings(2_001)
