"""vetoes: symbols that may not be traded in this batch."""

from __future__ import annotations

import msgspec

from liu_tui.store.db import Database
from liu_tui.store.table import Table


class Veto(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol that may not be traded. strategy: whom it binds, "" for all; by: who said so."""

    symbol: str
    strategy: str
    by: str
    reason: str
    since_ns: int


_TABLE = Table("vetoes", Veto, key=("batch_id", "symbol", "strategy"))
_CLEAR = "DELETE FROM vetoes WHERE batch_id = ? AND symbol = ? AND strategy = ?"


class Vetoes:
    """The vetoes in force."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def set(self, batch_id: str, veto: Veto) -> None:
        """Put a veto in force; the first one for the same symbol and strategy stays as it was."""
        await self._db.write(_TABLE.insert, [_TABLE.values(veto, batch_id)])

    async def clear(self, batch_id: str, symbol: str, strategy: str = "") -> bool:
        """Lift a veto; returns whether there was one."""
        return bool(await self._db.write(_CLEAR, [(batch_id, symbol, strategy)]))

    async def load(self, batch_id: str) -> list[Veto]:
        """Return the vetoes in force, oldest first."""
        sql = f"{_TABLE.select} WHERE batch_id = ? ORDER BY since_ns, symbol, strategy"
        return [_TABLE.read(row) for row in await self._db.rows(sql, (batch_id,))]
