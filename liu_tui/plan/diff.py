"""What changed between two plans, in lines for a person.

[limits] max_order_value: 20000 -> 15000
+ [scanners.Gappers]
- [miners.DailyOHLC]
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from liu_tui.model.window import Window
from liu_tui.plan.schema import TradePlan

_NAMED = ("portfolios", "scanners", "strategies", "miners")
_TABLES = ("market", "alpaca", "limits", "fees")
_ABSENT = object()


def diff(old: TradePlan, new: TradePlan) -> list[str]:
    """Say what `new` says otherwise than `old`; [] if nothing."""
    lines = list(_keys("", _fields(old, _NAMED + _TABLES), _fields(new, _NAMED + _TABLES)))
    for name in _TABLES:
        lines += _table(name, getattr(old, name), getattr(new, name))
    for kind in _NAMED:
        before, after = getattr(old, kind), getattr(new, kind)
        for name in [*before, *(name for name in after if name not in before)]:
            lines += _table(f"{kind}.{name}", before.get(name), after.get(name))
    return lines


def _table(name: str, old: msgspec.Struct | None, new: msgspec.Struct | None) -> Iterator[str]:
    if old is None or new is None:
        if old is not new:
            yield f"{'+' if old is None else '-'} [{name}]"
        return
    yield from _keys(f"[{name}] ", _flat(old), _flat(new))


def _flat(table: msgspec.Struct) -> dict[str, Any]:
    """Lay the user's parameters beside the house's keys, as they stand in the file."""
    params = getattr(table, "params", {})
    return {**_fields(table, ("params",)), **params}


def _fields(table: msgspec.Struct, without: tuple[str, ...] = ()) -> dict[str, Any]:
    return {name: getattr(table, name) for name in table.__struct_fields__ if name not in without}


def _keys(place: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = old.get(key, _ABSENT), new.get(key, _ABSENT)
        if before != after or isinstance(before, bool) is not isinstance(after, bool):
            yield f"{place}{key}: {_shown(before)} -> {_shown(after)}"


def _shown(value: object) -> str:
    """Write a value as a trader would: 20000, "iex", 5+90 min (start and duration), none."""
    if value is None or value is _ABSENT:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Window):
        return f"{value.start:g}+{value.duration:g} min"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_shown(part) for part in value)}]" if value else "none"
    return str(value)
