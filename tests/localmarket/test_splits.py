"""Splits that are made: one day, in old shares before a moment and in new ones after it."""

import inspect
from pathlib import Path
from typing import Any

import pytest

from liu_tui.localmarket.splits import SplitSource, split_event, splits_of
from liu_tui.market.source import Source
from liu_tui.market.sources import open_source
from liu_tui.market.tape import Tape
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    Bar,
    Halt,
    PriceBand,
    Quote,
    Trade,
    TradeCancel,
    TradeCorrection,
)
from liu_tui.plan.schema import FaultKind, FaultTable
from tests.kit.localmarket import DAY, flat, session, write_day

HOURS = session()
FOUR = FaultTable(kind=FaultKind.SPLIT, symbols=("AAA",), ratio=4.0)


@pytest.fixture
def source(tmp_path: Path) -> SplitSource:
    """Two minutes of two names, one before the open and one after."""
    folder = write_day(tmp_path / "day", {"AAA": flat(10.0, 2), "BBB": flat(20.0, 2)}, first="14:29")
    return SplitSource(open_source(str(folder), base=tmp_path, symbols=2, seed=1, day=""), HOURS)


def bars(source: SplitSource, symbol: str, span_ns: int = MINUTE_NS) -> list[tuple[float, float]]:
    day = source.bars(symbol, span_ns, HOURS.pre_ns - DAY_NS // 2, HOURS.post_ns + DAY_NS)
    return [(bar.close, bar.volume) for bar in day]


def asked_of(name: str, *, complete: bool = False) -> tuple[list[tuple[str, tuple[Any, ...]]], SplitSource]:
    """A source that only writes down what it is asked, within one that splits."""
    heard: list[tuple[str, tuple[Any, ...]]] = []

    def method(_: Source, *words: Any) -> list[Any]:
        heard.append((name, words))
        return []

    methods = dict.fromkeys(Source.__abstractmethods__ | {name}, method)
    inner: Source = type("Asked", (Source,), {**methods, "complete": complete})()
    return heard, SplitSource(inner, HOURS)


@pytest.mark.parametrize("name", [name for name in vars(Source) if inspect.isfunction(vars(Source)[name])])
def test_every_question_reaches_the_source_behind_with_every_word(name: str) -> None:
    heard, source = asked_of(name)
    known: dict[str, Any] = {"symbol": "AAA", "day": DAY, "wanted": {"AAA"}, "span_ns": MINUTE_NS}
    words = {
        key: known.get(key, n) for n, key in enumerate(inspect.signature(getattr(source, name)).parameters)
    }
    answer = getattr(source, name)(**words)
    if name == "steps":
        list(answer)
    theirs = list(inspect.signature(vars(Source)[name]).parameters)[1:]
    assert list(words) == theirs
    assert heard == [(name, tuple(words[key] for key in theirs))]


def test_what_else_the_interface_says_of_a_source_is_said_of_the_one_behind() -> None:
    said = [name for name, value in vars(Source).items() if name[0] != "_" and not inspect.isfunction(value)]
    assert said == ["complete"]
    for complete in (False, True):
        assert asked_of("days", complete=complete)[1].complete is complete


def test_what_is_played_and_what_history_tells_agree(source: SplitSource) -> None:
    source.split(FOUR)
    source.split(FOUR)  # the same one: it splits once
    played = [
        e for _, events in source.steps(DAY) for e in events if isinstance(e, Bar) and e.symbol == "AAA"
    ]
    assert [(bar.close, bar.volume) for bar in played] == bars(source, "AAA") == [(10.0, 4000), (2.5, 16_000)]
    assert bars(source, "BBB") == [(20.0, 4000)] * 2


def test_the_days_own_bar_is_in_new_shares_for_its_session_is(source: SplitSource) -> None:
    before = bars(source, "AAA", DAY_NS)
    source.split(FOUR)
    assert [(close * 4, volume / 4) for close, volume in bars(source, "AAA", DAY_NS)] == before


def test_a_step_that_a_tape_has_looked_at_already_splits_too(source: SplitSource) -> None:
    tape = Tape(source, DAY, HOURS, HOURS.open_ns + 1)
    assert tape.next_ns == HOURS.open_ns + 1_000_000_000
    source.split(FOUR)
    step = tape.next_step()
    assert step is not None
    assert {(e.symbol, e.price) for e in step[1] if isinstance(e, Trade)} == {("AAA", 2.5), ("BBB", 20.0)}


def test_two_splits_of_a_name_are_one_of_their_product(source: SplitSource) -> None:
    source.split(FOUR)
    source.split(FaultTable(kind=FaultKind.SPLIT, ratio=0.5))
    assert bars(source, "AAA")[1] == (5.0, 8000)
    assert bars(source, "BBB")[1] == (40.0, 2000)


def test_a_session_opens_with_the_splits_that_were_due_by_then() -> None:
    due = [
        FaultTable(kind=FaultKind.SPLIT, at="09:30", ratio=2),
        FaultTable(kind=FaultKind.SPLIT, ratio=3),
    ]
    late = FaultTable(kind=FaultKind.SPLIT, at="09:30:01")
    other = FaultTable(kind=FaultKind.DROP, at="09:00")
    assert splits_of([*due, late, other], HOURS, HOURS.open_ns) == due
    assert splits_of([*due, late, other], HOURS, HOURS.open_ns + 1) == due[:1]


def test_every_price_and_size_of_the_tape_is_in_new_shares() -> None:
    halt = Halt("AAA", 1, True)
    assert split_event(halt, 2.0) is halt
    assert split_event(Quote("AAA", 1, 10.0, 100, 10.02, 0), 2.0) == Quote("AAA", 1, 5.0, 200, 5.01, 0)
    assert split_event(PriceBand("AAA", 1, 9.0, 11.0), 2.0) == PriceBand("AAA", 1, 4.5, 5.5)
    cancel = TradeCancel("AAA", 1, "Q", 7, 10.0, 100)
    assert split_event(cancel, 0.1) == TradeCancel("AAA", 1, "Q", 7, 100.0, 10)
    fix = TradeCorrection("AAA", 1, "Q", 7, 10.0, 100, 8, 11.0, 200)
    assert split_event(fix, 2.0) == TradeCorrection("AAA", 1, "Q", 7, 5.0, 200, 8, 5.5, 400)
    assert split_event(Trade("AAA", 1, 1.0, 100), 3.0) == Trade("AAA", 1, 0.3333, 300)
