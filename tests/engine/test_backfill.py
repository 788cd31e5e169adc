"""History for a consumer: tried again, answered in the order of asking, and marked where it fills a gap."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

import pytest

from liu_tui.engine import backfill
from liu_tui.engine.backfill import Backfill, Loaded
from liu_tui.engine.messages import Assign, Assigned, GapBegin, StrategyProfile, SymbolTask
from liu_tui.errors import FeedError
from liu_tui.market.history import DataAPI
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar
from tests.kit.engine import QuietChild, a_boot, a_profile, eventually
from tests.kit.session import DAY, OPEN, a_bar, at

NOW = at(10)


class Archive:
    """A vendor's history: a bar a minute since yesterday, ten days. asked: (symbols, start, end, span)."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], int, int, int]] = []
        self.faults = 0
        self.slow: dict[str, asyncio.Event] = {}
        self.closed = False

    async def bars(
        self, symbols: Iterable[str], start_ns: int, end_ns: int, *, span_ns: int = MINUTE_NS
    ) -> dict[str, list[Bar]]:
        names = list(symbols)
        self.asked.append((names, start_ns, end_ns, span_ns))
        for name in names:
            if name in self.slow:
                await self.slow[name].wait()
        if self.faults:
            self.faults -= 1
            raise FeedError("429 too many requests")
        first = max(start_ns, OPEN - 60 * MINUTE_NS if span_ns == MINUTE_NS else OPEN - 10 * DAY_NS)
        starts = range(first, end_ns - span_ns + 1, span_ns)
        return {name: [a_bar(symbol=name, t_ns=t_ns, span_ns=span_ns) for t_ns in starts] for name in names}

    async def close(self) -> None:
        self.closed = True


class Rig:
    """A backfill, whose consumer it is, and the vendor."""

    def __init__(self, root: Path) -> None:
        self.archive = Archive()
        self.child = QuietChild(a_boot("consumer", root))
        self.child.clock.at_ns = NOW
        self.backfill = self.new(a_profile("momentum"))

    def new(self, *profiles: StrategyProfile) -> Backfill:
        """Begin anew with strategies that declare something else."""
        self.backfill = Backfill(cast(DataAPI, self.archive), self.child.inside, profiles)
        return self.backfill

    async def loaded(self, count: int = 1) -> list[Loaded]:
        """Wait for so many answers."""
        got: list[Loaded] = []

        def enough() -> bool:
            got.extend(self.backfill.finished())
            return len(got) >= count

        await eventually(enough)
        return got


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr(backfill, "RETRY_S", 0.0)
    return Rig(tmp_path)


def assign(n: int, *symbols: str) -> Assign:
    return Assign(n=n, tasks=tuple(SymbolTask(symbol=symbol) for symbol in symbols))


