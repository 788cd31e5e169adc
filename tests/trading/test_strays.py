"""Orders that the books do not know: kept, linked, or made elsewhere."""

from __future__ import annotations

from liu_tui.model.orders import BrokerOrder, OrderState, OrderType, Side
from liu_tui.trading.positions import EXTERNAL
from tests.kit.desk import Rig, an_answer, an_intent, an_update, sends

S = OrderState


def an_app_order(**words: object) -> BrokerOrder:
    """Twenty TSLA bought in the broker's app."""
    usual: dict[str, object] = {
        "id": "app-1", "client_order_id": "", "symbol": "TSLA", "side": Side.BUY, "qty": 20.0,
    }  # fmt: skip
    return BrokerOrder(**{**usual, **words})  # type: ignore[arg-type] # names checked by BrokerOrder


def test_an_order_made_elsewhere_is_external_after_a_while_with_its_fill() -> None:
    rig = Rig()
    rig.quote(100.0)
    told = an_update("fill", an_app_order(), qty=20, price=100.0, x="x1", filled_qty=20.0)
    rig.desk.on_update(told, rig.now_ns)
    assert not rig.desk.orders
    rig.wait(6)
    assert rig.held("TSLA", EXTERNAL) == 20
    assert rig.desk.money().open_positions == 0


def test_while_an_answer_is_awaited_nothing_of_the_symbol_is_called_foreign() -> None:
    rig = Rig()
    rig.quote(100.0)
    (request,) = sends(rig.desk.on_intent(an_intent(stop=95.0), rig.now_ns))
    leg = an_app_order(
        id="leg-1", side=Side.SELL, qty=100.0, order_type=OrderType.STOP, stop_price=95.0, status=S.HELD
    )
    rig.desk.on_update(an_update("held", leg), rig.now_ns)
    rig.now_ns += 20_000_000_000
    rig.desk.on_time(rig.now_ns)
    answer = an_answer(request, legs=(leg,))
    rig.desk.on_accepted(request.client_order_id, answer, rig.now_ns)
    assert {(r.strategy, r.role) for r in rig.desk.orders.values()} == {
        ("momentum", "entry"), ("momentum", "stop"),
    }  # fmt: skip


def test_a_leg_without_a_parents_name_is_known_by_its_prices() -> None:
    rig = Rig()
    rig.quote(100.0)
    (request,) = sends(rig.desk.on_intent(an_intent(stop=95.0, target=110.0), rig.now_ns))
    rig.desk.on_accepted(request.client_order_id, an_answer(request), rig.now_ns)
    leg = an_app_order(
        id="leg-1", side=Side.SELL, qty=100.0, order_type=OrderType.STOP, stop_price=95.0, status=S.HELD
    )
    rig.desk.on_update(an_update("held", leg), rig.now_ns)
    rig.now_ns += 6_000_000_000
    rig.desk.on_time(rig.now_ns)
    (stop,) = rig.live("stop")
    assert (stop.strategy, stop.order_id) == ("momentum", "leg-1")


def test_legs_are_looked_for_among_those_that_lack_them_only() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.ask(an_intent(stop=95.0, target=110.0))
    assert rig.desk._book.legless("TSLA") == []
    other = an_app_order(
        id="leg-9", side=Side.SELL, qty=100.0, order_type=OrderType.STOP, stop_price=95.0, status=S.HELD
    )
    rig.desk.on_update(an_update("held", other), rig.now_ns)
    rig.wait(6)
    assert rig.desk.orders["leg-9"].strategy == EXTERNAL


def test_of_shares_made_elsewhere_no_more_is_closed_than_the_broker_has() -> None:
    rig = Rig()
    rig.quote(100.0)
    rig.reconcile()
    rig.do(
        rig.desk.on_update(an_update("fill", an_app_order(), qty=20, price=100.0, x="x1", filled_qty=20.0), 0)
    )
    rig.wait(6)
    (sent,) = sends(rig.desk.flatten(rig.now_ns, by="a person"))
    assert (sent.side, sent.qty) == (Side.SELL, 20)
    order = an_answer(sent)
    rig.desk.on_accepted(sent.client_order_id, order, rig.now_ns)
    # Its second fill comes before its first.
    last = an_update("fill", order, qty=12, price=100.0, x="y2", filled_qty=20.0)
    assert not sends(rig.desk.on_update(last, rig.now_ns))
    rig.now_ns += 60_000_000_000
    assert not sends(rig.desk.on_time(rig.now_ns))
    first = an_update("partial_fill", order, qty=8, price=100.0, x="y1", filled_qty=8.0)
    assert not sends(rig.desk.on_update(first, rig.now_ns))
    assert rig.held("TSLA", EXTERNAL) == 0
