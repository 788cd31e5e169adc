"""The orders link of a consumer: nothing asked is lost, nothing is asked twice, every fill is heard once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from liu_tui.engine.links import Link, pair
from liu_tui.engine.messages import Attach, NumberedFill, OnOrdersLink, Standing, StepDone, StepUpdates
from liu_tui.engine.orderside import OrderSide
from liu_tui.model.account import Position
from liu_tui.model.market import Step
from liu_tui.model.orders import AskKind, Intent, Operation, OrderState
from liu_tui.trading.session import Request, Session
from tests.kit.engine import eventually
from tests.kit.session import Puppet, a_session, at, fill_of, news_of


class Rig:
    """Consumer A's order side, and one desk after the other."""

    def __init__(self, after_fill: int = 0) -> None:
        self.puppet = Puppet("momentum")
        self.session: Session = a_session(self.puppet, symbols=("AAPL", "TSLA"))
        self.orders = OrderSide("A", self.session, self.put, after_fill=after_fill)
        self.desks: list[Link[OnOrdersLink]] = []

    async def put(self, _requests: list[Request]) -> None:
        """Strategies of these tests ask for nothing when they hear of fills."""

    def new_desk(self) -> None:
        """Have the desk started, or started again."""
        ours, theirs = pair()
        self.orders.attach(ours, lambda: None)
        self.desks.append(Link(theirs, msgspec.msgpack.Decoder(list[OnOrdersLink]), lambda: None))

    async def came(self, count: int) -> list[OnOrdersLink]:
        """What the desk of now was sent: so many, and no more."""
        desk = self.desks[-1]
        await eventually(lambda: len(desk.inbox) >= count)
        came = desk.take()
        assert len(came) == count
        return came

    async def say(self, *messages: object) -> None:
        """Have the desk of now speak, and the consumer listen."""
        self.desks[-1].send(*messages)
        await eventually(lambda: self.orders.waiting)
        await self.orders.hear()

    def close(self) -> None:
        for desk in self.desks:
            desk.close()
        if self.orders._link is not None:
            self.orders._link.close()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    yield made
    made.close()


def ask(
    n: int, operation: Operation = Operation.BUY, symbol: str = "AAPL", *, cancels: bool = False
) -> Intent:
    """Make intent n."""
    return Intent(
        id=f"b1:momentum:{symbol}:{n}",
        strategy="momentum",
        symbol=symbol,
        operation=operation,
        qty=0.0 if cancels else 5.0,
        event_ns=at(n),
        ordinal=0,
        price=100.0,
        kind=AskKind.CANCEL if cancels else AskKind.ORDER,
    )


def ids(came: list[OnOrdersLink]) -> list[str]:
    return [message.id for message in came if isinstance(message, Intent)]


async def test_a_new_link_begins_with_the_last_fill_that_was_heard(rig: Rig) -> None:
    rig.new_desk()
    assert await rig.came(1) == [Attach(consumer="A", after_fill=0)]
    await rig.say(
        NumberedFill(n=7, fill=fill_of(ask(1), 5, 5)), NumberedFill(n=4, fill=fill_of(ask(2), 1, 6))
    )
    rig.new_desk()
    assert await rig.came(1) == [Attach(consumer="A", after_fill=7)]


async def test_what_is_asked_before_there_is_a_desk_is_sent_when_there_is_one(rig: Rig) -> None:
    rig.orders.send(ask(1))
    rig.orders.finish(Step(1, at(1)))
    rig.new_desk()
    assert ids(await rig.came(2)) == [ask(1).id]


async def test_what_was_not_answered_is_sent_again_in_its_order_and_what_was_is_not(rig: Rig) -> None:
    rig.new_desk()
    for n in (1, 2, 3):
        rig.orders.send(ask(n))
    assert ids(await rig.came(4)) == [ask(n).id for n in (1, 2, 3)]
    await rig.say(news_of(ask(2), OrderState.REFUSED))
    rig.new_desk()
    assert ids(await rig.came(3)) == [ask(1).id, ask(3).id]
    await rig.say(news_of(ask(1), OrderState.ACCEPTED), news_of(ask(3), OrderState.FILLED, 5.0))
    rig.new_desk()
    assert ids(await rig.came(1)) == []


