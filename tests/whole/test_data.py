"""Several producers in a whole session: each with its own symbols, its own line, and its own gaps."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from liu_tui.engine.shards import producer_names, shard_of
from tests.kit.house import LIVE, House, assert_books_equal_the_ledger

pytestmark = pytest.mark.timeout(180)

PRODUCERS = producer_names(2)

PLAN = (
    "producers = 2\n"
    + LIVE.replace('events = ["quote"]\n', "").replace("speed = 30", "speed = 60")
    + """
[scanners.Quoted]
filename = "scanners/quoted.py"
target_strategy_name = "Telltale"

[scanners.FixedList]
filename = "scanners/fixed_list.py"
symbols = ["SPY", "AMD"]
target_strategy_name = "Telltale"

[strategies.Telltale]
filename = "strategies/telltale.py"
"""
)

QUOTED = """
from liu_tui import Scanner


class Quoted(Scanner):
    events = {"quote"}

    async def run(self, market):
        return ["AAPL", "TSLA"]
"""

TELLTALE = """
from liu_tui import Strategy


class Telltale(Strategy):
    events = {"minute"}

    async def run(self, symbol, now, bars, position, ctx):
        ctx.log(f"minute, and {'a' if bars.quote else 'no'} quote")
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A workspace whose data come over two connections."""
    house = House(tmp_path, PLAN)
    (tmp_path / "scanners" / "quoted.py").write_text(QUOTED)
    (tmp_path / "strategies" / "telltale.py").write_text(TELLTALE)
    yield house
    house.close()


def said(house: House, words: str, source: str = "%") -> list[str]:
    """Lines of the log that are like these words."""
    sql = "SELECT words FROM session_events WHERE words LIKE ? AND source LIKE ? ORDER BY n"
    return [row[0] for row in house.books(sql, words, source)]


def received(house: House) -> dict[str, Any]:
    """Each producer's pid."""
    rows = house.status()["processes"]
    return {row["name"]: row["pid"] for row in rows if row["role"] == "producer"}


def test_two_producers_share_the_symbols_and_each_fills_its_own_gaps(house: House) -> None:
    house.start()
    batch_id = house.status()["batch_id"]
    house.wait("both streams are told of", lambda: len(said(house, "live:%", "feed of %")) >= 2)
    house.wait("something is filled", lambda: house.status()["fills"] > 0)

    # Quotes come for what a scanner needs them for, and only there.
    house.wait("the quoted are called", lambda: len(said(house, "%minute, and a quote%")) >= 4)
    house.wait("the others are called", lambda: len(said(house, "%minute, and no quote%")) >= 30)
    quoted = {line.split()[0] for line in said(house, "%minute, and a quote%")}
    assert quoted == {"AAPL", "TSLA"}
    assert {line.split()[0] for line in said(house, "%minute, and no quote%")} >= {"SPY", "AMD"}

    # One is killed: the other goes on, and only the symbols of the first have a gap.
    symbols = house.status()["symbols"]
    before = received(house)
    os.kill(before[PRODUCERS[0]], signal.SIGKILL)
    house.wait("its gap is filled", lambda: bool(said(house, "%gap in the feed%")))
    after = received(house)
    assert after[PRODUCERS[0]] != before[PRODUCERS[0]]
    assert after[PRODUCERS[1]] == before[PRODUCERS[1]]
    mine = [symbol for symbol in symbols if shard_of(symbol, 2) == 0]
    gone = [line for line in said(house, "%gap in the feed%") if "started again" in line]
    told = sum(int(line.split(" symbols back-filled")[0].split()[-1]) for line in gone)
    assert len(mine) <= told <= len(house.status()["symbols"])
    assert told < len(symbols)

    # Every symbol still gets events, whichever line it comes over.
    count = len(said(house, "%minute, and%"))
    house.wait("all four are called", lambda: len(said(house, "%minute, and%")) >= count + 4)

    # A person has the lines made anew: down, up, and the gap filled.
    ups, gaps = len(said(house, "live:%")), len(said(house, "%gap in the feed%"))
    assert house.run("ctl", "reconnect").returncode == 0
    house.wait("both lines are up again", lambda: len(said(house, "live:%")) >= ups + 2)
    house.wait("the gaps are filled", lambda: len(said(house, "%gap in the feed%")) >= gaps + 2)

    summary = house.stop("--flatten")
    assert summary["restarts"] == 1
    assert summary["data"]["gaps"] >= 3
    assert summary["positions"] == {}
    assert_books_equal_the_ledger(house, batch_id)
    equity = summary["market"]["equity"]
    assert equity - 100_000 == pytest.approx(summary["realized_pnl"] + summary["unrealized_pnl"], abs=0.005)
