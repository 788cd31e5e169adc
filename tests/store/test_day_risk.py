"""The accounts' days in the books."""

from __future__ import annotations

from msgspec.structs import replace

from liu_tui.store.store import Store
from liu_tui.trading.dayrisk import DayRisk
from tests.kit.store import BATCH, T0, a_batch

ROW = DayRisk(
    account_id="A1", day="2026-01-05", batch_id=BATCH, result=-12.5, peak=80.25, orders=7,
    code="DRAWDOWN_REACHED", words="so far below the best", updated_ns=T0,
)  # fmt: skip


async def test_a_day_is_written_down_as_it_stands_now(store: Store) -> None:
    await store.day_risk.put(replace(ROW, result=3.0, code="", words=""))
    await store.day_risk.put(ROW)
    assert await store.day_risk.load("A1", "2026-01-05", BATCH) == [ROW]


async def test_what_is_loaded_is_of_the_account_and_of_the_day_or_of_the_batch_itself(store: Store) -> None:
    await store.batches.begin(a_batch("b-0"))
    other = replace(ROW, batch_id="b-0")
    before = replace(ROW, day="2026-01-02")
    rows = [ROW, other, before, replace(other, day="2026-01-02"), replace(other, account_id="A2")]
    for row in rows:
        await store.day_risk.put(row)
    assert await store.day_risk.load("A1", "2026-01-05", BATCH) == [before, other, ROW]
    assert await store.day_risk.load("A3", "2026-01-05", "b-2") == []
