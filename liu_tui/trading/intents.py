"""From what user code returned to an Intent: types and values are checked, numbers become plain floats.

A wrong type is the code's fault (TypeError: the strategy is quarantined); a value that cannot be ordered is
the moment's (ValueError: the action is dropped, and the log says why).
"""

from collections.abc import Iterable, Mapping
from math import isfinite
from numbers import Real
from typing import Any

import msgspec

from liu_tui.model.actions import (
    Action,
    Buy,
    Cancel,
    Cover,
    Protect,
    Reject,
    Replace,
    Sell,
    Short,
    Unsubscribe,
)
from liu_tui.model.orders import AskKind, Intent, Operation, TimeInForce

_ACTIONS = (Buy, Sell, Short, Cover, Cancel, Replace, Protect, Reject, Unsubscribe)
_OPERATIONS = {
    Buy: Operation.BUY,
    Sell: Operation.SELL,
    Short: Operation.SHORT,
    Cover: Operation.COVER,
    Cancel: Operation.BUY,  # means nothing: a Cancel orders nothing
}
OrderAction = Buy | Sell | Short | Cover | Cancel | Replace | Protect


def read_actions(answer: object, method: str) -> list[Action]:
    """Read what run() or run_all() returned: one action, several, or None.

    Raises TypeError in words for anything else, and whatever a generator of the user's raises.
    """
    if answer is None:
        return []
    if isinstance(answer, _ACTIONS):
        return [answer]
    if isinstance(answer, str | bytes | Mapping) or not isinstance(answer, Iterable):
        raise TypeError(f"{method}() returned {answer!r}. {_MEND}")
    actions: list[Action] = []
    for action in answer:
        if not isinstance(action, _ACTIONS):
            raise TypeError(f"{method}() returned {action!r} among its actions. {_MEND}")
        actions.append(action)
    return actions


def read_intent(
    action: OrderAction, *, id: str, strategy: str, symbol: str, event_ns: int, ordinal: int, price: float
) -> Intent:
    """Make the intent of one action. price: dollars, the last one seen, 0 if none.

    Raises TypeError for a field of a wrong type, ValueError for a value that cannot be ordered.
    """
    operation = _OPERATIONS[type(action)]
    cancels = isinstance(action, Cancel)
    if isinstance(action, Cancel | Replace | Protect):
        qty, prices, tif, indicators = 0.0, dict.fromkeys(_PRICES), TimeInForce.DAY, "{}"
    else:
        qty = _read_qty(action, operation)
        prices = {field: _price(action, field) for field in _PRICES}
        tif, indicators = _tif(action.tif), _read_indicators(action.indicators)
        if operation.enters:
            _check_protection(type(action).__name__, operation.side.sign, prices, price)
    return Intent(
        id=id,
        strategy=strategy,
        symbol=symbol,
        operation=operation,
        qty=qty,
        event_ns=event_ns,
        ordinal=ordinal,
        price=price,
        limit=prices["limit"],
        trigger=prices["trigger"],
        stop=prices["stop"],
        target=prices["target"],
        tif=tif,
        reason=str(action.reason),
        indicators=indicators,
        kind=AskKind.CANCEL if cancels else AskKind.ORDER,
    )


_PRICES = ("limit", "trigger", "stop", "target")
_MEND = (
    "Return Buy(...), Sell(...), Short(...), Cover(...), Cancel(), Reject(), Unsubscribe(), several, or None."
)


def _number(action: object, field: str) -> float | None:
    value = getattr(action, field, None)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{type(action).__name__}({field}={value!r}): {field} must be a number")
    return float(value)


def _read_qty(action: OrderAction, operation: Operation) -> float:
    qty = _number(action, "qty")
    name = type(action).__name__
    if qty is None:
        if operation.enters:
            raise ValueError(f"{name} dropped: it names no qty")
        return 0.0
    if not (qty > 0 and isfinite(qty)):
        raise ValueError(f"{name} dropped: qty was {qty:g}")
    return qty


def _price(action: OrderAction, field: str) -> float | None:
    value = _number(action, field)
    if value is not None and not (value > 0 and isfinite(value)):
        raise ValueError(f"{type(action).__name__} dropped: {field} was {value:g}")
    return value


def _check_protection(name: str, sign: int, prices: Mapping[str, float | None], last: float) -> None:
    # A broker refuses a bracket whose legs lie on the wrong side; here the words can name the field.
    entry = prices["limit"] or prices["trigger"] or last
    stop, target = prices["stop"], prices["target"]
    below, above = ("below", "above") if sign > 0 else ("above", "below")
    if not entry:
        return
    if stop is not None and (entry - stop) * sign <= 0:
        raise ValueError(f"{name} dropped: stop {stop:g} is not {below} the price {entry:g}")
    if target is not None and (target - entry) * sign <= 0:
        raise ValueError(f"{name} dropped: target {target:g} is not {above} the price {entry:g}")


def _tif(value: object) -> TimeInForce:
    try:
        return TimeInForce(value)  # type: ignore[arg-type] # anything else raises ValueError
    except ValueError as e:
        raise TypeError(f"tif={value!r}: choose from {', '.join(TimeInForce)}") from e


def _read_indicators(indicators: object) -> str:
    if not isinstance(indicators, Mapping):
        raise TypeError(f"indicators={indicators!r}: must be a dict of numbers and words")
    try:
        return msgspec.json.encode(dict(indicators), enc_hook=_plain).decode()
    except (TypeError, ValueError, msgspec.MsgspecError) as e:
        raise TypeError(f"indicators={indicators!r}: {e}") from e


def _plain(value: Any) -> object:
    # numpy's scalars know their plain twin.
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be stored with a trade")
