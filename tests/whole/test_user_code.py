"""User code in a live session.

Saved files take over, broken ones change nothing, hanging ones are put aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.house import LIMITS, House

pytestmark = pytest.mark.timeout(180)

PLAN = (
    """
max_symbols = 10
consumers = 1

[market]
source = "simulated"
symbols = 20
start = "09:30"
speed = 60

[scanners.FixedList]
filename = "scanners/fixed_list.py"
symbols = ["SPY", "AAPL"]

[strategies.Sample]
filename = "strategies/sample.py"

[strategies.Other]
filename = "strategies/other.py"
"""
    + LIMITS
)

CALM = """
from liu_tui import Strategy


class {name}(Strategy):
    events = {{"minute"}}
    initial_state = {{"seen": 0}}

    async def run(self, symbol, now, bars, position, ctx):
        ctx.state["seen"] += 1
        ctx.log(f"{word} {{ctx.state['seen']}}")
"""

RAISES = CALM.replace("ctx.log(f", "raise RuntimeError('boom')\n        ctx.log(f")
HANGS = CALM.replace(
    "        ctx.state", "        import time\n        time.sleep(600)\n        ctx.state", 1
)
WAITS = HANGS.replace("import time", "import asyncio").replace("time.sleep", "await asyncio.sleep")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A workspace with two small strategies."""
    house = House(tmp_path, PLAN)
    save(house, "sample", CALM, "Sample", "first")
    save(house, "other", CALM, "Other", "other")
    yield house
    house.close()


def save(house: House, file: str, text: str, name: str, word: str) -> None:
    """Save a strategy as an editor does: a new file renamed over the old one."""
    fresh = house.root / "strategies" / f"{file}.new"
    fresh.write_text(text.format(name=name, word=word))
    fresh.rename(house.root / "strategies" / f"{file}.py")


def said(house: House, source: str, words: str) -> list[Any]:
    """Log lines of a source that hold these words."""
    rows = house.books("SELECT source, words FROM session_events ORDER BY n")
    return [row[1] for row in rows if row[0] == source and words in row[1]]


def test_a_saved_strategy_takes_over_with_its_state_and_a_broken_one_changes_nothing(house: House) -> None:
    house.start()
    house.wait("the first one speaks", lambda: bool(said(house, "Sample", "first")))
    save(house, "sample", CALM.replace("async def run", "async def run("), "Sample", "broken")
    house.wait("it is said", lambda: bool(said(house, "Sample", "changes nothing")))
    count = len(said(house, "Sample", "first"))
    house.wait("the old one goes on", lambda: len(said(house, "Sample", "first")) > count)
    save(house, "sample", CALM, "Sample", "second")
    house.wait("the new one speaks", lambda: bool(said(house, "Sample", "second")))
    first = said(house, "Sample", "second")[0]
    assert int(first.split()[-1]) > count // 2  # two symbols count for themselves
    house.stop()


def test_a_strategy_that_raises_is_named_and_the_others_go_on(house: House) -> None:
    save(house, "sample", RAISES, "Sample", "never")
    house.start()
    house.wait("it is quarantined", lambda: bool(said(house, "Sample", "boom")))
    count = len(said(house, "Other", "other"))
    house.wait("the other goes on", lambda: len(said(house, "Other", "other")) > count)
    assert not said(house, "Sample", "never")
    assert house.stop()["restarts"] == 0


@pytest.mark.parametrize("text", [HANGS, WAITS], ids=["computes for ever", "waits for ever"])
def test_a_strategy_that_hangs_is_ended_named_and_put_aside(house: House, text: str) -> None:
    save(house, "sample", text, "Sample", "never")
    house.start()
    house.wait("its consumer is started again", lambda: house.status().get("restarts", 0) > 0)
    house.wait("the other speaks", lambda: bool(said(house, "Other", "other")))
    assert any("Sample" in words for words in said(house, "A", "was silent"))
    save(house, "sample", CALM, "Sample", "mended")
    house.wait("the mended one speaks", lambda: bool(said(house, "Sample", "mended")))
    house.stop()
