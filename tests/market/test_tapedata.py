"""TapeData: a played day answers what a vendor would, and nothing later than its now."""

from collections.abc import Iterator, Set
from datetime import date

import pytest

from liu_tui.errors import FeedError
from liu_tui.market.calendar import hours
from liu_tui.market.simulation import SimulatedSource
from liu_tui.market.tape import Tape
from liu_tui.market.tapedata import TapeData
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    SECOND_NS,
    Quote,
    TapeEvent,
    Trade,
    TradeCancel,
    TradeCorrection,
)

DAY = "2026-11-23"


@pytest.fixture(scope="module")
def played() -> tuple[Tape, list[TapeEvent]]:
    """Three minutes of a small market, and every event of them in order."""
    session = hours(date.fromisoformat(DAY))
    assert session is not None
    tape = Tape(SimulatedSource(6, 1, DAY), DAY, session, session.open_ns)
    steps = tape.advance(session.open_ns + 3 * MINUTE_NS + 7 * SECOND_NS)
    return tape, [event for _, events in steps for event in events]


async def test_prints_and_quotes_of_a_span_are_those_that_were_played(
    played: tuple[Tape, list[TapeEvent]],
) -> None:
    tape, events = played
    data = TapeData(tape)
    begin, end = tape.hours.open_ns + 30 * SECOND_NS, tape.now_ns + DAY_NS
    trades = await data.trades(["aapl", "SPY", "NOSUCH"], begin, end)
    quotes = await data.quotes(["aapl", "SPY", "NOSUCH"], begin, end)
    assert list(trades) == ["AAPL", "SPY", "NOSUCH"]
    for name in ("AAPL", "SPY"):
        assert trades[name] == [
            e for e in events if type(e) is Trade and e.symbol == name and e.t_ns >= begin
        ]
        assert quotes[name] == [
            e for e in events if type(e) is Quote and e.symbol == name and e.t_ns >= begin
        ]
        assert trades[name]
    assert (trades["NOSUCH"], quotes["NOSUCH"]) == ([], [])


async def test_both_ends_of_a_span_belong_to_it(played: tuple[Tape, list[TapeEvent]]) -> None:
    tape, _ = played
    data = TapeData(tape)
    every = (await data.trades(["SPY"], 0, tape.now_ns))["SPY"]
    some = (await data.trades(["SPY"], every[3].t_ns, every[8].t_ns))["SPY"]
    assert (some[0], some[-1]) == (every[3], every[8])


async def test_the_latest_is_the_last_that_was_played(played: tuple[Tape, list[TapeEvent]]) -> None:
    tape, _ = played
    data = TapeData(tape)
    every = (await data.trades(["SPY"], 0, tape.now_ns))["SPY"]
    assert await data.latest_trades(["spy", "NOSUCH"]) == {"SPY": every[-1]}
    assert set(await data.latest_quotes(["spy", "NOSUCH"])) == {"SPY"}


async def test_the_calendar_is_the_rules_and_no_action_is_known(
    played: tuple[Tape, list[TapeEvent]],
) -> None:
    data = TapeData(played[0])
    days = [hours.day for hours in await data.sessions(date(2026, 11, 20), date(2026, 11, 30))]
    assert days == [f"2026-11-{day}" for day in (20, 23, 24, 25, 27, 30)]
    assert await data.corporate_actions(["SPY"], date(2020, 1, 1), date(2027, 1, 1)) == []


async def test_a_span_that_was_not_recorded_is_refused(played: tuple[Tape, list[TapeEvent]]) -> None:
    with pytest.raises(FeedError, match="no bars of 300 s"):
        await TapeData(played[0]).bars(["SPY"], 0, DAY_NS, span_ns=5 * MINUTE_NS)


async def test_a_print_is_told_as_it_was_amended(played: tuple[Tape, list[TapeEvent]]) -> None:
    tape, _ = played
    every = (await TapeData(tape).trades(["SPY"], 0, tape.now_ns))["SPY"]
    wrong, bust, last = every[2], every[5], every[-1]

    class Amended(SimulatedSource):
        def steps(
            self, day: str, start_ns: int = 0, wanted: Set[str] | None = None
        ) -> Iterator[tuple[int, list[TapeEvent]]]:
            for moment, events in super().steps(day, start_ns, wanted):
                yield moment, events
                if last in events:
                    fix = TradeCorrection(
                        "SPY", moment, wrong.exchange, wrong.id, wrong.price, wrong.size, 7, 1.5, 2.0
                    )
                    yield (
                        moment,
                        [fix, TradeCancel("SPY", moment, bust.exchange, bust.id, bust.price, bust.size)],
                    )

    amended = Tape(Amended(6, 1, DAY), DAY, tape.hours, tape.hours.open_ns)
    amended.advance(tape.now_ns)
    told = (await TapeData(amended).trades(["SPY"], 0, tape.now_ns))["SPY"]
    assert bust not in told
    assert (told[2].id, told[2].price, told[2].size, told[2].t_ns) == (7, 1.5, 2.0, wrong.t_ns)
    assert len(told) == len(every) - 1
