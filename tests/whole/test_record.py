"""A session recorded, and its recording played and recorded again: the same events, and the same session."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from liu_tui.market.recording import Damage, Frame, Subscribed, read
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar, TapeEvent, Trade
from tests.kit.house import House
from tests.kit.market import MONDAY, a_bar, at

pytestmark = pytest.mark.timeout(120)

PLAN = """
max_symbols = 10
consumers = 1
events = ["quote"]

[market]
source = "day"
speed = "max"
start = "09:30"

[scanners.MostActive]
filename = "scanners/most_active.py"
recurrence = 5
top = 2
min_price = 5

[strategies.MomentumBreakout]
filename = "strategies/momentum_breakout.py"
"""
COLUMNS = "timestamp,symbol,open,high,low,close,volume,vwap,trade_count"


def a_morning() -> list[Bar]:
    """Five names whose volume wanders from one to the next, so that later scans pick others."""
    bars = []
    for n, symbol in enumerate(("AAPL", "BRK.B", "CAT", "DIS", "F")):
        for minute in range(45):
            volume = 100.0 * (1 + n) + (100_000.0 if minute // 9 == n else 0.0)
            close = 50.0 + n + minute / 100
            bars.append(a_bar(at("09:25") + minute * MINUTE_NS, close, volume, symbol=symbol))
    return bars


def write_day(path: Path) -> None:
    lines = [COLUMNS]
    for bar in a_morning():
        stamp = f"{MONDAY}T{bar.t_ns % DAY_NS // (60 * MINUTE_NS):02}:{bar.t_ns // MINUTE_NS % 60:02}:00Z"
        values = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.count)
        lines.append(",".join(map(str, (stamp, bar.symbol, *values))))
    path.mkdir()
    (path / "market.csv").write_text("\n".join(lines))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    write_day(tmp_path / "day")
    house = House(tmp_path, PLAN)
    yield house
    house.close()


def record(house: House, out: Path, source: Path | None = None) -> dict[str, Any]:
    """Record the plan's session from its own source, or from another."""
    if source is not None:
        house.plan.write_text(PLAN.replace('"day"', json.dumps(str(source))))
    done = house.run("record", str(house.plan), "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


def told(path: Path) -> list[object]:
    """What the tape said and when, and when symbols were subscribed; not where the feed was."""
    found: list[object] = []
    for one in read(path):
        assert not isinstance(one, Damage)
        if isinstance(one, Frame):
            found += [(one.at_ns, item) for item in one.items if isinstance(item, TapeEvent)]
        elif isinstance(one, Subscribed):
            found.append(one)
    return found


def test_a_recording_of_a_replay_of_a_recording_is_the_same_events(house: House, tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{name}.liu" for name in ("first", "second", "third"))
    summary = record(house, first)
    assert summary["fills"] == 0
    assert len(summary["symbols"]) > 2
    kept = summary["recording"]
    assert (kept["path"], kept["dropped"], kept["bytes"]) == (str(first), 0, first.stat().st_size)
    events = told(first)
    assert sum(isinstance(one, Subscribed) for one in events) > 1
    assert kept["events"] >= sum(isinstance(one, tuple) for one in events) > 200
    assert any(isinstance(one, tuple) and isinstance(one[1], Trade) for one in events)

    again = record(house, second, first)
    assert again["symbols"] == summary["symbols"]
    record(house, third, second)
    assert told(third) == told(second) == events
