"""The desk's timetable with its broker: what is asked when, and what may not wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import cast

import pytest

from liu_tui.engine import accountlock
from liu_tui.engine.deskfacts import FactSheet
from liu_tui.engine.messages import DeskFacts, DeskReady
from liu_tui.engine.reconciling import Reconciling
from liu_tui.errors import BrokerAway, RefusedError
from liu_tui.model.account import Account, BrokerPosition
from liu_tui.model.market import SECOND_NS, Asset
from liu_tui.model.orders import BrokerOrder, Execution
from liu_tui.plan.schema import Limits
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import Effect
from liu_tui.trading.trader import BrokerStatus, Trader
from tests.kit.desk import an_answer, an_intent, sends
from tests.kit.inside import an_insider
from tests.kit.reconcile import asks
from tests.kit.session import at


class Broker:
    """A broker that remembers what it was asked. open: cleared, it answers nobody; away: out of reach."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.away = False
        self.held: list[BrokerPosition] = []
        self.working: list[BrokerOrder] = []

    async def _answer(self, what: str) -> None:
        self.asked.append(what)
        await self.open.wait()
        if self.away:
            raise BrokerAway("no route")

    async def account(self) -> Account:
        await self._answer("account")
        return Account(id="A1", cash=1e6, equity=1e6, buying_power=1e6)

    async def orders(self, *, open_only: bool = False, after_ns: int = 0) -> list[BrokerOrder]:
        await self._answer("open orders" if open_only else "orders")
        return self.working

    async def executions(self, after_ns: int) -> list[Execution]:
        await self._answer("executions")
        return []

    async def positions(self) -> list[BrokerPosition]:
        await self._answer("positions")
        return self.held

    async def assets(self) -> list[Asset]:
        await self._answer("listing")
        return [Asset(symbol="TSLA")]


