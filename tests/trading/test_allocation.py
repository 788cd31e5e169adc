"""Portfolios: their cash is the sum of their fills; strategies have no more at work than there is."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import Fill, Operation, Side
from liu_tui.plan.schema import FeesTable, PortfolioTable, StrategyTable, TradePlan
from liu_tui.trading.allocation import Pot, Share, first_shares
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import Moved
from liu_tui.trading.matching.exchange import Exchange
from liu_tui.trading.matching.options import ExchangeOptions
from liu_tui.trading.positions import EXTERNAL
from tests.kit.desk import NOON_NS, Rig, an_intent, refusals

FEES = FeesTable(per_share=0.01)
SIZE = 20_000.0
Carried = Mapping[str, tuple[float, float]]


class PotRig(Rig):
    """A rig with one portfolio, of `momentum` and `other`; `loner` has none."""

    def __init__(
        self, *, credit: float = 0.0, carried: Carried | None = None, seed: int = 1, parts: float = 0.0
    ) -> None:
        self.credit, self.carried = credit, carried
        super().__init__(seed=seed)
        self.exchange = Exchange(
            cash=1_000_000.0, seed=seed, partial_fills=parts, options=ExchangeOptions(fees=FEES)
        )
        self.quote(100.0)

    def new_desk(self) -> Desk:
        desk = Desk(batch_id="b1", limits=self.limits, hours=self.hours, swing=self.swing, fees=FEES)
        self.pot = Pot(
            "swing@b1",
            cash=SIZE,
            credit=self.credit,
            members=("momentum", "other"),
            carried=self.carried,
        )
        # As after a restart, so at the start: what the books have is counted anew.
        desk.open_portfolios([self.pot], list(self.books.fills.values()))
        return desk

    def moves(self) -> list[Moved]:
        """List what was said of the portfolio's money."""
        return [effect for effect in self.said if isinstance(effect, Moved)]

    def right(self) -> float:
        """Dollars of cash by the fills in the books alone."""
        mine = [fill for fill in self.books.fills.values() if fill.strategy in self.pot.members]
        return SIZE - sum(fill.qty * fill.price for fill in mine) - sum(fill.fee for fill in mine)

    def sell_by_hand(self, qty: float) -> Fill:
        """Book a fill that somebody else's order made."""
        fill = a_fill(EXTERNAL, -qty)
        for moved in self.desk.allocations.open([fill]):
            self.said.append(moved)
        return fill


def a_fill(strategy: str, qty: float, price: float = 100.0, *, x: str = "x1", amends: str = "") -> Fill:
    return Fill(
        execution_id=x, client_order_id="c", order_id="o", intent_id="i", strategy=strategy, symbol="TSLA",
        operation=Operation.BUY if qty > 0 else Operation.SELL, qty=qty, price=price, t_ns=NOON_NS,
        position=qty, avg_price=price, realized=0.0, fee=1.0, amends=amends,
    )  # fmt: skip


Step = tuple[str, str, int]
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "short", "sell", "cover", "bust", "reprice", "restart"]),
        st.sampled_from(["momentum", "other", "loner"]),
        st.integers(1, 150),
    ),
    max_size=14,
)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), _STEPS)
def test_the_cash_is_the_size_less_what_was_paid_and_what_it_cost(seed: int, steps: list[Step]) -> None:
    rig = PotRig(seed=seed, credit=50_000.0, parts=0.5)
    for n, (what, strategy, size) in enumerate(steps):
        if what == "restart":
            rig.restart()
        elif what in ("bust", "reprice"):
            put_right(rig, what, size)
        else:
            rig.ask(an_intent(Operation[what.upper()], float(size), n=n, strategy=strategy))
        rig.quote(90.0 + size / 10)
        assert rig.pot.cash == pytest.approx(rig.right(), abs=1e-6)
    told = {moved.execution_id: moved.amount for moved in rig.moves()}
    assert SIZE + sum(told.values()) == pytest.approx(rig.pot.cash, abs=1e-6)


def put_right(rig: Rig, what: str, size: int) -> None:
    last = [done for done in rig.exchange.standing() if done.qty][-1:]
    for done in last:
        if what == "bust":
            rig.exchange.bust(done.execution_id)
        else:
            rig.exchange.reprice(done.execution_id, 80.0 + size / 10)
        rig.settle()


def test_all_strategies_of_a_portfolio_share_what_it_has() -> None:
    rig = PotRig()
    rig.ask(an_intent(qty=150, symbol="TSLA"))
    assert rig.held() == 150
    assert refusals(rig.ask(an_intent(qty=60, n=1, strategy="other"))) == ["ALLOCATION_USED"]
    assert refusals(rig.ask(an_intent(qty=40, n=2, strategy="other"))) == []
    assert refusals(rig.ask(an_intent(qty=10, n=3))) == ["ALLOCATION_USED"]


