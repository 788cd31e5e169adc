"""session_events: the session's log, as the log pane and the digest show it."""

from __future__ import annotations

from collections.abc import Iterable

from liu_tui.model.books import SessionEvent
from liu_tui.store.db import Database
from liu_tui.store.table import Table

_TABLE = Table("session_events", SessionEvent, key=("batch_id", "n"))
_ALL = 1 << 62


class SessionEvents:
    """The log lines of a batch, numbered from 1."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, batch_id: str, events: Iterable[SessionEvent]) -> int:
        """Write lines down; one whose number is taken changes nothing. Returns how many were new."""
        return await self._db.write(_TABLE.insert, (_TABLE.values(event, batch_id) for event in events))

    async def load(self, batch_id: str, after: int = 0, limit: int = _ALL) -> list[SessionEvent]:
        """Return the lines numbered above `after`, oldest first, at most `limit`."""
        sql = f"{_TABLE.select} WHERE batch_id = ? AND n > ? ORDER BY n LIMIT ?"
        return [_TABLE.read(row) for row in await self._db.rows(sql, (batch_id, after, limit))]

    async def last(self, batch_id: str) -> int:
        """Return the number of the newest line, 0 if there is none: where a resumed session goes on."""
        ((n,),) = await self._db.rows(
            "SELECT coalesce(max(n), 0) FROM session_events WHERE batch_id = ?", (batch_id,)
        )
        return int(n)
