"""The session's log: numbered without gaps, and handed to each screen from where it was."""

from __future__ import annotations

import logging

import pytest

from liu_tui.engine.daylog import FIRST_LOOK, KEPT, DayLog
from liu_tui.engine.snapshot import LogLine
from liu_tui.model.clock import ManualClock
from tests.kit.engine import T0


@pytest.fixture
def heard() -> list[LogLine]:
    return []


@pytest.fixture
def log(heard: list[LogLine]) -> DayLog:
    return DayLog(ManualClock(T0), heard.append)


def test_lines_are_numbered_timed_and_told(log: DayLog, heard: list[LogLine]) -> None:
    log.say("info", "one")
    log.say("warn", "two", source="feed", kind="feed", t_ns=T0 + 5)
    assert [(line.n, line.t_ns, line.level, line.source, line.kind) for line in heard] == [
        (1, T0, "info", "session", ""),
        (2, T0 + 5, "warn", "feed", "feed"),
    ]
    assert log.after(0) == tuple(heard)
    assert log.after(1) == (heard[1],)
    assert log.after(2) == ()
    assert log.after(99) == ()


def test_a_screen_that_comes_late_gets_the_last_few_hundred(log: DayLog) -> None:
    for n in range(FIRST_LOOK + 50):
        log.say("info", str(n))
    assert [line.n for line in log.after(0)] == list(range(51, FIRST_LOOK + 51))


def test_old_lines_go_and_their_numbers_stay_theirs(log: DayLog) -> None:
    for n in range(KEPT + 10):
        log.say("info", str(n))
    lines = log.after(5)
    assert len(lines) == KEPT
    assert lines[0].n == 11
    assert lines[-1].n == KEPT + 10


def test_a_batch_that_goes_on_goes_on_numbering(log: DayLog, heard: list[LogLine]) -> None:
    log.start_after(41)
    assert log.after(0) == ()
    log.say("good", "again")
    assert heard[0].n == 42
    assert log.after(30) == tuple(heard)


def test_a_line_that_names_its_source_is_not_headed_by_it_again(
    log: DayLog, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "liu_tui.session")
    log.say("info", "momentum bought 100 BRK.B at 400", source="BRK.B")
    log.say("info", "1 new: AAPL", source="Momentum")
    assert caplog.messages == ["momentum bought 100 BRK.B at 400", "Momentum: 1 new: AAPL"]
