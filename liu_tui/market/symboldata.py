"""SymbolData: the bars of one symbol as a loader gives them, read like a data frame.

A key is a position (any integer, negative ones from the end), a moment, or a slice of either:

    rows[-1]                      the last bar              rows.close[-1]                     its close
    rows["2026-01-05 09:30"]      the bar of that moment: the latest that had started by then
    rows["2026-01-05"]            that day's rows; of daily bars: that day's bar, or the last before it
    rows["2026-01-05":"2026-01-09"]   from the midnight of the 5th up to, and without, the midnight of the 9th
    rows[-20:], rows["2026-01-05":-1], rows[::-1]    Python's own rules, in any mixture

What is here never changes; the loader gives a new one when it knows more. Imports pandas for `.df` only.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import numpy as np
import numpy.typing as npt

from liu_tui.market.block import FIELDS, Block, Floats, Times, bars_of, frozen
from liu_tui.market.calendar import hours, ordinals_of
from liu_tui.market.moments import Moment, day_named, day_slice, positions, standing
from liu_tui.market.resample import resample, span_of
from liu_tui.model.market import DAY_NS, Bar

if TYPE_CHECKING:
    import pandas as pd


class SymbolData:
    """Bars of one symbol, oldest first: columns open, high, low, close, volume, vwap, count.

    t_ns:    (n,) UTC nanoseconds of their starts
    span_ns: how long each is
    vwap:    0 where the vendor gives none, as in Bar
    """

    def __init__(self, symbol: str, block: Block, span_ns: int) -> None:
        self.symbol, self.span_ns = symbol, span_ns
        self._block = block
        columns = (TimeColumn(name, block.t_ns, row, span_ns) for name, row in _rows(block))
        self.open, self.high, self.low, self.close, self.volume, self.vwap, self.count = columns

    @property
    def t_ns(self) -> Times:
        """The starts of the bars; read-only."""
        return self._block.t_ns

    def __len__(self) -> int:
        return len(self._block)

    def __iter__(self) -> Iterator[Bar]:
        return iter(bars_of(self.symbol, self._block, self.span_ns))

    @overload
    def __getitem__(self, key: SupportsIndex) -> Bar: ...
    @overload
    def __getitem__(self, key: slice) -> SymbolData: ...
    @overload
    def __getitem__(self, key: Moment) -> Any: ...
    def __getitem__(self, key: SupportsIndex | Moment | slice) -> Bar | SymbolData:
        """Return the Bar of a position or moment; the rows of a slice, or of a day where bars are shorter.

        Raises IndexError for a position that is not there, KeyError for a moment before all rows.
        """
        found = _find(self.t_ns, key, self.span_ns)
        if isinstance(found, slice):
            return SymbolData(self.symbol, self._block[found], self.span_ns)
        at = range(len(self))[found]
        return bars_of(self.symbol, self._block[at : at + 1], self.span_ns)[0]

    @property
    def regular(self) -> SymbolData:
        """The rows of regular trading hours only; of daily bars all."""
        if self.span_ns >= DAY_NS:
            return self
        inside = _regular(self.t_ns)
        block = frozen(self.t_ns[inside], self._block.values[:, inside])
        return SymbolData(self.symbol, block, self.span_ns)

    def resample(self, rule: str) -> SymbolData:
        """Return longer bars: "5min", "15min", "1h", "1d", "1w"; see `liu_tui.market.resample`.

        A day takes all rows of its date; `rows.regular.resample("1d")` is the exchange's day. The last bar
        holds what is there: it may still be forming. Raises ValueError for a rule that cannot be had.
        """
        span_ns = span_of(rule, self.span_ns)
        return SymbolData(self.symbol, resample(self._block, span_ns), span_ns)

    @property
    def df(self) -> pd.DataFrame:
        """The bars as a data frame of float64 columns, indexed by their starts in New York time.

        The values are not copied, neither here nor when it is asked for again; pandas copies them when you
        write into the frame, which is yours alone.
        """
        return self._frame.copy(deep=False)

    @cached_property
    def _frame(self) -> pd.DataFrame:
        import pandas as pd

        stamps = pd.DatetimeIndex(self.t_ns.view("datetime64[ns]"), name="timestamp")
        index = stamps.tz_localize("UTC").tz_convert("America/New_York")
        # The block's own memory: pandas keeps columns as rows of one array, as the block does.
        return pd.DataFrame(self._block.values.T, index=index, columns=list(FIELDS), copy=False)

    def __repr__(self) -> str:
        return f"<SymbolData {self.symbol}: {len(self)} bars>"


class TimeColumn:
    """One field of the bars. Keys are those of SymbolData; a bar's value is a float, rows are an array."""

    __slots__ = ("_span_ns", "_t_ns", "_values", "name")

    def __init__(self, name: str, t_ns: Times, values: Floats, span_ns: int) -> None:
        self.name = name
        self._t_ns, self._values, self._span_ns = t_ns, values, span_ns

    def __len__(self) -> int:
        return self._values.size

    def __iter__(self) -> Iterator[float]:
        return iter(self._values.tolist())

    def __getitem__(self, key: SupportsIndex | Moment | slice) -> Any:
        """Return a float; for a slice, or a day where bars are shorter, a read-only array of them.

        Raises IndexError for a position that is not there, KeyError for a moment before all rows.
        """
        found = _find(self._t_ns, key, self._span_ns)
        return self._values[found] if isinstance(found, slice) else float(self._values[found])

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self._values.astype(dtype, copy=bool(copy)) if dtype is not None or copy else self._values

    def __repr__(self) -> str:
        return f"<TimeColumn {self.name} of {len(self)}: {self._values[-3:].tolist()}>"


def _rows(block: Block) -> Iterator[tuple[str, Floats]]:
    return zip(FIELDS, block.values, strict=True)


def _find(t_ns: Times, key: SupportsIndex | Moment | slice, span_ns: int) -> int | slice:
    if isinstance(key, slice):
        return positions(t_ns, key)
    if isinstance(key, SupportsIndex):
        return operator.index(key)
    day = day_named(key) if span_ns < DAY_NS else None
    return standing(t_ns, key) if day is None else day_slice(t_ns, day)


def _regular(t_ns: Times) -> npt.NDArray[np.bool_]:
    days, which = np.unique(ordinals_of(t_ns), return_inverse=True)
    sessions = [hours(date.fromordinal(n)) for n in days.tolist()]
    opens = np.array([s.open_ns if s is not None else 0 for s in sessions], np.int64)
    closes = np.array([s.close_ns if s is not None else 0 for s in sessions], np.int64)
    inside: npt.NDArray[np.bool_] = (opens[which] <= t_ns) & (t_ns < closes[which])
    return inside
