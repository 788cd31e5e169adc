"""A recorded day through the whole house in lock-step: the same every time, and the same as the backtest."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from liu_tui.market.calendar import hours, previous_session
from liu_tui.market.simulation import SimulatedSource
from liu_tui.model.market import MINUTE_NS
from tests.kit.house import LIMITS, SHARED, TRADERS, House, assert_books_equal_the_ledger

pytestmark = pytest.mark.timeout(180)

DAY = "2026-11-20"
SYMBOLS = 12

POTTED = 'portfolio_id = "shared"\n'
BREAKOUT = 'filename = "strategies/momentum_breakout.py"\n'
REVERSION = 'filename = "strategies/vwap_reversion.py"\n'
PLAN = (
    """
portfolio_value = 100_000
risk = 0.002
max_symbols = 20
consumers = 2

[market]
source = "{source}"
date = "{day}"
start = "{start}"
speed = "max"

[scanners.MostActive]
filename = "scanners/most_active.py"
recurrence = 30
top = 10
min_price = 5
"""
    + LIMITS
    + TRADERS.replace(BREAKOUT, BREAKOUT + POTTED).replace(REVERSION, REVERSION + POTTED)
    + """
[portfolios.shared]
size = 30_000
credit = 2_000

[fees]
per_order = 0.35
per_share = 0.005
sell_per_million = 27.8
sell_per_share = 0.000166
sell_cap = 8.3
"""
)

FILLS = (
    "SELECT strategy, symbol, operation, qty, price, t_ns FROM new_trades WHERE batch_id = ? "
    "ORDER BY trade_id"
)
ORDERS = (
    "SELECT strategy, symbol, operation, role, qty, limit_price, stop_price, state, reason, created_ns, code "
    "FROM orders WHERE batch_id = ? ORDER BY rowid"
)


def write_day(folder: Path) -> None:
    """Record two simulated sessions as minute bars in one file, as a vendor's export would be."""
    source = SimulatedSource(SYMBOLS, 5, DAY)
    last = hours(date.fromisoformat(DAY))
    first = hours(previous_session(date.fromisoformat(DAY)))
    assert last is not None
    assert first is not None
    folder.mkdir()
    with gzip.open(folder / "market_1min.csv.gz", "wt", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["timestamp", "symbol", "open", "high", "low", "close", "volume"])
        for asset in source.assets():
            for bar in source.bars(asset.symbol, MINUTE_NS, first.open_ns, last.close_ns):
                stamp = _iso(bar.t_ns)
                rows.writerow([stamp, bar.symbol, bar.open, bar.high, bar.low, bar.close, bar.volume])


def _iso(t_ns: int) -> str:
    return f"{datetime.fromtimestamp(t_ns / 1e9, UTC):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A workspace whose plan plays a recorded day in lock-step."""
    write_day(tmp_path / "recorded")
    house = House(tmp_path, PLAN.format(source="recorded", day=DAY, start="09:30"))
    yield house
    house.close()


def play(house: House) -> dict[str, Any]:
    """Run the plan's whole day; returns its summary."""
    done = house.run(str(house.plan), "--headless", "--json", timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


def backtest(house: House, day: str) -> dict[str, Any]:
    """Run the same day through the backtest; returns what it printed."""
    done = house.run("backtest", str(house.plan), "--from", day, "--to", day, "--json", timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


def assert_same_day(house: House, one: str, other: str) -> None:
    """Two batches asked for the same orders and had the same fills, in the same order."""
    assert house.books(FILLS, one) == house.books(FILLS, other)
    assert house.books(ORDERS, one) == house.books(ORDERS, other)


def assert_the_portfolio_has_what_its_fills_left(house: House, batch_id: str) -> None:
    """Its cash is its size and what the fills of its two strategies moved, each once."""
    ((fills, cash),) = house.books(
        "SELECT count(*), 30000 - sum(qty * price) - sum(fee) FROM new_trades "
        "WHERE batch_id = ? AND strategy IN ('MomentumBreakout', 'VwapReversion')",
        batch_id,
    )
    ((rows, balance),) = house.books(
        "SELECT count(*) - 1, sum(amount) FROM account_transactions WHERE account_id = 'shared@' || ?",
        batch_id,
    )
    assert rows == fills > 4
    assert balance == pytest.approx(cash, abs=0.005)


def test_a_day_in_lock_step_is_the_same_every_time_and_equals_the_backtest(house: House) -> None:
    first, second = play(house), play(house)
    assert first["fills"] > 10
    assert first["positions"] == {}
    assert first["end_reason"] == "market close"
    assert_same_day(house, first["batch_id"], second["batch_id"])
    tested = backtest(house, DAY)
    assert_same_day(house, first["batch_id"], tested["batch_id"])
    assert tested["realized_pnl"] == pytest.approx(first["realized_pnl"], abs=0.005)
    for summary in (first, second):
        assert_books_equal_the_ledger(house, summary["batch_id"])
        earned = summary["market"]["equity"] - 100_000
        ours = summary["realized_pnl"] + summary["unrealized_pnl"] - summary["fees"]
        assert earned == pytest.approx(ours, abs=0.005)
        assert summary["fees"] > 10
    assert tested["fees"] == pytest.approx(first["fees"], abs=0.005)
    assert tested["equity"] == pytest.approx(first["market"]["equity"], abs=0.005)
    for batch_id in (first["batch_id"], second["batch_id"], tested["batch_id"]):
        assert_the_portfolio_has_what_its_fills_left(house, batch_id)
    assert house.books("SELECT count(*) FROM trade_analysis WHERE batch_id = ?", first["batch_id"])[0][0] > 0


@pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded market days are not beside this checkout")
@pytest.mark.parametrize(
    ("folder", "day", "start"),
    # Of four hundred names the last hours are enough: entries, exits, and the liquidation before the close.
    [("eqker-2019-02", "2019-02-12", "09:30"), ("cross-section-2019-12", "2019-12-19", "13:30")],
)
def test_a_real_day_in_lock_step_equals_the_backtest(
    tmp_path: Path, folder: str, day: str, start: str
) -> None:
    house = House(tmp_path, PLAN.format(source=SHARED / folder, day=day, start=start))
    try:
        live = play(house)
        assert live["fills"] > 10
        assert_same_day(house, live["batch_id"], backtest(house, day)["batch_id"])
        assert_books_equal_the_ledger(house, live["batch_id"])
    finally:
        house.close()
