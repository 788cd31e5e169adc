"""What a strategy sees as pending and protected, whatever overtakes what."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from liu_tui.model.orders import AskKind, Fill, Operation, OrderNews, OrderState, OrderType
from liu_tui.trading.holding import Holding
from tests.kit.desk import an_intent

S = OrderState


def a_word(cid: str, state: OrderState, *, intent: int = 0, qty: float = 100, **words: Any) -> OrderNews:
    asked = an_intent(n=intent)
    said: dict[str, Any] = {"filled_qty": 0.0, "avg_price": 0.0, "role": "entry", **words}
    return OrderNews(
        client_order_id=cid, order_id=f"o-{cid}", intent_id=asked.id, strategy="momentum", symbol="TSLA",
        operation=asked.operation, order_type=OrderType.LIMIT, qty=qty, state=state, t_ns=1, created_ns=1,
        **said,
    )  # fmt: skip


def a_fill(cid: str, qty: float, position: float, *, intent: int = 0) -> Fill:
    asked = an_intent(n=intent)
    return Fill(
        execution_id=f"{cid}-{position}", client_order_id=cid, order_id=f"o-{cid}", intent_id=asked.id,
        strategy="momentum", symbol="TSLA", operation=asked.operation, qty=qty, price=99.0, t_ns=1,
        position=position, avg_price=99.0, realized=0.0, stop=95.0,
    )  # fmt: skip


def seen(holding: Holding) -> tuple[float, float]:
    return holding.view.qty, holding.view.pending


def test_while_one_entry_takes_the_others_place_only_one_of_them_is_pending() -> None:
    holding = Holding()
    holding.asked(an_intent(qty=100))
    holding.on_news(a_word("c", S.NEW))
    holding.on_news(a_word("c", S.PENDING_REPLACE))
    holding.on_news(a_word("c-r1", S.SUBMITTED, intent=1, qty=150, replaces="c"))
    assert seen(holding) == (0, 100)
    holding.on_news(a_word("c", S.REPLACED))
    assert seen(holding) == (0, 150)
    holding.on_news(a_word("c-r1", S.FILLED, intent=1, qty=150, filled_qty=150.0, replaces="c"))
    assert seen(holding) == (0, 150), "until its fill has come"
    holding.on_fill(a_fill("c-r1", 150, 150, intent=1))
    assert seen(holding) == (150, 0)
    assert not holding.entering


def test_a_replacement_that_came_to_nothing_leaves_the_old_one_pending() -> None:
    holding = Holding()
    holding.asked(an_intent(qty=100))
    holding.on_news(a_word("c", S.PENDING_REPLACE))
    holding.on_news(a_word("c-r1", S.SUBMITTED, intent=1, qty=150, replaces="c"))
    holding.on_news(a_word("c-r1", S.FAILED, intent=1, qty=150, replaces="c"))
    holding.on_news(a_word("c", S.NEW))
    assert seen(holding) == (0, 100)


def test_what_the_old_one_filled_is_held_and_the_rest_is_pending() -> None:
    holding = Holding()
    holding.asked(an_intent(qty=100))
    holding.on_fill(a_fill("c", 40, 40))
    assert seen(holding) == (40, 60)
    holding.on_news(a_word("c", S.PENDING_REPLACE, filled_qty=40.0))
    holding.on_news(a_word("c-r1", S.NEW, intent=1, qty=60, replaces="c"))
    holding.on_news(a_word("c", S.REPLACED, filled_qty=40.0))
    assert seen(holding) == (40, 60)


def test_one_that_was_replaced_elsewhere_under_the_same_intent_counts_once() -> None:
    holding = Holding()
    holding.asked(an_intent(qty=100))
    holding.on_news(a_word("c", S.NEW))
    holding.on_news(a_word("theirs", S.NEW, qty=80, replaces="c"))
    holding.on_news(a_word("c", S.REPLACED))
    assert seen(holding) == (0, 80)
    holding.on_fill(a_fill("theirs", 80, 80))
    holding.on_news(a_word("theirs", S.FILLED, qty=80, filled_qty=80.0, replaces="c"))
    assert seen(holding) == (80, 0)
    assert not holding.entering


def test_dollars_are_pending_as_the_shares_that_they_buy() -> None:
    holding = Holding()
    holding.asked(an_intent(qty=0, notional=250.0))
    assert seen(holding) == (0, 2.5)
    holding.on_news(a_word("c", S.NEW, qty=2.5, notional=250.0))
    holding.on_fill(a_fill("c", 2.49, 2.49))
    holding.on_news(a_word("c", S.FILLED, qty=2.49, filled_qty=2.49, notional=250.0))
    assert seen(holding) == (2.49, 0)


def test_a_stop_is_seen_as_moved_once_the_desk_has_answered_and_not_if_it_refused() -> None:
    holding = Holding()
    holding.on_fill(a_fill("c", 100, 100))
    for n, state in ((1, S.SUBMITTED), (2, S.REFUSED)):
        move = replace(an_intent(qty=0, n=n), kind=AskKind.PROTECT, stop=96.004 + n, target=110.0)
        holding.asked(move)
        holding.on_news(a_word(f"leg{n}", state, intent=n, role="stop"))
    assert (holding.view.stop, holding.view.target) == (97.0, 110.0)


def test_a_change_is_no_entry() -> None:
    holding = Holding()
    for kind in (AskKind.REPLACE, AskKind.CANCEL, AskKind.PROTECT):
        holding.asked(replace(an_intent(qty=10), kind=kind))
    assert not holding.entering
    assert holding.view.flat


def test_an_entry_that_lives_on_after_a_bust_is_pending_until_it_ends() -> None:
    holding = Holding()
    holding.asked(an_intent(qty=20))
    holding.on_fill(a_fill("c", 20, 20))
    holding.on_news(a_word("c", S.FILLED, qty=20, filled_qty=20.0))
    holding.on_fill(replace(a_fill("c", -12, 8), amends="x"))
    holding.on_news(a_word("c", S.PARTIALLY_FILLED, qty=20, filled_qty=8.0))
    assert seen(holding) == (8, 12)
    holding.on_news(a_word("c", S.CANCELED, qty=20, filled_qty=8.0))
    assert seen(holding) == (8, 0)
    assert not holding.entering


def test_an_entry_whose_target_was_heard_of_first_is_over() -> None:
    holding = Holding()
    holding.asked(an_intent(qty=30))
    holding.on_news(a_word("c", S.NEW, qty=30))
    holding.on_fill(replace(a_fill("leg", -30, -30), operation=Operation.SELL))
    holding.on_fill(a_fill("c", 30, 0))
    holding.on_news(a_word("c", S.FILLED, qty=30, filled_qty=30.0))
    assert not holding.entering
    assert not holding.engaged
