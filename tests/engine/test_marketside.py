"""The market side of a consumer: what strategies are called for, what only the series learns, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from liu_tui import Buy
from liu_tui.engine import marketside as module
from liu_tui.engine import mending as mending_module
from liu_tui.engine.backfill import Backfill
from liu_tui.engine.links import Link, pair
from liu_tui.engine.marketside import CHUNK, MarketSide
from liu_tui.engine.messages import Assign, Assigned, GapBegin, NumberedFill, StepUpdates, SymbolTask
from liu_tui.engine.orderside import OrderSide
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS, Bar, Halt, Step, Trade, TradeCancel
from liu_tui.model.orders import Intent
from liu_tui.trading.session import Request, Session
from tests.kit.engine import a_profile, any_decoder, eventually
from tests.kit.inside import Archive, Insider, an_insider
from tests.kit.session import Puppet, a_bar, a_quote, a_session, at, fill_of, intents

NOW = at(10) + 30 * SECOND_NS


def a_trade(n: float = 0, price: float = 100.0, symbol: str = "AAPL") -> Trade:
    """Make a print so many seconds after the test's now."""
    return Trade(symbol, NOW + int(n * SECOND_NS), price, 100.0, int(n * 1000) + 100_000, "V")


class Rig:
    """The market side of consumer A, a vendor's history, and the far ends of its links."""

    def __init__(self, child: Insider, *strategies: Puppet) -> None:
        self.child = child
        self.session: Session = a_session(*strategies, symbols=())
        self.archive = Archive(child)
        self.requests: list[Request] = []
        profiles = [a_profile(strategy.name, lookback=5) for strategy in strategies]
        self.backfill = Backfill(self.archive.api, child.inside, profiles)
        self.orders = OrderSide("A", self.session, self.put, after_fill=0)
        self.market = MarketSide(child.inside, self.session, self.backfill, self.orders, self.put)
        self._links: list[Link[object]] = []
        self.producer = self._far_end(lambda sock: self.market.take_link("producer", sock))
        self.desk = self._far_end(lambda sock: self.orders.attach(sock, child.wake.set))
        self._numbers = 0

    def _far_end(self, give: Callable[[Any], None]) -> Link[object]:
        ours, theirs = pair()
        give(ours)
        link: Link[object] = Link(theirs, any_decoder(), lambda: None)
        self._links.append(link)
        return link

    async def put(self, requests: list[Request]) -> None:
        """Keep what strategies asked for."""
        self.requests += requests

    async def bring(self, *events: object) -> None:
        """Have the producer send a batch, and the consumer take it."""
        before = self.market.queue
        self.producer.send(*events)
        await eventually(lambda: self.market.queue >= before + len(events))
        await self.market.take()

    async def serve(self, *symbols: str) -> None:
        """Assign symbols, and wait until their history is there."""
        self.assign(*symbols)
        await self.settled()

    def assign(self, *symbols: str) -> int:
        """Assign symbols."""
        self._numbers += 1
        self.market.assign(Assign(n=self._numbers, tasks=tuple(SymbolTask(symbol=name) for name in symbols)))
        return self._numbers

    async def settled(self) -> None:
        """Wait until all that was asked of history is taken."""
        for tasks in (self.backfill._tasks, self.backfill._repairs):
            await asyncio.gather(*tasks)
        await self.market.take()

    async def close(self) -> None:
        """Let everything go."""
        await self.backfill.close()
        for link in self._links:
            link.close()
        for inbox in self.market._inboxes.values():
            inbox.close()
        if self.orders._link is not None:
            self.orders._link.close()


Start = Callable[..., Any]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Give what makes a consumer's market side, to be entered: of strategies, and fields of its Boot."""

    @asynccontextmanager
    async def started(*strategies: Puppet, **boot: Any) -> AsyncIterator[Rig]:
        rig = Rig(an_insider("consumer", tmp_path, now_ns=NOW, **boot), *strategies)
        try:
            yield rig
        finally:
            await rig.close()

    return started


def a_puppet(*events: str, answer: object = None, name: str = "puppet") -> Puppet:
    """Make a strategy that is called for these events."""
    return Puppet(name, answer, events=set(events or ("trade", "quote", "minute")))


