"""The watch over silence: told once a look, ended by cutting the line, and never when nothing is expected."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from liu_tui.engine.feedwatch import FeedWatch
from liu_tui.engine.lanes import Lanes
from liu_tui.engine.line import Line
from liu_tui.engine.messages import Freshness, Route, SymbolHealth
from liu_tui.market.streaming import FeedState
from liu_tui.model.market import MINUTE_NS, SECOND_NS
from tests.kit.inside import an_insider
from tests.kit.session import DAY, at

NOW = at(60)
RHYTHM = {"SPY": 1, "QQQ": 1, "KO": 20}


class CutLine:
    """A line that remembers how it was cut."""

    def __init__(self) -> None:
        self.state = FeedState.LIVE
        self.words: list[str] = []

    def cut(self, words: str) -> None:
        self.words.append(words)


class Rig:
    """A watch over three symbols: SPY and QQQ speak each second, KO each twenty."""

    def __init__(self, root: Path, now_ns: int = NOW, **anchor: Any) -> None:
        self.child = an_insider("producer", root, now_ns=now_ns)
        self.child.anchor.set(msgspec.structs.replace(self.child.anchor.anchor, **anchor))
        self.line = CutLine()
        self.lanes = Lanes()
        routes = [Route(symbol=symbol, events=("trade",), consumers=(0,)) for symbol in RHYTHM]
        self.lanes.lay(routes, ("A",), now_ns)
        self.watch = FeedWatch(self.child.inside, self.lanes, cast(Line, self.line))
        self.watch.restart(now_ns)
        self.now = now_ns
        self.look()

    def hear(self, seconds: int, *, without: str = "") -> None:
        """Let so much time pass, with all events of it but those of one symbol; look each second."""
        for _ in range(seconds):
            self.now += SECOND_NS
            for symbol, every in RHYTHM.items():
                if symbol != without and self.now // SECOND_NS % every == 0:
                    self.lanes[symbol].pulse.beat(self.now)
                    self.watch.beat(self.now)
            self.look()

    def wait(self, seconds: float) -> None:
        """Let so much time pass in silence, and look each second."""
        for _ in range(int(seconds)):
            self.now += SECOND_NS
            self.look()

    def look(self) -> None:
        self.child.clock.turn_to(self.now)
        self.watch.look()

    @property
    def fresh(self) -> Freshness:
        """What it told last."""
        return self.child.heard(Freshness)[-1]

    def row(self, symbol: str) -> SymbolHealth:
        return next(row for row in self.fresh.rows if row.symbol == symbol)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_every_look_tells_each_symbols_age_and_its_usual_gap(rig: Rig) -> None:
    rig.hear(400)
    assert len(rig.child.heard(Freshness)) == 401
    assert rig.fresh.silent_s == 0.0
    assert rig.row("SPY").usual_s == pytest.approx(1.0, abs=0.1)
    assert rig.row("KO").usual_s == pytest.approx(20.0, rel=0.1)
    assert (rig.row("SPY").stale, rig.row("KO").stale) == (False, False)
    assert rig.line.words == []


def test_a_symbol_is_stale_by_its_own_gap_and_the_line_is_not_cut_for_it(rig: Rig) -> None:
    rig.hear(400)
    rig.hear(30, without="SPY")
    assert (rig.row("SPY").stale, rig.row("KO").stale) == (True, False)
    assert rig.lanes["SPY"].quiet_ns
    assert not rig.lanes["KO"].quiet_ns
    assert rig.line.words == []


def test_a_silent_line_is_told_and_cut_and_each_time_without_avail_doubles_the_patience(rig: Rig) -> None:
    rig.hear(400)
    began = len(rig.child.heard(Freshness))
    rig.wait(120)
    assert rig.fresh.silent_s == 120.0
    assert all(lane.quiet_ns for lane in rig.lanes.values())
    told = [said.silent_s for said in rig.child.heard(Freshness)[began:]]
    first = next(place for place, silent_s in enumerate(told) if silent_s)
    assert 3 <= first <= 20
    assert rig.line.words[0].startswith("connected, but no event for ")
    after = [int(words.split()[-2]) for words in rig.line.words]
    waits = [later - earlier for earlier, later in pairwise(after)]
    assert len(waits) >= 2
    assert waits[0] == pytest.approx(2 * after[0], abs=2)
    assert waits[1] == pytest.approx(2 * waits[0], abs=2)


def test_one_event_makes_patience_what_it_was(rig: Rig) -> None:
    rig.hear(400)
    rig.wait(60)
    first, *_ = rig.line.words
    rig.line.words.clear()
    rig.hear(20)
    rig.wait(10)
    assert rig.line.words == [first]
    assert rig.fresh.silent_s == 10.0


@pytest.mark.parametrize("state", [FeedState.LOST, FeedState.CONNECTING, FeedState.REFUSED])
def test_a_line_that_is_not_up_is_neither_silent_nor_cut(rig: Rig, state: FeedState) -> None:
    rig.hear(400)
    rig.line.state = state
    rig.wait(300)
    assert rig.fresh.silent_s == 0.0
    assert rig.line.words == []
    assert rig.row("SPY").stale, "its data are old all the same"


@pytest.mark.parametrize("anchor", [{"paused": True}, {"lockstep": True}])
def test_a_market_that_stands_still_is_never_silent(tmp_path: Path, anchor: dict[str, Any]) -> None:
    rig = Rig(tmp_path, **anchor)
    rig.hear(400)
    rig.wait(300)
    assert rig.fresh.silent_s == 0.0
    assert not rig.row("SPY").stale
    assert rig.line.words == []


def test_a_closed_market_is_never_silent(tmp_path: Path) -> None:
    rig = Rig(tmp_path, now_ns=DAY.post_ns + MINUTE_NS)
    rig.hear(400)
    rig.wait(300)
    assert not rig.row("SPY").stale
    assert rig.line.words == []


def test_at_another_speed_seconds_are_the_walls(tmp_path: Path) -> None:
    rig = Rig(tmp_path, speed=20.0)
    rig.hear(400)
    rig.wait(100)
    assert rig.fresh.silent_s == 5.0
    assert rig.row("SPY").age_s == 5.0


def test_a_delayed_feed_is_measured_by_the_tapes_time(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    venue = msgspec.structs.replace(rig.child.boot.venue, delay_ns=15 * MINUTE_NS)
    rig.child.boot = msgspec.structs.replace(rig.child.boot, venue=venue)
    rig.hear(400)
    rig.child.clock.turn_to(rig.now + 15 * MINUTE_NS + 30 * SECOND_NS)
    rig.watch.look()
    assert rig.fresh.silent_s == 30.0
