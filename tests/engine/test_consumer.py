"""A consumer from inside: what its strategies ask for goes where it belongs, and orders are obeyed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from liu_tui.engine import consumer as module
from liu_tui.engine.consumer import Consumer
from liu_tui.engine.links import Link, pair
from liu_tui.engine.messages import (
    Alive,
    AskSeries,
    Assign,
    Assigned,
    Attach,
    Drop,
    KeyRow,
    OnOrdersLink,
    Profiles,
    SeriesDetail,
    StateRow,
    StatesSaved,
    StrategyState,
    SymbolTask,
    TakeLink,
    ToChild,
    UnsubscribeAsked,
    VetoAsked,
    VetoSet,
)
from liu_tui.model.market import SECOND_NS, Trade
from liu_tui.model.orders import Intent
from liu_tui.plan.schema import StrategyTable, TradePlan
from tests.kit.engine import any_decoder, eventually
from tests.kit.inside import Archive, Insider, an_insider
from tests.kit.session import a_quote, at

NOW = at(10)

STRATEGY = """
from liu_tui import Buy, Reject, Strategy, Unsubscribe


class {name}(Strategy):
    events = {events}
    initial_state = {{"seen": 0}}

    async def run(self, symbol, now, bars, position, ctx):
        ctx.state["seen"] += 1
        ctx.log(f"{{type(ctx.event).__name__}} {{ctx.state['seen']}}")
        {body}
"""


def a_trade(n: int = 0, symbol: str = "AAPL") -> Trade:
    return Trade(symbol, NOW + n * SECOND_NS, 100.0, 100.0, n + 1, "V")


class Rig:
    """A consumer at work, and the far ends of its links."""

    def __init__(self, child: Insider) -> None:
        self.child = child
        self.consumer = Consumer(child.inside)
        self.producer: Link[object] | None = None
        self.desk: Link[OnOrdersLink] | None = None

    def connect(self) -> None:
        """Give it its links."""
        ours, theirs = pair()
        self.child.order(TakeLink(kind="market", peer="producer"), ours)
        self.producer = Link(theirs, any_decoder(), lambda: None)
        ours, theirs = pair()
        self.child.order(TakeLink(kind="orders", peer="desk"), ours)
        self.desk = Link(theirs, msgspec.msgpack.Decoder(list[OnOrdersLink]), lambda: None)

    async def serve(self, *symbols: str) -> None:
        """Assign symbols, and wait for its word that they are served."""
        tasks = tuple(SymbolTask(symbol=symbol) for symbol in symbols)
        self.child.order(Assign(n=1, tasks=tasks))
        await eventually(lambda: self.child.heard(Assigned))

    def send(self, *events: object) -> None:
        """Have the producer send a batch."""
        assert self.producer is not None
        self.producer.send(*events)

    async def obeys(self, message: ToChild) -> None:
        """Order something, and wait until it was taken."""
        self.child.order(message)
        await eventually(lambda: not self.child._orders)

    async def says(self, words: str, times: int = 1) -> None:
        """Wait for a line of the log."""
        await eventually(lambda: self.child.words.count(words) >= times)

    @property
    def alive(self) -> Alive:
        """What it would say in its next heartbeat."""
        alive = self.consumer._stats()
        assert alive is not None
        return alive


Start = Callable[..., Any]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Give what starts a consumer, to be entered; it takes strategies: name=(events, body)."""
    monkeypatch.setattr(module, "SAVE_S", 0.0)
    folder = tmp_path / "strategies"
    folder.mkdir()
    (tmp_path / ".liu" / "sessions").mkdir(parents=True)

    @asynccontextmanager
    async def started(boot: dict[str, Any] | None = None, **bodies: tuple[str, str]) -> AsyncIterator[Rig]:
        for name, (events, body) in bodies.items():
            (folder / f"{name}.py").write_text(STRATEGY.format(name=name, events=events, body=body))
        tables = {name: StrategyTable(filename=f"strategies/{name}.py") for name in bodies}
        plan = TradePlan(strategies=tables)
        child = an_insider("consumer", tmp_path, now_ns=NOW, name="A", plan=plan, **(boot or {}))
        monkeypatch.setattr(module, "open_cached_data", lambda *_: Archive(child).api)
        rig = Rig(child)
        rig.consumer.introduce()
        life = asyncio.create_task(rig.consumer.run())
        rig.connect()
        await eventually(lambda: not child._orders)
        try:
            yield rig
        finally:
            child.stop()
            await life
            for link in (rig.producer, rig.desk, rig.consumer._orders._link):
                if link is not None:
                    link.close()
            for inbox in rig.consumer._market._inboxes.values():
                inbox.close()

    return started


async def test_it_says_what_its_strategies_declare_before_anything_else(start: Start) -> None:
    async with start(Mine=("{'trade', 'quote'}", "")) as rig:
        first, *_ = rig.child.told
        assert isinstance(first, Profiles)
        (profile,) = first.profiles
        assert (profile.name, sorted(profile.events), profile.fault) == ("Mine", ["quote", "trade"], "")


