"""Rest after losses: which trades count, how long, and for whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from liu_tui.model.market import MINUTE_NS
from liu_tui.model.orders import Fill, Operation
from liu_tui.plan.schema import Limits
from liu_tui.trading.cooldown import Cooldowns, rest_until
from liu_tui.trading.positions import EXTERNAL
from tests.kit.desk import Rig, an_intent, refusals, sends
from tests.kit.store import T0, a_fill

LIMITS = Limits(symbol_cooldown_min=10.0, max_losses_in_row=2, strategy_cooldown_min=30.0)


def a_trade(result: float, minute: float = 0.0, *, strategy: str = "s", symbol: str = "F") -> list[Fill]:
    """Ten shares bought and sold again, for this result."""
    t_ns = T0 + int(minute * MINUTE_NS)
    bought = a_fill(strategy=strategy, symbol=symbol, t_ns=t_ns)
    sold = a_fill(
        "x-2", qty=-10.0, position=0.0, realized=result, strategy=strategy, symbol=symbol, t_ns=t_ns,
        operation=Operation.SELL,
    )  # fmt: skip
    return [bought, sold]


def after(*trades: list[Fill]) -> Cooldowns:
    cooldowns = Cooldowns()
    for trade in trades:
        cooldowns.restore(trade)
    return cooldowns


def minutes(cooldowns: Cooldowns, symbol: str, minute: float) -> float:
    return cooldowns.of_symbol(symbol, LIMITS, T0 + int(minute * MINUTE_NS)).minutes


def test_a_symbol_rests_after_a_loss_for_everybody_and_no_longer_than_said() -> None:
    lost = after(a_trade(-5.0))
    assert lost.of_symbol("F", LIMITS, T0).lost == 5.0
    assert [minutes(lost, "F", minute) for minute in (0, 4, 10, 11)] == [10.0, 6.0, 0.0, 0.0]
    assert minutes(lost, "GM", 0) == 0.0
    assert lost.of_symbol("F", Limits(), T0).minutes == 0.0


@pytest.mark.parametrize("result", [0.0, 5.0])
def test_a_trade_that_did_not_lose_binds_nobody(result: float) -> None:
    assert minutes(after(a_trade(result)), "F", 0) == 0.0


def test_fees_may_make_a_loss_of_a_win() -> None:
    bought, sold = a_trade(1.0)
    fees = [replace(bought, fee=0.6), replace(sold, fee=0.6)]
    assert minutes(after(fees), "F", 0) == 10.0


def test_a_part_that_was_sold_at_a_loss_is_no_trade_before_the_rest_is() -> None:
    bought, sold = a_trade(-5.0)
    part = replace(sold, qty=-4.0, position=6.0)
    assert minutes(after([bought, part]), "F", 0) == 0.0
    rest = replace(sold, qty=-6.0, position=0.0, realized=9.0)
    assert minutes(after([bought, part, rest]), "F", 0) == 0.0


def test_one_that_goes_through_zero_ends_a_trade() -> None:
    bought, sold = a_trade(-5.0)
    assert minutes(after([bought, replace(sold, qty=-15.0, position=-5.0)]), "F", 0) == 10.0


def test_what_strangers_lose_binds_nobody() -> None:
    assert minutes(after(a_trade(-5.0, strategy=EXTERNAL)), "F", 0) == 0.0


def test_a_strategy_rests_after_so_many_losses_without_a_win_between() -> None:
    in_row = after(a_trade(-5.0), a_trade(-5.0, 1, symbol="GM"))
    rest = in_row.of_strategy("s", LIMITS, T0 + MINUTE_NS)
    assert (rest.count, rest.minutes) == (2, 30.0)
    assert in_row.of_strategy("other", LIMITS, T0).minutes == 0.0
    between = after(a_trade(-5.0), a_trade(1.0, 1), a_trade(-5.0, 2))
    assert between.of_strategy("s", LIMITS, T0 + 2 * MINUTE_NS).minutes == 0.0


def test_another_day_begins_without_rests() -> None:
    lost = after(a_trade(-5.0), a_trade(-5.0))
    lost.open_day()
    assert minutes(lost, "F", 0) == 0.0
    assert lost.of_strategy("s", LIMITS, T0).minutes == 0.0


def test_a_rest_that_is_over_begins_the_count_anew() -> None:
    assert rest_until([1, 2], 2, 10) == (2, 12)
    assert rest_until([1, 2, 12], 2, 10) == (1, 12)
    assert rest_until([1, 2, 12, 13], 2, 10) == (2, 23)
    assert rest_until([1, 2, 5], 2, 10) == (3, 15)  # a position that was open when the rest began
    assert rest_until([], 2, 10) == (0, 0)


@given(st.lists(st.integers(0, 1_000), max_size=30).map(sorted), st.integers(1, 5), st.integers(0, 100))
def test_no_rest_is_longer_than_said_after_the_last_loss(losses: list[int], most: int, rest_ns: int) -> None:
    count, until = rest_until(losses, most, rest_ns)
    assert count <= len(losses)
    assert until <= max(losses, default=0) + rest_ns
    assert count < most or until >= losses[-1]


def test_the_desk_refuses_after_a_loss_and_again_after_a_restart() -> None:
    rig = Rig(limits=Limits(symbol_cooldown_min=10.0, max_losses_in_row=1, strategy_cooldown_min=20.0))
    rig.quote(100.0)
    rig.ask(an_intent())
    rig.quote(99.0)
    rig.ask(an_intent(Operation.SELL, n=1))
    assert refusals(rig.ask(an_intent(n=2, price=99.0, strategy="fade"))) == ["SYMBOL_COOLDOWN"]
    rig.quote(50.0, "F")
    assert refusals(rig.ask(an_intent(symbol="F", n=3, price=50.0))) == ["STRATEGY_COOLDOWN"]
    rig.restart()
    assert refusals(rig.ask(an_intent(n=4, price=99.0, strategy="fade"))) == ["SYMBOL_COOLDOWN"]
    assert refusals(rig.ask(an_intent(symbol="F", n=5, price=50.0))) == ["STRATEGY_COOLDOWN"]
    rig.minutes(21)
    assert sends(rig.ask(an_intent(n=6, price=99.0)))
