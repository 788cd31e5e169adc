"""A start is a recovery: the journal, the broker, and what both make of it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from liu_tui.model.account import BrokerPosition
from liu_tui.model.orders import Operation, OrderState
from liu_tui.trading.effects import CancelAtBroker, Effect, Notice
from liu_tui.trading.orders import request
from liu_tui.trading.positions import EXTERNAL
from tests.kit.desk import Rig, an_answer, an_intent, an_update, refusals, sends
from tests.kit.reconcile import an_execution, asks
from tests.kit.store import an_order

S = OrderState


class Cut(Exception):
    """The process is gone."""


class Mortal(Rig):
    """A rig that dies before the effect of a given number."""

    def __init__(self, dies_at: int) -> None:
        self.left = dies_at
        super().__init__()

    def carry(self, effect: Effect) -> None:
        if self.left == 0:
            raise Cut
        self.left -= 1
        super().carry(effect)


ASKED = [
    an_intent(stop=95.0, target=110.0),
    an_intent(symbol="F", qty=50, limit=90.0, stop=80.0, n=1),
    an_intent(Operation.SELL, 40, n=2),
    an_intent(symbol="GM", qty=10, n=3),
    an_intent(Operation.SELL, 0, symbol="GM", n=4),
]


def a_story(rig: Rig, asked: int = 0) -> int:
    """Entry with a bracket, a resting entry, a part sold, a trip. Returns how many intents were put."""
    for symbol in ("TSLA", "F", "GM"):
        rig.quote(100.0, symbol)
    for n, intent in enumerate(ASKED[asked:], asked):
        try:
            rig.ask(intent)
        except Cut:
            return n
    return len(ASKED)


def seen(rig: Rig) -> tuple[dict[str, float], set[tuple[str, str, float, str]]]:
    """What is held, and what works at the exchange."""
    held = {p.symbol: p.qty for p in rig.exchange.positions()}
    return held, {(r.symbol, r.role, r.qty, r.state) for r in rig.live()}


UNCUT = Mortal(-1)
a_story(UNCUT)
COUNT = len(UNCUT.said)


@pytest.mark.parametrize("at", range(COUNT))
def test_a_cut_at_any_point_ends_as_the_uncut_day(at: int) -> None:
    rig = Mortal(at)
    cut = a_story(rig)
    rig.left = -1
    agreed, _ = rig.restart()
    assert agreed
    for _ in range(10):
        rig.wait(2)  # an order that may have left is asked for, five times
    lost = {r.intent_id for r in rig.desk.orders.values() if r.words == "the broker never saw it"}
    if cut < len(ASKED) and ASKED[cut].id in lost:
        # Told, not sent: the strategy hears that it failed, and asks afresh.
        assert not sends(rig.ask(ASKED[cut]))
        rig.ask(replace(ASKED[cut], id="afresh", ordinal=1))
        cut += 1
    a_story(rig, cut)
    rig.wait()
    assert seen(rig) == seen(UNCUT)
    rig.assert_agrees()


def test_an_intent_that_was_never_sent_is_not_sent_after_the_restart() -> None:
    rig = Mortal(2)  # journal and news, and dead before the wire
    rig.quote(100.0)
    with pytest.raises(Cut):
        rig.ask(an_intent())
    rig.left = -1
    rig.restart()
    assert rig.last().words == "asking the broker (1/5)"
    for _ in range(10):
        rig.wait(2)
    assert rig.sent == []
    assert (rig.last().state, rig.last().words) == (S.FAILED, "the broker never saw it")
    assert not sends(rig.ask(an_intent()))


def test_a_fill_that_was_missed_is_booked_at_the_next_comparison() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(limit=99.0))
    rig.exchange.on_time(rig.now_ns)
    desk, rig.desk = rig.desk, rig.new_desk()  # nobody listens
    rig.quote(98.0)
    rig.desk = desk
    assert rig.held() == 0
    agreed, _ = rig.reconcile()
    assert agreed
    assert rig.held() == 100
    rig.assert_agrees()


def test_a_waiting_exit_is_sent_after_the_restart() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(stop=95.0))
    effects = rig.desk.on_intent(an_intent(Operation.SELL, 0, n=1), rig.now_ns)
    rig.carry(effects[0])  # written down; dead before the cancel
    rig.restart()
    assert rig.held() == 0
    rig.assert_agrees()


def test_a_liquidation_that_was_begun_goes_on_after_the_restart() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(stop=95.0))
    rig.refuse = 1
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    assert rig.held() == 100
    rig.restart()
    rig.wait()
    assert rig.held() == 0


def test_a_halted_desk_is_still_halted_and_closes_what_is_left() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(stop=95.0))
    rig.refuse = 1
    rig.do(rig.desk.kill(rig.now_ns, by="ann", reason="enough"))
    rig.restart()
    rig.wait()
    assert (rig.desk.state, rig.desk.state_by) == ("HALTED", "ann")
    assert rig.held() == 0


def test_a_cancel_that_was_asked_for_goes_on_after_the_restart() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(limit=90.0))
    for effect in rig.desk.cancel(rig.now_ns, by="ann"):
        if not isinstance(effect, CancelAtBroker):
            rig.carry(effect)  # the journal has it, the broker has not
    rig.restart()
    rig.wait()
    assert rig.last().state is S.CANCELED


def test_limits_count_across_a_restart() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent())
    rig.quote(97.0)
    rig.ask(an_intent(Operation.SELL, n=1))
    before = rig.desk.money()
    rig.restart()
    assert rig.desk.money() == before
    assert rig.desk.orders == rig.books.orders


def test_what_the_account_held_before_is_external() -> None:
    rig = Rig()
    rig.quote(100.0)
    held = BrokerPosition(symbol="GE", qty=50.0, avg_price=20.0, price=21.0)
    agreed, _ = rig.desk.reconcile([], [], [held], rig.now_ns)
    assert agreed
    assert rig.desk.positions["EXTERNAL", "GE"].qty == 50
    assert rig.desk.money().open_positions == 0
    short = an_intent(Operation.SHORT, symbol="GE")
    assert refusals(rig.desk.on_intent(short, rig.now_ns)) == ["OPPOSITE_POSITION"]
    agreed, again = rig.desk.reconcile([], [], [held], rig.now_ns)
    assert agreed
    assert again == []


def test_a_difference_that_nothing_explains_is_said_and_not_mended() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent())
    exchange = rig.exchange
    less = [BrokerPosition(symbol="TSLA", qty=90.0, avg_price=100.0)]
    agreed, effects = rig.desk.reconcile(exchange.orders(), exchange.executions(), less, rig.now_ns)
    assert not agreed
    assert rig.held() == 100
    words = [effect.words for effect in effects if isinstance(effect, Notice)]
    said = "books and broker do not agree: the books have +100 TSLA, the broker has +90"
    assert words == [f"{said}. Decide: adopt, flatten or ignore"]


def test_history_of_the_account_is_not_the_batchs() -> None:
    old = Rig()
    old.quote(100.0)
    old.ask(an_intent())
    old.ask(an_intent(Operation.SELL, n=1))
    old.quote(100.0)
    exchange = old.exchange
    fresh = Rig().desk
    agreed, effects = fresh.reconcile(
        exchange.orders(), exchange.executions(), exchange.positions(), old.now_ns
    )
    assert agreed
    assert effects == []
    assert not fresh.orders


def test_until_the_first_comparison_agrees_nothing_is_sent() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent())
    rig.desk = rig.new_desk()
    rig.desk.restore([*rig.books.orders.values()], [*rig.books.fills.values()])
    assert refusals(rig.desk.on_intent(an_intent(symbol="F"), rig.now_ns)) == ["NOT_READY"]
    exit_ = rig.desk.on_intent(an_intent(Operation.SELL, n=1), rig.now_ns)
    assert not sends(exit_)
    rig.do(exit_)
    rig.reconcile()
    assert rig.held() == 0


# while it trades


def test_a_difference_is_said_when_it_is_seen_twice() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent())
    rig.reconcile()
    less = [BrokerPosition(symbol="TSLA", qty=90.0, avg_price=100.0)]
    rig.desk.check_positions(rig.exchange.executions(), less, rig.now_ns)
    assert not rig.desk.differences
    assert rig.desk.needs_reconcile
    rig.desk.check_positions(rig.exchange.executions(), less, rig.now_ns)
    assert [d.words for d in rig.desk.differences.values()] == [
        "the books have +100 TSLA, the broker has +90"
    ]


def test_a_difference_that_is_gone_at_the_second_look_was_none() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent())
    rig.reconcile()
    less = [BrokerPosition(symbol="TSLA", qty=90.0, avg_price=100.0)]
    for positions in (less, rig.exchange.positions(), less):
        effects = rig.desk.check_positions(rig.exchange.executions(), positions, rig.now_ns)
        assert not [effect for effect in effects if isinstance(effect, Notice)]
    assert not rig.desk.differences


def test_what_is_on_its_way_is_not_judged() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.reconcile()
    settled_ns = rig.now_ns
    rig.ask(an_intent())
    for _ in range(3):  # the broker answered before the order was there
        rig.desk.check_positions([], [], rig.now_ns, settled_ns=settled_ns)
        assert not asks(rig.desk.check_orders([], rig.now_ns, settled_ns=settled_ns))
    assert not rig.desk.differences
    assert not rig.desk.needs_reconcile


def test_an_order_of_ours_that_is_not_listed_is_asked_for() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.reconcile()
    rig.ask(an_intent(limit=90.0))
    rig.exchange.cancel(rig.last().order_id, rig.now_ns)
    rig.exchange.drain()  # and nobody heard of it
    rig.do(rig.desk.check_orders([], rig.now_ns))
    assert rig.last().state is S.CANCELED


def test_what_an_old_update_says_of_a_fill_that_was_taken_back_is_asked_for() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent())
    rig.reconcile()
    filled = rig.exchange.order(rig.last().order_id)
    assert filled is not None
    rig.exchange.bust(rig.exchange.executions()[0].execution_id)
    rig.settle()
    rig.do(rig.desk.on_update(an_update("calculated", filled), rig.now_ns))  # it was long on its way
    rig.wait(5)
    assert rig.desk.needs_reconcile
    rig.do(rig.desk.check_orders([], rig.now_ns))
    rig.do(rig.desk.check_positions(rig.exchange.executions(), rig.exchange.positions(), rig.now_ns))
    rig.wait()
    assert not rig.desk.needs_reconcile
    assert not rig.desk.differences


def test_one_comparison_asks_for_ten_orders_and_the_next_for_others() -> None:
    rig = Rig()
    rig.reconcile()
    symbols = [f"S{n}" for n in range(15)]
    for symbol in symbols:
        rig.quote(100.0, symbol)
        rig.ask(an_intent(symbol=symbol, limit=90.0))
    first = asks(rig.desk.check_orders([], rig.now_ns))
    second = asks(rig.desk.check_orders([], rig.now_ns))
    assert len(first) == 10
    assert len({*first, *second}) == 15


def test_an_order_made_elsewhere_is_external_when_it_is_seen_twice() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.reconcile()
    foreign = an_answer(request(an_order("app-1")))
    rig.desk.check_orders([foreign], rig.now_ns)
    assert "app-1" not in rig.desk.orders
    rig.desk.check_orders([foreign], rig.now_ns)
    assert rig.desk.orders["app-1"].strategy == EXTERNAL


def test_a_fill_of_an_unknown_order_needs_the_comparison_of_all() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.reconcile()
    rig.wait(10)
    sold = an_execution("x9", order_id="app-2", t_ns=rig.now_ns)
    held = [BrokerPosition(symbol="GE", qty=40.0, avg_price=100.0)]
    rig.desk.check_positions([sold], held, rig.now_ns)
    assert rig.desk.needs_all
    assert rig.held("GE", EXTERNAL) == 0
    rig.desk.reconcile([], [sold], held, rig.now_ns)
    assert not rig.desk.needs_all
    assert rig.held("GE", EXTERNAL) == 40


def test_after_a_reconnect_a_comparison_says_nothing_at_first_sight() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent())
    rig.reconcile()
    less = [BrokerPosition(symbol="TSLA", qty=90.0, avg_price=100.0)]
    rig.desk.reconcile(rig.exchange.orders(), rig.exchange.executions(), less, rig.now_ns)
    assert not rig.desk.differences
    assert not refusals(rig.ask(an_intent(symbol="F", price=20.0, n=7)))
