"""Where books and broker do not agree: said, stored, decided by a person, and never mended in silence."""

from __future__ import annotations

import pytest

from liu_tui.model.account import BrokerPosition
from liu_tui.model.orders import Operation, OrderRequest, OrderState, OrderType, Side
from liu_tui.trading.effects import Effect, Notice
from liu_tui.trading.orders import PROTECTIVE
from liu_tui.trading.positions import EXTERNAL
from tests.kit.desk import Rig, an_answer, an_intent, an_update, fills, refusals, sends
from tests.kit.reconcile import an_execution, differs

S = OrderState


class Elsewhere(Rig):
    """A rig whose account others trade too. shares: symbol -> what they did to it, which nobody tells."""

    def __init__(self) -> None:
        super().__init__()
        self.shares: dict[str, float] = {}
        self.quote(100.0)

    def positions(self) -> list[BrokerPosition]:
        """What the broker says is held."""
        held = {p.symbol: p.qty for p in self.exchange.positions()}
        for symbol, qty in self.shares.items():
            held[symbol] = held.get(symbol, 0.0) + qty
        return [BrokerPosition(symbol=s, qty=qty, avg_price=100.0) for s, qty in held.items() if qty]

    def reconcile(self) -> tuple[bool, list[Effect]]:
        """Compare all."""
        agreed, effects = self.desk.reconcile(
            self.exchange.orders(), self.exchange.executions(), self.positions(), self.now_ns
        )
        return agreed, self.do(effects)

    def assert_sums(self) -> None:
        """Positions are the sums of their fills."""
        for (strategy, symbol), position in self.desk.positions.items():
            rows = [f for f in self.books.fills.values() if (f.strategy, f.symbol) == (strategy, symbol)]
            assert position.qty == pytest.approx(sum(f.qty for f in rows))

    def check(self) -> list[Effect]:
        """Compare the shares twice: what differs is said."""
        both = [
            self.desk.check_positions(self.exchange.executions(), self.positions(), self.now_ns)
            for _ in range(2)
        ]
        return self.do([effect for effects in both for effect in effects])

    def decide(self, choice: str, symbol: str = "TSLA") -> list[Effect]:
        """Decide as ann."""
        assert not self.desk.resolve_refused(symbol, choice)
        return self.do(self.desk.resolve(symbol, choice, "ann", self.now_ns))


def short_of_ten() -> Elsewhere:
    """Hold 100 TSLA with a bracket; the broker has 90."""
    rig = Elsewhere()
    rig.ask(an_intent(stop=95.0, target=110.0))
    assert rig.reconcile()[0]
    rig.shares["TSLA"] = -10.0
    rig.check()
    assert [d.words for d in rig.desk.differences.values()] == [
        "the books have +100 TSLA, the broker has +90"
    ]
    return rig


def test_adopting_takes_the_shares_that_are_gone_from_the_strategy() -> None:
    rig = short_of_ten()
    (fill,) = fills(rig.decide("adopt"))
    assert (fill.strategy, fill.qty, fill.position, fill.reason) == ("momentum", -10, 90, "adopted by ann")
    assert rig.held() == 90
    assert not rig.desk.differences
    rig.check()
    assert not rig.desk.differences


def test_protection_is_made_anew_for_what_is_left() -> None:
    rig = short_of_ten()
    rig.decide("adopt")
    rig.wait()
    assert {r.qty for r in rig.live(*PROTECTIVE)} == {90}


def test_shares_that_nobody_here_bought_are_external() -> None:
    rig = short_of_ten()
    rig.shares["TSLA"] = 25.0
    rig.check()
    (fill,) = fills(rig.decide("adopt"))
    assert (fill.strategy, fill.position) == (EXTERNAL, 25)
    assert rig.held() == 100


def test_strangers_lose_their_shares_before_strategies_do() -> None:
    rig = short_of_ten()
    rig.shares["TSLA"] = 25.0
    rig.check()
    rig.decide("adopt")
    rig.shares["TSLA"] = -5.0
    rig.check()
    rig.decide("adopt")
    assert rig.held("TSLA", EXTERNAL) == 0
    assert rig.held() == 95


def test_what_several_strategies_hold_goes_in_their_order() -> None:
    rig = Elsewhere()
    rig.ask(an_intent(qty=30))
    rig.ask(an_intent(qty=20, strategy="gap"))
    rig.reconcile()
    rig.shares["TSLA"] = -35.0
    rig.check()
    rig.decide("adopt")
    assert (rig.held(), rig.held(strategy="gap")) == (0, 15)
    assert rig.desk.net("TSLA") == 15


