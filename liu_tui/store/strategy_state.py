"""strategy_state: what strategies declared must survive a restart or a reload."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from liu_tui.store.db import Database
from liu_tui.store.table import Table


class StrategyState(msgspec.Struct, frozen=True, kw_only=True):
    """Declared state of one strategy in one symbol ("" for run_all). state: a JSON object."""

    strategy: str
    symbol: str
    state: str
    updated_ns: int


_TABLE = Table("strategy_state", StrategyState, key=("batch_id", "strategy", "symbol"))


class StrategyStates:
    """The declared states of a batch."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def save(self, batch_id: str, states: Iterable[StrategyState]) -> None:
        """Keep these states in place of the ones before."""
        await self._db.write(_TABLE.upsert, (_TABLE.values(state, batch_id) for state in states))

    async def load(self, batch_id: str) -> list[StrategyState]:
        """Return the batch's states, sorted by strategy and symbol."""
        sql = f"{_TABLE.select} WHERE batch_id = ? ORDER BY strategy, symbol"
        return [_TABLE.read(row) for row in await self._db.rows(sql, (batch_id,))]
