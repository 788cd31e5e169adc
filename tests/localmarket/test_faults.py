"""The timetable of faults: each begins and ends once, at its moment, whatever the stretches of time are."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.errors import UsageError
from liu_tui.localmarket.faults import REMEMBERED, Fault, Faults
from liu_tui.model.market import SECOND_NS
from liu_tui.plan.schema import FaultKind, FaultTable
from tests.kit.localmarket import session

OPEN = session().open_ns


class Diary:
    """A hand that writes down what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, float]] = []

    def begin(self, fault: Fault, t_ns: int) -> None:
        self.lines.append(("begin", fault.id, (t_ns - OPEN) / SECOND_NS))

    def end(self, fault: Fault, t_ns: int) -> None:
        self.lines.append(("end", fault.id, (t_ns - OPEN) / SECOND_NS))


def a_timetable() -> tuple[Faults, Diary]:
    diary = Diary()
    return Faults(dict.fromkeys(FaultKind, diary), session(), ["AAA", "BBB"], seed=1), diary


def silence(at: str = "", for_s: float = 0.0, **more: float) -> FaultTable:
    return FaultTable(kind=FaultKind.SILENCE, at=at, for_s=for_s, **more)  # type: ignore[arg-type] # share only


def test_what_is_due_begins_and_ends_in_order_ends_first() -> None:
    faults, diary = a_timetable()
    faults.add(silence("09:30:10", 10), OPEN)
    faults.add(silence("09:30:20", 5), OPEN)
    faults.add(FaultTable(kind=FaultKind.DROP, at="09:30:20"), OPEN)
    assert faults.due_ns == OPEN + 10 * SECOND_NS
    faults.pass_time(OPEN + 60 * SECOND_NS)
    assert diary.lines == [
        ("begin", "1", 10.0),
        ("end", "1", 20.0),
        ("begin", "2", 20.0),
        ("begin", "3", 20.0),
        ("end", "3", 20.0),
        ("end", "2", 25.0),
    ]
    assert [fault.state for fault in faults.all] == ["over"] * 3


@given(st.lists(st.integers(0, 120), max_size=20))
def test_the_stretches_in_which_time_passes_change_nothing(seconds: list[int]) -> None:
    faults, diary = a_timetable()
    for table in (silence("09:30:10", 10), silence("09:30:15", 60), silence("09:30:20", 1)):
        faults.add(table, OPEN)
    for second in (*sorted(seconds), 120):
        faults.pass_time(OPEN + second * SECOND_NS)
    other, again = a_timetable()
    for table in (silence("09:30:10", 10), silence("09:30:15", 60), silence("09:30:20", 1)):
        other.add(table, OPEN)
    other.pass_time(OPEN + 120 * SECOND_NS)
    assert diary.lines == again.lines
    assert len(diary.lines) == 6


def test_a_fault_without_a_moment_begins_now_and_lasts_until_it_is_removed() -> None:
    faults, diary = a_timetable()
    fault = faults.add(silence(), OPEN)
    assert faults.active == [fault]
    faults.pass_time(OPEN + 10**15)
    faults.remove(fault, OPEN + 5 * SECOND_NS)
    faults.remove(fault, OPEN + 6 * SECOND_NS)
    assert diary.lines == [("begin", "1", 0.0), ("end", "1", 5.0)]


def test_a_fault_that_is_removed_before_it_begins_never_does() -> None:
    faults, diary = a_timetable()
    faults.remove(faults.add(silence("10:00", 5), OPEN), OPEN)
    faults.pass_time(OPEN + 10**15)
    assert diary.lines == []


def test_one_whose_time_is_past_is_over_and_a_split_of_the_morning_is_not() -> None:
    faults, diary = a_timetable()
    noon = OPEN + 9000 * SECOND_NS
    faults.add(silence("09:31", 60), noon)
    faults.add(FaultTable(kind=FaultKind.DROP, at="09:31"), noon)
    faults.add(FaultTable(kind=FaultKind.SPLIT, at="09:00"), noon)
    faults.add(silence("09:31", 9000), noon)
    assert diary.lines == [("begin", "3", 9000.0), ("end", "3", 9000.0), ("begin", "4", 9000.0)]


def test_a_symbol_that_is_not_listed_is_refused() -> None:
    faults, _ = a_timetable()
    with pytest.raises(UsageError, match="no symbol 'AAB'"):
        faults.add(FaultTable(kind=FaultKind.HALT, symbols=("AAB",)), OPEN)
    assert faults.all == []


def test_beginning_and_end_are_logged_with_what_was_struck(caplog: pytest.LogCaptureFixture) -> None:
    faults, _ = a_timetable()
    with caplog.at_level(logging.WARNING):
        fault = faults.add(FaultTable(kind=FaultKind.SILENCE, symbols=("AAA",), for_s=1), OPEN)
        assert [fault.strikes(symbol) for symbol in ("AAA", "BBB", "AAA")] == [True, False, True]
        faults.pass_time(OPEN + SECOND_NS)
    assert [record.getMessage() for record in caplog.records] == [
        "fault 1: silence of AAA begins at 2024-03-06T14:30:00Z",
        "fault 1: silence of AAA is over at 2024-03-06T14:30:01Z: it struck 2",
    ]


def test_a_share_is_drawn_alike_in_every_run_and_hits_about_that_many() -> None:
    runs = []
    for _ in range(2):
        faults, _ = a_timetable()
        fault = faults.add(silence(share=0.25), OPEN)
        runs.append([fault.strikes("AAA") for _ in range(2000)])
    assert runs[0] == runs[1]
    assert 400 < sum(runs[0]) < 600


def test_of_faults_that_are_over_a_thousand_are_remembered_and_of_the_others_the_totals() -> None:
    faults, diary = a_timetable()
    stays = faults.add(FaultTable(kind=FaultKind.LOST_ANSWER), OPEN)
    for n in range(REMEMBERED + 500):
        fault = faults.add(silence(for_s=1), OPEN + n * SECOND_NS)
        assert fault.hit()
        faults.pass_time(OPEN + (n + 1) * SECOND_NS)
    assert len(faults.all) <= REMEMBERED + 2
    assert faults.find("1") is stays
    assert (faults.find("2"), faults.find(fault.id)) == (None, fault)
    assert fault.id == str(REMEMBERED + 501)
    assert faults.totals == {
        "lost_answer": {"faults": 1, "hits": 0},
        "silence": {"faults": REMEMBERED + 500, "hits": REMEMBERED + 500},
    }
    assert len(diary.lines) == 1 + 2 * (REMEMBERED + 500)


def test_what_is_drawn_by_name_does_not_depend_on_what_was_drawn_before() -> None:
    one, other = (a_timetable()[0].add(silence(share=0.5), OPEN) for _ in range(2))
    names = [f"o{n}" for n in range(200)]
    struck = {name for name in names if one.hit_on(name)}
    assert struck == {name for name in reversed(names) if other.hit_on(name)}
    assert 60 < len(struck) < 140
