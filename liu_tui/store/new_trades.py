"""new_trades: one row a fill (the ancestor's name). A fill is booked once; its row never changes."""

from __future__ import annotations

from collections.abc import Iterable

from liu_tui.model.orders import Fill
from liu_tui.store.db import Database, Row
from liu_tui.store.table import Table

_TABLE = Table("new_trades", Fill, key=("batch_id", "execution_id"))
INSERT_FILL = _TABLE.insert


def fill_rows(batch_id: str, fills: Iterable[Fill]) -> list[Row]:
    """Return the rows for INSERT_FILL."""
    return [_TABLE.values(fill, batch_id) for fill in fills]


class NewTrades:
    """The fills."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, batch_id: str, fills: Iterable[Fill]) -> int:
        """Book fills; one that is booked (by its execution_id) changes nothing. Returns how many were new."""
        return await self._db.write(INSERT_FILL, fill_rows(batch_id, fills))

    async def load(self, batch_id: str) -> list[Fill]:
        """Return the batch's fills in the order in which they were booked."""
        rows = await self._db.rows(f"{_TABLE.select} WHERE batch_id = ? ORDER BY trade_id", (batch_id,))
        return [_TABLE.read(row) for row in rows]
