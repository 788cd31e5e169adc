"""gain_loss: what each strategy earned in each symbol. Made anew by every analysis of the batch."""

from __future__ import annotations

from collections.abc import Iterable

from liu_tui.model.books import GainLoss
from liu_tui.store.db import Database
from liu_tui.store.table import Table

_TABLE = Table("gain_loss", GainLoss, key=("batch_id", "strategy", "symbol"))


class GainLosses:
    """Gain and loss by strategy and symbol."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def save(self, batch_id: str, rows: Iterable[GainLoss]) -> None:
        """Replace what the batch had."""
        async with self._db.transaction() as tx:
            await tx.execute("DELETE FROM gain_loss WHERE batch_id = ?", (batch_id,))
            await tx.executemany(_TABLE.insert, [_TABLE.values(row, batch_id) for row in rows])

    async def load(self, batch_id: str) -> list[GainLoss]:
        """Return the batch's rows, sorted by strategy and symbol."""
        sql = f"{_TABLE.select} WHERE batch_id = ? ORDER BY strategy, symbol"
        return [_TABLE.read(row) for row in await self._db.rows(sql, (batch_id,))]
