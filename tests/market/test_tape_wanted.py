"""A tape that is told which symbols are wanted: it plays less, and tells the same."""

from datetime import date

import pytest

from liu_tui.market.calendar import hours
from liu_tui.market.csvfiles import open_csv
from liu_tui.market.recorded import RecordedSource
from liu_tui.market.source import Source
from liu_tui.market.tape import Tape
from liu_tui.model.market import MINUTE_NS, Bar, TapeEvent
from tests.kit.market import DATA, MONDAY, a_bar, at, recorded

SYMBOLS = ("AAPL", "BAC", "CAT", "DIS")


def a_source() -> RecordedSource:
    """Four names of forty minutes, one of them with gaps and minutes without a share."""
    bars: list[Bar] = []
    for n, symbol in enumerate(SYMBOLS):
        for minute in range(-10, 30):
            if symbol == "CAT" and minute % 4:
                continue
            volume = 0.0 if symbol == "CAT" and minute % 8 else 1_000.0 + minute * n
            bars.append(
                a_bar(at("09:30") + minute * MINUTE_NS, 50.0 * (n + 1) + minute, volume, symbol=symbol)
            )
    return recorded(*bars)


def assert_same_day(source: Source, day: str, start_ns: int, picks: dict[int, str]) -> None:
    """Play a day whole and by what is wanted; picks: number of a step -> the symbol wanted after it."""
    session = hours(date.fromisoformat(day))
    assert session is not None
    wanted: set[str] = set()
    whole, lean = Tape(source, day, session, start_ns), Tape(source, day, session, start_ns, wanted)
    names = [asset.symbol for asset in source.assets()]
    n = 0
    while (step := whole.next_step()) is not None:
        other = lean.next_step()
        assert other is not None
        assert other[0] == step[0]
        assert other[1] == [event for event in step[1] if _plays(event, wanted)]
        if n % 7 == 0:
            assert [lean.snapshot(name) for name in names] == [whole.snapshot(name) for name in names]
            assert lean.movers(50) == whole.movers(50)
            assert lean.most_active(50) == whole.most_active(50)
        if n in picks:
            wanted.add(picks[n])
        n += 1
    assert lean.next_step() is None
    assert n > 20


def _plays(event: TapeEvent, wanted: set[str]) -> bool:
    return isinstance(event, Bar) or event.symbol in wanted


@pytest.mark.parametrize("start", ["", "09:25", "09:30", "09:47"])
@pytest.mark.parametrize("first", [0, 1, 2, 3, 4, 5])
def test_it_plays_the_wanted_and_tells_all_as_if_it_had_played_all(start: str, first: int) -> None:
    picks = {first: "BAC", first + 9: "CAT", first + 10: "AAPL"}
    assert_same_day(a_source(), MONDAY, at(start) if start else 0, picks)


def test_a_symbol_wanted_from_the_beginning_is_played_from_the_beginning() -> None:
    session = hours(date.fromisoformat(MONDAY))
    assert session is not None
    whole, lean = Tape(a_source(), MONDAY, session), Tape(a_source(), MONDAY, session, 0, set(SYMBOLS))
    assert lean.advance(session.close_ns) == whole.advance(session.close_ns)


def test_a_real_day_is_the_same_either_way() -> None:
    folder = DATA / "bars/eqker-2019-02"
    if not folder.exists():
        pytest.skip("no recorded days at hand")
    source = open_csv(folder)
    session = hours(date(2019, 2, 12))
    assert session is not None
    assert_same_day(source, "2019-02-12", session.open_ns, {3: "AAPL", 40: "SPY", 333: "UGA"})
