"""A fault as it is asked for, read strictly at the door: by REST, on the command line, or from a plan."""

import re
from datetime import date, datetime, time
from typing import Any

import msgspec

from liu_tui.errors import UsageError
from liu_tui.market import calendar
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS, SECOND_NS, normal_symbols
from liu_tui.plan.faults import did_you_mean, shown, wanted
from liu_tui.plan.schema import FaultKind, FaultTable

WHERE = "fault"
AT_LOGIN = (402, 404, 406)
AT_SUBSCRIPTION = (405,)
WHILE_CONNECTED = (407,)
FOREVER_NS = 2**63 - 1
LATER_NS = SECOND_NS
"""How long after a print its correction or its cancellation comes, in session time."""
WAIT_NS = MINUTE_NS
"""How long a correction waits for a print that can be told wrong."""

_CLOCK = re.compile(r"\d{2}:\d{2}(:\d{2})?")
_ALWAYS = {"kind", "at", "for"}
_EVENTS = {"symbols", "share"}
_TAKES: dict[FaultKind, set[str]] = {
    FaultKind.DROP: set(),
    FaultKind.SILENCE: _EVENTS,
    FaultKind.DELAY: {*_EVENTS, "seconds"},
    FaultKind.DUPLICATE: _EVENTS,
    FaultKind.REORDER: _EVENTS,
    FaultKind.CORRUPT: {"share"},
    FaultKind.WRONG_TYPES: _EVENTS,
    FaultKind.REFUSE: {"code"},
    FaultKind.SLOW: set(),
    FaultKind.SKEW: {"seconds"},
    FaultKind.HALT: {"symbols"},
    FaultKind.SPLIT: {"symbols", "ratio"},
    FaultKind.BAD_PRINT: {*_EVENTS, "percent"},
    FaultKind.CORRECT: _EVENTS,
    FaultKind.CANCEL: _EVENTS,
}
_KINDS = [kind.value for kind in FaultKind]
_BOUNDS = {"seconds": 86_400.0, "for_s": 1e8, "percent": 10_000.0, "ratio": 1_000.0}
"""How far from 0 a number may lie: what is beyond is a typing mistake, and would be no time or no price."""
_FIELDS = {field.encode_name: field for field in msgspec.structs.fields(FaultTable)}
_AT_ONCE = (FaultKind.DROP, FaultKind.SPLIT, FaultKind.BAD_PRINT)


def read_fault(raw: Any) -> FaultTable:
    """Check one fault, as a plan's table has it: `kind`, `at`, `for` and what the kind takes besides.

    A key may be there with its default value though the kind does not take it: so a whole table can be sent.
    Raises UsageError naming the key, with the mend.
    """
    if not isinstance(raw, dict):
        raise _no(f"was {shown(raw)}", 'Give an object, as {"kind": "silence", "for": 30}.')
    for key, value in raw.items():
        if key not in _FIELDS:
            raise _no(f"unknown key {key!r}", did_you_mean(str(key), _FIELDS))
        _check_value(key, value)
    if "kind" not in raw:
        raise _no("no kind", did_you_mean("", _KINDS))
    table = msgspec.convert(raw, FaultTable)
    table = msgspec.structs.replace(table, symbols=tuple(normal_symbols(table.symbols)))
    _check_taken(table)
    _check_sense(table)
    return table


def moment(at: str, hours: SessionHours) -> int:
    """The moment that `at` names on the session's day. Raises UsageError if it lies outside."""
    day = date.fromisoformat(hours.day)
    at_ns = calendar.to_ns(datetime.combine(day, time.fromisoformat(at)))
    if not hours.pre_ns <= at_ns < hours.post_ns:
        raise _no(
            f"at = {at!r} lies outside the session of {hours.day}", "Give a time from 04:00 to its end."
        )
    return at_ns


def length_ns(table: FaultTable) -> int:
    """How long the fault lasts, in session time; 0 if it is of a moment."""
    if table.kind in _AT_ONCE or (table.kind is FaultKind.REFUSE and table.code in WHILE_CONNECTED):
        return 0
    if table.kind is FaultKind.CANCEL:
        return LATER_NS
    if table.kind is FaultKind.CORRECT:
        return WAIT_NS
    return int(table.for_s * SECOND_NS) or FOREVER_NS


def _check_value(key: str, value: Any) -> None:
    kind = _FIELDS[key].type
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as e:
        known = key == "kind" and isinstance(value, str)
        mend = did_you_mean(value, _KINDS) if known else f"Give {wanted(kind)}."
        raise _no(f"{key} was {shown(value)}", mend) from e


def _check_taken(table: FaultTable) -> None:
    takes = _TAKES[table.kind]
    for name, field in _FIELDS.items():
        if name not in takes | _ALWAYS and getattr(table, field.name) != field.default:
            known = ", ".join(["at", "for", *sorted(takes)])
            raise _no(f"{name} means nothing to a {table.kind.value}", f"Known are {known}.")


def _check_sense(table: FaultTable) -> None:
    for name, bound in _BOUNDS.items():
        if not abs(getattr(table, name)) <= bound:
            raise _no(f"{name} was {getattr(table, name):g}", f"Give a number within {bound:g}.")
    if table.at and not _is_clock(table.at):
        raise _no(f"at was {table.at!r}", 'Give New York time as "10:05" or "10:05:30".')
    codes = AT_LOGIN + AT_SUBSCRIPTION + WHILE_CONNECTED
    if table.kind is FaultKind.REFUSE and table.code not in codes:
        raise _no(f"code was {table.code}", f"Give one of {', '.join(map(str, codes))}.")
    if table.kind is FaultKind.DELAY and table.seconds <= 0:
        raise _no(f"seconds was {table.seconds:g}", "Give a number above 0.")
    if table.kind is FaultKind.BAD_PRINT and (table.percent <= -100 or not table.percent):
        raise _no(f"percent was {table.percent:g}", "Give a number above -100 that is not 0.")


def _is_clock(text: str) -> bool:
    if not _CLOCK.fullmatch(text):
        return False
    try:
        time.fromisoformat(text)
    except ValueError:
        return False
    return True


def _no(what: str, mend: str) -> UsageError:
    return UsageError(what, where=WHERE, mend=mend)
