"""ticker_data: what miners found out about symbols."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from liu_tui.model.clock import wall_ns
from liu_tui.store.db import Database

Fact = str | float
_SAVE = """
    INSERT INTO ticker_data (symbol, facts, updated_ns) VALUES (?, ?, ?)
    ON CONFLICT (symbol) DO UPDATE
        SET facts = json_patch(ticker_data.facts, excluded.facts), updated_ns = excluded.updated_ns
"""


class TickerData:
    """Facts by symbol."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def save(self, symbol: str, facts: Mapping[str, Fact]) -> None:
        """Keep these facts; others of the symbol stay."""
        await self._db.write(_SAVE, [(symbol, msgspec.json.encode(facts).decode(), wall_ns())])

    async def load(self, symbol: str) -> dict[str, Fact]:
        """Return what is known of a symbol; nothing, if it was never saved."""
        rows = await self._db.rows("SELECT facts FROM ticker_data WHERE symbol = ?", (symbol,))
        return msgspec.json.decode(rows[0][0], type=dict[str, Fact]) if rows else {}
