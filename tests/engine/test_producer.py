"""The producer: whom an event reaches, what reaches nobody, what is told when something may be missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from liu_tui.engine import gaps as gaps_module
from liu_tui.engine import producer as module
from liu_tui.engine import recorder as recorder_module
from liu_tui.engine.messages import (
    Alive,
    FeedSaid,
    Freshness,
    GapBegin,
    Marks,
    OnMarketLink,
    Reconnect,
    Route,
    Routed,
    Routes,
    StepAck,
)
from liu_tui.engine.producer import DESK, Producer
from liu_tui.market.marks import Mark
from liu_tui.market.recording import Frame, Prior, Subscribed, read
from liu_tui.market.streaming import FeedState, FeedStatus, StreamItem, Unreadable
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS, Bar, Event, Halt, Quote, Step, Trade
from tests.kit.engine import eventually
from tests.kit.inside import Archive, Insider, Reader, ScriptedFeed, an_insider, link_to
from tests.kit.session import a_bar, a_quote, at

NOW = at(10)
ALL = ("trade", "quote", "minute")


def a_trade(n: int = 0, price: float = 100.0, symbol: str = "AAPL", **fields: Any) -> Trade:
    """Make print n: one a second from now on, each with an id of its own."""
    trade = Trade(symbol, NOW + n * SECOND_NS, price, 100.0, n + 1, "V")
    return msgspec.structs.replace(trade, **fields)


class Rig:
    """A producer with consumers A and B and a desk, and the feeds that it opens, one after the other."""

    def __init__(self, child: Insider, feeds: list[ScriptedFeed]) -> None:
        self.child, self.feeds = child, feeds
        self.readers: dict[str, Reader] = {}
        self._numbers = 0
        self.producer = Producer(child.inside)

    @property
    def feed(self) -> ScriptedFeed:
        """The feed that is open now."""
        return self.feeds[-1]

    @property
    def alive(self) -> Alive:
        """What it would say in its next heartbeat."""
        return self.producer._stats()

    async def connect(self, *names: str) -> None:
        """Give it links, in place of those that it has."""
        for name in names:
            if old := self.readers.pop(name, None):
                old.close()
            self.readers[name] = link_to(self.child, name)
        await eventually(lambda: not self.child._orders)

    async def route(self, *routes: Route) -> Routed:
        """Have it take a table, and wait until that is in force."""
        self._numbers += 1
        self.child.order(Routes(n=self._numbers, routes=routes))

        def answer() -> list[Routed]:
            return [said for said in self.child.heard(Routed) if said.n == self._numbers]

        await eventually(answer)
        return answer()[0]

    async def say(self, *items: StreamItem) -> None:
        """Have the vendor send a frame, and wait until it was taken."""
        self.feed.say(*items)
        await eventually(lambda: self.feed._coming.empty())
        await asyncio.sleep(0)

    async def took(self, name: str, *items: StreamItem, end: str = "AAPL") -> list[OnMarketLink]:
        """What a reader is sent of a frame: all until a halt that ends it."""
        mark = Halt(end, NOW + DAY_NS, False, f"end {len(self.child.told)} {items}")
        await self.say(*items, mark)
        came: list[OnMarketLink] = []
        while mark not in came:
            came += await self.readers[name].took(1)
        return [item for item in came if item != mark]


Start = Callable[..., Any]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Give what starts a producer, to be entered; it takes fields of its Boot."""
    feeds: list[ScriptedFeed] = []

    def opened(*_: object) -> ScriptedFeed:
        feeds.append(ScriptedFeed())
        return feeds[-1]

    monkeypatch.setattr(module, "open_feed", opened)
    monkeypatch.setattr(module, "MARKS_S", 0.005)

    @asynccontextmanager
    async def started(**boot: Any) -> AsyncIterator[Rig]:
        child = an_insider("producer", tmp_path, now_ns=NOW, consumers=("A", "B"), **boot)
        monkeypatch.setattr(recorder_module, "open_data", lambda *_: Archive(child))
        rig = Rig(child, feeds)
        life = asyncio.create_task(rig.producer.run())
        await rig.connect("A", "B", DESK)
        rig.feed.go_live()
        try:
            yield rig
        finally:
            child.stop()
            await life
            for reader in rig.readers.values():
                reader.close()

    return started


AAPL_TO_A = Route(symbol="AAPL", events=ALL, consumers=(0,))
TSLA_TO_B = Route(symbol="TSLA", events=ALL, consumers=(1,))


