"""Which keys each kind of fault takes, and what they may say: one rule for plans, command line and REST."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from liu_tui.plan.schema import FaultKind, FaultTable

AT_LOGIN = (402, 404, 406)
AT_SUBSCRIPTION = (405,)
WHILE_CONNECTED = (407,)
REFUSALS = tuple(sorted(AT_LOGIN + AT_SUBSCRIPTION + WHILE_CONNECTED))
"""What `refuse` can answer with: Alpaca's error codes, by the moment at which they come."""
UNDONE = (429, 500, 502, 503)
DONE = (504,)
HTTP_CODES = (*UNDONE, *DONE)
"""What `http_error` can answer with: by whether the thing that was asked for is done all the same."""
UNSAID_HTTP = 500
FIELDS = {field.encode_name: field for field in msgspec.structs.fields(FaultTable)}
"""Every key as it is written."""

_ALWAYS = ("kind", "at", "for")
_EVENTS = ("symbols", "share")
TAKES: Mapping[FaultKind, tuple[str, ...]] = {
    FaultKind.DROP: (),
    FaultKind.SILENCE: _EVENTS,
    FaultKind.DELAY: (*_EVENTS, "seconds"),
    FaultKind.DUPLICATE: _EVENTS,
    FaultKind.REORDER: _EVENTS,
    FaultKind.CORRUPT: ("share",),
    FaultKind.WRONG_TYPES: _EVENTS,
    FaultKind.REFUSE: ("code",),
    FaultKind.SLOW: (),
    FaultKind.SKEW: ("seconds",),
    FaultKind.HALT: ("symbols",),
    FaultKind.SPLIT: ("symbols", "ratio"),
    FaultKind.BAD_PRINT: (*_EVENTS, "percent"),
    FaultKind.CORRECT: _EVENTS,
    FaultKind.CANCEL: _EVENTS,
    FaultKind.LOST_ANSWER: ("share",),
    FaultKind.HTTP_ERROR: ("share", "code"),
    FaultKind.UPDATES_LOST: _EVENTS,
    FaultKind.UPDATES_TWICE: _EVENTS,
    FaultKind.UPDATES_LATE: (*_EVENTS, "seconds"),
    FaultKind.UPDATES_DISORDERED: _EVENTS,
    FaultKind.UPDATES_SILENT: (),
    FaultKind.UPDATES_CUT: (),
    FaultKind.BUST: ("symbols",),
    FaultKind.REPRICE: ("symbols", "percent"),
    FaultKind.NO_BORROW: ("symbols",),
}
"""The keys that a kind takes beside `kind`, `at` and `for`."""

_MOMENT = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", re.ASCII)
_LATE = (FaultKind.DELAY, FaultKind.UPDATES_LATE)
_CODES: Mapping[FaultKind | None, tuple[int, ...]] = {
    FaultKind.REFUSE: REFUSALS,
    FaultKind.HTTP_ERROR: HTTP_CODES,
}
_BOUNDS = {"seconds": 86_400.0, "for": 1e8, "percent": 10_000.0, "ratio": 1_000.0}
"""How far from 0 a number may lie: what is beyond is a typing mistake, and would be no time or no price."""


class Wrong(NamedTuple):
    """What a key of a fault says wrong: "was 'ten'", to be read after the key; and what would be right."""

    key: str
    what: str
    mend: str


def http_code(table: FaultTable) -> int:
    """What this `http_error` answers with; the default of `code` is that of `refuse` and says nothing."""
    return table.code if table.code in HTTP_CODES else UNSAID_HTTP


def wrongs(row: Mapping[str, Any]) -> Iterator[Wrong]:
    """Yield what makes no sense in a fault, key by key as written.

    row: the keys that are there, each of its field's type; without `kind` only what holds for all is judged

    A key may be there with its default value though the kind does not take it: so a whole table can be sent.
    """
    kind = row.get("kind")
    for key in row:
        if kind is not None and key not in (*_ALWAYS, *TAKES[kind]):
            if row[key] != FIELDS[key].default:
                mend = f"Known are {', '.join(['at', 'for', *sorted(TAKES[kind])])}."
                yield Wrong(key, f"means nothing to a {kind.value}", mend)
        elif (judge := _JUDGES.get(key)) is not None and (mend := judge(row[key], kind)):
            yield Wrong(key, f"was {_said(row[key])}", mend)


def _at(at: str, _: FaultKind | None) -> str:
    return "" if not at or _MOMENT.fullmatch(at) else 'Give New York time, as "10:05" or "10:05:30".'


def _code(code: int, kind: FaultKind | None) -> str:
    if kind is FaultKind.HTTP_ERROR and code == FIELDS["code"].default:
        return ""
    known = _CODES.get(kind, (*REFUSALS, *HTTP_CODES))
    return "" if code in known else f"Give one of {', '.join(map(str, known))}."


def _seconds(seconds: float, kind: FaultKind | None) -> str:
    if kind in _LATE and seconds <= 0:
        return "Give a number above 0."
    return _within("seconds", seconds)


def _percent(percent: float, _: FaultKind | None) -> str:
    if percent <= -100 or not percent:
        return "Give a number above -100 that is not 0."
    return _within("percent", percent)


def _within(key: str, value: float) -> str:
    return "" if abs(value) <= _BOUNDS[key] else f"Give a number within {_BOUNDS[key]:g}."


def _said(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value)


_JUDGES: dict[str, Callable[[Any, FaultKind | None], str]] = {
    "at": _at,
    "for": lambda seconds, _: _within("for", seconds),
    "code": _code,
    "seconds": _seconds,
    "ratio": lambda ratio, _: _within("ratio", ratio),
    "percent": _percent,
}
"""What would be right instead of a key's value; "" if nothing is wrong with it."""
