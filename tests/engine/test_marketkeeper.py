"""The local market of a session: what the plan says of it reaches the process."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from liu_tui.engine.marketkeeper import MarketKeeper
from liu_tui.errors import LiuError
from liu_tui.localmarket.ledger import Ledger
from liu_tui.plan.schema import ExchangeTable, FaultKind, FaultTable, FeesTable, MarketTable
from liu_tui.settings import Workspace
from liu_tui.trading.matching.options import exchange_options


def a_keeper(folder: Path, *faults: FaultTable) -> MarketKeeper:
    workspace = Workspace(folder, folder / ".liu")
    for place in (workspace.market_dir, workspace.logs_dir):
        place.mkdir(parents=True, exist_ok=True)
    table = MarketTable(symbols=2, date="2026-11-23", start="09:30", symbol_limit=1, faults=faults)
    return MarketKeeper(table, workspace, "b-1")


async def test_faults_of_the_plan_begin_in_the_market_and_are_in_its_log(tmp_path: Path) -> None:
    late = FaultTable(kind=FaultKind.SILENCE, at="10:05", for_s=30.0)
    keeper = a_keeper(tmp_path, FaultTable(kind=FaultKind.SKEW, seconds=7.0), late)
    await keeper.start()
    try:
        status = await keeper.admin("status", post=False)
    finally:
        await keeper.stop()
    told = status["faults"]
    assert isinstance(told, list)
    assert [(fault["kind"], fault["seconds"], fault["state"]) for fault in told] == [("skew", 7.0, "active")]
    assert "fault 1: skew begins" in (tmp_path / ".liu" / "logs" / "b-1.log").read_text()


async def test_a_fault_that_cannot_be_ends_the_start_in_words(tmp_path: Path) -> None:
    keeper = a_keeper(tmp_path, FaultTable(kind=FaultKind.HALT, symbols=("NOSUCH",)))
    with pytest.raises(LiuError, match="no symbol 'NOSUCH'"):
        await keeper.start()


async def test_the_plans_manners_and_fees_reach_the_exchange(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, tmp_path / ".liu")
    for place in (workspace.market_dir, workspace.logs_dir):
        place.mkdir(parents=True, exist_ok=True)
    manners, fees = ExchangeTable(queue=True, latency_ms=20), FeesTable(per_order=1.0)
    table = MarketTable(symbols=2, date="2026-11-23", start="09:30", exchange=manners)
    keeper = MarketKeeper(table, workspace, "b-1", fees)
    await keeper.start()
    await keeper.stop()
    again = Ledger.open(keeper.ledger, cash=1, seed=1, partial_fills=0, account_id=_account(keeper.ledger))
    assert again.exchange.options == exchange_options(manners, fees)
    again.close(0)


def _account(ledger: Path) -> str:
    with closing(sqlite3.connect(ledger)) as db:
        return str(db.execute("SELECT id FROM account").fetchone()[0])
