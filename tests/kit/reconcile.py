"""What a broker's history lists, and what is asked of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from liu_tui.model.orders import Execution, Side
from liu_tui.trading.effects import AskBroker, Differs, Effect
from tests.kit.desk import NOON_NS


def an_execution(name: str, **words: Any) -> Execution:
    """Forty shares of GE bought at 100 dollars, unless said otherwise."""
    usual: dict[str, Any] = {
        "order_id": "o-1", "symbol": "GE", "side": Side.BUY, "qty": 40.0, "price": 100.0, "t_ns": NOON_NS,
    }  # fmt: skip
    return Execution(execution_id=name, **{**usual, **words})


def asks(effects: Iterable[Effect]) -> list[str]:
    """List the orders that the broker is asked for, by our id."""
    return [effect.client_order_id for effect in effects if isinstance(effect, AskBroker)]


def differs(effects: Iterable[Effect]) -> list[Differs]:
    """List what is stored of differences."""
    return [effect for effect in effects if isinstance(effect, Differs)]