def test_it_may_owe_its_credit_and_no_more() -> None:
    rig = PotRig(credit=5_000.0)
    assert refusals(rig.ask(an_intent(qty=255))) == ["ALLOCATION_USED"]
    assert refusals(rig.ask(an_intent(qty=245, n=1))) == []
    assert -5_000 <= rig.pot.cash < 0


def test_who_has_no_portfolio_is_not_bound() -> None:
    rig = PotRig()
    assert refusals(rig.ask(an_intent(qty=1_000, strategy="loner"))) == []
    assert rig.pot.cash == SIZE


@pytest.mark.parametrize("operation", [Operation.BUY, Operation.SHORT])
def test_an_exit_passes_however_much_is_at_work(operation: Operation) -> None:
    rig = PotRig()
    rig.ask(an_intent(operation, 190))
    rig.pot.cash -= 1_000_000.0  # whatever happened: it is far over what it has
    entry = an_intent(operation, 1, n=1)
    assert refusals(rig.ask(entry)) == ["ALLOCATION_USED"]
    leave = Operation.SELL if operation is Operation.BUY else Operation.COVER
    assert refusals(rig.ask(an_intent(leave, 190, n=2))) == []
    assert rig.held() == 0


def test_a_working_entry_of_another_strategy_binds_its_dollars() -> None:
    rig = PotRig()
    rig.ask(an_intent(qty=150, symbol="TSLA", limit=90.0))
    assert rig.live("entry")
    assert refusals(rig.ask(an_intent(qty=80, n=1, strategy="other"))) == ["ALLOCATION_USED"]


def test_what_an_earlier_batch_left_counts_at_the_last_price_and_binds_its_dollars() -> None:
    rig = PotRig(carried={"TSLA": (100.0, 80.0), "AAPL": (-10.0, 50.0)})
    (share, _) = rig.desk.allocations.shares()
    assert share == Share("momentum", SIZE + 100 * 100.0 - 10 * 50.0, SIZE + 9_500 - 10_500)
    assert rig.desk.allocations["other"] == share.worth - 10_500


def test_who_sells_what_an_earlier_batch_left_pays_the_portfolio() -> None:
    rig = PotRig(carried={"TSLA": (100.0, 80.0)})
    fill = rig.sell_by_hand(150)
    (moved,) = rig.moves()
    assert (moved.qty, moved.amount, moved.portfolio) == (-100, 10_000, "swing@b1")
    assert (rig.pot.cash, rig.pot.carried["TSLA"][0]) == (SIZE + 10_000, 0)
    taken_back = msgspec.structs.replace(fill, execution_id="x1:bust", qty=150.0, amends="x1")
    rig.desk.allocations.open([taken_back])
    assert (rig.pot.cash, rig.pot.carried["TSLA"][0]) == (SIZE, 100)


def test_other_doings_of_others_are_not_the_portfolios() -> None:
    pot = Pot("p", cash=SIZE, members=("momentum",), carried={"TSLA": (100.0, 80.0)})
    assert pot.book(a_fill(EXTERNAL, 50)) is None
    assert pot.book(a_fill("loner", -50)) is None
    assert pot.book(a_fill(EXTERNAL, -5, x="a:bust", amends="a")) is None
    assert pot.cash == SIZE


def test_a_share_is_told_when_it_has_changed_and_not_twice_in_a_second() -> None:
    rig = PotRig()
    allocations, now = rig.desk.allocations, NOON_NS
    assert [share.strategy for share in allocations.news(now)] == ["momentum", "other"]
    rig.ask(an_intent(qty=100))
    assert allocations.news(now + SECOND_NS // 2) == []
    (share, _) = allocations.news(now + SECOND_NS)
    assert share.free == pytest.approx(share.worth - 10_000, abs=10)
    rig.desk.on_price("TSLA", 100.05)
    assert allocations.news(now + 2 * SECOND_NS) == []
    rig.desk.on_price("TSLA", 105.0)
    assert len(allocations.news(now + 2 * SECOND_NS)) == 2


def test_a_strategy_reckons_with_the_size_until_it_is_told() -> None:
    plan = TradePlan(
        portfolios={"swing": PortfolioTable(size=SIZE)},
        strategies={
            "A": StrategyTable(filename="a.py", portfolio_id="swing"),
            "B": StrategyTable(filename="b.py"),
        },
    )
    assert first_shares(plan) == [Share("A", SIZE, SIZE)]


def test_the_side_of_a_short_binds_as_many_dollars_as_that_of_a_long() -> None:
    rig = PotRig()
    assert refusals(rig.ask(an_intent(Operation.SHORT, 210))) == ["ALLOCATION_USED"]
    rig.ask(an_intent(Operation.SHORT, 190, n=1))
    assert rig.exchange.executions()[0].side is Side.SELL
    assert rig.desk.allocations["other"] == pytest.approx(1_000, abs=10)
