"""trade_analysis: the round trips, with R, MAE and MFE. Made anew by every analysis of the batch."""

from __future__ import annotations

from collections.abc import Iterable

from liu_tui.model.books import Trip
from liu_tui.store.db import Database
from liu_tui.store.table import Table

_TABLE = Table("trade_analysis", Trip, key=("batch_id", "strategy", "symbol", "n"))


class TradeAnalysis:
    """The round trips of a batch."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def save(self, batch_id: str, trips: Iterable[Trip]) -> None:
        """Replace what the batch had."""
        async with self._db.transaction() as tx:
            await tx.execute("DELETE FROM trade_analysis WHERE batch_id = ?", (batch_id,))
            await tx.executemany(_TABLE.insert, [_TABLE.values(trip, batch_id) for trip in trips])

    async def load(self, batch_id: str) -> list[Trip]:
        """Return the batch's trips in the order in which they ended."""
        sql = f"{_TABLE.select} WHERE batch_id = ? ORDER BY end_ns, strategy, symbol, n"
        return [_TABLE.read(row) for row in await self._db.rows(sql, (batch_id,))]
