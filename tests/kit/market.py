"""Builders of market data for tests: moments in New York's words, bars, ticks, small recorded sources."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import numpy as np

from liu_tui.market.calendar import to_ns
from liu_tui.market.csvread import Rows
from liu_tui.market.record import Record
from liu_tui.market.recorded import RecordedSource
from liu_tui.market.source import Batch
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar, Quote, TapeEvent, Trade

DATA = Path(__file__).parents[2] / "../shared/data"
"""Real market days, where they are at hand; never part of the project."""

MONDAY = "2024-08-26"


def at(words: str) -> int:
    """Return UTC nanoseconds of "2024-08-26 09:30" or of "09:30" on that Monday, New York time."""
    return to_ns(datetime.fromisoformat(words if "-" in words else f"{MONDAY} {words}"))


def a_bar(
    t_ns: int, close: float = 100.0, volume: float = 100.0, *, symbol: str = "AAPL", span_ns: int = MINUTE_NS
) -> Bar:
    """Make a bar that opens at its close and reaches half a dollar to both sides."""
    return Bar(symbol, t_ns, close, close + 0.5, close - 0.5, close, volume, close, 4, span_ns)


def a_trade(t_ns: int, price: float = 100.0, size: float = 100.0, *words: str, symbol: str = "AAPL") -> Trade:
    """Make a trade; words: its sale conditions."""
    return Trade(symbol, t_ns, price, size, conditions=words)


def a_quote(t_ns: int, bid: float = 99.99, ask: float = 100.01, *, symbol: str = "AAPL") -> Quote:
    """Make a quote of a round lot on each side."""
    return Quote(symbol, t_ns, bid, 100.0, ask, 100.0)


def recorded(*bars: Bar) -> RecordedSource:
    """Make a source of these minute and daily bars."""
    by_symbol: dict[str, list[Rows]] = defaultdict(list)
    for symbol, kind, span_ns in sorted(
        {(b.symbol, "bars" if b.span_ns < DAY_NS else "daily", b.span_ns) for b in bars}
    ):
        own = [bar for bar in bars if bar.symbol == symbol and bar.span_ns == span_ns]
        fields = ("open", "high", "low", "close", "volume", "vwap")
        columns = {field: np.array([getattr(bar, field) for bar in own]) for field in fields}
        columns["t_ns"] = np.array([bar.t_ns for bar in own], np.int64)
        columns["trade_count"] = np.array([float(bar.count) for bar in own])
        by_symbol[symbol].append(Rows(kind, symbol, columns))
    return RecordedSource((Record(symbol, rows) for symbol, rows in by_symbol.items()), where="test")


def events_of(steps: Iterable[Batch]) -> Iterator[TapeEvent]:
    """Return the events of steps, in order."""
    return (event for _, events in steps for event in events)


def order_key(event: TapeEvent) -> tuple[int, int, str, int]:
    """Return what Source promises to order events by."""
    if isinstance(event, Bar):
        return event.end_ns, 0, event.symbol, 0
    return event.t_ns, 1, event.symbol, 0 if isinstance(event, Quote) else 1