def gaps_of(came: list[OnMarketLink]) -> list[GapBegin]:
    return [item for item in came if isinstance(item, GapBegin)]


# ── whom it reaches ──


async def test_events_go_to_the_consumers_of_their_symbol_and_to_nobody_else(start: Start) -> None:
    async with start() as rig:
        both = Route(symbol="SPY", events=ALL, consumers=(0, 1))
        await rig.route(AAPL_TO_A, TSLA_TO_B, both)
        frame = [a_trade(0), a_trade(1, symbol="TSLA"), a_trade(2, symbol="SPY"), a_quote(10, "AAPL")]
        assert await rig.took("A", *frame, end="SPY") == [frame[0], frame[2], frame[3]]
        assert [item for item in await rig.readers["B"].took(3) if isinstance(item, Trade)] == frame[1:3]


async def test_what_still_comes_of_a_symbol_that_is_watched_no_more_is_not_even_counted(start: Start) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A)
        assert await rig.took("A", a_trade(0, symbol="GONE"), a_trade(1)) == [a_trade(1)]
        assert rig.alive.received == 2  # the print and the halt that ends the frame


async def test_each_symbol_is_subscribed_for_its_own_events(start: Start) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A, Route(symbol="TSLA", events=("trade", "minute"), consumers=(1,)))
        both = {"AAPL", "TSLA"}
        assert rig.feed.wanted == {Event.TRADE: both, Event.MINUTE: both, Event.QUOTE: {"AAPL"}}
        rig.feed.refuses = "406 one connection only"
        assert (await rig.route(AAPL_TO_A)).words == "406 one connection only"


async def test_a_consumer_that_was_started_again_gets_the_events_in_its_place(start: Start) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A)
        await rig.took("A", a_trade(0))
        await rig.connect("A")
        assert await rig.took("A", a_trade(1)) == [a_trade(1)]


# ── what reaches nobody ──


async def test_what_comes_twice_stale_or_from_nowhere_reaches_nobody_and_marks_nothing(start: Start) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A)
        newer, older = a_quote(10, "AAPL"), a_quote(9, "AAPL")
        far = a_trade(2, 150.0)
        frame = [a_trade(0), newer, older, newer, a_trade(0), far, a_trade(3, 100.5)]
        assert await rig.took("A", *frame) == [a_trade(0), newer, a_trade(3, 100.5)]
        marks = [item for item in await rig.readers[DESK].took(1) if isinstance(item, Marks)]
        assert {mark.price for said in marks for mark in said.prices} <= {100.0, 100.5}
        alive = rig.alive
        assert (alive.duplicates, alive.disordered, alive.held_back) == (2, 1, 1)
        assert any("print of 150.00" in words for words in rig.child.words)


async def test_what_was_held_back_and_is_confirmed_goes_first_and_in_order(start: Start) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A)
        jump = [a_trade(n, price) for n, price in enumerate((100.0, 120.0, 120.1, 120.2, 120.3))]
        assert await rig.took("A", *jump) == jump
        assert any("confirmed" in words for words in rig.child.words)


async def test_a_bar_whose_wick_no_print_reached_goes_out_amended_in_place_of_the_vendors(
    start: Start,
) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A)
        bar = a_bar(10, high=150.0)
        (came,) = (item for item in await rig.took("A", a_trade(0), bar) if isinstance(item, Bar))
        assert came.high == 100.0
        assert came.t_ns == bar.t_ns


async def test_an_average_price_far_away_reaches_the_series_but_values_nothing(start: Start) -> None:
    async with start(lockstep=True) as rig:
        await rig.route(AAPL_TO_A)
        block = a_trade(1, 60.0, conditions=("W",))
        assert await rig.took("A", a_trade(0), block) == [a_trade(0), block]
        await rig.say(Step(1, NOW))
        (marks, _step) = await rig.readers[DESK].took(2)
        assert isinstance(marks, Marks)
        assert [(mark.symbol, mark.price) for mark in marks.prices] == [("AAPL", 100.0)]


# ── what it learns ──


async def test_a_halt_is_said_once_and_shown_until_it_ends(start: Start) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A)
        halt = Halt("AAPL", NOW, True, "News Pending")
        await rig.say(halt, halt)
        rig.producer._watch.look()
        assert rig.child.heard(Freshness)[-1].rows[0].halted
        await rig.say(Halt("AAPL", NOW + SECOND_NS, False, "Resumption"))
        assert rig.child.words == ["AAPL halted News Pending", "AAPL trades again Resumption"]
        rig.producer._watch.look()
        assert not rig.child.heard(Freshness)[-1].rows[0].halted


