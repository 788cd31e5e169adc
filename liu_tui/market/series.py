"""One symbol as a strategy sees it: closed minute bars as columns, and the minute that is being made.

The way of a trade: on_trade adds it to the forming minute; a trade of a later minute sets the finished one
aside (`_held`) until its bar comes; append takes the bar and drops what was held for it. So the session's
VWAP never misses a minute and never counts one twice, whether bars come a moment late or not at all.

No clock and no I/O: the caller brings every event. This is the hot path, hence the slots and the plain style.
"""

from datetime import timedelta
from math import inf, nan
from typing import Any

import numpy as np

from liu_tui.market.calendar import day_of, hours, midnight_ns
from liu_tui.market.column import Column
from liu_tui.market.conditions import ALL, HIGH_LOW, OPEN_CLOSE, VOLUME, effect
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
        "_close",
        "_close_ns",
        "_count",
        "_counts",
        "_effects",
        "_held",
        "_held_notional",
        "_held_volume",
        "_high",
        "_last_ns",
        "_low",
        "_minute_end",
        "_minute_start",
        "_notional",
        "_open",
        "_open_ns",
        "_regular",
        "_session_end",
        "_session_start",
        "_session_until",
        "_sum_notional",
        "_sum_volume",
        "_volume",
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
        self._open_ns = self._close_ns = 0  # regular hours of the present day
        self._session_start = self._session_end = self._session_until = 0
        self._new_sums()
        self._minute_start = self._minute_end = 0
        self._open = self._high = self._low = self._close = 0.0
        self._volume = self._notional = 0.0
        self._count = 0
        self._regular = self._counts = False
        self._effects: dict[
            tuple[str, ...], int
        ] = {}  # of sale conditions, in the present hours on its one tape

    def __len__(self) -> int:
        return self.length

    def __repr__(self) -> str:
        return f"<Series {self.symbol}: {self.length} bars, price {self.price}>"

    def on_trade(self, trade: Trade) -> None:
        """Add a trade to the forming minute. One of a minute already closed is left to the vendor's bar."""
        t_ns, price = trade.t_ns, trade.price
        if t_ns >= self._minute_end:
            self._roll(t_ns)
        elif t_ns < self._minute_start:
            return
        self.last_trade = trade
        conditions = trade.conditions
        may = self._effects.get(conditions) if conditions else ALL
        if may is None:
            may = self._effects[conditions] = effect(conditions, trade.tape, self._regular)
        if may & VOLUME:
            size = trade.size
            self._count += 1
            self._volume += size
            self._notional += size * price
        if may & HIGH_LOW:
            if price > self._high:
                self._high = price
            if price < self._low:
                self._low = price
            if may & OPEN_CLOSE:
                if not self._open:
                    self._open = price
                self._close = self.price = price

    def on_quote(self, quote: Quote) -> None:
        """Keep the newest quote."""
        self.quote = quote
        if not self.price:
            self.price = quote.mid

    def append(self, bar: Bar) -> None:
        """Take a closed minute bar. The same minute again replaces it; an older one goes to its place."""
        t_ns = bar.t_ns
        if t_ns >= self._session_until:
            self._set_session(t_ns)
        if t_ns > self._last_ns:
            self._write(self._room(), bar)
            self.length += 1
            self._last_ns = t_ns
            self._add_to_session(bar)
        else:
            self._place(bar)
            self._sum_session()
        self._release(t_ns)
        if t_ns >= self._minute_start:
            self._minute_start = self._minute_end = bar.end_ns
            self._begin_minute()
        if t_ns == self._last_ns and (self.last_trade is None or self.last_trade.t_ns < bar.end_ns):
            self.price = bar.close

    @property
    def forming(self) -> Bar | None:
        """The unfinished minute as its trades made it so far, or None before its first price."""
        if not self._open:
            return None
        return Bar(
            self.symbol,
            self._minute_start,
            self._open,
            self._high,
            self._low,
            self._close,
            self._volume,
            self._notional / self._volume if self._volume else 0.0,
            self._count,
        )

    @property
    def session_vwap(self) -> float:
        """Dollars; volume-weighted average price since the open, the forming minute included.

        Before the open it counts since midnight, and then restarts; after the close it stands still. NaN
        until a share trades. Bars without a vwap count with (high + low + close) / 3.
        """
        volume = self._sum_volume + self._held_volume
        notional = self._sum_notional + self._held_notional
        if self._counts:
            volume += self._volume
            notional += self._notional
        return notional / volume if volume else nan

    @property
    def today(self) -> int:
        """Index of the first bar of the present regular session; `length` while there is none."""
        return int(np.searchsorted(self.t_ns[:], self._open_ns))

    def session_slice(self) -> slice:
        """Return the present regular session's bars as a slice: `bars.high[bars.session_slice()].max()`."""
        session = hours(day_of(self._session_start))
        begin, end = (
            (session.open_ns, session.close_ns) if session else (self._session_start, self._session_end)
        )
        first, last = np.searchsorted(self.t_ns[:], (begin, end)).tolist()
        return slice(first, last)

    def _roll(self, t_ns: int) -> None:
        if t_ns >= self._session_until:
            self._set_session(t_ns)
        elif self._volume and self._counts:
            self._held[self._minute_start] = (self._volume, self._notional)
            self._held_volume += self._volume
            self._held_notional += self._notional
        self._minute_start = t_ns - t_ns % MINUTE_NS
        self._minute_end = self._minute_start + MINUTE_NS
        self._begin_minute()

    def _begin_minute(self) -> None:
        self._open, self._high, self._low, self._close = 0.0, -inf, inf, 0.0
        self._volume, self._notional, self._count = 0.0, 0.0, 0
        self._counts = self._session_start <= self._minute_start < self._session_end
        regular = self._open_ns <= self._minute_start < self._close_ns
        if regular is not self._regular:
            self._regular = regular
            self._effects = {}

    def _set_session(self, t_ns: int) -> None:
        day = day_of(t_ns)
        midnight, tomorrow = midnight_ns(day), midnight_ns(day + timedelta(days=1))
        session = hours(day)
        self._open_ns, self._close_ns = (
            (session.open_ns, session.close_ns) if session is not None else (midnight, tomorrow)
        )
        if t_ns < self._open_ns:
            self._session_start, self._session_end = midnight, self._open_ns
        else:
            self._session_start, self._session_end = self._open_ns, self._close_ns
        self._session_until = self._open_ns if t_ns < self._open_ns else tomorrow
        self._new_sums()

    def _new_sums(self) -> None:
        self._sum_volume, self._sum_notional = 0.0, 0.0
        self._held: dict[int, tuple[float, float]] = {}
        self._held_volume, self._held_notional = 0.0, 0.0

    def _release(self, t_ns: int) -> None:
        if (held := self._held.pop(t_ns, None)) is not None:
            self._held_volume -= held[0]
            self._held_notional -= held[1]
            if not self._held:  # what rounding left behind
                self._held_volume = self._held_notional = 0.0

    def _add_to_session(self, bar: Bar) -> None:
        if self._session_start <= bar.t_ns < self._session_end:
            self._sum_volume += bar.volume
            self._sum_notional += bar.volume * (bar.vwap or (bar.high + bar.low + bar.close) / 3)

    def _sum_session(self) -> None:
        first, last = np.searchsorted(self.t_ns[:], (self._session_start, self._session_end)).tolist()
        part = slice(first, last)
        volume, vwap = self.volume[part], self.vwap[part]
        typical = (self.high[part] + self.low[part] + self.close[part]) / 3
        self._sum_volume = float(volume.sum())
        self._sum_notional = float((volume * np.where(vwap > 0, vwap, typical)).sum())

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