async def test_a_cancel_is_sent_again_while_it_means_what_it_meant(rig: Rig) -> None:
    rig.new_desk()
    rig.orders.send(ask(1))
    rig.orders.send(ask(2, cancels=True))
    rig.orders.send(ask(3, cancels=True))
    await rig.came(4)
    rig.new_desk()
    assert ids(await rig.came(3)) == [ask(1).id, ask(3).id], "the last one says it all, after the entry"
    rig.orders.send(ask(4, Operation.SELL))
    rig.new_desk()
    await rig.came(4)
    rig.orders.send(ask(5))
    rig.orders.send(ask(6, symbol="TSLA", cancels=True))
    rig.new_desk()
    again = ids(await rig.came(5))
    assert ask(3).id not in again, "it would take back the entry that came after it"
    assert again == [ask(1).id, ask(4).id, ask(5).id, ask(6, symbol="TSLA").id]


async def test_a_fill_that_is_told_again_is_booked_once(rig: Rig) -> None:
    rig.new_desk()
    fill = NumberedFill(n=1, fill=fill_of(ask(1), 5, 5))
    await rig.say(fill)
    rig.new_desk()
    await rig.say(fill)
    assert rig.puppet.heard == [fill.fill]
    assert rig.orders.after_fill == 1


async def test_the_desks_word_on_how_all_stands_replaces_what_was_known(rig: Rig) -> None:
    rig.new_desk()
    await rig.say(NumberedFill(n=1, fill=fill_of(ask(1), 5, 5)))
    held = Position(strategy="momentum", symbol="TSLA", qty=3.0, avg_price=50.0)
    await rig.say(Standing(positions=(held,), orders=()))
    holdings = {key: holding.qty for key, holding in rig.session._holdings.items()}
    assert holdings["momentum", "TSLA"] == 3.0
    assert holdings["momentum", "AAPL"] == 0.0


async def test_in_lock_step_both_sides_say_when_they_have_finished(rig: Rig) -> None:
    rig.new_desk()
    await rig.came(1)
    await rig.say(StepUpdates(n=4))
    assert rig.orders.told == 4
    rig.orders.send(ask(1))
    rig.orders.finish(Step(4, at(4)))
    assert await rig.came(2) == [ask(1), StepDone(n=4, t_ns=at(4))]


async def test_at_the_end_what_was_asked_has_left_and_without_a_desk_nobody_waits(rig: Rig) -> None:
    await rig.orders.drained()
    rig.new_desk()
    rig.orders.send(ask(1))
    await rig.orders.drained()
    assert ids(await rig.came(2)) == [ask(1).id]


async def test_a_fill_of_a_symbol_that_is_not_served_yet_is_told_once_it_is(rig: Rig) -> None:
    rig.new_desk()
    early = NumberedFill(n=1, fill=fill_of(ask(1, symbol="NVDA"), 5, 5))
    await rig.say(early)
    assert rig.puppet.heard == []
    assert (rig.orders.after_fill, rig.orders.untold()) == (1, (1,)), "what is saved now does not have it"
    rig.session.add_symbol("NVDA")
    await rig.session.tell_untold()
    assert rig.puppet.heard == [early.fill]
    assert rig.orders.untold() == ()


async def test_who_was_started_again_asks_for_what_its_predecessor_had_not_told(rig: Rig) -> None:
    rig.orders = OrderSide("A", rig.session, rig.put, after_fill=7, untold=(3, 5))
    rig.new_desk()
    assert await rig.came(1) == [Attach(consumer="A", after_fill=7, untold=(3, 5))]
    fill = fill_of(ask(3), 5, 5)
    await rig.say(NumberedFill(n=3, fill=fill))
    assert rig.puppet.heard == [fill]
    assert (rig.orders.after_fill, rig.orders.untold()) == (7, (5,))
