"""ACTIVE, REDUCING, HALTED: who set it and why, what passes, how it ends; and exits pass in all of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from liu_tui.model.account import Account
from liu_tui.model.market import MINUTE_NS
from liu_tui.model.orders import Operation, OrderRequest, OrderType, Side
from liu_tui.plan.schema import Limits
from liu_tui.trading.effects import Changed, Notice
from tests.kit.desk import Rig, an_intent, refusals, sends

TIGHT = Limits(
    max_open_positions=1, max_order_value=10_001.0, max_position_value=10_001.0, max_gross_value=10_001.0,
    max_daily_loss=200.0, max_drawdown=250.0, max_orders_per_minute=1, max_orders_per_day=1,
    price_collar_percent=1.0, duplicate_window_s=1e6, max_price_age_s=5.0, symbol_cooldown_min=60.0,
    max_losses_in_row=1,
)  # fmt: skip


def a_rig(limits: Limits = TIGHT) -> Rig:
    """A rig that holds a hundred shares of TSLA, and has used up nearly everything that is limited."""
    rig = Rig(limits=limits, hours=True)
    rig.desk.learn_account(Account(id="A1", cash=0.0, equity=1e4, buying_power=1e6))
    rig.desk.on_price("TSLA", 100.0, rig.now_ns, 99.99, 100.01)
    rig.quote(100.0)
    rig.ask(an_intent(price=100.0))
    assert rig.held() == 100
    rig.wait()
    return rig


def _pause(rig: Rig) -> None:
    rig.do(rig.desk.pause("ann", "tea", rig.now_ns))


def _halt(rig: Rig) -> None:
    rig.desk._standing.change("HALTED", "ann", "enough")  # the state alone: `kill` would close everything


def _lose(rig: Rig) -> None:
    rig.quote(97.0)
    rig.wait()


def _veto(rig: Rig) -> None:
    rig.do(rig.desk.veto("TSLA", "", "ann", "news"))


def _be_stale(rig: Rig) -> None:
    rig.minutes(30)


def _end_day(rig: Rig) -> None:
    assert rig.hours is not None
    rig.now_ns = rig.hours.close_ns - 14 * MINUTE_NS


def _be_poor(rig: Rig) -> None:
    rig.desk.learn_account(Account(id="A1", cash=0.0, equity=0.0, buying_power=-1e6))
    rig.desk.learn_allocations({"momentum": 1.0})


def _close_entries(rig: Rig) -> None:
    rig.desk.entries_allowed = False


def _nothing(rig: Rig) -> None:
    """Leave the counts, values and windows of TIGHT as the first entry has used them up."""


WAYS: dict[str, tuple[Callable[[Rig], None], str]] = {
    "paused": (_pause, "PAUSED"),
    "halted": (_halt, "HALTED"),
    "lost": (_lose, "DAILY_LOSS_REACHED"),
    "vetoed": (_veto, "VETOED"),
    "stale": (_be_stale, "PRICE_STALE"),
    "poor": (_be_poor, "BUYING_POWER_USED"),
    "not ready": (_close_entries, "NOT_READY"),
    "used up": (_nothing, "MAX_POSITION_VALUE"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("qty", [0.0, 40.0])
def test_whatever_refuses_entries_lets_the_strategys_exit_go(way: str, qty: float) -> None:
    rig = a_rig()
    WAYS[way][0](rig)
    said = rig.ask(an_intent(Operation.SELL, qty, n=1))
    assert refusals(said) == []
    assert [(sent.side.value, sent.qty) for sent in sends(said)] == [("sell", qty or 100.0)]


@pytest.mark.parametrize("way", WAYS)
def test_each_of_them_does_refuse_an_entry(way: str) -> None:
    limits = Limits(max_daily_loss=200.0, max_price_age_s=5.0, max_position_value=10_001.0)
    rig = a_rig(Limits(max_price_age_s=5.0) if way == "stale" else limits)
    if way == "poor":
        rig = a_rig(Limits())
    WAYS[way][0](rig)
    assert refusals(rig.ask(an_intent(n=2, qty=50, price=100.0))) == [WAYS[way][1]]


def test_at_the_days_end_and_in_a_flatten_positions_are_closed_and_entries_refused() -> None:
    rig = a_rig()
    _end_day(rig)
    assert refusals(rig.ask(an_intent(symbol="F", n=1))) == ["CLOSING_SOON"]
    rig.wait()
    assert rig.held() == 0
    rig = a_rig()
    rig.do(rig.desk.flatten(rig.now_ns, by="ann", reason="enough"))
    assert rig.held() == 0


def test_a_pause_by_a_person_stays_a_persons_though_the_loss_comes_on_top() -> None:
    rig = a_rig(Limits(max_daily_loss=200.0))
    _pause(rig)
    _lose(rig)
    assert (rig.desk.state, rig.desk.state_by, rig.desk.state_reason) == ("REDUCING", "ann", "tea")
    assert rig.desk.day.code == "DAILY_LOSS_REACHED"
    said = rig.do(rig.desk.resume("ann", "", rig.now_ns))
    assert [effect for effect in said if isinstance(effect, Changed)] == []
    assert any("resume refused" in effect.words for effect in said if isinstance(effect, Notice))


@pytest.mark.parametrize("set_it", [_pause, _lose, _halt])
def test_who_set_the_state_and_why_is_known_after_a_restart(set_it: Callable[[Rig], None]) -> None:
    rig = a_rig(Limits(max_daily_loss=200.0))
    set_it(rig)
    rig.settle()
    rig.do(rig.desk._book.take())
    before = rig.desk.state, rig.desk.state_by, rig.desk.state_reason
    rig.restart()
    assert (rig.desk.state, rig.desk.state_by, rig.desk.state_reason) == before
    assert before[1] in ("ann", "limits")


def test_entries_on_their_way_count_against_the_buying_power_until_the_account_knows_them() -> None:
    rig = Rig()
    rig.desk.learn_account(Account(id="A1", cash=15_000.0, equity=15_000.0, buying_power=15_000.0))
    rig.quote(100.0)
    assert sends(rig.ask(an_intent(limit=90.0)))
    assert refusals(rig.ask(an_intent(symbol="F", n=1))) == ["BUYING_POWER_USED"]
    rig.desk.learn_account(Account(id="A1", cash=15_000.0, equity=15_000.0, buying_power=15_000.0))
    assert refusals(rig.ask(an_intent(symbol="F", n=2))) == []


def test_strangers_positions_count_where_values_are_added_up() -> None:
    rig = Rig(limits=Limits(max_gross_value=14_000.0))
    rig.quote(100.0)
    by_hand = OrderRequest(
        client_order_id="by-hand", symbol="TSLA", side=Side.BUY, qty=50, order_type=OrderType.MARKET
    )
    rig.exchange.submit(by_hand, rig.now_ns)
    rig.settle()
    rig.wait(6)
    rig.wait(6)
    assert rig.held(strategy="EXTERNAL") == 50
    assert refusals(rig.ask(an_intent(symbol="F", n=1))) == ["MAX_GROSS_VALUE"]
    assert sends(rig.ask(an_intent(symbol="F", n=2, qty=80)))
