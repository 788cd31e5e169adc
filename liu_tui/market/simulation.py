"""SimulatedSource: a market that nobody recorded. One seeded day, with the history that leads to it.

A step is a quarter of a second: its events happened within it, and all of them are known at its end. Minute
bars come with the step that ends their minute, and are exactly what the trades of that minute add up to.

The day before has minute bars too, ending at the close from which today's gap is measured; 29 daily bars lie
before that. Earlier there is nothing.
"""

from collections.abc import Iterator, Set
from datetime import date
from typing import Final

import numpy as np

from liu_tui.errors import FeedError
from liu_tui.market import ticks
from liu_tui.market.calendar import first_session, hours, midnight_ns, previous_session
from liu_tui.market.course import DAILY_MOVE, Course, Floats, draw
from liu_tui.market.noise import bits, key
from liu_tui.market.source import Batch, Source
from liu_tui.market.universe import Listing, listings
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS, Asset, Bar, Quote, TapeEvent, Trade

QUANTUM_NS: Final = SECOND_NS // 4
"""A step's length: short enough for a strategy to be on time, long enough for lock-step to be affordable."""

HISTORY_DAYS: Final = 30

_EXCHANGES: Final = "QPZKVNJY"
_HOME: Final = {"ARCA": "P", "NASDAQ": "Q", "NYSE": "N"}
_REGULAR_SALE: Final = {"A": " ", "B": " ", "C": "@"}
_LETTER: Final = {ticks.ODD: "I", ticks.OPENING: "O", ticks.CLOSING: "6"}


class SimulatedSource(Source):
    """A believable day of `symbols` names: the same for the same arguments, on any run.

    day: ISO date; the next session is taken if the exchange is closed on it, `days()` says which
    """

    def __init__(self, symbols: int, seed: int, day: str) -> None:
        self._names = listings(symbols)
        self._index = {listing.symbol: n for n, listing in enumerate(self._names)}
        today = first_session(date.fromisoformat(day))
        before = previous_session(date.fromisoformat(today.day))
        rng = np.random.default_rng([seed, symbols])
        usual = np.array([listing.price for listing in self._names])
        close = np.maximum(np.rint(100 * usual * np.exp(0.12 * rng.standard_normal(symbols))) / 100, 1.0)
        self._today = _Day(self._names, today, seed, after=close)
        self._before = _Day(self._names, _hours(before), seed, until=close)
        self._older = _older_days(self._names, self._before, rng)

    def assets(self) -> list[Asset]:
        """Return every name, sorted by symbol."""
        return [
            Asset(symbol=x.symbol, name=x.name, exchange=x.exchange, fractionable=x.kind != "small")
            for x in sorted(self._names, key=lambda x: x.symbol)
        ]

    def days(self) -> list[str]:
        """Return the one simulated day."""
        return [self._today.hours.day]

    def steps(self, day: str, start_ns: int = 0, wanted: Set[str] | None = None) -> Iterator[Batch]:
        """Yield the day's steps, from 08:00 to an hour after the close. See Source.steps."""
        if day != self._today.hours.day:
            raise FeedError(
                f"there is no simulated day {day}",
                where="simulation",
                mend=f"It plays {self.days()[0]} only.",
            )
        return self._today.steps(start_ns)

    def bars(
        self, symbol: str, span_ns: int, start_ns: int, end_ns: int, now_ns: int | None = None
    ) -> list[Bar]:
        """Return minute or daily bars; each is known when it ends. See Source.bars."""
        n = self._index.get(symbol)
        if n is None:
            return []
        played = (self._before, self._today)
        if span_ns == MINUTE_NS:
            return [bar for d in played for bar in d.minute_bars(n, start_ns, end_ns)]
        daily = [days[n] for days in self._older] + [d.daily_bar(n) for d in played]
        return [bar for bar in daily if start_ns <= bar.t_ns and bar.end_ns <= end_ns]


