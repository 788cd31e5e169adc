"""portfolio and portfolio_batch_ids: batches that belong together, and the money set aside for them."""

from __future__ import annotations

import msgspec

from liu_tui.store.db import Database
from liu_tui.store.table import Table


class Portfolio(msgspec.Struct, frozen=True, kw_only=True):
    """One portfolio. size: dollars at its start; parameters: a JSON object; account_id: None if none."""

    portfolio_id: str
    size: float
    created_ns: int
    account_id: str | None = None
    parameters: str = "{}"


_TABLE = Table("portfolio", Portfolio, key=("portfolio_id",), under=())
_JOIN = "INSERT INTO portfolio_batch_ids (portfolio_id, batch_id) VALUES (?, ?) ON CONFLICT DO NOTHING"


class Portfolios:
    """The portfolios and their batches."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def save(self, portfolio: Portfolio) -> None:
        """Write a portfolio down, or its new values."""
        await self._db.write(_TABLE.upsert, [_TABLE.values(portfolio)])

    async def get(self, portfolio_id: str) -> Portfolio | None:
        """Return the portfolio, None if there is none."""
        rows = await self._db.rows(f"{_TABLE.select} WHERE portfolio_id = ?", (portfolio_id,))
        return _TABLE.read(rows[0]) if rows else None

    async def join(self, portfolio_id: str, batch_id: str) -> None:
        """Say that a batch belongs to it. May be said twice."""
        await self._db.write(_JOIN, [(portfolio_id, batch_id)])

    async def batch_ids(self, portfolio_id: str) -> list[str]:
        """Return the portfolio's batches, oldest first."""
        sql = """
            SELECT batch_id FROM portfolio_batch_ids JOIN batches USING (batch_id)
            WHERE portfolio_id = ? ORDER BY start_ns, batch_id
        """
        return [row[0] for row in await self._db.rows(sql, (portfolio_id,))]