async def test_a_strategy_is_called_for_what_it_declared_and_for_nothing_else(start: Start) -> None:
    async with start(Mine=("{'trade'}", ""), Other=("{'quote'}", "")) as rig:
        await rig.serve("AAPL", "TSLA")
        rig.send(a_trade(0), a_quote(10), a_trade(1), a_trade(2, "TSLA"))
        await eventually(lambda: rig.alive.dispatched == 4)
        await rig.says("AAPL Trade 2")
        assert sorted(words for words in rig.child.words if "AAPL" in words or "TSLA" in words) == [
            "AAPL Quote 1", "AAPL Trade 1", "AAPL Trade 2", "TSLA Trade 1",
        ]  # fmt: skip


async def test_an_intent_goes_to_the_desk_and_the_rest_to_the_supervisor(start: Start) -> None:
    body = """
        if symbol == "AAPL":
            return Buy(qty=1, stop=50.0, reason="up")
        ctx.set("last", symbol)
        return [Reject(scope="all", reason="wild"), Unsubscribe(reason="too quiet")]"""
    async with start(Mine=("{'trade'}", body)) as rig:
        await rig.serve("AAPL", "TSLA")
        rig.send(a_trade(0), a_trade(1, "TSLA"))
        assert rig.desk is not None
        await eventually(lambda: len(rig.desk.inbox) >= 2)
        attach, intent = rig.desk.take()
        assert attach == Attach(consumer="A", after_fill=0)
        assert isinstance(intent, Intent)
        assert (intent.symbol, intent.reason) == ("AAPL", "up")
        await eventually(lambda: rig.child.heard(UnsubscribeAsked))
        assert rig.child.heard(VetoAsked) == [
            VetoAsked(
                symbol="TSLA", strategy="", by="Mine", reason="wild", until_ns=rig.child.boot.hours.post_ns
            )
        ]
        assert rig.child.heard(UnsubscribeAsked) == [
            UnsubscribeAsked(symbol="TSLA", by="Mine", reason="too quiet")
        ]
        await eventually(lambda: any(saved.keys for saved in rig.child.heard(StatesSaved)))
        assert [key for saved in rig.child.heard(StatesSaved) for key in saved.keys] == [
            KeyRow(strategy="Mine", key="last", value="TSLA")
        ]


async def test_a_strategy_that_raises_is_quarantined_and_the_others_are_called_on(start: Start) -> None:
    async with start(Mine=("{'trade'}", "raise ValueError('boom')"), Other=("{'trade'}", "")) as rig:
        await rig.serve("AAPL")
        rig.send(a_trade(0), a_trade(1))
        await rig.says("AAPL Trade 2")
        (state,) = rig.child.heard(StrategyState)
        assert (state.name, state.state) == ("Mine", "quarantined")
        assert "boom" in state.words
        assert any("quarantined until its file is saved" in words for words in rig.child.words)


async def test_a_vetoed_symbol_calls_nobody_until_it_is_allowed(start: Start) -> None:
    async with start(Mine=("{'trade'}", "")) as rig:
        await rig.serve("AAPL")
        await rig.obeys(VetoSet(symbol="AAPL", strategy="", on=True))
        rig.send(a_trade(0))
        await eventually(lambda: rig.alive.dispatched == 1)
        await rig.obeys(VetoSet(symbol="AAPL", strategy="", on=False))
        rig.send(a_trade(1))
        await rig.says("AAPL Trade 1")


async def test_a_dropped_symbol_is_served_no_more(start: Start) -> None:
    async with start(Mine=("{'trade'}", "")) as rig:
        await rig.serve("AAPL", "TSLA")
        assert rig.alive.symbols == 2
        await rig.obeys(Drop(symbol="AAPL"))
        rig.send(a_trade(0), a_trade(0, "TSLA"))
        await rig.says("TSLA Trade 1")
        assert rig.alive.symbols == 1
        assert not any("AAPL Trade" in words for words in rig.child.words)


async def test_declared_state_is_restored_and_saved_with_the_last_fill_in_it(start: Start) -> None:
    states = (StateRow(strategy="Mine", symbol="AAPL", json='{"seen": 41}'),)
    async with start({"states": states, "after_fill": 3}, Mine=("{'trade'}", "")) as rig:
        await rig.serve("AAPL")
        rig.send(a_trade(0))
        await rig.says("AAPL Trade 42")
        await eventually(lambda: rig.child.heard(StatesSaved))
        saved = rig.child.heard(StatesSaved)[-1]
        assert saved.rows == (StateRow(strategy="Mine", symbol="AAPL", json='{"seen":42}'),)
        assert saved.after_fill == 3


async def test_a_symbols_detail_is_told_when_it_is_asked_for(start: Start) -> None:
    async with start(Mine=("{'trade'}", "")) as rig:
        await rig.serve("AAPL")
        await rig.obeys(AskSeries(symbol="AAPL"))
        await rig.obeys(AskSeries(symbol="NONE"))
        details = [said.detail.symbol for said in rig.child.heard(SeriesDetail)]
        assert details == ["AAPL", "NONE"]
