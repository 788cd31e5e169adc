"""The venue of a backtest's day: what its exchange hears, and what its data tell, as at the local market."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import TypeGuard

from liu_tui.market.tape import Tape
from liu_tui.model.market import MINUTE_NS, Bar, Halt, MarketEvent, Quote, TapeEvent, Trade
from liu_tui.trading.matching.exchange import Exchange


class Venue:
    """One day's tape and the exchange that fills at its prices.

    start_ns: where the day's clock begins: earlier prices are no news to the exchange
    """

    def __init__(self, tape: Tape, exchange: Exchange, start_ns: int) -> None:
        self._tape, self._exchange, self._start_ns = tape, exchange, start_ns
        # A recording of a feed holds the days' bars as they were told.
        self._makes_days = not tape.source.complete
        self._still: set[str] = set()
        self._paused: set[str] = set()  # by their price bands: nothing of them happens

    def play(self, t_ns: int, events: Sequence[TapeEvent], watched: Set[str]) -> list[TapeEvent]:
        """Show the exchange what happened at one moment; return what is told of the watched symbols.

        A symbol that is halted fills nothing. A bar that is told again, or of the whole day, is no price.
        """
        if self._paused:
            events = [e for e in events if e.symbol not in self._paused or not isinstance(e, Trade | Quote)]
        told = [event for event in events if event.symbol in watched]
        for event in events:
            if isinstance(event, Halt):
                self._note(event)
            elif event.symbol in watched and event.symbol not in self._still and _is_price(event):
                self._exchange.on_event(event)
        self._exchange.on_time(t_ns)
        pauses = self._pauses() if self._exchange.options.luld else []
        return [*pauses, *told, *self._days_so_far(told)]

    def begin(self, symbol: str) -> None:
        """Tell the exchange where a symbol stands: it was shown nothing of it while nobody watched."""
        for event in self._known(symbol):
            self._exchange.on_event(event)
        if symbol in self._still:
            self._stop(symbol, self._tape.now_ns)

    def _stop(self, symbol: str, t_ns: int) -> None:
        self._still.add(symbol)
        self._exchange.on_event(Quote(symbol, t_ns, 0.0, 0.0, 0.0, 0.0))

    def _known(self, symbol: str) -> list[MarketEvent]:
        shown = self._tape.snapshot(symbol)
        known: list[MarketEvent] = [e for e in (shown.latest_quote, shown.latest_trade) if e is not None]
        bar = shown.minute_bar
        if bar is not None and bar.end_ns >= self._start_ns:
            # At one moment bars come first; so does this one, unless it ended after the last trade.
            later = shown.latest_trade is None or bar.end_ns > shown.latest_trade.t_ns
            known.insert(len(known) if later else 0, bar)
        return known

    def _note(self, halt: Halt) -> None:
        symbol = halt.symbol
        if halt.halted:
            self._stop(symbol, halt.t_ns)
        elif symbol in self._still:
            self._still.discard(symbol)
            event = self._tape.quote(symbol) or self._tape.trade(symbol)
            if event is not None:
                # The quote may be older than the halt's end; what fills at it fills now.
                self._exchange.on_time(halt.t_ns)
                self._exchange.on_event(event)

    def _pauses(self) -> list[Halt]:
        """Stop what left its price bands, let it trade again, and tell it, as the local market does."""
        halts = self._exchange.halts()
        for halt in halts:
            if halt.halted:
                self._paused.add(halt.symbol)
            else:
                self._paused.discard(halt.symbol)
            self._note(halt)
        return halts

    def _days_so_far(self, events: Iterable[TapeEvent]) -> list[Bar]:
        """The running daily bar of each symbol whose minute has just closed."""
        if not self._makes_days:
            return []
        closed = [e.symbol for e in events if isinstance(e, Bar) and e.span_ns == MINUTE_NS and not e.revised]
        days = (self._tape.snapshot(symbol).daily_bar for symbol in closed)
        return [day for day in days if day is not None]


def _is_price(event: TapeEvent) -> TypeGuard[MarketEvent]:
    if isinstance(event, Bar):
        return event.span_ns <= MINUTE_NS and not event.revised
    return isinstance(event, Trade | Quote)
