"""DataLoader: the past of any symbol, read like a data frame, over any vendor.

    loader = DataLoader(data)
    await loader.prefetch(["AAPL"], "2026-01-05", "2026-01-09")
    loader["AAPL"].close[-1]
    loader["AAPL"].high["2026-01-05 09:30":"2026-01-05 10:00"].max()
    loader["AAPL"]["2026-01-06":"2026-01-07"].df

Reading never goes to the network: only prefetch does. Times are New York's, a span is closed left and open
right as any slice, and a moment stands for the bar that was the latest to have started by then.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import numpy.typing as npt

from liu_tui.errors import DataMissing
from liu_tui.market.calendar import midnight_ns, to_ns
from liu_tui.market.history import DataAPI
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar

if TYPE_CHECKING:
    import pandas as pd

Moment = str | date | datetime
"""ISO "2026-01-05" or "2026-01-05 09:30", a date (its midnight), a datetime; naive ones are New York time."""

_FIELDS: Final = ("open", "high", "low", "close", "volume", "vwap", "count")


class TimeScale(IntEnum):
    """How long a loader's bars are, in nanoseconds."""

    MINUTE = MINUTE_NS
    DAY = DAY_NS


class DataLoader:
    """Bars of one scale, by symbol. Each prefetch adds to what is there."""

    def __init__(self, data: DataAPI, *, scale: TimeScale = TimeScale.MINUTE) -> None:
        self._data = data
        self._scale = scale
        self._bars: dict[str, dict[int, Bar]] = {}
        self._symbols: dict[str, SymbolData] = {}

    async def prefetch(self, symbols: Iterable[str], start: Moment, end: Moment) -> None:
        """Fetch the bars that start in a span: closed left, open right. Raises FeedError."""
        start_ns, end_ns = moment_ns(start), moment_ns(end)
        span = int(self._scale)
        # The port counts by a bar's end, this span by its start: the last bar may end after `end`.
        fetched = await self._data.bars(symbols, start_ns, end_ns + span - 1, span_ns=span)
        for symbol, bars in fetched.items():
            known = self._bars.setdefault(symbol, {})
            known.update((bar.t_ns, bar) for bar in bars)
            self._symbols[symbol] = SymbolData.of(symbol, [known[t_ns] for t_ns in sorted(known)])

    def __getitem__(self, symbol: str) -> SymbolData:
        try:
            return self._symbols[symbol]
        except KeyError:
            raise DataMissing(
                f"{symbol} was not fetched",
                where="DataLoader",
                mend=f"First: await loader.prefetch([{symbol!r}], start, end).",
            ) from None

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._symbols


class SymbolData:
    """Bars of one symbol, oldest first: columns open, high, low, close, volume, vwap, count."""

    def __init__(
        self, symbol: str, t_ns: npt.NDArray[np.int64], columns: dict[str, npt.NDArray[np.float64]]
    ) -> None:
        self.symbol = symbol
        self.t_ns = t_ns
        self._columns = columns
        self.open, self.high, self.low, self.close, self.volume, self.vwap, self.count = (
            TimeColumn(t_ns, columns[name]) for name in _FIELDS
        )

    @classmethod
    def of(cls, symbol: str, bars: list[Bar]) -> Self:
        """Make columns of bars that are in time order."""
        t_ns = np.array([bar.t_ns for bar in bars], np.int64)
        return cls(
            symbol, t_ns, {f: np.array([getattr(bar, f) for bar in bars], np.float64) for f in _FIELDS}
        )

    def __len__(self) -> int:
        return self.t_ns.size

    def __getitem__(self, key: slice) -> SymbolData:
        """Return the bars of a slice of positions or moments; an empty one if none lie in it."""
        part = _positions(self.t_ns, key)
        return SymbolData(self.symbol, self.t_ns[part], {f: c[part] for f, c in self._columns.items()})

    @property
    def df(self) -> pd.DataFrame:
        """The bars as a data frame of float64 columns, indexed by start in New York time. Imports pandas."""
        import pandas as pd

        index = pd.DatetimeIndex(pd.to_datetime(self.t_ns, utc=True), name="timestamp")
        return pd.DataFrame(self._columns, index=index.tz_convert("America/New_York"))

    def __repr__(self) -> str:
        return f"<SymbolData {self.symbol}: {len(self)} bars>"


class TimeColumn:
    """One column. Indices are positions or moments; a moment before all rows raises KeyError."""

    def __init__(self, t_ns: npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> None:
        self._t_ns = t_ns
        self._values = values

    def __len__(self) -> int:
        return self._values.size

    def __getitem__(self, key: int | Moment | slice) -> Any:
        """Return a float, or for a slice an array of them."""
        if isinstance(key, slice):
            return self._values[_positions(self._t_ns, key)]
        if isinstance(key, int | np.integer):
            return float(self._values[key])
        at = int(np.searchsorted(self._t_ns, moment_ns(key), side="right")) - 1
        if at < 0:
            raise KeyError(f"{key} lies before the first bar")
        return float(self._values[at])

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self._values.astype(dtype, copy=bool(copy)) if dtype is not None or copy else self._values

    def __repr__(self) -> str:
        return f"<TimeColumn of {len(self)}: {self._values[-3:].tolist()}>"


def moment_ns(moment: Moment) -> int:
    """Return UTC nanoseconds of a moment in New York. Raises ValueError if a string is no date."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return to_ns(moment) if isinstance(moment, datetime) else midnight_ns(moment)


def _positions(t_ns: npt.NDArray[np.int64], key: slice) -> slice:
    start, stop = (_position(t_ns, edge) for edge in (key.start, key.stop))
    return slice(start, stop, key.step)


def _position(t_ns: npt.NDArray[np.int64], edge: int | Moment | None) -> int | None:
    if edge is None or isinstance(edge, int | np.integer):
        return edge
    return int(np.searchsorted(t_ns, moment_ns(edge)))
