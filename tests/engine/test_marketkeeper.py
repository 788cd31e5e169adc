"""The local market of a session: what the plan says of it reaches the process."""

from pathlib import Path

import pytest

from liu_tui.engine.marketkeeper import MarketKeeper
from liu_tui.errors import LiuError
from liu_tui.plan.schema import FaultKind, FaultTable, MarketTable
from liu_tui.settings import Workspace


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
