"""What a cache knows: which days it has asked for, which of them had bars, and for how long a "none" counts.

An answer without bars, or with a hole, is believed for as long as the day was over when it was asked, and for
an hour at least: yesterday's is asked again today, one of five years ago in five years.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec
import numpy as np

from liu_tui.market.block import Times
from liu_tui.market.calendar import midnight_ns, sessions
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS

_LEAST_TRUST_NS: Final = 60 * MINUTE_NS
_LEAST_HOLE_NS: Final = 30 * MINUTE_NS
_HOLE_GAPS: Final = 20


class Known(msgspec.Struct, frozen=True, array_like=True):
    """Days that were asked for, as `date.toordinal` numbers, both included. empty: there was no bar."""

    first: int
    last: int
    asked_ns: int
    empty: bool = False


def believed(asked_ns: int, over_ns: int, now_ns: int) -> bool:
    """Say whether a "none" still counts. asked_ns: when it was heard; over_ns: when the day had ended."""
    return now_ns < asked_ns + max(_LEAST_TRUST_NS, asked_ns - over_ns)


def lacking(known: Sequence[Known], first: int, last: int, now_ns: int) -> tuple[int, int] | None:
    """Return the shortest span of days that holds all that must be asked for, or None if nothing must be."""
    sure = [
        k
        for k in known
        if not k.empty or believed(k.asked_ns, midnight_ns(date.fromordinal(k.last + 1)), now_ns)
    ]
    while (over := next((k for k in sure if k.first <= first <= k.last), None)) is not None:
        first = over.last + 1
    while (over := next((k for k in sure if k.first <= last <= k.last), None)) is not None:
        last = over.first - 1
    return (first, last) if first <= last else None


def heard(
    known: Sequence[Known], first: int, last: int, with_bars: frozenset[int], asked_ns: int
) -> list[Known]:
    """Return what is known after an answer for the days from first to last; the newer word counts."""
    kept: list[Known] = []
    for k in known:
        if k.first < first:
            kept.append(msgspec.structs.replace(k, last=min(k.last, first - 1)))
        if k.last > last:
            kept.append(msgspec.structs.replace(k, first=max(k.first, last + 1)))
    return _merged(sorted((*kept, *_runs(first, last, with_bars, asked_ns)), key=lambda k: k.first))


def has_holes(t_ns: Times, session: SessionHours | None) -> bool:
    """Say whether minute bars of a finished day look as if the vendor had not all of them.

    That is a stretch of regular hours without bars, of over half an hour and over 20 times the symbol's usual
    gap that day: a thin stock's silence is its own. A halt looks the same, and costs a question.
    """
    if session is None:
        return False
    inside = t_ns[(session.open_ns <= t_ns) & (t_ns < session.close_ns)]
    gaps = np.diff(np.concatenate(([session.open_ns], inside, [session.close_ns])))
    return bool(gaps.max() > max(_LEAST_HOLE_NS, _HOLE_GAPS * float(np.median(gaps)))) or not inside.size


def _runs(first: int, last: int, with_bars: frozenset[int], asked_ns: int) -> list[Known]:
    # A day without a session belongs to the run before it; it never had bars to lack.
    runs = [Known(first, last, asked_ns)]
    for session in sessions(date.fromordinal(first), date.fromordinal(last)):
        day = date.fromisoformat(session.day).toordinal()
        empty = day not in with_bars
        if empty != runs[-1].empty:
            begin = day if day > first else first
            runs[-1] = msgspec.structs.replace(runs[-1], last=begin - 1)
            runs.append(Known(begin, last, asked_ns, empty))
    return [run for run in runs if run.first <= run.last]


def _merged(known: Sequence[Known]) -> list[Known]:
    out: list[Known] = []
    for k in known:
        if out and out[-1].empty == k.empty and out[-1].last + 1 == k.first and _alike(out[-1], k):
            out[-1] = msgspec.structs.replace(out[-1], last=k.last)
        else:
            out.append(k)
    return out


def _alike(one: Known, other: Known) -> bool:
    return not one.empty or one.asked_ns == other.asked_ns
