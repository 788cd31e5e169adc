"""Under which name a symbol's past lies: names change owners, so a cache keeps bars by the name of their day.

META was FB before 2022-06-09, and META was a fund's name until that January: bars of META in 2021 asked for
today are FB's, whatever the vendor once said META was.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from liu_tui.model.market import CorporateAction

_ONE_DAY = timedelta(days=1)


class Stretch(msgspec.Struct, frozen=True):
    """Days, both included, on which what is asked for had one name. now_named: what it is called today."""

    first: date
    last: date
    name: str
    now_named: str


def stretches(symbol: str, first: date, last: date, actions: Sequence[CorporateAction]) -> list[Stretch]:
    """Return the names that a symbol had from first to last, oldest stretch first.

    actions: all that is known to the present day; only renames matter
    """
    renames = sorted((action for action in actions if action.kind == "rename"), key=lambda a: a.day)
    found: list[Stretch] = []
    name, end = symbol, last
    while True:
        into = [r for r in renames if r.new_symbol == name and r.day <= end.isoformat()]
        begin = max(first, date.fromisoformat(into[-1].day)) if into else first
        found = _split(name, begin, end, renames) + found
        if not into or begin == first:
            return found
        name, end = into[-1].symbol, begin - _ONE_DAY


def _split(name: str, first: date, last: date, renames: Sequence[CorporateAction]) -> list[Stretch]:
    """Cut a stretch where its name was given up: what bears it afterwards is somebody else."""
    cuts = [date.fromisoformat(r.day) for r in renames if r.symbol == name]
    begins = [first, *(cut for cut in cuts if first < cut <= last)]
    ends = [*(begin - _ONE_DAY for begin in begins[1:]), last]
    return [
        Stretch(begin, end, name, _now_named(name, begin, renames))
        for begin, end in zip(begins, ends, strict=True)
    ]


def _now_named(name: str, day: date, renames: Sequence[CorporateAction]) -> str:
    since = day.isoformat()
    for rename in renames:
        if rename.symbol == name and rename.day > since:
            name, since = rename.new_symbol, rename.day
    return name