class _Day:
    """One drawn day: its course, and the ticks of any part of it."""

    def __init__(
        self,
        names: tuple[Listing, ...],
        hours: SessionHours,
        seed: int,
        *,
        after: Floats | None = None,
        until: Floats | None = None,
    ) -> None:
        self.hours = hours
        self._names = names
        ordinal = date.fromisoformat(hours.day).toordinal()
        self.course: Course = draw(names, hours, [seed, ordinal, len(names)], after=after, until=until)
        self._keys = np.array([key(seed, hours.day, listing.symbol) for listing in names], np.uint64)
        self._order = sorted(range(len(names)), key=lambda n: names[n].symbol)
        self._rank = np.argsort(self._order)

    def steps(self, start_ns: int) -> Iterator[Batch]:
        course = self.course
        first = max(0, -(-(start_ns - course.first_ns) // MINUTE_NS) - 1)
        for minute in range(first, course.minutes):
            for batch in self._minute(minute):
                if batch[0] >= start_ns:
                    yield batch

    def minute_bars(self, n: int, start_ns: int, end_ns: int) -> list[Bar]:
        course = self.course
        first = max(0, -(-(start_ns - course.first_ns) // MINUTE_NS))
        last = min(course.minutes, (end_ns - course.first_ns) // MINUTE_NS)
        if first >= last:
            return []
        minute = np.arange(first, last)
        cells = ticks.minutes(course, self._keys, np.full(minute.size, n), minute)
        return self._bars(cells, ticks.fill(cells)[0])

    def daily_bar(self, n: int) -> Bar:
        """Return the regular session as one bar; its vwap weighs each minute's middle."""
        course, part = self.course, self.course.regular
        traded = course.rounds[n, part] > 0
        volume = course.volume[n, part][traded]
        high, low = course.high[n, part][traded], course.low[n, part][traded]
        return Bar(
            self._names[n].symbol,
            midnight_ns(date.fromisoformat(self.hours.day)),
            course.open[n, course.opening].item() / 100,
            high.max().item() / 100,
            low.min().item() / 100,
            course.close[n, course.closing].item() / 100,
            float(volume.sum()),
            round(((high + low) * volume).sum().item() / volume.sum().item() / 200, 4),
            int((course.rounds[n, part] + course.odds[n, part])[traded].sum()),
            DAY_NS,
        )

    def _minute(self, minute: int) -> Iterator[Batch]:
        every = np.array(self._order)
        cells = ticks.minutes(self.course, self._keys, every, np.full(every.size, minute))
        trades, quotes = ticks.fill(cells)
        start = self.course.first_ns + minute * MINUTE_NS
        bars: list[TapeEvent] = list(self._bars(cells, trades))
        events = _Merged(self._names, cells, trades, quotes, start, self._is_regular(minute))
        for end, found in events.quanta():
            if end < start + MINUTE_NS:
                yield end, found
            else:
                bars = found + bars
        if bars:
            yield start + MINUTE_NS, bars

    def _is_regular(self, minute: int) -> bool:
        return self.course.opening <= minute <= self.course.closing

    def _bars(self, cells: ticks.Minutes, trades: ticks.Trades) -> list[Bar]:
        """Build the bars of these minutes, in their order; a minute without trades has none."""
        # Exact: cents times shares of one minute stay far below 2**53.
        notional = np.bincount(trades.cell, weights=trades.price * trades.size, minlength=cells.minute.size)
        volume = self.course.volume[cells.symbol, cells.minute]
        count = cells.of("rounds") + cells.of("odds")
        start = self.course.first_ns + cells.minute * MINUTE_NS
        prices = (cells.of(name) / 100 for name in ("open", "high", "low", "close"))
        columns = (cells.symbol, start, *prices, volume, notional, count)
        return [
            Bar(self._names[s].symbol, t, o, h, low, c, float(v), money / (100 * v), k)
            for s, t, o, h, low, c, v, money, k in zip(*(x.tolist() for x in columns), strict=True)
            if k
        ]


class _Merged:
    """The prints and quotes of one minute of all symbols in time order, made into events step by step."""

    def __init__(
        self,
        names: tuple[Listing, ...],
        cells: ticks.Minutes,
        trades: ticks.Trades,
        quotes: ticks.Quotes,
        start: int,
        regular: bool,
    ) -> None:
        self._start = start
        self._symbols = [names[n].symbol for n in cells.symbol.tolist()]
        self._tapes = [names[n].tape for n in cells.symbol.tolist()]
        self._homes = [_HOME[names[n].exchange] for n in cells.symbol.tolist()]
        self._conditions = {tape: _conditions(tape, regular) for tape in "ABC"}
        offset = np.concatenate((quotes.offset, trades.offset))
        cell = np.concatenate((quotes.cell, trades.cell))
        self._order = np.lexsort((cell, offset))
        self._offset = offset[self._order]
        self._is_trade = np.arange(offset.size)[self._order] >= quotes.offset.size
        number = int(cells.minute[0]) * 10_000 + trades.number
        exchange = np.where(trades.kind >= ticks.OPENING, 8, bits(trades.chance, 60, 3))
        self._columns = (
            cell,
            np.concatenate((quotes.bid, trades.price)),
            np.concatenate((quotes.bid_lots, trades.size)),
            np.concatenate((quotes.ask, number)),
            np.concatenate((quotes.ask_lots, trades.kind * 16 + exchange)),
        )

    def quanta(self) -> Iterator[tuple[int, list[TapeEvent]]]:
        """Yield (end of the quantum, its events) in time order; empty quanta are left out."""
        quantum = self._offset // QUANTUM_NS
        cuts = (np.flatnonzero(np.diff(quantum)) + 1).tolist()
        for begin, end in zip([0, *cuts], [*cuts, quantum.size], strict=True):
            if begin < end:
                yield self._start + (int(quantum[begin]) + 1) * QUANTUM_NS, self._events(begin, end)

    def _events(self, begin: int, end: int) -> list[TapeEvent]:
        at = self._order[begin:end]
        columns = (column[at].tolist() for column in self._columns)
        times = (self._offset[begin:end] + self._start).tolist()
        made = zip(self._is_trade[begin:end].tolist(), times, *columns, strict=True)
        symbols = self._symbols
        return [
            self._trade(cell, t_ns, a, b, c, d)
            if is_trade
            else Quote(symbols[cell], t_ns, a / 100, b * 100.0, c / 100, d * 100.0)
            for is_trade, t_ns, cell, a, b, c, d in made
        ]

    def _trade(self, cell: int, t_ns: int, cents: int, size: int, number: int, code: int) -> Trade:
        tape, kind, place = self._tapes[cell], code >> 4, code & 15
        exchange = self._homes[cell] if place == 8 else _EXCHANGES[place]
        conditions = self._conditions[tape][kind]
        return Trade(self._symbols[cell], t_ns, cents / 100, float(size), number, exchange, conditions, tape)


def _conditions(tape: str, regular: bool) -> tuple[tuple[str, ...], ...]:
    """Return the sale conditions by kind of print: REGULAR, ODD, OPENING, CLOSING."""
    base = (_REGULAR_SALE[tape],) if regular else (_REGULAR_SALE[tape], "T")
    return (base, *((*base, _LETTER[kind]) for kind in (ticks.ODD, ticks.OPENING, ticks.CLOSING)))


def _hours(day: date) -> SessionHours:
    session = hours(day)
    if session is None:
        raise ValueError(f"{day} is no session")
    return session


def _older_days(names: tuple[Listing, ...], newest: _Day, rng: np.random.Generator) -> list[list[Bar]]:
    """Walk back from the first drawn day: daily bars, oldest day first, one list of all symbols a day."""
    day = date.fromisoformat(newest.hours.day)
    after = newest.course.open[:, newest.course.opening] / 100
    move = np.array([DAILY_MOVE[x.kind] for x in names])
    usual = newest.course.volume[:, newest.course.regular].sum(axis=1)
    out: list[list[Bar]] = []
    for _ in range(HISTORY_DAYS - 1):
        day = previous_session(day)
        noise = rng.standard_normal((5, len(names)))
        close = np.maximum(after * np.exp(-0.4 * move * noise[0]), 0.5)
        open_ = np.maximum(close * np.exp(-move * noise[1]), 0.5)
        high = np.maximum(open_, close) * (1 + 0.4 * move * np.abs(noise[2]))
        low = np.minimum(open_, close) * (1 - 0.4 * move * np.abs(noise[3]))
        volume = np.rint(usual * np.exp(0.3 * noise[4]) / 100) * 100
        prices = (np.rint(100 * x) / 100 for x in (open_, high, low, close))
        rows = zip(names, *(x.tolist() for x in (*prices, volume)), strict=True)
        start = midnight_ns(day)
        out.append([Bar(x.symbol, start, o, h, low, c, v, span_ns=DAY_NS) for x, o, h, low, c, v in rows])
        after = open_
    return out[::-1]
