"""differences: where the books and the broker did not agree, and what was decided about it."""

from __future__ import annotations

from liu_tui.store.db import Database
from liu_tui.store.table import Table
from liu_tui.trading.effects import Differs

_TABLE = Table("differences", Differs, key=("batch_id", "symbol", "since_ns"))


class Differences:
    """One row a difference, for good; it is over when ended_ns is set."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, batch_id: str, difference: Differs) -> None:
        """Keep a difference as it stands now. Again changes nothing."""
        await self._db.write(_TABLE.upsert, [_TABLE.values(difference, batch_id)])

    async def load(self, batch_id: str) -> list[Differs]:
        """Return those that stand, oldest first."""
        sql = f"{_TABLE.select} WHERE batch_id = ? AND ended_ns = 0 ORDER BY since_ns, symbol"
        return [_TABLE.read(row) for row in await self._db.rows(sql, (batch_id,))]

    async def all(self, batch_id: str) -> list[Differs]:
        """Return every one the batch has had, oldest first."""
        sql = f"{_TABLE.select} WHERE batch_id = ? ORDER BY since_ns, symbol"
        return [_TABLE.read(row) for row in await self._db.rows(sql, (batch_id,))]
