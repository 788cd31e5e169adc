"""optimizer_run: which parameters each batch of a parameter search had, and how it scored."""

from __future__ import annotations

import msgspec

from liu_tui.store.db import Database
from liu_tui.store.table import Table


class OptimizerRun(msgspec.Struct, frozen=True, kw_only=True):
    """One trial of one search. parameters: a JSON object; score: higher is better, None if it failed."""

    session_id: str
    batch_id: str
    parameters: str
    score: float | None
    t_ns: int


_TABLE = Table("optimizer_run", OptimizerRun, key=("session_id", "batch_id"), under=())


class OptimizerRuns:
    """The trials."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def save(self, run: OptimizerRun) -> None:
        """Write a trial down, or its new score."""
        await self._db.write(_TABLE.upsert, [_TABLE.values(run)])

    async def load(self, session_id: str) -> list[OptimizerRun]:
        """Return the trials of one search, oldest first."""
        sql = f"{_TABLE.select} WHERE session_id = ? ORDER BY t_ns, batch_id"
        return [_TABLE.read(row) for row in await self._db.rows(sql, (session_id,))]
