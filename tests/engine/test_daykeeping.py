"""Keeping the account's day: at once when a limit trips, else once a second, and the newest is never lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from liu_tui.engine import daykeeping
from liu_tui.engine.daykeeping import EVERY_NS, DayKeeping
from liu_tui.store.store import Store
from liu_tui.trading.dayrisk import DayRisk
from tests.kit.store import BATCH, a_batch

ROW = DayRisk(account_id="A1", day="2026-01-05", batch_id=BATCH, result=1.0, peak=1.0, orders=1)


class Rig:
    """A keeper, its books, and a wall clock that is turned by hand."""

    def __init__(self, store: Store) -> None:
        self.keeping, self._store = DayKeeping(store), store
        self.at_ns = 1_000 * EVERY_NS

    async def result(self) -> float | None:
        """What the books say was won."""
        rows = await self._store.day_risk.load("A1", "2026-01-05", BATCH)
        return rows[0].result if rows else None


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with await Store.open(tmp_path / "liu.db") as store:
        await store.batches.begin(a_batch())
        rig = Rig(store)
        monkeypatch.setattr(daykeeping, "monotonic_ns", lambda: rig.at_ns)
        yield rig


async def test_once_a_second_the_newest_is_written(rig: Rig) -> None:
    await rig.keeping.keep(ROW)
    assert await rig.result() == 1.0
    for result in (2.0, 3.0):
        await rig.keeping.keep(replace(ROW, result=result))
    assert await rig.result() == 1.0
    rig.at_ns += EVERY_NS
    await rig.keeping.due()
    assert await rig.result() == 3.0


async def test_a_limit_that_trips_is_written_at_once(rig: Rig) -> None:
    await rig.keeping.keep(ROW)
    await rig.keeping.keep(replace(ROW, result=-9.0, code="DAILY_LOSS_REACHED"))
    assert await rig.result() == -9.0


async def test_what_waits_is_written_at_the_end(rig: Rig) -> None:
    await rig.keeping.keep(ROW)
    await rig.keeping.keep(replace(ROW, result=2.0))
    await rig.keeping.write()
    assert await rig.result() == 2.0
    await rig.keeping.write()
