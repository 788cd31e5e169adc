"""The summary: the keys that others rely on, summed over every life of a process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from liu_tui.engine.feeds import Feeds
from liu_tui.engine.fold import Fold
from liu_tui.engine.kids import Kid
from liu_tui.engine.marketkeeper import MarketKeeper
from liu_tui.engine.messages import Alive, HitFound, Scanned
from liu_tui.engine.summary import summary_of
from liu_tui.model.account import Account, Position
from liu_tui.model.orders import OrderNews, OrderState
from liu_tui.plan.schema import MarketTable
from liu_tui.settings import Workspace
from tests.kit.engine import T0, a_plan, desk_facts, example, nothing
from tests.kit.store import a_fill

ACCOUNT = Account(id="LOCAL", cash=1.0, equity=100_012.345678, buying_power=1.0)


def a_kid(role: str, name: str, **alive: Any) -> Kid:
    kid = Kid(role, name, nothing)
    kid.alive = Alive(**alive)
    return kid


def summary(
    *, fold: Fold | None = None, market: MarketKeeper | None = None, kids: tuple[Kid, ...] = ()
) -> dict[str, Any]:
    """Sum up, with a producer and no consumer unless kids are given."""
    producer = next((kid for kid in kids if kid.role == "producer"), a_kid("producer", "producer"))
    return summary_of(
        batch_id="b-1",
        environment="PAPER",
        fold=fold or Fold(a_plan()),
        feed=Feeds([producer.name]).row([producer]),
        producers=[producer],
        consumers=[kid for kid in kids if kid.role == "consumer"],
        kids=list(kids),
        market=market,
        symbols=["TSLA", "AAPL"],
        end_reason="market close",
    )


def position(symbol: str, qty: float, strategy: str) -> Position:
    return Position(strategy=strategy, symbol=symbol, qty=qty, avg_price=100.0)


def test_a_session_in_which_nothing_happened_has_every_key_with_its_type() -> None:
    said = summary()
    assert msgspec.json.decode(msgspec.json.encode(said)) == said
    for key, kind in {
        "batch_id": str, "environment": str, "lag_ms": dict, "scanner_hits": int, "fills": int,
        "restarts": int, "symbols": list, "orders": dict, "positions": dict, "realized_pnl": float,
        "unrealized_pnl": float, "fees": float,
    }.items():  # fmt: skip
        assert type(said[key]) is kind, key
    assert {"received", "dispatched", "discarded_late", "merged"} <= set(said["events"])
    assert all(type(count) is int for count in said["events"].values())
    assert said["symbols"] == ["AAPL", "TSLA"]
    assert "market" not in said


def test_counts_are_summed_over_consumers_and_over_the_lives_of_each() -> None:
    producer = a_kid("producer", "producer", received=1_000, merged=4)
    a = a_kid("consumer", "A", dispatched=600, discarded=5)
    b = a_kid("consumer", "B", dispatched=300)
    for kid in (a, producer):
        kid.bury()
        kid.restarts += 1
    a.alive = Alive(dispatched=50, discarded=1)
    producer.alive = Alive(received=100, refused=2)
    said = summary(kids=(producer, a, b))
    assert said["events"] == {
        "received": 1_100,
        "dispatched": 950,
        "discarded_late": 6,
        "merged": 4,
        "refused": 2,
    }
    assert said["restarts"] == 2


def test_lag_is_told_for_each_consumer_in_milliseconds() -> None:
    kids = (a_kid("consumer", "A", lag_p50_ms=0.12345, lag_p99_ms=7.0), a_kid("consumer", "B"))
    assert summary(kids=kids)["lag_ms"] == {"A": {"p50": 0.123, "p99": 7.0}, "B": {"p50": 0.0, "p99": 0.0}}


def test_what_was_discarded_and_merged_is_told_by_symbol() -> None:
    kids = (
        a_kid("producer", "producer", by_symbol=(("TSLA", 0, 9), ("F", 0, 0))),
        a_kid("consumer", "A", by_symbol=(("TSLA", 3, 0),)),
        a_kid("consumer", "B", by_symbol=(("TSLA", 1, 0), ("AAPL", 2, 0))),
    )
    said = summary(kids=kids)
    assert said["discarded_by_symbol"] == {"AAPL": 2, "TSLA": 4}
    assert said["merged_by_symbol"] == {"TSLA": 9}


def test_positions_are_the_accounts_and_flat_ones_are_left_out() -> None:
    fold = Fold(a_plan("momentum", "vwap"))
    fold.desk_said(
        desk_facts(
            positions=(
                position("TSLA", 10, "momentum"),
                position("TSLA", -4, "vwap"),
                position("F", 5, "momentum"),
                position("F", -5, "vwap"),
                position("AAPL", -7, "vwap"),
            )
        )
    )
    assert summary(fold=fold)["positions"] == {"AAPL": -7, "TSLA": 6}


def test_money_is_rounded_to_a_hundredth_of_a_cent() -> None:
    fold = Fold(a_plan())
    fold.desk_said(desk_facts(realized=10.00005001, unrealized=-0.1 - 0.2, fees=1.23456))
    said = summary(fold=fold)
    assert (said["realized_pnl"], said["unrealized_pnl"], said["fees"]) == (10.0001, -0.3, 1.2346)


def test_orders_are_counted_by_their_last_state_and_fills_and_hits_as_they_came() -> None:
    fold = Fold(a_plan())
    news: OrderNews = example(OrderNews)
    for cid, state in (("1", "new"), ("2", "new"), ("1", "filled"), ("3", "filled")):
        order = msgspec.structs.replace(news, client_order_id=cid, state=OrderState(state))
        fold.desk_said(desk_facts(orders=(order,)))
    fold.desk_said(desk_facts(fills=(a_fill("x-1"), a_fill("x-2"))))
    hits = (HitFound(symbol="TSLA", values={}), HitFound(symbol="F", values={}))
    for _ in range(2):
        fold.scanned(Scanned(scanner="gaps", target="", t_ns=T0, hits=hits))
    said = summary(fold=fold)
    assert said["orders"] == {"filled": 2, "new": 1}
    assert (said["fills"], said["scanner_hits"]) == (2, 4)


@pytest.mark.parametrize(("account", "equity"), [(None, 0.0), (ACCOUNT, 100_012.3457)])
def test_a_local_market_is_told_with_its_ledger_and_the_accounts_equity(
    tmp_path: Path, account: Account | None, equity: float
) -> None:
    market = MarketKeeper(MarketTable(), Workspace(tmp_path, tmp_path / ".liu"), "b-1")
    market.url, market.restarts = "http://127.0.0.1:9", 3
    fold = Fold(a_plan())
    fold.desk_said(desk_facts(account=account))
    said = summary(fold=fold, market=market)
    assert said["market"] == {
        "url": "http://127.0.0.1:9",
        "ledger": str(tmp_path / ".liu" / "market" / "b-1.db"),
        "equity": equity,
    }
    assert said["restarts"] == 3
