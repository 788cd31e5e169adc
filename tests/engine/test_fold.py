"""Folding: from what the children said to the rows of a picture."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from liu_tui.engine.fold import COMMANDS_KEPT, Fold
from liu_tui.engine.messages import Alive, DeskFacts, HitFound, Scanned, StrategyState
from liu_tui.engine.snapshot import CommandRow
from liu_tui.model.account import Account, Position
from liu_tui.model.orders import Fill, OrderNews, OrderState
from liu_tui.plan.schema import Limits, ScannerTable
from tests.kit.engine import T0, a_plan, example

PLAN = a_plan(
    "momentum",
    "vwap",
    scanners={"gaps": ScannerTable(filename="scanners/gaps.py")},
    limits=Limits(max_daily_loss=500),
)
EXAMPLE_NEWS: OrderNews = example(OrderNews)
EXAMPLE_FILL: Fill = example(Fill)


@pytest.fixture
def fold() -> Fold:
    return Fold(PLAN)


def facts(**words: Any) -> DeskFacts:
    """Make what the desk says."""
    said: dict[str, Any] = {
        "state": "ACTIVE",
        "by": "",
        "reason": "",
        "broker": "ready",
        "broker_words": "",
        "account": None,
        "realized": 0.0,
        "unrealized": 0.0,
        "exposure": 0.0,
        "positions": (),
        "prices": (),
    }
    return DeskFacts(**{**said, **words})


def a_position(symbol: str, qty: float, avg_price: float = 100.0, **words: Any) -> Position:
    """Make a holding of momentum."""
    return Position(strategy="momentum", symbol=symbol, qty=qty, avg_price=avg_price, **words)


def news(cid: str, state: OrderState, t_ns: int = T0, symbol: str = "TSLA") -> OrderNews:
    """Make what is told of an order."""
    return msgspec.structs.replace(EXAMPLE_NEWS, client_order_id=cid, state=state, t_ns=t_ns, symbol=symbol)


def a_fill(qty: float, position: float, realized: float = 0.0, strategy: str = "momentum") -> Fill:
    """Make a fill of TSLA."""
    return msgspec.structs.replace(
        EXAMPLE_FILL, strategy=strategy, symbol="TSLA", qty=qty, position=position, realized=realized
    )


def scan(fold: Fold, *symbols: str, t_ns: int = T0, words: str = "", next_ns: int = 0) -> None:
    """Have the scanner run once."""
    hits = tuple(HitFound(symbol=symbol, values={"gap": 4.25}, price=10.0) for symbol in symbols)
    said = Scanned(scanner="gaps", target="momentum", t_ns=t_ns, hits=hits, words=words, next_ns=next_ns)
    fold.scanned(said)
    for found in hits:
        fold.hit(said, found, "A", "watched")


def test_a_pick_is_shown_once_with_its_first_and_last_time(fold: Fold) -> None:
    scan(fold, "TSLA", "F", next_ns=T0 + 5)
    scan(fold, "TSLA", t_ns=T0 + 5)
    first, second = fold.hits()
    assert (first.symbol, first.times, first.first_ns, first.last_ns) == ("TSLA", 2, T0, T0 + 5)
    assert (second.symbol, second.times) == ("F", 1)
    assert first.values == "gap 4.25"
    assert fold.hit_count == 3


def test_a_pick_shows_the_price_of_now_and_what_became_of_it(fold: Fold) -> None:
    scan(fold, "TSLA", "F")
    fold.desk_said(facts(prices=(("TSLA", 11.5),)))
    fold.mark_hits("F", "rejected")
    rows = {row.symbol: row for row in fold.hits()}
    assert (rows["TSLA"].price, rows["TSLA"].state) == (11.5, "watched")
    assert (rows["F"].price, rows["F"].state) == (10.0, "rejected")


def test_a_scanner_is_waiting_running_failed_or_done(fold: Fold) -> None:
    assert fold.scanners()[0].state == "waiting"
    scan(fold, "TSLA", next_ns=T0 + 5)
    assert (fold.scanners()[0].state, fold.scanners()[0].next_ns) == ("running", T0 + 5)
    scan(fold, words="ZeroDivisionError", next_ns=T0 + 10)
    assert (fold.scanners()[0].state, fold.scanners()[0].words) == ("failed", "ZeroDivisionError")
    scan(fold)
    row = fold.scanners()[0]
    assert (row.state, row.words, row.runs, row.hits) == ("done", "", 3, 1)


def test_a_scanner_that_the_plan_does_not_have_does_no_harm(fold: Fold) -> None:
    fold.scanned(Scanned(scanner="gone", target="", t_ns=T0))
    fold.strategy(StrategyState(name="gone", state="quarantined"))
    assert [row.name for row in fold.scanners()] == ["gaps"]
    assert [row.name for row in fold.strategies()] == ["momentum", "vwap"]


def test_positions_are_valued_at_the_last_price_and_the_largest_loss_comes_first(fold: Fold) -> None:
    held = (
        a_position("F", 100),
        a_position("TSLA", -10, stop=102.0, risk=2.0),
        a_position("GME", 0, realized=5.0),
    )
    fold.desk_said(facts(positions=held, prices=(("F", 101.0), ("TSLA", 103.0))))
    first, second = fold.positions()
    assert (first.symbol, first.price, first.unrealized, first.r) == ("TSLA", 103.0, -30.0, -1.5)
    assert (second.symbol, second.unrealized, second.r) == ("F", 100.0, None)


def test_a_price_stays_known_when_the_desk_does_not_say_it_again(fold: Fold) -> None:
    fold.desk_said(facts(positions=(a_position("F", 100),), prices=(("F", 101.0),)))
    fold.desk_said(facts(positions=(a_position("F", 50),)))
    assert fold.positions()[0].unrealized == 50.0


def test_live_orders_come_first_and_then_the_newest(fold: Fold) -> None:
    fold.desk_said(facts(orders=(news("a", OrderState.FILLED, 5), news("b", OrderState.NEW, 1))))
    fold.desk_said(facts(orders=(news("c", OrderState.CANCELED, 9), news("d", OrderState.NEW, 3))))
    assert [row.client_order_id for row in fold.order_rows()] == ["d", "b", "c", "a"]
    assert [row.live for row in fold.order_rows()] == [True, True, False, False]
    fold.desk_said(facts(orders=(news("d", OrderState.FILLED, 10),)))
    assert [row.client_order_id for row in fold.order_rows()] == ["b", "d", "c", "a"]


def test_a_symbol_is_held_while_there_are_shares_or_working_orders(fold: Fold) -> None:
    assert not fold.holds("TSLA")
    fold.desk_said(facts(orders=(news("a", OrderState.NEW),)))
    assert fold.holds("TSLA")
    fold.desk_said(facts(orders=(news("a", OrderState.CANCELED),), positions=(a_position("TSLA", 0),)))
    assert not fold.holds("TSLA")
    fold.desk_said(facts(positions=(a_position("TSLA", -1),)))
    assert fold.holds("TSLA")
    assert not fold.holds("F")


def test_trips_and_what_was_earned_are_counted_by_strategy(fold: Fold) -> None:
    fold.book(a_fill(10, 10))
    fold.desk_said(facts(fills=(a_fill(-10, 0, 12.5), a_fill(5, 5, strategy="vwap"))))
    fold.desk_said(facts(positions=(a_position("TSLA", 10),), prices=(("TSLA", 101.0),)))
    momentum, vwap = fold.strategies()
    assert (momentum.trips, momentum.realized, momentum.positions, momentum.unrealized) == (1, 12.5, 1, 10.0)
    assert (vwap.trips, vwap.realized, vwap.positions) == (0, 0.0, 0)
    assert len(fold.fills) == 3


def test_calls_are_summed_over_the_consumers(fold: Fold) -> None:
    fold.calls("A", Alive(by_strategy=(("momentum", 10, 1),)))
    fold.calls("B", Alive(by_strategy=(("momentum", 5, 0), ("vwap", 2, 2))))
    fold.calls("A", Alive(by_strategy=(("momentum", 11, 1),)))
    momentum, vwap = fold.strategies()
    assert (momentum.calls, momentum.slow_calls) == (16, 1)
    assert (vwap.calls, vwap.slow_calls) == (2, 2)


def test_a_strategys_condition_is_shown_with_its_cause(fold: Fold) -> None:
    fold.strategy(StrategyState(name="vwap", state="quarantined", words="KeyError: 'x'"))
    assert [(row.state, row.words) for row in fold.strategies()] == [
        ("running", ""),
        ("quarantined", "KeyError: 'x'"),
    ]


def test_money_is_the_desks_and_the_limit_the_plans(fold: Fold) -> None:
    assert fold.money().max_daily_loss == 500
    account = Account(id="1", cash=900.0, equity=1_000.0, buying_power=4_000.0)
    fold.desk_said(facts(realized=1.0, unrealized=-2.0, exposure=300.0))
    assert (fold.money().realized, fold.money().equity) == (1.0, 0.0)
    fold.desk_said(facts(account=account, exposure=300.0))
    money = fold.money()
    assert (money.cash, money.equity, money.buying_power, money.exposure) == (900.0, 1_000.0, 4_000.0, 300.0)


def test_commands_stand_in_the_order_of_their_last_word_and_old_ones_go(fold: Fold) -> None:
    row = CommandRow(id="0", verb="pause", symbol="", by="ctl", state="pending", words="", wall_ns=T0)
    for n in range(COMMANDS_KEPT + 5):
        fold.command(msgspec.structs.replace(row, id=str(n)))
    assert len(fold.commands) == COMMANDS_KEPT
    assert "4" not in fold.commands
    fold.command(msgspec.structs.replace(row, id="5", state="done"))
    assert list(fold.commands)[-1] == "5"
    assert fold.commands["5"].state == "done"


def test_a_consumers_row_adds_what_waits_in_both_places(fold: Fold) -> None:
    alive = Alive(queue=3, symbols=7, lag_p50_ms=0.5, lag_p99_ms=2.0, slowest="vwap", slowest_ms=9.0)
    row = fold.consumer("A", 42, "running", 1, alive, {"dispatched": 100, "discarded": 4}, 20, 6)
    assert (row.queue, row.merged, row.discarded, row.dispatched, row.restarts) == (23, 6, 4, 100, 1)
    assert (row.slowest, row.slowest_ms, row.symbols, row.pid) == ("vwap", 9.0, 7, 42)
