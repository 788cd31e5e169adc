"""Gaps: from the last good event until the line is good again, told once, and never too often."""

from __future__ import annotations

import pytest

from liu_tui.engine import gaps as module
from liu_tui.engine.gaps import Gaps
from liu_tui.model.market import SECOND_NS

NOW = 1_700_000_000 * SECOND_NS


class Wall:
    """The wall's time, turned by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ns = 10**15
        monkeypatch.setattr(module, "monotonic_ns", lambda: self.ns)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    return Wall(monkeypatch)


def at(seconds: float) -> int:
    return NOW + int(seconds * SECOND_NS)


@pytest.mark.usefixtures("wall")
def test_a_line_that_comes_up_for_the_first_time_has_missed_nothing() -> None:
    gaps = Gaps()
    assert gaps.live(at(0)) is None
    assert gaps.recent is None
    assert gaps.count == 0


@pytest.mark.usefixtures("wall")
def test_a_gap_begins_with_the_last_good_event_and_not_when_the_loss_was_noticed() -> None:
    gaps = Gaps()
    gaps.good(at(10))
    gaps.lost(at(40), "no data")
    gaps.lost(at(50), "refused")
    gap = gaps.live(at(60))
    assert gap is not None
    assert (gap.from_ns, gap.to_ns, gap.words) == (at(10), at(60), "no data")
    assert gaps.live(at(61)) is None, "it is told once"
    assert gaps.count == 1


@pytest.mark.usefixtures("wall")
def test_a_predecessors_death_is_a_gap_that_ends_with_the_first_live_line() -> None:
    gap = Gaps(at(5)).live(at(7))
    assert gap is not None
    assert (gap.from_ns, gap.to_ns) == (at(5), at(7))


def test_unreadable_messages_in_a_row_are_one_gap_a_second(wall: Wall) -> None:
    gaps = Gaps()
    gaps.good(at(0))
    gaps.unreadable(2, at(1))
    first = gaps.due(at(1))
    assert first is not None
    assert (first.from_ns, first.words) == (at(0), "2 messages could not be read")
    gaps.good(at(1))
    gaps.unreadable(1, at(1.2))
    gaps.good(at(1.3))
    gaps.unreadable(4, at(1.4))
    wall.ns += SECOND_NS // 2
    assert gaps.due(at(1.5)) is None
    wall.ns += SECOND_NS
    later = gaps.due(at(2.5))
    assert later is not None
    assert (later.from_ns, later.to_ns, later.words) == (at(1), at(2.5), "5 messages could not be read")
    assert gaps.due(at(9)) is None


def test_a_consumer_that_comes_a_moment_later_is_told_of_the_gap_too(wall: Wall) -> None:
    gaps = Gaps(at(1))
    gap = gaps.live(at(2))
    assert gaps.recent == gap
    wall.ns += 4 * SECOND_NS
    assert gaps.recent is None


@pytest.mark.usefixtures("wall")
def test_symbols_that_were_quiet_before_the_line_was_lost_make_its_gap_longer() -> None:
    gaps = Gaps()
    gaps.good(at(10))
    gaps.lost(at(11), "no data")
    gap = gaps.live(at(12), at(4))
    assert gap is not None
    assert gap.from_ns == at(4)
    assert gaps.live(at(13), at(4)) is None


@pytest.mark.usefixtures("wall")
def test_a_quiet_symbols_gap_is_its_own_and_no_news_for_a_consumer_that_comes_later() -> None:
    gaps = Gaps()
    gap = gaps.quiet(("TSLA", "F", "T"), at(1), at(9))
    assert (gap.symbols, gap.from_ns, gap.to_ns) == (("TSLA", "F", "T"), at(1), at(9))
    assert gap.words == "TSLA and 2 more quiet for longer than usual"
    assert gaps.quiet(("F",), at(1), at(9)).words == "F quiet for longer than usual"
    assert (gaps.count, gaps.recent) == (2, None)
