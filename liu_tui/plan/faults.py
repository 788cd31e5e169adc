"""Faults while they are gathered, and the words they are told in."""

import math
import re
from collections.abc import Iterable, Iterator
from datetime import date, time
from difflib import get_close_matches
from typing import Any

from msgspec import inspect

from liu_tui.errors import Fault, PlanError
from liu_tui.plan.lines import Lines, Place

_CREDENTIAL = re.compile(
    r"(^|_)(api_?key|apikey|key_?id|secret|passwd|password|passphrase|credentials?|private_?key|token)"
    r"($|_(id|key|value))|(^|_)(apca|polygon)_api",
)
_KEY_ID = re.compile(r"(PK|AK)[A-Z0-9]{16,}")  # how Alpaca's key ids look
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SHOWN = 60  # characters of a value that a message repeats


class Faults:
    """Every fault of one file."""

    def __init__(self, file: str, lines: Lines) -> None:
        self._file, self._lines = file, lines
        self._found: list[Fault] = []

    def __len__(self) -> int:
        return len(self._found)

    def at(self, place: Place, what: str, mend: str) -> None:
        """Note a fault of the key that stands at `place`."""
        named = [part for part in place if isinstance(part, str)]
        key = named.pop() if named else ""
        self._add(place, named, key, what, mend)

    def of_table(self, place: Place, what: str, mend: str) -> None:
        """Note a fault of the table at `place`; () is the file itself."""
        self._add(place, [part for part in place if isinstance(part, str)], "", what, mend)

    def _add(self, place: Place, table: list[str], key: str, what: str, mend: str) -> None:
        name = ".".join(part if _BARE.fullmatch(part) else f'"{part}"' for part in table)
        self._found.append(Fault(self._file, self._lines.of(place), name, key, what, mend))

    def in_order(self) -> tuple[Fault, ...]:
        """Return the faults in the file's order; those of the whole file come last."""
        return tuple(sorted(self._found, key=lambda fault: fault.line or math.inf))


def plan_error(faults: tuple[Fault, ...]) -> PlanError:
    """Make the error that tells these faults; there must be at least one."""
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    where = f"{first.file}:{first.line}" if first.line else first.file
    return PlanError(first.what + more, where=where, mend=first.mend, faults=faults)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Find the known word that was probably meant."""
    lowered = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), lowered, n=1)
    return lowered[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Name the nearest of the known words, or all of them."""
    names = sorted(known)
    if near := nearest(word, names):
        return f"Did you mean {near!r}?"
    return f"Known are {', '.join(names)}." if names else "There are none."


def shown(value: object) -> str:
    """Say a value as a message repeats it: short, and never a failure of its own."""
    try:
        words = value.isoformat() if isinstance(value, date | time) else repr(value)
    except ValueError:  # an integer of thousands of digits
        return "a huge number"
    return words if len(words) <= _SHOWN else f"{words[: _SHOWN - 3]}..."


def wanted(kind: Any) -> str:
    """Say in words what a value of this type looks like: `a number above 0`."""
    return _in_words(inspect.type_info(kind))


def _in_words(kind: inspect.Type) -> str:
    match kind:
        case inspect.UnionType(types=types):
            parts = [_in_words(part) for part in types if not isinstance(part, inspect.NoneType)]
            return " or ".join(parts)
        case inspect.EnumType(cls=cls):
            return "one of " + ", ".join(f'"{member.value}"' for member in cls)
        case inspect.VarTupleType(item_type=item):
            return f"a list, each {_in_words(item)}"
        case inspect.FloatType():
            return "a number" + _bounds(kind)
        case inspect.IntType():
            return "a whole number" + _bounds(kind)
        case inspect.BoolType():
            return "true or false"
        case _:
            return "text in quotes"


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge:g} to {kind.le:g}"
    if kind.gt is not None and kind.le is not None:
        return f" above {kind.gt:g}, at most {kind.le:g}"
    if kind.gt is not None:
        return f" above {kind.gt:g}"
    return f" of at least {kind.ge:g}" if kind.ge is not None else ""


def looks_secret(key: str, value: object) -> bool:
    """Whether this key, or its value, looks like a credential."""
    return bool(_CREDENTIAL.search(key.lower())) or (
        isinstance(value, str) and bool(_KEY_ID.fullmatch(value))
    )


def leaves(value: object, place: Place = ()) -> Iterator[tuple[Place, object]]:
    """Yield every value below `value` that is neither a table nor a list, with its place."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, (*place, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from leaves(part, (*place, index))
    else:
        yield place, value
