"""The desk without its supervisor: nothing is opened, the plan's word is done, and it stays until flat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from liu_tui.engine.desk import DeskProcess
from liu_tui.model.orders import BrokerOrder, Operation, OrderRequest
from liu_tui.plan.schema import OnLoss, TradePlan
from liu_tui.store.store import Store
from liu_tui.trading.trader import Trader
from tests.kit.desk import an_answer, an_intent, an_update
from tests.kit.engine import QuietChild, a_boot, eventually
from tests.kit.store import a_batch


class Broker:
    """Takes every order, and fills what the test fills. asked: in order."""

    def __init__(self) -> None:
        self.asked: list[OrderRequest] = []

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        self.asked.append(request)
        return an_answer(request)


class Desk:
    """A desk's process, turned by hand, that holds 100 TSLA."""

    def __init__(self, root: Path, store: Store, on_loss: OnLoss) -> None:
        child = QuietChild(a_boot("desk", root, TradePlan(on_supervisor_loss=on_loss)))
        self.broker = Broker()
        self.process = DeskProcess(child.inside, store, cast(Trader, self.broker))
        self.rules, self._now_ns = self.process._desk, child.clock.now_ns()

    async def ask(self, n: int, symbol: str = "TSLA", operation: Operation = Operation.BUY) -> str:
        """A strategy asks; returns the state of its order."""
        intent = an_intent(operation, n=n, symbol=symbol)
        await self.process._carrier.carry(self.rules.on_intent(intent, self._now_ns))
        return [*self.rules.orders.values()][-1].state

    async def fill(self) -> None:
        """Have the newest order filled."""
        order = an_answer(self.broker.asked[-1])
        done = an_update("fill", order, qty=order.qty, price=100.0, x=order.id, filled_qty=order.qty)
        await self.process._carrier.carry(self.rules.on_update(done, self._now_ns))

    def prove(self) -> None:
        """The broker says that it holds nothing."""
        self.rules._flattens.broker_said([])
        self.rules.on_time(self._now_ns + 60_000_000_000)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "liu.db") as store:
        await store.batches.begin(a_batch())
        yield store


@pytest.mark.parametrize("on_loss", list(OnLoss))
async def test_without_its_supervisor_a_desk_opens_nothing_and_stays_until_it_is_flat(
    tmp_path: Path, store: Store, on_loss: OnLoss
) -> None:
    desk = Desk(tmp_path, store, on_loss)
    assert desk.process._nothing_left()
    await desk.ask(1)
    await eventually(lambda: len(desk.broker.asked) == 1)
    await desk.fill()
    assert not desk.process._nothing_left()

    await desk.process._without_supervisor()
    batch = await store.batches.get("b-1")
    assert batch is not None
    assert (batch.state, batch.state_by, batch.state_reason) == ("REDUCING", "desk", "the supervisor is gone")
    assert bool(desk.rules.latches) == (on_loss is OnLoss.FLATTEN)
    assert await desk.ask(2, "F") == "refused"

    if on_loss is OnLoss.HALT:  # what is held is kept, and its strategy's own exit still goes
        assert len(desk.broker.asked) == 1
        await desk.ask(3, operation=Operation.SELL)
    await eventually(lambda: len(desk.broker.asked) == 2)
    assert (desk.broker.asked[1].side.value, desk.broker.asked[1].qty) == ("sell", 100)
    await desk.fill()
    assert desk.rules.net("TSLA") == 0
    if on_loss is OnLoss.FLATTEN:
        assert not desk.process._nothing_left(), "the broker has not said so yet"
        desk.prove()
    assert desk.process._nothing_left()
