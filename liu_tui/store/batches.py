"""batches: one row a session or backtest."""

from __future__ import annotations

from liu_tui.errors import StoreError
from liu_tui.model.books import Batch
from liu_tui.store.db import Database
from liu_tui.store.table import Table

_TABLE = Table("batches", Batch, key=("batch_id",), under=())
_REOPEN = " ON CONFLICT (batch_id) DO UPDATE SET end_ns = NULL, end_reason = ''"
_BEGIN = _TABLE.insert.removesuffix(' ON CONFLICT ("batch_id") DO NOTHING') + _REOPEN
_END = "UPDATE batches SET end_ns = ?, end_reason = ? WHERE batch_id = ?"
_SET_STATE = "UPDATE batches SET state = ?, state_by = ?, state_reason = ?, state_ns = ? WHERE batch_id = ?"
_SET_DAY = "UPDATE batches SET day = ? WHERE batch_id = ?"
_SET_ACCOUNT = "UPDATE batches SET account_id = ? WHERE batch_id = ?"


class Batches:
    """The sessions and backtests."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def begin(self, batch: Batch) -> None:
        """Write a batch down; one that is there goes on: its end is taken back, all else stays."""
        await self._db.write(_BEGIN, [_TABLE.values(batch)])

    async def end(self, batch_id: str, end_ns: int, reason: str) -> None:
        """Say when and why the batch ended. Raises StoreError if there is no such batch."""
        await self._change(_END, batch_id, end_ns, reason)

    async def set_state(self, batch_id: str, state: str, by: str, reason: str, t_ns: int) -> None:
        """Keep the trading state: ACTIVE, REDUCING or HALTED. Raises StoreError if there is no such batch."""
        await self._change(_SET_STATE, batch_id, state, by, reason, t_ns)

    async def set_day(self, batch_id: str, day: str) -> None:
        """Say which trading day it is, once the venue has told. Raises StoreError if there is no batch."""
        await self._change(_SET_DAY, batch_id, day)

    async def set_account(self, batch_id: str, account_id: str) -> None:
        """Say which account it trades, once the broker has told. Raises StoreError if there is no batch."""
        await self._change(_SET_ACCOUNT, batch_id, account_id)

    async def get(self, batch_id: str) -> Batch | None:
        """Return the batch of this id, None if there is none."""
        return await self._one("WHERE batch_id = ?", batch_id)

    async def latest(self, plan: str) -> Batch | None:
        """Return the newest session of this plan file (a backtest is no session), None if there was none."""
        where = "WHERE plan = ? AND environment <> 'BACKTEST' ORDER BY start_ns DESC, rowid DESC LIMIT 1"
        return await self._one(where, plan)

    async def list(self, limit: int = 50) -> list[Batch]:
        """Return the newest batches, newest first."""
        sql = f"{_TABLE.select} ORDER BY start_ns DESC, rowid DESC LIMIT ?"
        return [_TABLE.read(row) for row in await self._db.rows(sql, (limit,))]

    async def _one(self, where: str, word: str) -> Batch | None:
        rows = await self._db.rows(f"{_TABLE.select} {where}", (word,))
        return _TABLE.read(rows[0]) if rows else None

    async def _change(self, sql: str, batch_id: str, *values: str | int) -> None:
        if not await self._db.write(sql, [(*values, batch_id)]):
            raise StoreError(
                f"no batch {batch_id!r}", where=str(self._db.path), mend="See 'liu-tui batches'."
            )
