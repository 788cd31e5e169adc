"""Keeps the account's day in the books: when a limit trips at once, else once a second at most."""

from __future__ import annotations

from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS
from liu_tui.store.store import Store
from liu_tui.trading.dayrisk import DayRisk

EVERY_NS = SECOND_NS


class DayKeeping:
    """What is open changes with each price, and each row is a commit: so only the newest is written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: DayRisk | None = None
        self._code = ""
        self._written_ns = 0

    async def keep(self, day: DayRisk) -> None:
        """Write the row, or have it wait. Raises StoreError."""
        self._waiting = day
        if day.code != self._code:
            await self.write()
        else:
            await self.due()

    async def due(self) -> None:
        """Write what waits, if it is time. Raises StoreError."""
        if self._waiting is not None and monotonic_ns() - self._written_ns >= EVERY_NS:
            await self.write()

    async def write(self) -> None:
        """Write what waits now. Raises StoreError."""
        day, self._waiting = self._waiting, None
        if day is not None:
            await self._store.day_risk.put(day)
            self._code, self._written_ns = day.code, monotonic_ns()
