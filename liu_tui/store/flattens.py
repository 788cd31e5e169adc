"""flattens: what was to be closed, by whom and why, and how it ended. The desk writes it."""

from __future__ import annotations

from liu_tui.store.db import Database
from liu_tui.store.table import Table
from liu_tui.trading.effects import Latched

_TABLE = Table("flattens", Latched, key=("batch_id", "symbol", "since_ns"))


class Flattens:
    """The flattens of each batch; those with ended_ns 0 are not done."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, batch_id: str, flatten: Latched) -> None:
        """Write a flatten down as it stands now."""
        await self._db.write(_TABLE.upsert, [_TABLE.values(flatten, batch_id)])

    async def load(self, batch_id: str) -> list[Latched]:
        """Return the batch's flattens, oldest first, ended ones too."""
        sql = f"{_TABLE.select} WHERE batch_id = ? ORDER BY since_ns, symbol"
        return [_TABLE.read(row) for row in await self._db.rows(sql, (batch_id,))]