async def test_the_desk_hears_when_a_halt_begins_and_ends_and_a_new_one_what_is_halted(start: Start) -> None:
    begins, again = Halt("AAPL", NOW, True, "News Pending"), Halt("AAPL", NOW + SECOND_NS, True, "Paused")
    ends = Halt("AAPL", NOW + 2 * SECOND_NS, False, "Resumption")
    async with start(lockstep=True) as rig:
        await rig.route(AAPL_TO_A)
        await rig.say(begins, again, Step(1, NOW))
        assert await rig.readers[DESK].took(2) == [begins, Step(1, NOW)]
        await rig.connect(DESK)
        await rig.say(ends)
        assert await rig.readers[DESK].took(2) == [again, ends]


async def test_the_days_volume_is_what_the_vendor_counts(start: Start) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A)
        day = Bar("AAPL", at(0) - at(0) % DAY_NS, 100, 101, 99, 100, 12_345.0, span_ns=DAY_NS)
        assert await rig.took("A", day) == [day]
        rig.producer._watch.look()
        assert rig.child.heard(Freshness)[-1].rows[0].volume == 12_345.0


async def test_marks_are_last_trades_and_else_closes_but_no_later_word_on_an_old_minute(start: Start) -> None:
    async with start(lockstep=True) as rig:
        await rig.route(AAPL_TO_A, TSLA_TO_B, Route(symbol="F", events=ALL, consumers=(0,)))
        revised = a_bar(8, 99.0, symbol="F", revised=True)
        await rig.say(
            a_trade(0, 101.0), a_bar(9, 100.0), a_bar(9, 55.0, symbol="TSLA"), revised, Step(1, NOW)
        )
        (marks, step) = await rig.readers[DESK].took(2)
        assert isinstance(marks, Marks)
        prices = {mark.symbol: (mark.price, mark.t_ns) for mark in marks.prices}
        assert prices == {"AAPL": (101.0, NOW), "TSLA": (55.0, at(9) + MINUTE_NS)}
        assert step == Step(1, NOW)


async def test_counts_only_grow_when_symbols_leave_and_when_the_feed_is_another(start: Start) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A)
        await rig.took("A", a_trade(0), a_trade(0))
        rig.feed.refused, rig.feed.slow = 3, 2
        before = rig.alive
        await rig.route(TSLA_TO_B)
        rig.feed.refuse("402 auth failed")
        await eventually(lambda: rig.producer._line.state is FeedState.REFUSED)
        rig.child.order(Reconnect(words="asked for"))
        await eventually(lambda: len(rig.feeds) == 2)
        after = rig.alive
        for count in ("received", "duplicates", "disordered", "held_back", "refused", "slow"):
            assert getattr(after, count) >= getattr(before, count), count
        assert (after.duplicates, after.refused, after.slow) == (1, 3, 2)


async def test_symbols_that_the_allowance_has_no_room_for_are_told(start: Start) -> None:
    async with start() as rig:
        rig.feed.left_out = frozenset({"TSLA", "F"})
        assert rig.alive.left_out == ("F", "TSLA")


# ── what may be missing ──


