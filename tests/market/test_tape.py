"""Tape: a day played forward, and nothing told before its time."""

from datetime import date

import pytest

from liu_tui.market.calendar import hours
from liu_tui.market.recorded import RecordedSource
from liu_tui.market.simulation import SimulatedSource
from liu_tui.market.source import Source
from liu_tui.market.tape import Tape
from liu_tui.market.tapedata import TapeData
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS, Bar
from tests.kit.market import MONDAY, a_bar, at, recorded

FRIDAY = "2024-08-23"


def session() -> SessionHours:
    found = hours(date.fromisoformat(MONDAY))
    assert found is not None
    return found


@pytest.fixture
def source() -> RecordedSource:
    """UP rises and DOWN falls against Friday; NEW has no Friday."""
    bars: list[Bar] = []
    for symbol, friday, monday, volume in (("UP", 100.0, 110.0, 400.0), ("DOWN", 100.0, 90.0, 800.0)):
        bars += [a_bar(at(f"{FRIDAY} 15:59"), friday, symbol=symbol)]
        bars += [a_bar(at("09:29") + k * MINUTE_NS, monday + k, volume, symbol=symbol) for k in range(4)]
    return recorded(*bars, a_bar(at("09:30"), 5.0, symbol="NEW"))


def a_tape(source: Source, start_ns: int = 0) -> Tape:
    return Tape(source, MONDAY, session(), start_ns)


def test_a_tape_plays_every_step_once(source: RecordedSource) -> None:
    tape = a_tape(source)
    first = tape.next_step()
    rest = tape.advance(at("16:00"))
    assert [first, *rest] == list(source.steps(MONDAY))
    assert (tape.next_step(), tape.next_ns, tape.now_ns) == (None, None, at("16:00"))
    assert tape.advance(at("10:00")) == []
    assert tape.now_ns == at("16:00")


def test_nothing_is_known_before_its_time(source: RecordedSource) -> None:
    tape = a_tape(source)
    tape.advance(at("09:31") - 1)
    assert [bar.t_ns for bar in tape.bars("UP", MINUTE_NS, at("09:00"), at("16:00"))] == [at("09:29")]
    snapshot = tape.snapshot("UP")
    assert snapshot.daily_bar is None
    assert snapshot.minute_bar is not None
    assert snapshot.minute_bar.t_ns == at("09:29")
    tape.advance(at("09:31"))
    daily = tape.snapshot("UP").daily_bar
    assert daily is not None
    assert (daily.t_ns, daily.open, daily.close, daily.volume) == (at("00:00"), 111.0, 111.0, 400.0)


def test_daily_history_has_finished_days_only(source: RecordedSource) -> None:
    tape = a_tape(source)
    tape.advance(at("16:00"))
    assert [bar.t_ns for bar in tape.bars("UP", DAY_NS, 0, at("2024-09-01 00:00"))] == [at(f"{FRIDAY} 00:00")]


def test_a_tape_entered_later_knows_what_one_played_so_far_knows(source: RecordedSource) -> None:
    played, entered = a_tape(source), a_tape(source, at("09:32") + 30 * SECOND_NS)
    played.advance(at("09:32") + 30 * SECOND_NS)
    assert played.next_ns == entered.next_ns
    assert [entered.snapshot(s) for s in ("UP", "DOWN")] == [played.snapshot(s) for s in ("UP", "DOWN")]
    assert entered.quote("NEW") is None  # it did nothing in the last minute ...
    assert entered.price("NEW") == played.price("NEW") == 5.0  # ... but its bars are known
    assert entered.most_active(5) == [("DOWN", 2400.0), ("UP", 1200.0), ("NEW", 100.0)]
    assert played.most_active(5) == entered.most_active(5)


def test_a_simulated_tape_may_be_entered_in_the_middle() -> None:
    source = SimulatedSource(10, 1, MONDAY)
    start = at("10:00")
    played, entered = a_tape(source), a_tape(source, start)
    played.advance(start - 1)
    symbols = [asset.symbol for asset in source.assets()]
    assert entered.most_active(10) == played.most_active(10)
    assert [entered.snapshot(s).daily_bar for s in symbols] == [played.snapshot(s).daily_bar for s in symbols]
    assert entered.next_ns == start
    assert all(quote is not None for quote in map(entered.quote, symbols))


def test_movers_are_gainers_then_losers_against_yesterdays_close(source: RecordedSource) -> None:
    tape = a_tape(source)
    assert tape.movers(5) == []
    tape.advance(at("09:40"))
    moves = tape.movers(5)
    assert [symbol for symbol, _ in moves] == ["UP", "DOWN"]
    assert [percent for _, percent in moves] == pytest.approx([13.0, -7.0])


def test_a_price_is_the_last_one_known(source: RecordedSource) -> None:
    tape = a_tape(source)
    assert (tape.price("UP"), tape.price("NEW"), tape.price("ZZZ")) == (100.0, 0.0, 0.0)
    tape.advance(at("09:29") + SECOND_NS)
    assert tape.price("UP") == 110.0
    assert tape.trade("UP") is not None


async def test_tape_data_answers_as_a_vendor_would(source: RecordedSource) -> None:
    tape = a_tape(source)
    tape.advance(at("09:32"))
    data = TapeData(tape)
    bars = await data.bars(["UP", "ZZZ"], at("09:30"), at("16:00"))
    assert ([bar.t_ns for bar in bars["UP"]], bars["ZZZ"]) == ([at("09:30"), at("09:31")], [])
    assert set(await data.snapshots(["UP", "ZZZ"])) == {"UP"}
    assert [asset.symbol for asset in await data.assets()] == ["DOWN", "NEW", "UP"]
    assert (await data.most_active(1), await data.movers(1)) == (tape.most_active(1), tape.movers(1))
    assert await data.hours() == session()
    anchor = await data.anchor()
    assert (anchor.venue_ns, anchor.lockstep) == (at("09:32"), True)
    await data.close()
