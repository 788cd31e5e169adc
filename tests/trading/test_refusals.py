"""The same refusal again and again: each is stored, and the log stays readable."""

from __future__ import annotations

from collections.abc import Iterable

from liu_tui.model.market import MINUTE_NS
from liu_tui.plan.schema import Limits
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import Effect, Journal, Notice
from tests.kit.desk import NOON_NS, an_intent


def lines(effects: Iterable[Effect]) -> list[str]:
    return [effect.words for effect in effects if isinstance(effect, Notice)]


def test_a_refusal_at_every_bar_is_one_line_and_then_a_count() -> None:
    desk = Desk(batch_id="b1", limits=Limits(max_order_value=1.0))
    said: list[Effect] = []
    for n in range(65):
        now = NOON_NS + n * MINUTE_NS
        said += desk.on_time(now)
        said += desk.on_intent(an_intent(n=n), now)
    assert len([effect for effect in said if isinstance(effect, Journal)]) == 65
    first, counted = lines(said)
    assert first.startswith("momentum buy TSLA refused: an order of 10,000.00 dollars")
    assert counted == f"59 times more in 60 minutes: {first}"


def test_another_symbol_strategy_or_code_is_news() -> None:
    desk = Desk(batch_id="b1", limits=Limits(max_order_value=1.0))
    said = desk.on_intent(an_intent(n=0), NOON_NS)
    said += desk.on_intent(an_intent(n=1, symbol="F"), NOON_NS)
    said += desk.on_intent(an_intent(n=2, strategy="fade"), NOON_NS)
    desk.pause("ann", "tea", NOON_NS)
    said += desk.on_intent(an_intent(n=3), NOON_NS)
    assert len(lines(said)) == 4


def test_what_has_stopped_for_a_while_is_news_again() -> None:
    desk = Desk(batch_id="b1", limits=Limits(max_order_value=1.0))
    said = [*desk.on_intent(an_intent(n=0), NOON_NS), *desk.on_intent(an_intent(n=1), NOON_NS)]
    said += desk.on_time(NOON_NS + 60 * MINUTE_NS)
    said += desk.on_time(NOON_NS + 120 * MINUTE_NS)
    said += desk.on_intent(an_intent(n=2), NOON_NS + 121 * MINUTE_NS)
    first, counted, again = lines(said)
    assert counted == f"once more in 60 minutes: {first}"
    assert again == first
