"""From what user code returned to an Intent: types and values are checked, numbers become plain floats.

A wrong type is the code's fault (TypeError: the strategy is quarantined); a value that cannot be ordered is
the moment's (ValueError: the action is dropped, and the log says why). What only a broker's rules forbid is
not looked at here: the desk answers that with a refusal.
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
_OPERATIONS = {Buy: Operation.BUY, Sell: Operation.SELL, Short: Operation.SHORT, Cover: Operation.COVER}
_KINDS = {Cancel: AskKind.CANCEL, Replace: AskKind.REPLACE, Protect: AskKind.PROTECT}
OrderAction = Buy | Sell | Short | Cover | Cancel | Replace | Protect

_NUMBERS = (
    "qty", "notional", "limit", "trigger", "trail", "trail_percent", "stop", "target", "stop_limit",
)  # fmt: skip
# Two of which only one can be meant.
_EITHER = (
    ("qty", "notional"),
    ("trail", "trail_percent"),
    ("trail", "limit"),
    ("trail", "trigger"),
    ("trail_percent", "limit"),
    ("trail_percent", "trigger"),
)
_MEND = (
    "Return Buy(...), Sell(...), Short(...), Cover(...), Cancel(), Replace(...), Protect(...), Reject(), "
    "Unsubscribe(), several, or None."
)

Numbers = Mapping[str, float | None]
"""The numbers of one action by field; None where it has no such field, or does not say."""


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

    The operation of a Cancel, Replace or Protect means nothing: the desk knows what it is about.
    Raises TypeError for a field of a wrong type, ValueError for a value that cannot be ordered.
    """
    name, kind = type(action).__name__, _KINDS.get(type(action), AskKind.ORDER)
    operation = _OPERATIONS.get(type(action), Operation.BUY)
    numbers = {field: _positive(action, field) for field in _NUMBERS}
    tif, new_tif = _times(action)
    extended_hours = _flag(action, "extended_hours")
    indicators = _read_indicators(getattr(action, "indicators", {}))
    _check(name, kind, operation, numbers, price, new_tif)
    return Intent(
        id=id,
        strategy=strategy,
        symbol=symbol,
        operation=operation,
        qty=numbers["qty"] or 0.0,
        event_ns=event_ns,
        ordinal=ordinal,
        price=price,
        limit=numbers["limit"],
        trigger=numbers["trigger"],
        stop=numbers["stop"],
        target=numbers["target"],
        tif=tif,
        reason=str(action.reason),
        indicators=indicators,
        kind=kind,
        notional=numbers["notional"],
        trail=numbers["trail"],
        trail_percent=numbers["trail_percent"],
        stop_limit=numbers["stop_limit"],
        extended_hours=extended_hours,
        new_tif=new_tif,
    )


def read_minutes(action: Reject) -> float | None:
    """Read how long a Reject is to last. Raises TypeError and ValueError as read_intent does."""
    return _positive(action, "minutes")


def _positive(action: OrderAction | Reject, field: str) -> float | None:
    value, name = getattr(action, field, None), type(action).__name__
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}({field}={value!r}): {field} must be a number")
    number = float(value)
    if not (number > 0 and isfinite(number)):
        raise ValueError(f"{name} dropped: {field} was {number:g}")
    return number


def _flag(action: OrderAction, field: str) -> bool:
    value = getattr(action, field, False)
    if not isinstance(value, bool):
        raise TypeError(f"{type(action).__name__}({field}={value!r}): {field} must be True or False")
    return value


def _times(action: OrderAction) -> tuple[TimeInForce, TimeInForce | None]:
    said = getattr(action, "tif", None)
    if isinstance(action, Replace):
        return TimeInForce.DAY, None if said is None else _tif(said)
    return (TimeInForce.DAY if isinstance(action, Cancel | Protect) else _tif(said)), None


def _tif(value: object) -> TimeInForce:
    try:
        return TimeInForce(value)  # type: ignore[arg-type] # anything else raises ValueError
    except ValueError as e:
        raise TypeError(f"tif={value!r}: choose from {', '.join(TimeInForce)}") from e


def _check(
    name: str,
    kind: AskKind,
    operation: Operation,
    numbers: Numbers,
    last: float,
    new_tif: TimeInForce | None,
) -> None:
    for one, other in _EITHER:
        if numbers[one] is not None and numbers[other] is not None:
            raise ValueError(f"{name} dropped: it names {one} and {other}, and only one can be meant")
    if (numbers["trail_percent"] or 0.0) >= 100:
        raise ValueError(f"{name} dropped: trail_percent was {numbers['trail_percent']:g}, of at most 100")
    says_nothing = all(number is None for number in numbers.values()) and new_tif is None
    if kind in (AskKind.REPLACE, AskKind.PROTECT) and says_nothing:
        raise ValueError(f"{name} dropped: it changes nothing")
    if kind is AskKind.ORDER and operation.enters:
        if numbers["qty"] is None and numbers["notional"] is None:
            raise ValueError(f"{name} dropped: it names no qty")
        _check_protection(name, operation.side.sign, numbers, last)


def _check_protection(name: str, sign: int, numbers: Numbers, last: float) -> None:
    # A broker refuses a bracket whose legs lie on the wrong side; here the words can name the field.
    entry = numbers["limit"] or numbers["trigger"] or last
    stop, target, worst = numbers["stop"], numbers["target"], numbers["stop_limit"]
    below, above = ("below", "above") if sign > 0 else ("above", "below")
    if worst is not None and stop is None:
        raise ValueError(f"{name} dropped: stop_limit {worst:g} without a stop")
    if worst is not None and stop is not None and (stop - worst) * sign < 0:
        raise ValueError(f"{name} dropped: stop_limit {worst:g} is {above} the stop {stop:g}")
    if not entry:
        return
    if stop is not None and (entry - stop) * sign <= 0:
        raise ValueError(f"{name} dropped: stop {stop:g} is not {below} the price {entry:g}")
    if target is not None and (target - entry) * sign <= 0:
        raise ValueError(f"{name} dropped: target {target:g} is not {above} the price {entry:g}")


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
