"""Halts of a recorded day: told like events, and no order fills while one lasts."""

from collections.abc import Iterator, Set
from pathlib import Path

import pytest

from liu_tui.localmarket.halts import Halts
from liu_tui.market.source import Batch, Source
from liu_tui.market.sources import open_source
from liu_tui.market.tape import Tape
from liu_tui.model.market import Asset, Bar, Halt, TapeEvent, Trade
from liu_tui.model.orders import OrderRequest, OrderType, Side
from liu_tui.trading.matching.exchange import Exchange
from tests.kit.localmarket import DAY, flat, session, write_day

HOURS = session()
OPEN = HOURS.open_ns


class WithHalt(Source):
    """A flat day whose tape halts AAA in its first minute, from 10 s to 30 s."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def assets(self) -> list[Asset]:
        return self._source.assets()

    def days(self) -> list[str]:
        return self._source.days()

    def bars(
        self, symbol: str, span_ns: int, start_ns: int, end_ns: int, now_ns: int | None = None
    ) -> list[Bar]:
        return self._source.bars(symbol, span_ns, start_ns, end_ns, now_ns)

    def steps(self, day: str, start_ns: int = 0, wanted: Set[str] | None = None) -> Iterator[Batch]:
        notes: dict[int, TapeEvent] = {
            at: Halt("AAA", OPEN + at * 10**9, halted) for at, halted in ((10, True), (30, False))
        }
        for t_ns, events in self._source.steps(day, start_ns, wanted):
            for at in [at for at in notes if OPEN + at * 10**9 < t_ns]:
                yield OPEN + at * 10**9, [notes.pop(at)]
            yield t_ns, events


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    folder = write_day(tmp_path / "day", {"AAA": flat(10.0, 2)})
    return Tape(
        WithHalt(open_source(str(folder), base=tmp_path, symbols=2, seed=1, day="")), DAY, HOURS, OPEN
    )


def a_market_order(symbol: str, qty: float) -> OrderRequest:
    return OrderRequest(
        client_order_id="one", symbol=symbol, side=Side.BUY, qty=qty, order_type=OrderType.MARKET
    )


def test_a_pause_of_the_price_bands_is_told_and_ends_with_nothing_else_standing_still(tape: Tape) -> None:
    exchange, said = Exchange(cash=1000.0, partial_fills=0.0), list[TapeEvent]()
    halts = Halts(tape, exchange, said.append)
    halts.pause([Halt("AAA", OPEN, True, "paused")])
    assert (halts.still, halts.muted) == ({"AAA"}, frozenset({"AAA"}))
    assert halts.without([Trade("AAA", OPEN, 10.0, 1)]) == []
    halts.pause([Halt("AAA", OPEN + 1, False, "on again")])
    assert (halts.still, halts.muted) == (set(), frozenset())
    assert said == [Halt("AAA", OPEN, True, "paused"), Halt("AAA", OPEN + 1, False, "on again")]


def test_an_order_waits_for_the_end_of_a_halt_and_then_meets_the_quote_as_it_stands(tape: Tape) -> None:
    exchange, said = Exchange(cash=1000.0, partial_fills=0.0), list[TapeEvent]()
    halts = Halts(tape, exchange, said.append)
    filled: list[int] = []
    sent = False
    while (step := tape.next_step()) is not None and step[0] < HOURS.close_ns:
        for event in step[1]:
            if isinstance(event, Halt):
                halts.note(event)
            elif event.symbol not in halts.still:
                exchange.on_event(event)  # type: ignore[arg-type] # a flat day has no other notes
        exchange.on_time(step[0])
        if halts.still and not sent:
            sent = True
            exchange.submit(a_market_order("AAA", 1), step[0])
        filled += [update.t_ns for update in exchange.drain() if update.event == "fill"]
    assert sent
    assert [(t_ns - OPEN) / 10**9 for t_ns in filled] == [30.0]
    assert said == [], "the tape says it, we do not"