def test_a_short_that_was_covered_elsewhere_is_reduced() -> None:
    rig = Elsewhere()
    rig.ask(an_intent(Operation.SHORT, 50))
    rig.reconcile()
    rig.shares["TSLA"] = 20.0
    rig.check()
    (fill,) = fills(rig.decide("adopt"))
    assert (fill.operation, fill.position) == (Operation.COVER, -30)


def test_a_position_closed_by_hand_is_a_difference_though_the_sums_agree() -> None:
    rig = Elsewhere()
    rig.ask(an_intent(stop=95.0))
    rig.reconcile()
    sold = an_execution(
        "x9", order_id="app-1", symbol="TSLA", qty=100.0, side=Operation.SELL.side, t_ns=rig.now_ns
    )
    rig.shares["TSLA"] = -100.0
    executions = [*rig.exchange.executions(), sold]
    rig.do(rig.desk.reconcile(rig.exchange.orders(), executions, rig.positions(), rig.now_ns)[1])
    assert rig.desk.net("TSLA") == 0
    assert rig.held() == 100
    assert [d.words for d in rig.desk.differences.values()] == [
        "strategies hold +100 TSLA, -100 were traded elsewhere: the account has +0"
    ]
    rig.decide("adopt")
    rig.wait()
    assert (rig.held(), rig.held("TSLA", EXTERNAL)) == (0, 0)
    assert not rig.live(*PROTECTIVE)


def test_flatten_adopts_and_closes_what_is_left() -> None:
    rig = short_of_ten()
    rig.decide("flatten")
    rig.wait()
    rig.wait()
    assert rig.held() == 0
    assert [s.qty for s in sends(rig.said)][-1] == 90


def test_what_is_ignored_is_not_said_again_until_the_figures_change() -> None:
    rig = short_of_ten()
    rig.decide("ignore")
    assert not [e for e in rig.check() if isinstance(e, Notice)]
    assert not rig.desk.needs_reconcile
    rig.shares["TSLA"] = -20.0
    said = rig.check()
    assert [d.choice for d in rig.desk.differences.values()] == [""]
    assert [d.ended_ns > 0 for d in differs(said)] == [True, False]


@pytest.mark.parametrize("choice", ["", "ignore"])
def test_entries_are_refused_in_that_symbol_only_and_exits_pass(choice: str) -> None:
    rig = short_of_ten()
    rig.quote(100.0, "F")
    if choice:
        rig.decide(choice)
    assert refusals(rig.ask(an_intent(n=5, strategy="gap"))) == ["UNRECONCILED"]
    assert not refusals(rig.ask(an_intent(symbol="F", n=6)))
    assert not refusals(rig.ask(an_intent(Operation.SELL, 50, n=7)))


def test_a_difference_that_is_no_more_ends_by_itself() -> None:
    rig = short_of_ten()
    rig.shares.clear()
    assert [d.ended_ns > 0 for d in differs(rig.check())] == [True]
    assert not rig.desk.differences


def test_nothing_is_traded_before_each_difference_of_the_start_is_decided() -> None:
    rig = Elsewhere()
    rig.quote(100.0, "F")
    rig.ask(an_intent())
    rig.shares["TSLA"] = -10.0
    assert not rig.restart()[0]
    assert refusals(rig.ask(an_intent(symbol="F", n=3))) == ["NOT_READY"]
    assert not refusals(rig.ask(an_intent(Operation.SELL, 30, n=5)))  # what is held may be closed
    assert rig.held() == 70
    rig.shares["TSLA"] = -10.0
    rig.reconcile()
    rig.decide("ignore")
    assert rig.reconcile()[0]
    assert not refusals(rig.ask(an_intent(symbol="F", n=4)))


def test_a_choice_holds_after_a_restart_while_the_figures_are_the_same() -> None:
    rig = short_of_ten()
    rig.decide("ignore")
    stored = [*rig.desk.differences.values()]
    for shares, agreed in ((-10.0, True), (-11.0, False)):
        rig.shares["TSLA"] = shares
        rig.desk = rig.new_desk()
        rig.desk.restore([*rig.books.orders.values()], [*rig.books.fills.values()], differences=stored)
        assert rig.desk.resolve_refused("TSLA", "adopt").startswith("TSLA has not been compared")
        assert rig.reconcile()[0] is agreed


