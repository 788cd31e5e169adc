"""algo_run: one row each time that a strategy begins in a consumer."""

from __future__ import annotations

import msgspec

from liu_tui.store.db import Database
from liu_tui.store.table import Table


class AlgoRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one strategy in one consumer: from its start or restart to its end.

    environment: PAPER, BACKTEST or PROD; parameters: a JSON object of the plan's keys for it
    start_ns, end_ns: by this machine's clock; end_ns None while it runs
    """

    run_id: int
    batch_id: str
    strategy: str
    consumer: str
    environment: str
    start_ns: int
    end_ns: int | None
    end_reason: str
    code_version: str
    parameters: str


_TABLE = Table("algo_run", AlgoRun, key=("run_id",), under=())
_BEGIN = """
    INSERT INTO algo_run
        (batch_id, strategy, consumer, environment, start_ns, end_reason, code_version, parameters)
    VALUES (?, ?, ?, ?, ?, '', ?, ?)
    ON CONFLICT (batch_id, strategy, consumer, start_ns) DO UPDATE SET code_version = excluded.code_version
    RETURNING run_id
"""
_END = "UPDATE algo_run SET end_ns = ?, end_reason = ? WHERE run_id = ? AND end_ns IS NULL"
_END_ALL = """
    UPDATE algo_run SET end_ns = ?1, end_reason = ?2
    WHERE batch_id = ?3 AND end_ns IS NULL AND ?4 IN ('', consumer)
"""


class AlgoRuns:
    """Who ran, where, and why it ended."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def begin(
        self,
        batch_id: str,
        strategy: str,
        consumer: str,
        environment: str,
        start_ns: int,
        *,
        code_version: str = "",
        parameters: str = "{}",
    ) -> int:
        """Write the start of a run down; returns its run_id, the same one if it was written before."""
        row = (batch_id, strategy, consumer, environment, start_ns, code_version, parameters)
        async with self._db.transaction() as tx:
            ((run_id,),) = await tx.execute_fetchall(_BEGIN, row)
        return int(run_id)

    async def end(self, run_id: int, end_ns: int, reason: str) -> None:
        """End one run; one that has ended keeps its first end."""
        await self._db.write(_END, [(end_ns, reason, run_id)])

    async def end_all(self, batch_id: str, end_ns: int, reason: str, *, consumer: str = "") -> int:
        """End the runs of the batch that are still open (of one consumer, if named); returns how many."""
        return await self._db.write(_END_ALL, [(end_ns, reason, batch_id, consumer)])

    async def load(self, batch_id: str) -> list[AlgoRun]:
        """Return the batch's runs in the order of their beginning."""
        rows = await self._db.rows(f"{_TABLE.select} WHERE batch_id = ? ORDER BY run_id", (batch_id,))
        return [_TABLE.read(row) for row in rows]
