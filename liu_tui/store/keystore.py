"""keystore: words that a strategy keeps across sessions. One name space per strategy."""

from __future__ import annotations

from collections.abc import Mapping

from liu_tui.model.clock import wall_ns
from liu_tui.store.db import Database

_SET = """
    INSERT INTO keystore (strategy, key, value, updated_ns) VALUES (?, ?, ?, ?)
    ON CONFLICT (strategy, key) DO UPDATE SET value = excluded.value, updated_ns = excluded.updated_ns
"""


class Keystore:
    """Key and value, by strategy."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def load(self, strategy: str) -> dict[str, str]:
        """Return all that a strategy has kept, sorted by key."""
        sql = "SELECT key, value FROM keystore WHERE strategy = ? ORDER BY key"
        return dict(await self._db.rows(sql, (strategy,)))

    async def set(self, strategy: str, values: Mapping[str, str]) -> None:
        """Keep these values; other keys stay."""
        at_ns = wall_ns()
        await self._db.write(_SET, ((strategy, key, value, at_ns) for key, value in values.items()))
