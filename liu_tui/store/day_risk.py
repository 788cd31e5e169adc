"""day_risk: what a loss limit must not forget, a row for each batch of an account's day."""

from __future__ import annotations

from liu_tui.store.db import Database
from liu_tui.store.table import Table
from liu_tui.trading.dayrisk import DayRisk

_TABLE = Table("day_risk", DayRisk, key=("account_id", "day", "batch_id"), under=())


class DayRisks:
    """The accounts' days."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, day: DayRisk) -> None:
        """Write down how one batch's part in an account's day stands now."""
        await self._db.write(_TABLE.upsert, [_TABLE.values(day)])

    async def load(self, account_id: str, day: str, batch_id: str) -> list[DayRisk]:
        """Return every batch's row of the account's day, and the batch's own of days before, oldest first."""
        sql = f"{_TABLE.select} WHERE account_id = ? AND (day = ? OR batch_id = ?) ORDER BY day, batch_id"
        return [_TABLE.read(row) for row in await self._db.rows(sql, (account_id, day, batch_id))]