def test_what_cannot_be_decided_is_refused_in_words() -> None:
    rig = short_of_ten()
    words = [rig.desk.resolve_refused(*asked) for asked in (("F", "adopt"), ("TSLA", "mend"), ("", "adopt"))]
    assert words == [
        "the books and the broker do not differ on F",
        "'mend' is no choice; there are adopt, flatten, ignore",
        "the books and the broker do not differ on a symbol without a name",
    ]


def a_fill_untold() -> tuple[Rig, list[Effect]]:
    """The broker counts 100 shares filled at 101 on average; one fill of 60 at 100 is told."""
    rig = Rig()
    rig.quote(100.0)
    (request,) = sends(rig.desk.on_intent(an_intent(limit=102.0), rig.now_ns))
    answer = an_answer(request, filled_qty=0.0)
    rig.desk.on_accepted(request.client_order_id, answer, rig.now_ns)
    told = an_update("partial_fill", answer, qty=60, price=100.0, x="x1", filled_qty=60.0)
    rig.desk.on_update(told, rig.now_ns)
    whole = an_answer(request, filled_qty=100.0, filled_avg_price=101.0, status=S.FILLED)
    rig.desk.check_orders([whole], rig.now_ns)
    held = [BrokerPosition(symbol="TSLA", qty=100.0, avg_price=101.0)]
    for _ in range(2):
        effects = rig.desk.check_positions([], held, rig.now_ns)
    return rig, effects


def test_a_fill_that_nobody_tells_is_adopted_at_the_brokers_average() -> None:
    rig, said = a_fill_untold()
    assert [d.words for d in differs(said)] == [
        f"the broker filled 100 of {rig.last().client_order_id}, 60 are booked"
    ]
    (fill,) = fills(rig.desk.resolve("TSLA", "adopt", "ann", rig.now_ns))
    assert (fill.strategy, fill.qty, fill.price) == ("momentum", 40, 102.5)
    assert rig.held() == 100
    assert not rig.desk.differences


def test_the_true_fill_takes_the_adopted_ones_place() -> None:
    rig, _ = a_fill_untold()
    rig.desk.resolve("TSLA", "adopt", "ann", rig.now_ns)
    true = an_execution("x2", order_id=rig.last().order_id, symbol="TSLA", qty=40.0, price=102.0)
    held = [BrokerPosition(symbol="TSLA", qty=100.0, avg_price=100.8)]
    booked = fills(rig.desk.check_positions([true], held, rig.now_ns))
    assert [(f.qty, bool(f.amends)) for f in booked] == [(-40, True), (40, False)]
    assert rig.held() == 100
    assert rig.desk.positions["momentum", "TSLA"].avg_price == pytest.approx(100.8)
    assert not fills(rig.desk.check_positions([true], held, rig.now_ns))


def closed_by_hand(shares: float = 100.0) -> Elsewhere:
    """Hold 100 TSLA with a stop; somebody takes the orders away in the broker's app, and sells."""
    rig = Elsewhere()
    rig.ask(an_intent(stop=95.0))
    rig.reconcile()
    for order in rig.live("stop"):
        rig.exchange.cancel(order.order_id, rig.now_ns)
    sold = OrderRequest(
        client_order_id="app-1", symbol="TSLA", side=Side.SELL, qty=shares, order_type=OrderType.MARKET
    )
    rig.exchange.submit(sold, rig.now_ns)
    rig.settle()
    rig.wait(6)
    return rig


def test_a_strategys_shares_sold_by_hand_are_said_at_once_and_never_sold_again() -> None:
    rig = closed_by_hand()
    assert [d.words for d in rig.desk.differences.values()] == [
        "strategies hold +100 TSLA, -100 were traded elsewhere: the account has +0"
    ]
    before = len(rig.sent)
    rig.ask(an_intent(Operation.SELL, 100, n=1))
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    for _ in range(10):
        rig.wait(5)
    assert rig.sent[before:] == []
    assert not rig.exchange.positions()
    rig.decide("adopt")
    rig.wait()
    rig.wait()
    assert rig.held() == 0
    assert not rig.desk.differences
    rig.assert_sums()


def test_what_is_left_of_a_position_is_protected_and_closed_for_no_more() -> None:
    rig = closed_by_hand(60)
    for _ in range(6):
        rig.wait()
    assert [r.qty for r in rig.live("stop")] == [40]
    rig.ask(an_intent(Operation.SELL, 100, n=1))
    rig.wait()
    assert not rig.exchange.positions()
