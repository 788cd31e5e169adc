"""The venue of a backtest: what its exchange hears and its data tell, as at the local market."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from liu_tui.backtest.venue import Venue
from liu_tui.market.tape import Tape
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS, Bar, Halt, MarketEvent, Quote, Snapshot, Trade
from liu_tui.trading.matching.exchange import Exchange, ExchangeOptions
from tests.kit.session import OPEN, a_bar, a_quote, a_trade, at

DAY_BAR = Bar("AAPL", OPEN - OPEN % DAY_NS, 100, 101, 99, 100, 5_000.0, span_ns=DAY_NS)


class Rig:
    """A venue over a tape that knows AAPL's last quote, trade and minute. heard: by the exchange."""

    def __init__(self, *, complete: bool = False) -> None:
        self.heard: list[MarketEvent] = []
        self.times: list[int] = []
        shown = Snapshot(
            symbol="AAPL",
            latest_quote=a_quote(5),
            latest_trade=a_trade(5),
            minute_bar=a_bar(4),
            daily_bar=DAY_BAR,
        )
        tape: Any = SimpleNamespace(
            source=SimpleNamespace(complete=complete),
            now_ns=at(5),
            snapshot=lambda _symbol: shown,
            quote=lambda _symbol: shown.latest_quote,
            trade=lambda _symbol: shown.latest_trade,
        )
        options = SimpleNamespace(luld=False)
        exchange: Any = SimpleNamespace(
            on_event=self.heard.append, on_time=self.times.append, options=options
        )
        self.venue = Venue(cast(Tape, tape), cast(Exchange, exchange), OPEN)

    def play(self, *events: Any, watched: tuple[str, ...] = ("AAPL",)) -> list[Any]:
        """Play one moment; returns what is told of it."""
        return self.venue.play(at(6), events, set(watched))


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_the_exchange_hears_what_is_watched_and_no_later_word_on_a_minute(rig: Rig) -> None:
    revised = msgspec.structs.replace(a_bar(3), revised=True)
    events = [a_trade(5.5), a_trade(5.6, symbol="TSLA"), revised, DAY_BAR]
    assert rig.play(*events) == [events[0], revised, DAY_BAR]
    assert rig.heard == [events[0]]
    assert rig.times == [at(6)]


def test_a_minute_that_closes_is_followed_by_the_day_so_far(rig: Rig) -> None:
    assert rig.play(a_bar(5)) == [a_bar(5), DAY_BAR]
    assert rig.heard == [a_bar(5)]


def test_a_recording_of_a_feed_has_its_own_days(rig: Rig) -> None:
    assert Rig(complete=True).play(a_bar(5)) == [a_bar(5)]


def test_a_symbol_that_is_halted_fills_nothing_until_it_trades_again(rig: Rig) -> None:
    halt, end = Halt("AAPL", at(5), True), Halt("AAPL", at(7), False)
    assert rig.play(halt, a_trade(5.5), a_bar(5)) == [halt, a_trade(5.5), a_bar(5), DAY_BAR]
    assert rig.heard == [Quote("AAPL", at(5), 0.0, 0.0, 0.0, 0.0)], "both sides are empty"
    rig.play(end, a_trade(7.5))
    assert rig.heard[1:] == [a_quote(5), a_trade(7.5)]
    assert at(7) in rig.times


def test_a_symbol_that_was_halted_before_anybody_watched_it_is_halted_still(rig: Rig) -> None:
    rig.play(Halt("AAPL", at(5), True), watched=())
    rig.heard.clear()
    rig.venue.begin("AAPL")
    assert rig.heard[-1] == Quote("AAPL", at(5), 0.0, 0.0, 0.0, 0.0)
    rig.play(a_trade(5.5))
    assert Trade not in {type(event) for event in rig.heard[-1:]}


def test_a_new_symbol_begins_at_its_last_prices_the_minute_first_unless_it_ended_later(rig: Rig) -> None:
    rig.venue.begin("AAPL")
    assert rig.heard == [a_bar(4), a_quote(5), a_trade(5)]


def test_what_leaves_its_price_bands_is_paused_told_and_not_played() -> None:
    exchange = Exchange(cash=100_000.0, options=ExchangeOptions(luld=True))
    tape: Any = SimpleNamespace(
        source=SimpleNamespace(complete=True), now_ns=at(30), quote=lambda _symbol: None
    )
    tape.trade = lambda _symbol: a_trade(30)
    venue = Venue(cast(Tape, tape), exchange, OPEN)
    watched = {"AAPL"}
    price = a_trade(30).price
    venue.play(at(30), [a_trade(30)], watched)
    low = msgspec.structs.replace(a_quote(30.1), bid=price * 0.8, ask=price * 0.81)
    assert venue.play(at(30.1), [low], watched) == [low]
    (halt,) = venue.play(at(31), [], watched)
    assert isinstance(halt, Halt)
    assert (halt.symbol, halt.halted, halt.t_ns) == ("AAPL", True, low.t_ns + 15 * SECOND_NS)
    assert venue.play(at(32), [a_trade(32), a_bar(31)], watched) == [a_bar(31)], "history goes on"
    told = venue.play(at(36), [], watched)
    assert [(note.halted, note.t_ns) for note in told if isinstance(note, Halt)] == [
        (False, halt.t_ns + 5 * MINUTE_NS)
    ]
    assert venue.play(at(37), [a_trade(37)], watched) == [a_trade(37)]