def starts(bars: Iterable[Bar], since: int = OPEN) -> list[int]:
    return [(bar.t_ns - since) // MINUTE_NS for bar in bars]


async def test_an_assignment_is_answered_with_the_bars_of_the_session_so_far(rig: Rig) -> None:
    rig.backfill.begin(assign(7, "TSLA", "F"))
    ((loaded),) = await rig.loaded()
    assert loaded.answer == Assigned(n=7)
    assert [task.symbol for task, _minutes, _daily in loaded.symbols] == ["TSLA", "F"]
    for task, minutes, daily in loaded.symbols:
        assert starts(minutes)[-10:] == list(range(10)), "the minute under way is not closed"
        assert {bar.symbol for bar in minutes} == {task.symbol}
        assert not any(bar.backfilled for bar in minutes)
        assert daily == []
    assert rig.child.wake.is_set()


async def test_a_declared_lookback_reaches_over_days_and_the_longest_counts(rig: Rig) -> None:
    rig.new(a_profile("short", lookback=5), a_profile("long", lookback=200, lookback_days=3))
    rig.backfill.begin(assign(1, "TSLA"))
    (loaded,) = await rig.loaded()
    (_, minutes_from, _, span), (_, days_from, days_to, days_span) = rig.archive.asked
    assert (span, days_span) == (MINUTE_NS, DAY_NS)
    assert minutes_from == OPEN - DAY_NS  # Monday's open
    assert OPEN - 6 * DAY_NS < days_from < OPEN - 4 * DAY_NS  # three sessions before Tuesday: Thursday
    assert days_to == NOW
    assert loaded.symbols[0][2] != []


@pytest.mark.parametrize("faults", [1, backfill.RETRIES - 1])
async def test_a_fault_of_the_feed_is_said_and_asked_again(rig: Rig, faults: int) -> None:
    rig.archive.faults = faults
    rig.backfill.begin(assign(1, "TSLA"))
    (loaded,) = await rig.loaded()
    assert starts(loaded.symbols[0][1])[-1] == 9
    assert len(rig.child.words) == faults
    assert "429" in rig.child.words[0]


async def test_after_the_last_try_the_assignment_is_answered_and_who_waits_is_named(rig: Rig) -> None:
    """An answer must come: in lock-step the whole house waits for it."""
    rig.archive.faults = backfill.RETRIES
    rig.backfill.begin(assign(3, "TSLA", "F"))
    (loaded,) = await rig.loaded()
    assert loaded.answer == Assigned(n=3)
    assert [minutes for _task, minutes, _daily in loaded.symbols] == [[], []]
    assert len(rig.archive.asked) == backfill.RETRIES
    assert "no history for TSLA, F" in rig.child.words[-1]


async def test_answers_come_in_the_order_of_asking_whichever_is_faster(rig: Rig) -> None:
    slow = rig.archive.slow["SLOW"] = asyncio.Event()
    rig.backfill.begin(assign(1, "SLOW"))
    rig.backfill.begin(assign(2, "FAST"))
    await asyncio.wait_for(rig.child.wake.wait(), 20)
    assert rig.backfill.finished() == []
    slow.set()
    assert [loaded.answer for loaded in await rig.loaded(2)] == [Assigned(n=1), Assigned(n=2)]
    assert rig.backfill.finished() == []


async def test_the_bars_of_a_gap_are_marked_and_begin_with_the_minute_before_it(rig: Rig) -> None:
    gap = GapBegin(from_ns=at(4.5), to_ns=at(7.2))
    rig.backfill.refill(["TSLA", "F"], gap)
    (loaded,) = await rig.loaded()
    assert loaded.answer is None
    for _task, minutes, daily in loaded.symbols:
        assert starts(minutes) == list(range(3, 10))
        assert all(bar.backfilled for bar in minutes)
        assert daily == []
    assert rig.child.words == ["gap in the feed: 14 minute bars of 2 symbols back-filled"]


async def test_a_gap_comes_after_the_assignment_that_was_asked_for_before_it(rig: Rig) -> None:
    slow = rig.archive.slow["TSLA"] = asyncio.Event()
    calls: list[Callable[[], None]] = [
        lambda: rig.backfill.begin(assign(1, "TSLA")),
        lambda: rig.backfill.refill(["F"], GapBegin(from_ns=at(1), to_ns=at(2))),
    ]
    for call in calls:
        call()
    await asyncio.wait_for(rig.child.wake.wait(), 20)
    slow.set()
    assert [loaded.answer for loaded in await rig.loaded(2)] == [Assigned(n=1), None]


async def test_closing_gives_up_what_is_under_way_and_may_be_done_twice(rig: Rig) -> None:
    rig.archive.slow["SLOW"] = asyncio.Event()
    rig.backfill.begin(assign(1, "SLOW"))
    await asyncio.sleep(0)
    await rig.backfill.close()
    await rig.backfill.close()
    assert rig.backfill.finished() == []
    assert rig.archive.closed


def test_the_day_of_these_tests_is_a_tuesday() -> None:
    assert DAY.day == "2024-03-05"
