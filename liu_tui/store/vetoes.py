"""vetoes: symbols that may not be traded in a batch, or for good: then in every later one too."""

from __future__ import annotations

import msgspec

from liu_tui.store.db import Database
from liu_tui.store.table import Table


class Veto(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol that may not be traded.

    strategy: whom it binds, "" for all; by: who said so
    since_ns: wall time at which it was said; until_ns: session time at which it ends, 0 for good
    """

    symbol: str
    strategy: str
    by: str
    reason: str
    since_ns: int
    until_ns: int = 0


_TABLE = Table("vetoes", Veto, key=("batch_id", "symbol", "strategy"))
# What stands for good stands in whichever batch it was said.
_IN_FORCE = "(batch_id = ? OR until_ns = 0)"
_CLEAR = f"DELETE FROM vetoes WHERE {_IN_FORCE} AND symbol = ? AND strategy = ?"  # noqa: S608 - words of ours


class Vetoes:
    """The vetoes in force."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def set(self, batch_id: str, veto: Veto) -> None:
        """Put a veto in force, in place of the batch's own for the same symbol and strategy."""
        await self._db.write(_TABLE.upsert, [_TABLE.values(veto, batch_id)])

    async def clear(self, batch_id: str, symbol: str, strategy: str = "") -> bool:
        """Lift a veto: the batch's own, and those for good of every batch; returns whether there was one."""
        return bool(await self._db.write(_CLEAR, [(batch_id, symbol, strategy)]))

    async def load(self, batch_id: str) -> list[Veto]:
        """Return the batch's vetoes and those for good of every batch, oldest first.

        One for each symbol and strategy: what is for good stands before what ends. Whether one that ends has
        ended is the caller's affair: this room knows no session time.
        """
        sql = f"{_TABLE.select} WHERE {_IN_FORCE} ORDER BY until_ns <> 0, since_ns, symbol, strategy"
        found: dict[tuple[str, str], Veto] = {}
        for row in await self._db.rows(sql, (batch_id,)):
            veto = _TABLE.read(row)
            found.setdefault((veto.symbol, veto.strategy), veto)
        return sorted(found.values(), key=lambda veto: (veto.since_ns, veto.symbol, veto.strategy))