def gap(minutes: float, *symbols: str, words: str = "lost") -> GapBegin:
    return GapBegin(from_ns=at(minutes), to_ns=NOW, symbols=symbols, words=words)


def minutes_of(rig: Rig, symbol: str = "AAPL") -> list[int]:
    """Which minutes of the session a series has."""
    return [(int(t_ns) - at(0)) // MINUTE_NS for t_ns in rig.session.series(symbol).t_ns[:]]


# ── the late rule ──


async def test_what_waited_too_long_updates_the_series_and_calls_nobody(start: Start) -> None:
    puppet = a_puppet()
    async with start(puppet) as rig:
        await rig.serve("AAPL")
        late = [a_trade(-8, 98.0), a_trade(-7, 99.0)]
        await rig.bring(*late, a_trade(-1, 101.0), a_bar(9))
        assert puppet.heard == [a_trade(-1, 101.0)], "a minute that history told calls nobody"
        assert rig.market.discarded == 2
        assert rig.market.discards == {"AAPL": 2}
        assert rig.child.words[-1] == "consumer consumer AAPL out of sync w 0:00:08.000"


async def test_a_declared_delay_is_no_lateness(start: Start, tmp_path: Path) -> None:
    usual = an_insider("consumer", tmp_path).boot.venue
    venue = msgspec.structs.replace(usual, delay_ns=15 * MINUTE_NS)
    puppet = a_puppet()
    async with start(puppet, venue=venue) as rig:
        await rig.serve("AAPL")
        rig.child.clock.turn_to(NOW + 15 * MINUTE_NS)
        await rig.bring(a_trade(-8), a_trade(-4))
        assert puppet.heard == [a_trade(-4)]
        p50, _p99 = rig.market.lag.percentiles()
        assert p50 == pytest.approx(4_000, rel=0.2)


async def test_bars_are_never_late(start: Start) -> None:
    puppet = a_puppet()
    async with start(puppet) as rig:
        await rig.serve("AAPL")
        rig.child.clock.turn_to(at(13))
        await rig.bring(a_bar(10), a_bar(11))
        assert puppet.heard == [a_bar(10), a_bar(11)]
        assert rig.market.discarded == 0


# ── first histories ──


async def test_events_of_a_new_symbol_wait_for_its_history_and_then_only_the_series_learns_them(
    start: Start,
) -> None:
    puppet = a_puppet()
    async with start(puppet) as rig:
        slow = rig.archive.slow["AAPL"] = asyncio.Event()
        n = rig.assign("AAPL")
        await rig.bring(a_trade(0, 101.0), a_quote(10.6), Halt("AAPL", NOW, True, "News"))
        assert rig.child.heard(Assigned) == []
        slow.set()
        await rig.settled()
        series = rig.session.series("AAPL")
        assert rig.child.heard(Assigned) == [Assigned(n=n)]
        assert minutes_of(rig)[-1] == 9
        assert (series.price, series.halted, series.quote) == (101.0, True, a_quote(10.6))
        assert puppet.heard == []
        await rig.bring(a_trade(1, 102.0))
        assert puppet.heard == [a_trade(1, 102.0)]


async def test_events_of_other_symbols_do_not_wait(start: Start) -> None:
    puppet = a_puppet()
    async with start(puppet) as rig:
        await rig.serve("AAPL")
        rig.archive.slow["TSLA"] = asyncio.Event()
        rig.assign("TSLA")
        await rig.bring(a_trade(0), a_trade(0, symbol="TSLA"), a_trade(1))
        assert puppet.heard == [a_trade(0), a_trade(1)]
        rig.archive.slow["TSLA"].set()


async def test_a_symbol_that_is_dropped_while_its_history_comes_stays_dropped(start: Start) -> None:
    async with start(a_puppet()) as rig:
        slow = rig.archive.slow["AAPL"] = asyncio.Event()
        n = rig.assign("AAPL", "TSLA")
        rig.market.drop("AAPL")
        slow.set()
        await rig.settled()
        assert rig.child.heard(Assigned) == [Assigned(n=n)]
        assert list(rig.session.symbols) == ["TSLA"]
        await rig.serve("AAPL")
        assert list(rig.session.symbols) == ["TSLA", "AAPL"]


# ── gaps ──


async def test_after_a_gap_the_bars_come_first_marked_and_then_the_strategies_are_called_in_order(
    start: Start,
) -> None:
    puppet = a_puppet(answer=lambda bars, **_: marks.append(len(bars)))
    marks: list[int] = []
    async with start(puppet) as rig:
        rig.child.clock.turn_to(at(5))
        await rig.serve("AAPL")
        assert minutes_of(rig)[-1] == 4
        rig.child.clock.turn_to(NOW)
        slow = rig.archive.slow["AAPL"] = asyncio.Event()
        held = [a_trade(0), a_quote(10.6), a_trade(1)]
        await rig.bring(gap(5), *held)
        assert puppet.heard == []
        slow.set()
        await rig.settled()
        assert puppet.heard == held
        assert minutes_of(rig) == list(range(10))
        assert set(marks) == {10}, "no call saw the hole"
        assert [bool(mark) for mark in rig.session.series("AAPL").backfilled[:]] == [False] * 5 + [True] * 5


async def test_two_gaps_in_a_row_let_the_events_go_once_and_after_the_second(start: Start) -> None:
    puppet = a_puppet()
    async with start(puppet) as rig:
        await rig.serve("AAPL")
        slow = rig.archive.slow["AAPL"] = asyncio.Event()
        await rig.bring(gap(8), a_trade(0), gap(9), a_trade(1))
        first, *_ = rig.backfill._tasks
        slow.set()
        await first
        await rig.settled()
        assert puppet.heard == [a_trade(0), a_trade(1)]


async def test_a_gap_while_a_symbol_is_new_waits_for_both_answers(start: Start) -> None:
    puppet = a_puppet()
    async with start(puppet) as rig:
        slow = rig.archive.slow["AAPL"] = asyncio.Event()
        rig.assign("AAPL")
        await rig.bring(a_trade(0), gap(9), a_trade(1))
        slow.set()
        await rig.settled()
        assert puppet.heard == [a_trade(0), a_trade(1)]
        assert minutes_of(rig) == list(range(10))


async def test_a_gap_that_names_symbols_is_theirs_alone_and_one_of_strangers_nobodys(start: Start) -> None:
    puppet = a_puppet()
    async with start(puppet) as rig:
        await rig.serve("AAPL", "TSLA")
        asked = len(rig.archive.asked)
        rig.archive.slow["TSLA"] = asyncio.Event()
        await rig.bring(gap(9, "TSLA"), gap(9, "F"), a_trade(0), a_trade(0, symbol="TSLA"))
        await eventually(lambda: len(rig.archive.asked) > asked)
        assert [names for names, _from in rig.archive.asked[asked:]] == [["TSLA"]]
        assert puppet.heard == [a_trade(0)]
        rig.archive.slow["TSLA"].set()
        await rig.settled()
        assert puppet.heard == [a_trade(0), a_trade(0, symbol="TSLA")]


async def test_what_waited_for_history_too_long_is_late_as_everything(start: Start) -> None:
    puppet = a_puppet()
    async with start(puppet) as rig:
        await rig.serve("AAPL", "TSLA")
        for symbol in ("AAPL", "TSLA"):
            rig.archive.slow[symbol] = asyncio.Event()
        await rig.bring(gap(9), a_trade(0), a_trade(0.5, symbol="TSLA"), a_trade(1))
        rig.child.clock.turn_to(NOW + 20 * SECOND_NS)
        await rig.bring(a_trade(11, 101.0), a_trade(19, 102.0), a_trade(19.5, symbol="TSLA"))
        for slow in rig.archive.slow.values():
            slow.set()
        await rig.settled()
        assert puppet.heard == [a_trade(19, 102.0), a_trade(19.5, symbol="TSLA")]
        assert rig.market.discards == {"AAPL": 3, "TSLA": 1}
        assert rig.market.discarded == 4
        assert rig.session.series("AAPL").last_trade == a_trade(19, 102.0)


async def test_events_of_several_symbols_that_waited_go_in_the_order_in_which_they_came(start: Start) -> None:
    puppet = a_puppet()
    async with start(puppet) as rig:
        await rig.serve("AAPL", "TSLA")
        came = [a_trade(n / 10, symbol=symbol) for n, symbol in enumerate(["TSLA", "AAPL", "TSLA", "AAPL"])]
        await rig.bring(gap(9), *came)
        await rig.settled()
        assert puppet.heard == came


async def test_however_long_history_takes_few_events_of_a_symbol_wait(start: Start) -> None:
    puppet = a_puppet()
    async with start(puppet) as rig:
        await rig.serve("AAPL")
        slow = rig.archive.slow["AAPL"] = asyncio.Event()
        many = [a_trade(n / 10_000, 100 + n / 10_000) for n in range(5_000)]
        await rig.bring(gap(9), *many, a_bar(10))
        assert len(rig.market._room._events["AAPL"]) <= 1_001
        slow.set()
        await rig.settled()
        assert puppet.heard[-2:] == [many[-1], a_bar(10)]
        prints = [event for event in puppet.heard if isinstance(event, Trade)]
        assert len(prints) + rig.market.discards["AAPL"] == len(many)


# ── notes, and what is asked for again ──


async def test_a_cancellation_takes_a_print_out_of_the_minute_that_is_being_made(start: Start) -> None:
    async with start(a_puppet()) as rig:
        await rig.serve("AAPL")
        await rig.bring(a_trade(0, 101.0), a_trade(1, 107.0))
        wrong = a_trade(1, 107.0)
        await rig.bring(TradeCancel("AAPL", NOW + 2 * SECOND_NS, "V", wrong.id, wrong.price, wrong.size))
        forming = rig.session.series("AAPL").forming
        assert forming is not None
        assert forming.high == 101.0
        assert rig.backfill._repairs == []


async def test_a_cancellation_of_an_older_print_has_its_minutes_fetched_again(start: Start) -> None:
    async with start(a_puppet()) as rig:
        await rig.serve("AAPL")
        asked = len(rig.archive.asked)
        await rig.bring(TradeCancel("AAPL", at(10), "V", 7, 99.0, 100.0))
        await eventually(lambda: len(rig.archive.asked) > asked)
        assert rig.archive.asked[-1] == (["AAPL"], at(-20))


async def test_in_lock_step_nothing_is_asked_for_again(start: Start) -> None:
    async with start(a_puppet(), lockstep=True) as rig:
        await rig.serve("AAPL")
        asked = len(rig.archive.asked)
        rig.desk.send(StepUpdates(n=1))
        await eventually(lambda: rig.orders.waiting)
        await rig.orders.hear()
        await rig.bring(TradeCancel("AAPL", at(10), "V", 7, 99.0, 100.0), Step(1, NOW))
        assert rig.market.finished_step() == Step(1, NOW)
        assert len(rig.archive.asked) == asked


async def test_a_minute_with_trades_whose_bar_did_not_come_is_asked_for_once(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending_module, "LOOK_S", 0.0)
    async with start(a_puppet()) as rig:
        await rig.serve("AAPL")
        asked = len(rig.archive.asked)
        await rig.bring(a_trade(0))
        rig.child.clock.turn_to(at(11) + SECOND_NS)
        await rig.market.take()
        await asyncio.sleep(0)
        assert len(rig.archive.asked) == asked, "its bar may still come"
        rig.child.clock.turn_to(at(11) + 10 * SECOND_NS)
        await rig.bring(a_trade(35))
        await rig.settled()
        await rig.market.take()
        await rig.settled()
        assert [names for names, _from in rig.archive.asked[asked:]] == [["AAPL"]]
        assert minutes_of(rig)[-1] == 10
        assert rig.session.series("AAPL").backfilled[-1]


# ── the crank ──


def buy_once() -> Callable[..., object]:
    """Buy at the first call only."""
    asked: list[int] = []

    def answer(**_: object) -> object:
        asked.append(1)
        return Buy(qty=1, stop=50.0) if len(asked) == 1 else None

    return answer


async def test_what_a_strategy_asks_for_leaves_before_the_next_event_is_taken(start: Start) -> None:
    seen: list[tuple[float, int]] = []

    def answer(bars: Any, **_: object) -> object:
        seen.append((bars.price, len(rig.requests)))
        return Buy(qty=1, stop=50.0) if len(seen) == 1 else None

    async with start(a_puppet("trade", answer=answer)) as rig:
        await rig.serve("AAPL")
        await rig.bring(a_trade(0, 100.0), a_trade(0.1, 101.0), a_trade(0.2, 102.0))
        assert seen == [(100.0, 0), (101.0, 1), (102.0, 1)]
        assert rig.market.dispatched == 3


async def test_between_two_chunks_of_a_long_batch_the_desk_is_heard(start: Start) -> None:
    held: list[float] = []
    puppet = a_puppet("trade", answer=lambda position, **_: held.append(position.qty))
    other = a_puppet("minute", answer=Buy(qty=5, stop=50.0), name="other")
    async with start(puppet, other) as rig:
        await rig.serve("AAPL")
        await rig.bring(a_bar(10, t_ns=at(10)))
        (intent,) = intents(rig.requests)
        mine = msgspec.structs.replace(intent, strategy="puppet")
        rig.desk.send(NumberedFill(n=1, fill=fill_of(mine, 5, 5)))
        await eventually(lambda: rig.orders.waiting)
        await rig.bring(*(a_trade(n / 1000) for n in range(CHUNK + 5)))
        assert held == [0] * CHUNK + [5] * 5
        assert rig.orders.after_fill == 1


async def test_in_lock_step_a_step_is_taken_whole_and_each_event_is_seen_at_its_own_time(
    start: Start,
) -> None:
    seen: list[tuple[object, int]] = []
    puppet = a_puppet(answer=lambda ctx, now, **_: seen.append((ctx.event, round(now.timestamp()))))
    async with start(puppet, lockstep=True) as rig:
        await rig.serve("AAPL")
        rig.desk.send(StepUpdates(n=1))
        await eventually(lambda: rig.orders.waiting)
        day = Bar("AAPL", at(0) - at(0) % DAY_NS, 100, 101, 99, 100, 5e5, span_ns=DAY_NS)
        step = Step(1, at(11))
        await rig.bring(a_trade(0), a_bar(10), day, step)
        assert seen == [], "the desk has not told its updates yet"
        await rig.orders.hear()
        await rig.market.take()
        assert seen == [(a_trade(0), NOW // SECOND_NS), (a_bar(10), at(11) // SECOND_NS)]
        assert rig.session.series("AAPL").day == day
        assert rig.child.clock.now_ns() == at(11), "a bar of the whole day does not move the clock to its end"
        assert rig.market.finished_step() == step
        assert rig.market.finished_step() is None


async def test_links_to_several_producers_are_all_taken_and_a_new_one_stands_for_an_old(start: Start) -> None:
    puppet = a_puppet()
    async with start(puppet) as rig:
        await rig.serve("AAPL", "TSLA")
        second = rig._far_end(lambda sock: rig.market.take_link("producer 2", sock))
        second.send(a_trade(0, symbol="TSLA"))
        rig.producer.send(a_trade(0))
        await eventually(lambda: rig.market.queue == 2)
        await rig.market.take()
        assert sorted(event.symbol for event in puppet.heard) == ["AAPL", "TSLA"]
        third = rig._far_end(lambda sock: rig.market.take_link("producer 2", sock))
        await eventually(lambda: second.closed)
        third.send(a_trade(1, symbol="TSLA"))
        await eventually(lambda: rig.market.queue == 1)
        await rig.market.take()
        assert puppet.heard[-1] == a_trade(1, symbol="TSLA")


def test_a_chunk_is_no_longer_than_the_late_rule_can_wait() -> None:
    """64 calls of a strategy within its budget of 50 ms are 3.2 s."""
    assert module.CHUNK * 0.05 < 5.0


async def test_an_intent_names_the_event_that_led_to_it(start: Start) -> None:
    async with start(a_puppet("trade", answer=buy_once())) as rig:
        await rig.serve("AAPL")
        await rig.bring(a_trade(0), a_trade(1))
        (intent,) = intents(rig.requests)
        assert isinstance(intent, Intent)
        assert intent.event_ns == NOW
