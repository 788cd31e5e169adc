"""The desk's side of the orders links: who hears of what, and how a new consumer is brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from liu_tui.engine.desklinks import Consumers
from liu_tui.engine.links import Link, pair
from liu_tui.engine.messages import (
    Allocated,
    Attach,
    NumberedFill,
    OnOrdersLink,
    Standing,
    StepDone,
    StepUpdates,
)
from liu_tui.engine.shards import shard_of
from liu_tui.model.account import Position
from liu_tui.model.orders import Fill, Intent, OrderNews
from liu_tui.trading.allocation import Share
from liu_tui.trading.desk import Desk
from tests.kit.engine import a_profile, eventually, example, nothing

NAMES = ("A", "B")
MINE, THEIRS = "AAPL", "TSLA"  # of consumers A and B
HOME = NAMES[shard_of("rank", 2)]


class Peer:
    """A consumer's end of its orders link."""

    def __init__(self, consumers: Consumers, name: str) -> None:
        ours, theirs = pair()
        consumers.take_link(name, theirs)
        self.name = name
        self.link: Link[OnOrdersLink] = Link(ours, msgspec.msgpack.Decoder(list[OnOrdersLink]), nothing)

    async def hears(self, count: int) -> list[OnOrdersLink]:
        """Wait for so many messages."""
        await eventually(lambda: len(self.link.inbox) >= count)
        return self.link.take()


async def hear(consumers: Consumers, count: int) -> list[Intent]:
    """Have the desk hear so many intents."""
    heard: list[Intent] = []

    def enough() -> bool:
        heard.extend(consumers.hear())
        return len(heard) >= count

    await eventually(enough)
    return heard


def a_fill(symbol: str, strategy: str = "momentum") -> Fill:
    """Make a fill."""
    fill: Fill = msgspec.structs.replace(example(Fill), symbol=symbol, strategy=strategy)
    return fill


def an_intent(n: int) -> Intent:
    """Make intent n."""
    intent: Intent = msgspec.structs.replace(example(Intent), id=str(n))
    return intent


@contextmanager
def a_house(*positions: Position) -> Iterator[tuple[Consumers, Peer, Peer]]:
    """Give the desk's side and both consumers."""
    shares = SimpleNamespace(shares=lambda: [Share("rank", 20_000.0, 5_000.0)])
    rules: Any = SimpleNamespace(
        positions={p.symbol: p for p in positions}, live_news=list, allocations=shares
    )
    consumers = Consumers(NAMES, cast(Desk, rules), nothing)
    consumers.know([a_profile("rank", run_all=True), a_profile("momentum")])
    peers = Peer(consumers, "A"), Peer(consumers, "B")
    try:
        yield consumers, *peers
    finally:
        for peer in peers:
            peer.link.close()
        for link in consumers._links.values():
            link.close()


def test_the_symbols_of_these_tests_belong_to_different_consumers() -> None:
    assert (NAMES[shard_of(MINE, 2)], NAMES[shard_of(THEIRS, 2)]) == NAMES


async def test_a_fill_goes_to_its_symbols_consumer_and_of_one_that_ranks_all_to_its_home() -> None:
    with a_house() as (consumers, a, b):
        consumers.tell_fill(a_fill(MINE))
        consumers.tell_fill(a_fill(THEIRS))
        consumers.tell_fill(a_fill(THEIRS, "rank"))
        consumers.flush()
        told = {peer.name: await peer.hears(2 if peer.name == HOME else 1) for peer in (a, b)}
        away = "B" if HOME == "A" else "A"
        assert {m.n for m in told[HOME] if isinstance(m, NumberedFill)} == {1 if HOME == "A" else 2, 3}
        assert {m.n for m in told[away] if isinstance(m, NumberedFill)} == {2 if HOME == "A" else 1}


async def test_news_goes_where_fills_go() -> None:
    with a_house() as (consumers, _a, b):
        news: OrderNews = msgspec.structs.replace(example(OrderNews), symbol=THEIRS, strategy="momentum")
        consumers.tell_news(news)
        consumers.flush()
        assert await b.hears(1) == [news]


async def test_a_consumer_that_attaches_gets_its_own_fills_after_its_last_and_then_how_it_stands() -> None:
    held = Position(strategy="momentum", symbol=MINE, qty=5.0, avg_price=100.0)
    other = Position(strategy="momentum", symbol=THEIRS, qty=1.0, avg_price=1.0)
    with a_house(held, other) as (consumers, a, _b):
        consumers.fills = [a_fill(MINE), a_fill(THEIRS), a_fill(MINE), a_fill(MINE)]
        a.link.send(Attach(consumer="A", after_fill=1), an_intent(1))
        await hear(consumers, 1)
        said = await a.hears(4)
        assert [m.n for m in said if isinstance(m, NumberedFill)] == [3, 4]
        assert said[-2] == Standing(positions=(held,), orders=())
        assert said[-1] == Allocated(strategy="rank", worth=20_000.0, free=5_000.0)


async def test_intents_come_in_the_order_in_which_each_consumer_sent_them() -> None:
    with a_house() as (consumers, a, b):
        for n in range(1, 6):
            (a if n % 2 else b).link.send(an_intent(n))
        heard = [int(intent.id) for intent in await hear(consumers, 5)]
        assert [n for n in heard if n % 2] == [1, 3, 5]
        assert [n for n in heard if not n % 2] == [2, 4]


async def test_what_a_consumer_said_before_it_died_is_heard() -> None:
    with a_house() as (consumers, a, _b):
        a.link.send(an_intent(7))
        a.link.close()
        assert [intent.id for intent in await hear(consumers, 1)] == ["7"]
        consumers.tell_fill(a_fill(MINE))  # nobody is there: it is told when the next one attaches
        fresh = Peer(consumers, "A")
        fresh.link.send(Attach(consumer="A", after_fill=0), an_intent(8))
        await hear(consumers, 1)
        assert isinstance((await fresh.hears(2))[0], NumberedFill)
        fresh.link.close()


async def test_a_step_is_finished_when_every_consumer_that_lives_has_finished_it() -> None:
    with a_house() as (consumers, a, b):
        assert not consumers.finished(1)
        consumers.open_step(1)
        assert await a.hears(1) == [StepUpdates(n=1)]
        a.link.send(StepDone(n=1), an_intent(1))
        await hear(consumers, 1)
        assert not consumers.finished(1)
        b.link.send(StepDone(n=1), an_intent(2))
        await hear(consumers, 1)
        assert consumers.finished(1)
        assert not consumers.finished(2)


@pytest.mark.parametrize("when", ["before it attaches", "once it has attached"])
async def test_a_consumer_that_comes_in_the_middle_of_a_step_begins_with_the_next(when: str) -> None:
    with a_house() as (consumers, a, b):
        consumers.open_step(4)
        b.link.send(StepDone(n=4), an_intent(1))
        await hear(consumers, 1)
        a.link.close()

        def a_is_gone() -> bool:
            consumers.hear()
            return "A" not in consumers._links

        await eventually(a_is_gone)
        assert consumers.finished(4)
        fresh = Peer(consumers, "A")
        assert not consumers.finished(4)
        if when == "once it has attached":
            fresh.link.send(Attach(consumer="A", after_fill=0), an_intent(2))
            await hear(consumers, 1)
            assert consumers.finished(4)
            assert not consumers.finished(5)
        fresh.link.close()


async def test_with_no_consumer_no_step_is_finished() -> None:
    rules: Any = SimpleNamespace(positions={}, live_news=list)
    assert not Consumers(NAMES, cast(Desk, rules), nothing).finished(1)
