"""One symbol as a strategy sees it: closed minute bars as columns, and the minute that is being made.

The way of a trade: on_trade adds it to the forming minute; a trade of a later minute sets the finished one
aside (Totals.hold) until its bar comes; append takes the bar and drops what was held for it. So the session's
VWAP never misses a minute and never counts one twice, whether bars come a moment late or not at all.

No clock and no I/O: the caller brings every event. This is the hot path, hence the slots and the plain style.
"""

from math import nan
from typing import Any

import numpy as np

from liu_tui.market.bars import difference
from liu_tui.market.calendar import day_of, hours
from liu_tui.market.column import Column
from liu_tui.market.forming import Forming
from liu_tui.market.totals import Totals
from liu_tui.model.market import (
    MINUTE_NS,
    Bar,
    Halt,
    PriceBand,
    Quote,
    Trade,
    TradeCancel,
    TradeCorrection,
)

_FIELDS = ("t_ns", "open", "high", "low", "close", "volume", "vwap", "count", "backfilled")
_WORD = ("volume", "count", "open", "high", "low", "close", "vwap")
"""What decides between two words of one rank about a minute, in this order; the prices only break a tie."""


class Series:
    """The closed minute bars of one symbol as columns, oldest first, with the latest price, quote and trade.

    lookback:  as the strategy declared it; asking for more than exists raises DataMissing. None: IndexError
    capacity:  rows reserved at the start; it grows by itself
    price:     dollars; the last trade that may set a price, or the last close if that is later; before either
               is known the middle of the quote; 0 if nothing is
    daily:     finished daily bars, oldest first, as many as were declared
    day:       today's bar so far, as the vendor counts it; None if it did not say
    halted:    the tape has stopped trading in it
    differences: how many of the vendor's minutes differ materially from what their trades made (see bars);
               difference: the last one in words
    limit_down, limit_up: dollars between which it may trade now; 0 if the tape has not said
    length:    how many bars there are
    """

    __slots__ = (
        "_asked_ns",
        "_awaited",
        "_forming",
        "_halt_ns",
        "_last_ns",
        "_own",
        "_ranks",
        "_totals",
        "_whole_ns",
        "backfilled",
        "close",
        "count",
        "daily",
        "day",
        "difference",
        "differences",
        "halted",
        "high",
        "last_trade",
        "length",
        "limit_down",
        "limit_up",
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
        self.day: Bar | None = None
        self.halted = False
        self.limit_down = self.limit_up = 0.0
        self._forming = Forming(symbol)
        self._totals = Totals()
        self._ranks: dict[int, int] = {}  # start -> rank (see _rank) of bars that are not the first word
        self._awaited: set[int] = set()  # starts of minutes that trades made and whose bar has not come
        self._asked_ns = -1  # the forming minute's start, if it was told as missing
        self._halt_ns = 0
        self._own: Bar | None = None  # the last finished minute as its trades made it
        self._whole_ns = 0  # from here on minutes are heard from their beginning
        self.differences = 0
        self.difference = ""

    def __len__(self) -> int:
        return self.length

    def __repr__(self) -> str:
        return f"<Series {self.symbol}: {self.length} bars, price {self.price}>"

    def on_trade(self, trade: Trade) -> None:
        """Add a trade to the forming minute. One of a minute already closed is left to the vendor's bar.

        One that comes late within the minute counts, but the last price stays that of the newest.
        """
        forming, t_ns = self._forming, trade.t_ns
        if t_ns >= forming.end_ns:
            self._roll(t_ns)
        elif t_ns < forming.start_ns:
            return
        if self.last_trade is None or t_ns >= self.last_trade.t_ns:
            self.last_trade = trade
        if forming.add(trade):
            self.price = trade.price

    def amend(self, note: TradeCorrection | TradeCancel) -> bool:
        """Put a print of the forming minute right, or take it out.

        returns: False if it is not (or no more) in that minute, and nothing was done: fetch its bar again
        """
        was = self._forming.amend(note)
        if was is None:
            return False
        if was is self.last_trade:
            self.last_trade = self._forming.newest
        if self._forming.open:
            self.price = self._forming.close
        elif self.length:
            self.price = self.close[-1]
        return True

    def on_quote(self, quote: Quote) -> None:
        """Keep the newest quote."""
        self.quote = quote
        if not self.price:
            self.price = quote.mid

    def on_halt(self, halt: Halt) -> None:
        """Note that trading stopped or resumed."""
        if halt.t_ns >= self._halt_ns:
            self.halted, self._halt_ns = halt.halted, halt.t_ns

    def on_band(self, band: PriceBand) -> None:
        """Keep the limits between which the symbol may trade."""
        self.limit_down, self.limit_up = band.lower, band.upper

    def on_day(self, bar: Bar) -> None:
        """Keep today's bar so far: of two words about one day that which counts more shares is the later."""
        day = self.day
        if day is None or bar.t_ns > day.t_ns or (bar.t_ns == day.t_ns and bar.volume >= day.volume):
            self.day = bar

    def append(self, bar: Bar) -> None:
        """Take a closed minute bar; an older one goes to its place.

        Of several words about one minute one stands, in whatever order they come and however often: a revised
        bar over one that is backfilled, that over the first word (history is asked later than the stream
        speaks), and among equals the one that counts more shares, for the later word knows more prints. A
        minute is marked as backfilled only if no word of the stream about it came at all.
        """
        t_ns, totals, forming = bar.t_ns, self._totals, self._forming
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
        self._awaited.discard(t_ns)
        if t_ns > forming.start_ns:
            self._set_aside()
        self._reconcile(bar)
        if t_ns >= forming.start_ns:
            forming.begin(bar.end_ns, bar.end_ns)
        if t_ns == self._last_ns and (self.last_trade is None or self.last_trade.t_ns < bar.end_ns):
            self.price = self.close[-1]

    def missing(self, now_ns: int, grace_ns: int) -> list[int]:
        """Return the starts of minutes that trades made and whose bar has not come, each once, oldest first.

        grace_ns: how long after its end a minute's bar may come
        """
        ended_ns = now_ns - grace_ns - MINUTE_NS
        forming = self._forming
        if forming.open and forming.start_ns <= ended_ns and forming.start_ns > self._asked_ns:
            self._awaited.add(forming.start_ns)
            self._asked_ns = forming.start_ns
        if not self._awaited:
            return []
        due = sorted(start_ns for start_ns in self._awaited if start_ns <= ended_ns)
        self._awaited.difference_update(due)
        return due

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
        volume = totals.volume + totals.held_volume
        notional = totals.notional + totals.held_notional
        if totals.start_ns <= forming.start_ns < totals.end_ns:
            volume += forming.volume
            notional += forming.notional
        return notional / volume if volume else nan

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
            self._await()
            totals.turn(t_ns)
        else:
            self._set_aside()
        start_ns = t_ns - t_ns % MINUTE_NS
        self._whole_ns = self._whole_ns or start_ns + MINUTE_NS
        forming.begin(start_ns, start_ns + MINUTE_NS)

    def _reconcile(self, bar: Bar) -> None:
        own = self._forming.bar() if bar.t_ns == self._forming.start_ns else self._own
        if own is None or own.t_ns != bar.t_ns or own.t_ns < self._whole_ns or _rank(bar):
            return
        if words := difference(own, bar):
            self.differences += 1
            self.difference = words

    def _set_aside(self) -> None:
        forming, totals = self._forming, self._totals
        self._await()
        if forming.volume and totals.counts(forming.start_ns):
            totals.hold(forming.start_ns, forming.volume, forming.notional)

    def _await(self) -> None:
        self._own = self._forming.bar()
        if self._own is not None and self._forming.start_ns > self._asked_ns:
            self._awaited.add(self._forming.start_ns)

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
        if self.t_ns[at] == bar.t_ns:
            self._settle(at, bar)
            return
        # A new array, not a shift in place: a strategy may still hold a slice of the old one.
        for column in self._columns():
            column.adopt(np.insert(column.rows, at, 0))
        self.length += 1
        self._write(at, bar)

    def _settle(self, at: int, bar: Bar) -> None:
        backfilled = bar.backfilled and self.backfilled[at]
        stands = tuple(getattr(self, field)[at] for field in _WORD)
        if (_rank(bar), *(getattr(bar, field) for field in _WORD)) > (self._ranks.get(bar.t_ns, 0), *stands):
            self._write(at, bar)
        self.backfilled.rows[at] = backfilled

    def _write(self, at: int, bar: Bar) -> None:
        if rank := _rank(bar):
            self._ranks[bar.t_ns] = rank
        self.t_ns.rows[at] = bar.t_ns
        self.open.rows[at] = bar.open
        self.high.rows[at] = bar.high
        self.low.rows[at] = bar.low
        self.close.rows[at] = bar.close
        self.volume.rows[at] = bar.volume
        self.vwap.rows[at] = bar.vwap
        self.count.rows[at] = bar.count
        self.backfilled.rows[at] = bar.backfilled


def _rank(bar: Bar) -> int:
    # The stream's first word 0, history's word 1, a revision 2.
    return 2 if bar.revised else int(bar.backfilled)
