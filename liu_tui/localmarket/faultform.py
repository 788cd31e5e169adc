"""A fault as it is asked for, read strictly at the door: by REST, on the command line, or from a plan."""

from datetime import date, datetime, time
from typing import Any

import msgspec

from liu_tui.errors import UsageError
from liu_tui.market import calendar
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS, SECOND_NS, normal_symbols
from liu_tui.plan.faultkinds import FIELDS, WHILE_CONNECTED, wrongs
from liu_tui.plan.faults import did_you_mean, shown, wanted
from liu_tui.plan.schema import FaultKind, FaultTable

WHERE = "fault"
FOREVER_NS = 2**63 - 1
LATER_NS = SECOND_NS
"""How long after a print its correction or its cancellation comes, in session time."""
WAIT_NS = MINUTE_NS
"""How long a correction waits for a print that can be told wrong."""

_KINDS = [kind.value for kind in FaultKind]
_AT_ONCE = (
    FaultKind.DROP,
    FaultKind.SPLIT,
    FaultKind.BAD_PRINT,
    FaultKind.UPDATES_CUT,
    FaultKind.BUST,
    FaultKind.REPRICE,
)


def read_fault(raw: Any) -> FaultTable:
    """Check one fault, as a plan's table has it: `kind`, `at`, `for` and what the kind takes besides.

    A key may be there with its default value though the kind does not take it: so a whole table can be sent.
    Raises UsageError naming the key, with the mend.
    """
    if not isinstance(raw, dict):
        raise _no(f"was {shown(raw)}", 'Give an object, as {"kind": "silence", "for": 30}.')
    for key, value in raw.items():
        if key not in FIELDS:
            raise _no(f"unknown key {key!r}", did_you_mean(str(key), FIELDS))
        _check_value(key, value)
    if "kind" not in raw:
        raise _no("no kind", did_you_mean("", _KINDS))
    table = msgspec.convert(raw, FaultTable)
    for wrong in wrongs({key: getattr(table, FIELDS[key].name) for key in raw}):
        raise _no(f"{wrong.key} {wrong.what}", wrong.mend)
    return msgspec.structs.replace(table, symbols=tuple(normal_symbols(table.symbols)))


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
    kind = FIELDS[key].type
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as e:
        known = key == "kind" and isinstance(value, str)
        mend = did_you_mean(value, _KINDS) if known else f"Give {wanted(kind)}."
        raise _no(f"{key} was {shown(value)}", mend) from e


def _no(what: str, mend: str) -> UsageError:
    return UsageError(what, where=WHERE, mend=mend)
