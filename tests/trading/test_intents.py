"""What user code returned, read into intents: types are the code's fault, values the moment's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from liu_tui.model.actions import Buy, Cancel, Cover, Protect, Reject, Replace, Sell, Short
from liu_tui.model.orders import AskKind, Intent, Operation, TimeInForce
from liu_tui.trading.intents import OrderAction, read_actions, read_intent, read_minutes

T = TimeInForce


def read(action: OrderAction, price: float = 100.0) -> Intent:
    return read_intent(action, id="i", strategy="s", symbol="TSLA", event_ns=7, ordinal=1, price=price)


@pytest.mark.parametrize(
    ("action", "kind", "operation"),
    [
        (Buy(qty=1), AskKind.ORDER, Operation.BUY), (Short(qty=1), AskKind.ORDER, Operation.SHORT),
        (Sell(), AskKind.ORDER, Operation.SELL), (Cover(), AskKind.ORDER, Operation.COVER),
        (Cancel(), AskKind.CANCEL, Operation.BUY), (Replace(limit=9), AskKind.REPLACE, Operation.BUY),
        (Protect(stop=9), AskKind.PROTECT, Operation.BUY),
    ],
)  # fmt: skip
def test_each_action_is_of_its_kind(action: OrderAction, kind: AskKind, operation: Operation) -> None:
    intent = read(action)
    assert (intent.kind, intent.operation) == (kind, operation)
    assert (intent.id, intent.event_ns, intent.ordinal, intent.price) == ("i", 7, 1, 100.0)


def test_every_field_of_an_entry_arrives() -> None:
    intent = read(
        Buy(
            qty=np.float64(10), limit=101, stop=95, target=110, stop_limit=94.5, tif=T.GTC, reason="why",
            indicators={"n": np.float64(3)}, extended_hours=False,
        )
    )  # fmt: skip
    assert (intent.qty, intent.limit, intent.stop, intent.target) == (10.0, 101.0, 95.0, 110.0)
    assert (intent.stop_limit, intent.tif, intent.reason) == (94.5, T.GTC, "why")
    assert intent.indicators == '{"n":3.0}'


def test_dollars_trails_and_extended_hours_arrive() -> None:
    assert read(Buy(notional=250.0)).notional == 250.0
    assert read(Buy(notional=250.0)).qty == 0.0
    assert read(Sell(trail=0.5)).trail == 0.5
    assert read(Cover(trail_percent=2)).trail_percent == 2.0
    assert read(Sell(limit=99, extended_hours=True)).extended_hours


def test_a_replacement_says_only_what_changes() -> None:
    intent = read(Replace(limit=99.5))
    assert (intent.qty, intent.limit, intent.trigger, intent.new_tif) == (0.0, 99.5, None, None)
    assert read(Replace(tif=T.GTC)).new_tif is T.GTC
    assert read(Replace(qty=5, trail=2)).trail == 2.0


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Buy(), "names no qty"),
        (Buy(qty=0), "qty was 0"),
        (Buy(qty=float("nan")), "qty was nan"),
        (Buy(qty=1, limit=-1), "limit was -1"),
        (Buy(qty=1, notional=100), "qty and notional"),
        (Buy(qty=1, trail=1, trail_percent=1), "trail and trail_percent"),
        (Buy(qty=1, trail=1, limit=99), "trail and limit"),
        (Sell(trail=1, trigger=99), "trail and trigger"),
        (Sell(trail_percent=1, limit=99), "trail_percent and limit"),
        (Sell(trail_percent=1, trigger=99), "trail_percent and trigger"),
        (Sell(trail_percent=100), "at most 100"),
        (Sell(trail=0), "trail was 0"),
        (Buy(qty=1, stop=101), "stop 101 is not below"),
        (Short(qty=1, stop=99), "stop 99 is not above"),
        (Buy(qty=1, target=99), "target 99 is not above"),
        (Buy(qty=1, stop_limit=94), "without a stop"),
        (Buy(qty=1, stop=95, stop_limit=96), "stop_limit 96 is above the stop 95"),
        (Short(qty=1, stop=105, stop_limit=104), "stop_limit 104 is below the stop 105"),
        (Replace(), "changes nothing"),
        (Protect(), "changes nothing"),
        (Protect(stop=float("inf")), "stop was inf"),
    ],
)
def test_a_value_that_cannot_be_ordered_is_dropped_in_words(action: OrderAction, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(action)


@pytest.mark.parametrize(
    "field",
    [
        {"qty": "1"}, {"limit": True}, {"trail": "1"}, {"extended_hours": 1}, {"tif": "never"},
        {"indicators": 3}, {"indicators": {"x": object()}},
    ],
)  # fmt: skip
def test_a_wrong_type_is_the_codes_fault(field: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        read(Buy(**{"qty": 1.0, **field}))


@pytest.mark.parametrize("action", [Replace(tif="x"), Protect(stop="95")])  # type: ignore[arg-type] # meant so
def test_of_a_change_too(action: OrderAction) -> None:
    with pytest.raises(TypeError):
        read(action)


def test_a_reject_says_its_minutes() -> None:
    assert read_minutes(Reject()) is None
    assert read_minutes(Reject(minutes=5)) == 5.0
    with pytest.raises(ValueError, match="minutes was -1"):
        read_minutes(Reject(minutes=-1))


def test_what_is_no_action_is_named_with_what_may_be_returned() -> None:
    assert read_actions(None, "run") == []
    assert read_actions(Protect(stop=1), "run") == [Protect(stop=1)]
    for wrong in (3, "BUY", {"buy": 1}, [Buy(qty=1), 3]):
        with pytest.raises(TypeError, match=r"Replace\(\.\.\.\), Protect"):
            read_actions(wrong, "run")