class Wall:
    """The wall's time as gaps see it, turned by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ns = 10**15
        monkeypatch.setattr(gaps_module, "monotonic_ns", lambda: self.ns)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    return Wall(monkeypatch)


@pytest.mark.usefixtures("wall")
async def test_a_line_that_was_lost_has_a_gap_from_the_last_good_event_on(start: Start) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A)
        rig.child.clock.turn_to(NOW + 5 * SECOND_NS)
        await rig.say(a_trade(0))
        rig.child.clock.turn_to(NOW + 40 * SECOND_NS)
        await rig.say(FeedStatus(FeedState.LOST, "no pong"))
        rig.child.clock.turn_to(NOW + 50 * SECOND_NS)
        came = await rig.took("A", FeedStatus(FeedState.LIVE), a_trade(1))
        assert [type(item) for item in came] == [Trade, GapBegin, Trade]
        (gap,) = gaps_of(came)
        assert (gap.from_ns, gap.to_ns) == (NOW + 5 * SECOND_NS, NOW + 50 * SECOND_NS)
        assert (gap.symbols, gap.words) == ((), "no pong")
        assert rig.alive.gaps == 1
        assert [said.status.state.value for said in rig.child.heard(FeedSaid)] == ["live", "lost", "live"]


async def test_unreadable_messages_are_a_gap_at_most_once_a_second(start: Start, wall: Wall) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A)
        first = await rig.took("A", a_trade(0), Unreadable(2, "no price"), Unreadable(1, "no price"))
        assert [gap.words for gap in gaps_of(first)] == ["2 messages could not be read"]
        assert gaps_of(await rig.took("A", Unreadable(4))) == []
        wall.ns += 2 * SECOND_NS
        (later,) = await rig.readers["A"].took(1)
        assert isinstance(later, GapBegin)
        assert later.words == "5 messages could not be read"
        assert rig.alive.gaps == 2


@pytest.mark.usefixtures("wall")
async def test_one_of_several_producers_names_its_own_symbols(start: Start) -> None:
    async with start(producers=("producer 1", "producer 2")) as rig:
        await rig.route(AAPL_TO_A, TSLA_TO_B)
        (gap,) = gaps_of(await rig.took("A", a_trade(0), Unreadable(1)))
        assert gap.symbols == ("AAPL", "TSLA")


@pytest.mark.usefixtures("wall")
async def test_in_lock_step_nothing_is_missing_for_the_market_waits(start: Start) -> None:
    async with start(lockstep=True, lost_ns=NOW - SECOND_NS) as rig:
        await rig.route(AAPL_TO_A)
        lost, live = FeedStatus(FeedState.LOST), FeedStatus(FeedState.LIVE)
        assert await rig.took("A", a_trade(0), lost, live, Unreadable(1)) == [a_trade(0)]
        await rig.connect("A")
        assert await rig.took("A", a_trade(1)) == [a_trade(1)]


@pytest.mark.usefixtures("wall")
async def test_a_consumers_new_link_is_told_of_a_recent_gap_and_the_desks_of_none(start: Start) -> None:
    async with start(lost_ns=NOW - SECOND_NS) as rig:
        await rig.route(AAPL_TO_A)
        await rig.took("A")
        await rig.connect("B", DESK)
        (gap,) = await rig.readers["B"].took(1)
        assert isinstance(gap, GapBegin)
        assert gap.from_ns == NOW - SECOND_NS
        await rig.took("A", a_trade(1))
        assert all(isinstance(item, Marks) for item in await rig.readers[DESK].took(1))


@pytest.mark.usefixtures("wall")
async def test_with_a_delayed_feed_a_gap_begins_where_the_tape_was(start: Start, tmp_path: Path) -> None:
    delay_ns = 15 * MINUTE_NS
    venue = msgspec.structs.replace(an_insider("producer", tmp_path).boot.venue, delay_ns=delay_ns)
    async with start(venue=venue) as rig:
        await rig.route(AAPL_TO_A)
        await rig.say(a_trade(-900))
        rig.child.clock.turn_to(NOW + MINUTE_NS)
        came = await rig.took("A", FeedStatus(FeedState.LOST), FeedStatus(FeedState.LIVE))
        (gap,) = gaps_of(came)
        assert gap.from_ns == NOW - delay_ns


async def test_a_symbol_that_was_quiet_for_longer_than_usual_has_a_gap_before_it_speaks(start: Start) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A, Route(symbol="TSLA", events=ALL, consumers=(0,)))
        for n in range(20):
            rig.child.clock.turn_to(NOW + n * SECOND_NS)
            await rig.say(a_trade(n), a_trade(n, symbol="TSLA"))
        for n in range(20, 60):
            rig.child.clock.turn_to(NOW + n * SECOND_NS)
            await rig.say(a_trade(n))
            rig.producer._watch.look()
        rows = {row.symbol: row for row in rig.child.heard(Freshness)[-1].rows}
        assert (rows["AAPL"].stale, rows["TSLA"].stale) == (False, True)
        came = await rig.took("A", a_trade(60), a_trade(60, symbol="TSLA"), a_trade(61, symbol="TSLA"))
        *_, gap, first, second = came
        assert (first, second) == (a_trade(60, symbol="TSLA"), a_trade(61, symbol="TSLA"))
        assert isinstance(gap, GapBegin)
        assert (gap.symbols, gap.from_ns) == (("TSLA",), NOW + 19 * SECOND_NS)
        assert "TSLA" in gap.words


# ── refusals, and connecting anew ──


@pytest.mark.usefixtures("wall")
async def test_a_refusal_for_good_is_shown_once_and_stays_until_a_person_asks_again(start: Start) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A)
        wanted = rig.feed.wanted
        await rig.say(a_trade(0))
        rig.child.clock.turn_to(NOW + 30 * SECOND_NS)
        rig.feed.refuse("402 auth failed: check the keys")
        await eventually(lambda: rig.producer._line.state is FeedState.REFUSED)
        for minute in range(1, 60):
            rig.child.clock.turn_to(NOW + minute * MINUTE_NS)
            rig.producer._watch.look()
        assert len(rig.feeds) == 1, "the watch over silence does not ask again"
        states = [said.status for said in rig.child.heard(FeedSaid)]
        assert states[1:] == [FeedStatus(FeedState.REFUSED, "402 auth failed: check the keys")]
        rig.child.order(Reconnect(words="asked for by a person"))
        await eventually(lambda: len(rig.feeds) == 2 and rig.feed.wanted)
        assert rig.feed.wanted == wanted
        assert rig.feeds[0].closed
        rig.feed.go_live()
        gaps = gaps_of(await rig.took("A", a_trade(3600)))
        assert [gap.from_ns for gap in gaps] == [NOW]


async def test_a_person_may_have_a_line_cut_that_is_up(start: Start) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A)
        await rig.took("A")
        rig.child.order(Reconnect(words="asked for by a person"))
        await eventually(lambda: rig.feed.cuts)
        assert rig.feed.cuts == ["asked for by a person"]
        assert len(rig.feeds) == 1


async def test_a_line_that_is_up_and_silent_is_cut_and_what_it_kept_quiet_is_a_gap(start: Start) -> None:
    async with start() as rig:
        await rig.route(AAPL_TO_A)
        for n in range(60):
            rig.child.clock.turn_to(NOW + n * SECOND_NS)
            await rig.say(a_trade(n))
        rig.producer._watch.look()
        rig.child.clock.turn_to(NOW + 90 * SECOND_NS)
        rig.producer._watch.look()
        assert rig.feed.cuts == ["connected, but no event for 31 s"]
        await rig.say(FeedStatus(FeedState.LIVE))
        rig.child.clock.turn_to(NOW + 95 * SECOND_NS)
        rig.producer._watch.look()
        came = await rig.took("A", a_trade(96))
        from_line, from_quiet = gaps_of(came)
        assert from_line.from_ns == NOW + 59 * SECOND_NS
        assert from_quiet.symbols == ("AAPL",)
        assert from_quiet.from_ns == from_line.to_ns


# ── steps and recordings ──


async def test_a_step_goes_to_everybody_and_its_answer_to_the_market(start: Start) -> None:
    async with start(lockstep=True) as rig:
        await rig.route(AAPL_TO_A)
        step = Step(1, NOW + MINUTE_NS)
        await rig.say(a_trade(0), step)
        assert await rig.readers["A"].took(2) == [a_trade(0), step]
        assert await rig.readers["B"].took(1) == [step]
        rig.child.order(StepAck(n=1))
        await eventually(lambda: rig.feed.steps)
        assert rig.feed.steps == [1]
        assert rig.child.clock.now_ns() == step.t_ns


async def test_a_recording_gets_every_frame_as_it_came_before_it_is_sifted(
    start: Start, tmp_path: Path
) -> None:
    path = tmp_path / "day.liu"
    frame = [a_trade(0), a_trade(0), a_trade(1, 150.0), a_quote(9, "AAPL"), a_trade(2, symbol="GONE")]
    async with start(recording=str(path)) as rig:
        await rig.route(AAPL_TO_A)
        await rig.took("A", *frame)
        await eventually(lambda: not rig.producer._recorder._fetching)
    records = list(read(path))
    frames = [record.items for record in records if isinstance(record, Frame)]
    assert any(list(items[:-1]) == frame for items in frames)
    assert [list(record.symbols) for record in records if isinstance(record, Subscribed)] == [["AAPL"]]
    assert [record.symbol for record in records if isinstance(record, Prior)] == ["AAPL"]


async def test_a_quote_is_no_price_but_the_desk_hears_of_it(start: Start) -> None:
    async with start(lockstep=True) as rig:
        await rig.route(AAPL_TO_A)
        await rig.say(Quote("AAPL", NOW, 99.0, 1.0, 99.2, 1.0), Step(1, NOW))
        said = Marks(prices=(Mark("AAPL", 0.0, 99.0, 99.2, NOW),))
        assert await rig.readers[DESK].took(2) == [said, Step(1, NOW)]
