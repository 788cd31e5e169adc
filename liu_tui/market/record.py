"""One symbol's recorded market data: the columns of its files, and events made of any part of them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from liu_tui.market.bars import minute_bars
from liu_tui.market.calendar import hours, midnight_ns, ordinals_of
from liu_tui.market.csvread import Rows
from liu_tui.market.nbbo import best
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar, Quote, Trade

Column = npt.NDArray[Any]
Columns = dict[str, Column]

_BAR_FIELDS: Final = ("t_ns", "open", "high", "low", "close", "volume", "vwap", "trade_count")
_NO_BARS: Final[Columns] = {field: np.array([]) for field in _BAR_FIELDS} | {"t_ns": np.array([], np.int64)}


class Record:
    """What was recorded of one symbol. Where there are trades, the day's minute bars are made of them."""

    def __init__(self, symbol: str, rows: Iterable[Rows]) -> None:
        self.symbol = symbol
        by_kind: dict[str, list[Columns]] = defaultdict(list)
        for part in rows:
            by_kind[part.kind].append(part.columns)
        self._trades = _merged(by_kind["trades"], unique=False)
        self._quotes = _consolidated(_merged(by_kind["quotes"], unique=False))
        self._recorded = _merged([_full(part) for part in by_kind["bars"]], unique=True) or _NO_BARS
        self._daily = _merged([_full(part) for part in by_kind["daily"]], unique=True) or _NO_BARS

    @cached_property
    def days(self) -> frozenset[int]:
        """The days with minutes, trades or quotes, as date ordinals."""
        return self._days_of(self._recorded) | self.trade_days | self.quote_days

    @cached_property
    def whole_minutes(self) -> bool:
        """Say whether every recorded minute bar begins with a minute."""
        return not (self._recorded["t_ns"] % MINUTE_NS).any()

    @cached_property
    def trade_days(self) -> frozenset[int]:
        """The days whose trades were recorded."""
        return self._days_of(self._trades)

    @cached_property
    def quote_days(self) -> frozenset[int]:
        """The days whose quotes were recorded."""
        return self._days_of(self._quotes)

    def tick_minutes(self, start_ns: int, end_ns: int) -> set[int]:
        """Return the starts of the minutes in which trades or quotes were recorded."""
        minutes: set[int] = set()
        for columns in (self._trades, self._quotes):
            if columns:
                t_ns = columns["t_ns"][_between(columns, start_ns, end_ns)]
                minutes |= set((np.unique(t_ns // MINUTE_NS) * MINUTE_NS).tolist())
        return minutes

    def trades(self, start_ns: int, end_ns: int) -> list[Trade]:
        """Return the recorded trades of a span, closed left and open right. id: the row's number."""
        columns = self._trades
        if not columns:
            return []
        part = _between(columns, start_ns, end_ns)
        size = part.stop - part.start
        exchange = columns["exchange"][part].tolist() if "exchange" in columns else [""] * size
        said = columns["conditions"][part].tolist() if "conditions" in columns else [""] * size
        numbers = range(part.start + 1, part.stop + 1)
        rows = zip(*(columns[f][part].tolist() for f in ("t_ns", "price", "size")), strict=True)
        return [
            Trade(self.symbol, t_ns, price, shares, number, place, _conditions(words))
            for (t_ns, price, shares), number, place, words in zip(rows, numbers, exchange, said, strict=True)
        ]

    def quotes(self, start_ns: int, end_ns: int) -> list[Quote]:
        """Return the recorded quotes of a span, closed left and open right."""
        if not self._quotes:
            return []
        part = _between(self._quotes, start_ns, end_ns)
        fields = ("t_ns", "bid", "bid_size", "ask", "ask_size")
        rows = zip(*(self._quotes[f][part].tolist() for f in fields), strict=True)
        return [Quote(self.symbol, *row) for row in rows]

    def minutes(self, start_ns: int, end_ns: int) -> list[Bar]:
        """Return the minute bars that start at or after start_ns and end at or before end_ns."""
        return self._bars(self._minutes, MINUTE_NS, start_ns, end_ns - MINUTE_NS + 1)

    def daily(self, start_ns: int, end_ns: int) -> list[Bar]:
        """Return the daily bars of such a span: those recorded, and those that the minutes add up to."""
        found = [bar for bar in self._made_daily if start_ns <= bar.t_ns and bar.end_ns <= end_ns]
        by_day = {bar.t_ns: bar for bar in found}
        by_day |= {bar.t_ns: bar for bar in self._bars(self._daily, DAY_NS, start_ns, end_ns - DAY_NS + 1)}
        return [by_day[t_ns] for t_ns in sorted(by_day)]

    @cached_property
    def _minutes(self) -> Columns:
        if not self._trades:
            return self._recorded
        kept = ~np.isin(ordinals_of(self._recorded["t_ns"]), list(self.trade_days))
        recorded = {name: column[kept] for name, column in self._recorded.items()}
        made = minute_bars(self.symbol, self.trades(0, int(self._trades["t_ns"][-1]) + 1))
        table = {f: np.array([getattr(bar, f) for bar in made]) for f in _BAR_FIELDS[:-1]}
        table["trade_count"] = np.array([bar.count for bar in made])
        return _merged([recorded, table], unique=True)

    @cached_property
    def _made_daily(self) -> list[Bar]:
        days = (date.fromordinal(n) for n in sorted(self._days_of(self._minutes)))
        return [bar for day in days if (bar := self._day(day)) is not None]

    def _day(self, day: date) -> Bar | None:
        session = hours(day)
        if session is None:
            return None
        part = _between(self._minutes, session.open_ns, session.close_ns)
        if part.start == part.stop:
            return None
        o, h, low, c, volume, vwap, count = (self._minutes[f][part] for f in _BAR_FIELDS[1:])
        total = volume.sum().item()
        notional = (volume * np.where(vwap > 0, vwap, (h + low + c) / 3)).sum().item()
        prices = (o[0].item(), h.max().item(), low.min().item(), c[-1].item())
        vwap_of_day = notional / total if total else 0.0
        return Bar(self.symbol, midnight_ns(day), *prices, total, vwap_of_day, int(count.sum()), DAY_NS)

    def _bars(self, columns: Columns, span_ns: int, start_ns: int, before_ns: int) -> list[Bar]:
        part = _between(columns, start_ns, before_ns)
        rows = zip(*(columns[f][part].tolist() for f in _BAR_FIELDS), strict=True)
        return [
            Bar(self.symbol, t_ns, o, h, low, c, volume, vwap, int(count), span_ns)
            for t_ns, o, h, low, c, volume, vwap, count in rows
        ]

    def _days_of(self, columns: Columns) -> frozenset[int]:
        return frozenset(np.unique(ordinals_of(columns["t_ns"])).tolist()) if columns else frozenset()


def _between(columns: Columns, start_ns: int, before_ns: int) -> slice:
    # Beyond 64 bits numpy would compare as floats.
    first, last = np.searchsorted(columns["t_ns"], [max(start_ns, 0), min(before_ns, 2**62)]).tolist()
    return slice(first, max(first, last))


def _full(columns: Columns) -> Columns:
    """Give bars the columns that their file need not have."""
    rows = columns["t_ns"].size
    return {field: columns.get(field, np.zeros(rows)) for field in _BAR_FIELDS}


def _merged(parts: list[Columns], *, unique: bool) -> Columns:
    """Join the rows of several files in time order; of bars with one stamp the last file's counts."""
    if not parts:
        return {}
    shared = [name for name in parts[0] if all(name in part for part in parts)]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in shared}
    order = np.argsort(joined["t_ns"], kind="stable")
    if unique and order.size:
        order = order[np.append(np.diff(joined["t_ns"][order]) > 0, True)]
    return {name: column[order] for name, column in joined.items()}


def _consolidated(quotes: Columns) -> Columns:
    """Quotes that name several exchanges are each exchange's own: make them the market's best."""
    if "exchange" in quotes and np.unique(quotes["exchange"]).size > 1:
        return best(quotes)
    return quotes


def _conditions(words: str) -> tuple[str, ...]:
    """Read "FTI" or "F;T;I" as three sale conditions."""
    for mark in ";|,":
        if mark in words:
            return tuple(word.strip() for word in words.split(mark) if word.strip())
    return tuple(words.replace(" ", ""))
