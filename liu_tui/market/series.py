"""One symbol as a strategy sees it: closed minute bars as columns, and the minute that is being made.

The way of a trade: on_trade adds it to the forming minute; a trade of a later minute sets the finished one
aside (Totals.hold) until its bar comes; append takes the bar and drops what was held for it. So the session's
VWAP never misses a minute and never counts one twice, whether bars come a moment late or not at all.

No clock and no I/O: the caller brings every event. This is the hot path, hence the slots and the plain style.
"""

from typing import Any

import numpy as np

from liu_tui.market.calendar import day_of, hours
from liu_tui.market.column import Column
from liu_tui.market.forming import Forming
from liu_tui.market.totals import Totals
from liu_tui.model.market import MINUTE_NS, Bar, Quote, Trade

_FIELDS = ("t_ns", "open", "high", "low", "close", "volume", "vwap", "count", "backfilled")


class Series:
    """The closed minute bars of one symbol as columns, oldest first, with the latest price, quote and trade.

    lookback:  as the strategy declared it; asking for more than exists raises DataMissing. None: IndexError
    capacity:  rows reserved at the start; it grows by itself
    price:     dollars; the last trade that may set a price, or the last close if that is later; before either
               is known the middle of the quote; 0 if nothing is
    daily:     finished daily bars, oldest first, as many as were declared
    length:    how many bars there are
    """

    __slots__ = (
        "_forming",
        "_last_ns",
        "_totals",
        "backfilled",
        "close",
        "count",
        "daily",
        "high",
        "last_trade",
        "length",
        "lookback",
        "low",
        "open",
        "price",
        "quote",
        "symbol",
        "t_ns",
        "volume",
        "vwap",
    )

    def __init__(self, symbol: str, *, lookback: int | None = None, capacity: int = 1024) -> None:
        self.symbol = symbol
        self.lookback = lookback
        self.length = 0
        self._last_ns = -1  # start of the newest bar
        self.open: Column[float] = Column(self, "open", capacity, np.float64)
        self.high: Column[float] = Column(self, "high", capacity, np.float64)
        self.low: Column[float] = Column(self, "low", capacity, np.float64)
        self.close: Column[float] = Column(self, "close", capacity, np.float64)
        self.volume: Column[float] = Column(self, "volume", capacity, np.float64)
        self.vwap: Column[float] = Column(self, "vwap", capacity, np.float64)
        self.count: Column[int] = Column(self, "count", capacity, np.int64)
        self.t_ns: Column[int] = Column(self, "t_ns", capacity, np.int64)
        self.backfilled: Column[bool] = Column(self, "backfilled", capacity, np.bool_)
        self.price = 0.0
        self.quote: Quote | None = None
        self.last_trade: Trade | None = None
        self.daily: list[Bar] = []
        self._forming = Forming(symbol)
        self._totals = Totals()

    def __len__(self) -> int:
        return self.length

    def __repr__(self) -> str:
        return f"<Series {self.symbol}: {self.length} bars, price {self.price}>"

    def on_trade(self, trade: Trade) -> None:
        """Add a trade to the forming minute. One of a minute already closed is left to the vendor's bar."""
        forming, t_ns = self._forming, trade.t_ns
        if t_ns >= forming.end_ns:
            self._roll(t_ns)
        elif t_ns < forming.start_ns:
            return
        self.last_trade = trade
        if forming.add(trade):
            self.price = trade.price

    def on_quote(self, quote: Quote) -> None:
        """Keep the newest quote."""
        self.quote = quote
        if not self.price:
            self.price = quote.mid

    def append(self, bar: Bar) -> None:
        """Take a closed minute bar. The same minute again replaces it; an older one goes to its place."""
        t_ns, totals = bar.t_ns, self._totals
        if t_ns >= totals.until_ns:
            totals.turn(t_ns)
        if t_ns > self._last_ns:
            self._write(self._room(), bar)
            self.length += 1
            self._last_ns = t_ns
            totals.add(bar)
        else:
            self._place(bar)
            self._sum_session()
        totals.release(t_ns)
        if t_ns >= self._forming.start_ns:
            self._forming.begin(bar.end_ns, bar.end_ns)
        if t_ns == self._last_ns and (self.last_trade is None or self.last_trade.t_ns < bar.end_ns):
            self.price = bar.close

    @property
    def forming(self) -> Bar | None:
        """The unfinished minute as its trades made it so far, or None before its first price."""
        return self._forming.bar()

    @property
    def session_vwap(self) -> float:
        """Dollars; volume-weighted average price since the open, the forming minute included.

        Before the open it counts since midnight, and then restarts; after the close it stands still. NaN
        until a share trades. Bars without a vwap count with (high + low + close) / 3.
        """
        forming, totals = self._forming, self._totals
        if totals.counts(forming.start_ns):
            return totals.vwap(forming.volume, forming.notional)
        return totals.vwap(0.0, 0.0)

    @property
    def today(self) -> int:
        """Index of the first bar of the present regular session; `length` while there is none."""
        return int(np.searchsorted(self.t_ns[:], self._totals.open_ns))

    def session_slice(self) -> slice:
        """Return the present regular session's bars as a slice: `bars.high[bars.session_slice()].max()`."""
        totals = self._totals
        session = hours(day_of(totals.start_ns))
        begin, end = (session.open_ns, session.close_ns) if session else (totals.start_ns, totals.end_ns)
        first, last = np.searchsorted(self.t_ns[:], (begin, end)).tolist()
        return slice(first, last)

    def _roll(self, t_ns: int) -> None:
        forming, totals = self._forming, self._totals
        if t_ns >= totals.until_ns:
            totals.turn(t_ns)
        elif forming.volume and totals.counts(forming.start_ns):
            totals.hold(forming.start_ns, forming.volume, forming.notional)
        start_ns = t_ns - t_ns % MINUTE_NS
        forming.begin(start_ns, start_ns + MINUTE_NS)

    def _sum_session(self) -> None:
        totals = self._totals
        first, last = np.searchsorted(self.t_ns[:], (totals.start_ns, totals.end_ns)).tolist()
        part = slice(first, last)
        volume, vwap = self.volume[part], self.vwap[part]
        typical = (self.high[part] + self.low[part] + self.close[part]) / 3
        totals.volume = float(volume.sum())
        totals.notional = float((volume * np.where(vwap > 0, vwap, typical)).sum())

    def _columns(self) -> list[Column[Any]]:
        return [getattr(self, field) for field in _FIELDS]

    def _room(self) -> int:
        if self.length == len(self.t_ns.rows):
            for column in self._columns():
                column.adopt(np.concatenate((column.rows, np.zeros_like(column.rows))))
        return self.length

    def _place(self, bar: Bar) -> None:
        at = int(np.searchsorted(self.t_ns[:], bar.t_ns))
        if self.t_ns[at] != bar.t_ns:
            # A new array, not a shift in place: a strategy may still hold a slice of the old one.
            for column in self._columns():
                column.adopt(np.insert(column.rows, at, 0))
            self.length += 1
        self._write(at, bar)

    def _write(self, at: int, bar: Bar) -> None:
        self.t_ns.rows[at] = bar.t_ns
        self.open.rows[at] = bar.open
        self.high.rows[at] = bar.high
        self.low.rows[at] = bar.low
        self.close.rows[at] = bar.close
        self.volume.rows[at] = bar.volume
        self.vwap.rows[at] = bar.vwap
        self.count.rows[at] = bar.count
        self.backfilled.rows[at] = bar.backfilled