class Rig:
    """A desk with its timetable; the wall's clock is turned by hand."""

    def __init__(self, root: Path, *, lockstep: bool = False) -> None:
        self.child = an_insider("desk", root, lockstep=lockstep)
        self.broker = Broker()
        self.desk = Desk(batch_id="b-1", limits=Limits())
        self.facts = FactSheet(self.child.inside, self.desk)
        self.wall_ns = SECOND_NS
        self.effects: list[Effect] = []
        self.it = Reconciling(
            self.child.inside, self.desk, cast(Trader, self.broker), self.facts, self.carry,
            wall=lambda: self.wall_ns,
        )  # fmt: skip

    async def carry(self, effects: Iterable[Effect]) -> None:
        self.effects += effects

    async def connect(self) -> None:
        """Have the updates connection come, and the first comparison made."""
        self.it.on_status(BrokerStatus(connected=True))
        await self.rest()

    async def rest(self) -> None:
        """Turn until nothing is asked any more."""
        for _ in range(20):
            await self.it.turn()
            await asyncio.sleep(0)

    async def seconds(self, n: float) -> list[str]:
        """Let time pass at the wall and in the session, a tenth at a time; list what is asked."""
        before = len(self.broker.asked)
        for _ in range(int(n * 10)):
            self.wall_ns += SECOND_NS // 10
            self.child.clock.turn_to(self.child.clock.now_ns() + SECOND_NS // 10)
            await self.rest()
        return self.broker.asked[before:]

    @property
    def line(self) -> tuple[str, str]:
        """The broker's line on the screen."""
        self.facts.tell(force=True)
        facts = self.child.heard(DeskFacts)[-1]
        return facts.broker, facts.broker_words


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """A desk that is connected and agrees."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    made = Rig(tmp_path)
    yield made
    made.it.close()


async def test_at_the_start_all_is_compared_and_the_listing_is_known_first(rig: Rig) -> None:
    await rig.connect()
    assert rig.broker.asked == ["account", "listing", "orders", "open orders", "executions", "positions"]
    assert rig.it.compared
    assert "TSLA" in rig.desk.venue.assets
    assert len(rig.child.heard(DeskReady)) == 1
    assert rig.line == ("ready", "")


async def test_the_timetable(rig: Rig) -> None:
    await rig.connect()
    asked = await rig.seconds(60)
    assert asked.count("account") in (29, 30)
    assert asked.count("open orders") in (11, 12)
    assert asked.count("positions") == asked.count("executions") == 2
    assert asked.count("orders") == asked.count("listing") == 0
    assert len(asked) < 100


async def test_questions_run_beside_the_desk(rig: Rig) -> None:
    await rig.connect()
    rig.broker.open.clear()
    await rig.seconds(3)
    turned = 0
    for _ in range(5):
        await rig.it.turn()  # returns at once: nobody waits for the broker
        turned += 1
    assert turned == 5
    rig.broker.open.set()
    await rig.rest()


async def test_a_difference_of_the_start_is_named_and_nothing_is_ready_until_it_is_decided(rig: Rig) -> None:
    (request,) = sends(rig.desk.on_intent(an_intent(), at(5)))
    rig.desk.on_accepted(request.client_order_id, an_answer(request), at(5))
    rig.broker.held = [BrokerPosition(symbol="TSLA", qty=70.0, avg_price=100.0)]
    await rig.connect()
    state, words = rig.line
    assert state == "reconciling"
    assert words == "the books have +0 TSLA, the broker has +70: adopt, flatten or ignore"
    assert not rig.child.heard(DeskReady)
    rig.desk.resolve("TSLA", "ignore", "ann", at(5))
    rig.it.hurry()
    await rig.rest()
    assert rig.line == ("ready", "")
    assert rig.child.heard(DeskReady)


async def test_a_broker_that_does_not_answer_is_asked_again_less_and_less_often(rig: Rig) -> None:
    rig.broker.away = True
    await rig.connect()
    asked = await rig.seconds(20)
    assert asked.count("account") == 5  # after 0.5, 1, 2, 4 and 8 s
    assert rig.line == ("reconciling", "no route")
    rig.broker.away = False
    await rig.seconds(10)
    assert rig.it.compared


async def test_a_broker_whose_answers_cannot_be_had_is_said_until_one_comes(rig: Rig) -> None:
    await rig.connect()
    rig.broker.away = True
    await rig.seconds(6)
    assert rig.line == ("ready", ""), "once may happen"
    await rig.seconds(6)
    assert rig.line == ("ready", "books and broker cannot be compared: no route")
    said = [line for line in rig.child.words if "cannot be compared" in line]
    assert said == ["books and broker cannot be compared: no route"], "one line, however many questions"
    rig.broker.away = False
    await rig.seconds(6)
    assert rig.line == ("ready", "")


async def test_a_reconnect_drops_the_question_under_way_and_asks_for_everything_unknown(rig: Rig) -> None:
    await rig.connect()
    (request,) = sends(rig.desk.on_intent(an_intent(), at(5)))
    rig.desk.on_failed(request.client_order_id, "timed out", unknown=True, now_ns=at(5))
    rig.broker.open.clear()
    await rig.seconds(3)
    rig.it.on_status(BrokerStatus(connected=False, words="the line broke"))
    assert not rig.it.compared
    assert await rig.seconds(3) == []
    rig.broker.open.set()
    await rig.connect()
    assert rig.it.compared
    assert asks(rig.effects)[-1] == request.client_order_id


async def test_what_nothing_explains_is_looked_at_again_soon(rig: Rig) -> None:
    await rig.connect()
    (request,) = sends(rig.desk.on_intent(an_intent(), rig.child.clock.now_ns()))
    rig.desk.on_accepted(request.client_order_id, an_answer(request), rig.child.clock.now_ns())
    rig.broker.working = [an_answer(request)]
    await rig.seconds(3)
    rig.broker.held = [BrokerPosition(symbol="TSLA", qty=70.0, avg_price=100.0)]
    await rig.seconds(32)
    assert [d.words for d in rig.desk.differences.values()] == ["the books have +0 TSLA, the broker has +70"]
    assert rig.line == ("ready", "the books have +0 TSLA, the broker has +70: adopt, flatten or ignore")


async def test_in_lock_step_there_is_no_timetable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    rig = Rig(tmp_path, lockstep=True)
    await rig.connect()
    assert rig.it.compared
    assert {*await rig.seconds(60)} == {"account"}
    rig.it.close()


async def test_an_account_that_another_session_trades_is_refused(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.connect()
    other = Rig(tmp_path, lockstep=True)  # it asks in its turn
    monkeypatch.setattr(accountlock, "LOCK_WAIT_S", 0.0)
    other.it.on_status(BrokerStatus(connected=True))
    with pytest.raises(RefusedError, match="account A1 is traded by another session"):
        await other.it.turn()
