"""Builders for backtests: a workspace with the shipped strategies, and days of bars written as CSV."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from math import sin
from pathlib import Path
from random import Random
from shutil import copytree

from liu_tui.backtest.outcome import Outcome
from liu_tui.backtest.run import run_backtest
from liu_tui.market.calendar import hours
from liu_tui.market.csvfiles import open_csv
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS
from liu_tui.plan.load import load_plan
from liu_tui.store.store import Store

ROOT = Path(__file__).parents[2]
DAY, NEXT_DAY = "2024-08-26", "2024-08-27"
BATCH = "20240826-b1"
PLAN = """\
portfolio_value = 100_000.0
risk = 0.001
max_symbols = 4

[market]
source = "data"
start = "09:28"
partial_fills = 0.3

[limits]
max_open_positions = 6
max_order_value = 15_000

[scanners.MostActive]
filename = "scanners/most_active.py"
recurrence = 5
top = 4

[strategies.MomentumBreakout]
filename = "strategies/momentum_breakout.py"

[strategies.VwapReversion]
filename = "strategies/vwap_reversion.py"
entry_sd = 1.5

[strategies.RelativeStrength]
filename = "strategies/relative_strength.py"
top = 2
budget = 20_000.0
"""
COLUMNS = "timestamp,open,high,low,close,volume"


def session(day: str = DAY) -> SessionHours:
    """Return the hours of a day that has some."""
    found = hours(date.fromisoformat(day))
    assert found is not None
    return found


def a_workspace(folder: Path, plan: str = PLAN) -> Path:
    """Make a workspace with the shipped scanners, strategies and miners; returns its plan."""
    for name in ("scanners", "strategies", "miners"):
        copytree(ROOT / name, folder / name)
    (folder / "plans").mkdir()
    (folder / "plans/test.toml").write_text(plan)
    return folder / "plans/test.toml"


def write_days(folder: Path, days: Sequence[str] = (DAY,), *, minutes: int = 400, seed: int = 7) -> Path:
    """Write bars of six names, from ten minutes before the open: two climb, two swing, two are quiet."""
    folder.mkdir(exist_ok=True)
    for n, symbol in enumerate(("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")):
        rng, price, rows = Random(f"{seed}{symbol}"), 50.0 + 10 * n, [COLUMNS]
        for day in days:
            start_ns = session(day).open_ns - 10 * MINUTE_NS
            for minute in range(minutes):
                before, price = price, _next(rng, n, price, minute)
                rows.append(_row(rng, start_ns + minute * MINUTE_NS, before, price, 1_000 * (7 - n)))
        (folder / f"{symbol}_1min.csv").write_text("\n".join(rows) + "\n")
    return folder


def _next(rng: Random, n: int, price: float, minute: int) -> float:
    drift = (0.0006, 0.0004, 0.0, 0.0, 0.0, 0.0)[n]
    swing = (0.0, 0.0, 0.002, 0.003, 0.0, 0.0)[n] * (sin((minute + 1) / 9) - sin(minute / 9)) * 4
    return round(price * (1 + drift + swing + rng.gauss(0, 0.0008)), 2)


def _row(rng: Random, t_ns: int, before: float, price: float, volume: int) -> str:
    high = round(max(before, price) + 0.02 * rng.random() + 0.01, 2)
    low = round(min(before, price) - 0.02 * rng.random() - 0.01, 2)
    shares = int(volume * rng.uniform(0.5, 3.0))
    stamp = datetime.fromtimestamp(t_ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{stamp},{before},{high},{low},{price},{shares}"


async def a_backtest(
    plan: Path, data: Path, *, days: Sequence[str] = (), batch_id: str = BATCH, store: Store | None = None
) -> Outcome:
    """Run a plan of a_workspace over written days, all of them if none are named."""
    source = open_csv(data)
    root = plan.parents[1]
    books = store or await Store.open(root / f"{batch_id}.db")
    try:
        return await run_backtest(
            load_plan(plan, base=root, source_needed=False),
            plan,
            workspace=root,
            source=source,
            days=days or source.days(),
            store=books,
            batch_id=batch_id,
        )
    finally:
        if store is None:
            await books.close()
