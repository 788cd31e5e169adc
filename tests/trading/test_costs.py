"""Fees at the desk: reckoned as the exchange reckons them, to the cent, whatever is taken back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liu_tui.model.orders import Execution, Operation, Side
from liu_tui.plan.schema import FeesTable
from liu_tui.trading.costs import Costs
from liu_tui.trading.desk import Desk
from liu_tui.trading.matching.exchange import Exchange
from liu_tui.trading.matching.options import ExchangeOptions
from tests.kit.desk import Rig, an_intent

FEES = FeesTable(per_order=1.0, per_share=0.005, sell_per_million=27.8, sell_per_share=0.000166, sell_cap=8.3)
CASH = 1_000_000.0


class FeeRig(Rig):
    """A rig whose exchange and desk know the same fees."""

    def __init__(self, *, seed: int = 1) -> None:
        super().__init__(cash=CASH, partial_fills=0.5, seed=seed)
        self.exchange = Exchange(cash=CASH, seed=seed, partial_fills=0.5, options=ExchangeOptions(fees=FEES))
        self.quote(100.0)

    def new_desk(self) -> Desk:
        return Desk(batch_id="b1", limits=self.limits, hours=self.hours, swing=self.swing, fees=FEES)

    def assert_the_money_agrees(self) -> None:
        """What the desk says it earned is what the exchange's equity has changed by."""
        for position in self.exchange.positions():
            self.desk.on_price(position.symbol, position.price)
        earned = self.exchange.account().equity - CASH
        assert self.desk.money().total == pytest.approx(earned, abs=0.005)
        assert sum(fill.fee for fill in self.books.fills.values()) == pytest.approx(self.desk.money().fees)


def an_execution(x: str, qty: float = 100.0, price: float = 50.0, fee: float = 0.0) -> Execution:
    return Execution(
        execution_id=x, order_id="o", symbol="TSLA", side=Side.BUY, qty=qty, price=price, t_ns=1, fee=fee
    )


def test_only_the_first_fill_of_an_order_bears_the_orders_fee() -> None:
    costs = Costs(FEES)
    assert costs.add("c", an_execution("x1"), Side.BUY) == 1.5
    assert costs.add("c", an_execution("x2"), Side.BUY) == 0.5
    assert costs.add("d", an_execution("x3"), Side.BUY) == 1.5


def test_what_the_venue_says_it_took_counts() -> None:
    assert Costs(FEES).add("c", an_execution("x1", fee=0.07), Side.BUY) == 0.07


def test_a_fill_taken_back_gives_its_fee_back_and_its_heir_bears_the_orders_own() -> None:
    costs = Costs(FEES)
    costs.add("c", an_execution("x1"), Side.BUY)
    assert costs.give_back("c", "x1", "x2") == 1.5
    assert costs.add("c", an_execution("x2", price=51.0), Side.BUY) == 1.5
    assert costs.give_back("c", "x2") == 1.5
    assert costs.add("c", an_execution("x3"), Side.BUY) == 0.5
    assert costs.give_back("c", "never heard of") == 0


def test_fills_heard_of_in_another_order_bear_the_orders_own_fee_once() -> None:
    costs = Costs(FEES)
    assert costs.add("c", an_execution("x2", qty=20.0), Side.BUY) == 1.1  # of the stream, which says no fees
    assert costs.add("c", an_execution("x1", qty=80.0, fee=1.4), Side.BUY) == 0.4  # found in the history
    assert costs.add("d", an_execution("y2", qty=20.0, fee=0.1), Side.BUY) == 0.1
    assert costs.add("d", an_execution("y1", qty=80.0), Side.BUY) == 1.4


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 50),
    st.lists(
        st.tuples(st.sampled_from(["buy", "sell", "bust", "reprice", "restart"]), st.integers(1, 300)),
        max_size=12,
    ),
)
def test_books_and_exchange_agree_to_the_cent(seed: int, steps: list[tuple[str, int]]) -> None:
    rig = FeeRig(seed=seed)
    for n, (what, size) in enumerate(steps):
        if what in ("buy", "sell"):
            operation = Operation.BUY if what == "buy" else Operation.SELL
            rig.ask(an_intent(operation, float(size), n=n))
        elif what == "restart":
            rig.restart()
        else:
            _put_right(rig, what, size)
        rig.quote(90.0 + size / 10)
        rig.assert_the_money_agrees()


def _put_right(rig: FeeRig, what: str, size: int) -> None:
    exchange = rig.exchange
    if last := [e for e in exchange.standing() if e.qty]:
        if what == "bust":
            exchange.bust(last[-1].execution_id)
        else:
            exchange.reprice(last[-1].execution_id, 80.0 + size / 10)
        rig.settle()
