"""stock_ohlc: daily bars that miners gathered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from liu_tui.model.market import DAY_NS, Bar
from liu_tui.store.db import Database

_COLUMNS = "symbol, t_ns, open, high, low, close, volume, vwap, count"
_SAVE = f"""
    INSERT INTO stock_ohlc ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (symbol, t_ns) DO UPDATE SET
        open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
        volume = excluded.volume, vwap = excluded.vwap, count = excluded.count
"""  # noqa: S608 - names of ours only
_LOAD = f"""
    SELECT {_COLUMNS} FROM stock_ohlc WHERE symbol = ? AND t_ns >= ? AND t_ns < ? ORDER BY t_ns
"""  # noqa: S608 - names of ours only
_ALL = 1 << 62


class StockOhlc:
    """Daily bars by symbol and the start of the day."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def save(self, bars: Iterable[Bar]) -> int:
        """Keep daily bars, in place of those of the same symbol and start; returns how many.

        Raises ValueError for a bar that is not of a day.
        """
        return await self._db.write(_SAVE, (_row(bar) for bar in bars))

    async def load(self, symbol: str, start_ns: int = 0, end_ns: int = _ALL) -> list[Bar]:
        """Return the bars that start at or after start_ns and before end_ns, oldest first."""
        rows = await self._db.rows(_LOAD, (symbol, start_ns, end_ns))
        return [_bar(*row) for row in rows]


def _bar(
    symbol: str,
    t_ns: int,
    open_: float,
    high: float,
    low: float,
    close: float,
    volume: float,
    vwap: float,
    count: int,
) -> Bar:
    return Bar(symbol, t_ns, open_, high, low, close, volume, vwap, count, DAY_NS)


def _row(bar: Bar) -> tuple[Any, ...]:
    if bar.span_ns != DAY_NS:
        raise ValueError(f"stock_ohlc keeps daily bars; {bar.symbol} was one of {bar.span_ns} ns")
    return (bar.symbol, bar.t_ns, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.count)
