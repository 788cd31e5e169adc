"""trending_tickers: what the scanners picked, and why."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from liu_tui.scanner import Hit
from liu_tui.store.db import Database
from liu_tui.store.table import Table


class TrendingTicker(msgspec.Struct, frozen=True, kw_only=True):
    """One pick. strategy: the only one to get it, "" for all; values: a JSON object of what made it a hit."""

    symbol: str
    scanner: str
    strategy: str
    t_ns: int
    values: str

    def hit(self) -> Hit:
        """Return it as the scanner said it."""
        return Hit(self.symbol, msgspec.json.decode(self.values, type=dict[str, float]))


_TABLE = Table("trending_tickers", TrendingTicker, key=("batch_id", "scanner", "symbol", "t_ns"))


class TrendingTickers:
    """The scanners' picks."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(
        self, batch_id: str, scanner: str, t_ns: int, hits: Iterable[Hit], *, strategy: str = ""
    ) -> int:
        """Write down what one run of a scanner picked at session time t_ns; returns how many were new."""
        picks = (
            TrendingTicker(
                symbol=hit.symbol,
                scanner=scanner,
                strategy=strategy,
                t_ns=t_ns,
                values=msgspec.json.encode(hit.values).decode(),
            )
            for hit in hits
        )
        return await self._db.write(_TABLE.insert, (_TABLE.values(pick, batch_id) for pick in picks))

    async def load(self, batch_id: str) -> list[TrendingTicker]:
        """Return the batch's picks, oldest first."""
        sql = f"{_TABLE.select} WHERE batch_id = ? ORDER BY t_ns, rowid"
        return [_TABLE.read(row) for row in await self._db.rows(sql, (batch_id,))]
