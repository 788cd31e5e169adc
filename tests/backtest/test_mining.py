"""Miners: they find what the data have, and one that fails keeps no other from its work."""

from pathlib import Path

import pytest

from liu_tui.backtest.mining import run_miners
from liu_tui.errors import UsageError
from liu_tui.settings import Workspace
from liu_tui.store.store import Store
from tests.kit.backtest import DAY, NEXT_DAY, a_workspace, write_days

MINERS = """\
[miners.DailyOHLC]
filename = "miners/daily_ohlc.py"
top = 3
days = 5

[miners.Names]
filename = "names.py"
"""
NAMES = """\
from liu_tui import Miner

class Names(Miner):
    async def run(self, site):
        for asset in await site.data.assets():
            await site.save_ticker(asset.symbol, exchange=asset.exchange)
        site.log("done")
        return len(await site.data.assets())
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    plan = a_workspace(tmp_path, MINERS)
    (tmp_path / "names.py").write_text(NAMES)
    write_days(tmp_path / "data", (DAY, NEXT_DAY))
    return plan


def rewrite(plan: Path, words: str) -> None:
    plan.write_text(words)


async def test_daily_bars_and_facts_are_kept(plan: Path, tmp_path: Path) -> None:
    dug = await run_miners(plan, (), tmp_path / "data")
    assert [(row.name, row.records, row.fault) for row in dug] == [("DailyOHLC", 6, ""), ("Names", 6, "")]
    async with await Store.open(Workspace.of(plan).db, read_only=True) as store:
        bars = await store.stock_ohlc.load("AAA")
        assert len(bars) == 2
        assert bars[0].high > bars[0].low > 0
        assert await store.ticker_data.load("FFF") == {"exchange": "NASDAQ"}


async def test_only_the_named_ones_run(plan: Path, tmp_path: Path) -> None:
    assert [row.name for row in await run_miners(plan, ("Names",), tmp_path / "data")] == ["Names"]


async def test_one_that_fails_says_so_and_keeps_no_other_from_its_work(plan: Path, tmp_path: Path) -> None:
    rewrite(plan, MINERS.replace("top = 3", 'symbols = ["NONE"]'))
    failed, worked = await run_miners(plan, (), tmp_path / "data")
    assert "no daily bars of any" in failed.fault
    assert not worked.fault


async def test_a_simulated_market_can_be_mined_too(plan: Path) -> None:
    rewrite(plan, '[market]\nsymbols = 5\ndate = "2026-01-05"\n' + MINERS)
    dug = await run_miners(plan, ("DailyOHLC",), None)
    assert dug[0].records == 15


async def test_a_name_that_is_not_there_is_refused_with_the_nearest(plan: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="DailyOHLC"):
        await run_miners(plan, ("DailyOLHC",), tmp_path / "data")


async def test_a_plan_without_miners_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no miners"):
        await run_miners(a_workspace(tmp_path / "bare"), (), tmp_path)
