"""How the past is indexed: positions and moments, one by one and in slices, under Python's slice rules.

A moment is New York's: an ISO string, a date or a datetime. A slice of moments is closed on the side where it
begins and open where it ends, as any slice: going forward it holds start <= t < stop, going backward (a
negative step) start >= t > stop. The two ends of a slice may be of different kinds.
"""

from __future__ import annotations

import operator
from datetime import date, datetime, timedelta
from typing import SupportsIndex

import numpy as np
import numpy.typing as npt

from liu_tui.market.calendar import midnight_ns, to_ns

Moment = str | date | datetime
"""ISO "2026-01-05" or "2026-01-05 09:30", a date, or a datetime; naive ones are New York time."""

Times = npt.NDArray[np.int64]


def moment_ns(moment: Moment) -> int:
    """Return UTC nanoseconds; a day stands for its midnight in New York.

    Raises ValueError for a string that is no time, TypeError for what is no moment.
    """
    moment = _parsed(moment)
    return to_ns(moment) if isinstance(moment, datetime) else midnight_ns(moment)


def day_named(moment: Moment) -> date | None:
    """Return the day if the moment names a whole one ("2026-01-05" or a date), else None.

    Raises as moment_ns.
    """
    moment = _parsed(moment)
    return None if isinstance(moment, datetime) else moment


def day_slice(t_ns: Times, day: date) -> slice:
    """Return where the rows of a New York day lie."""
    first, last = np.searchsorted(t_ns, (midnight_ns(day), midnight_ns(day + timedelta(days=1)))).tolist()
    return slice(first, last)


def standing(t_ns: Times, moment: Moment) -> int:
    """Return the position of the row that was the latest to have started at a moment.

    Raises KeyError if the moment lies before all rows.
    """
    at = int(np.searchsorted(t_ns, moment_ns(moment), side="right")) - 1
    if at < 0:
        raise KeyError(f"{moment} lies before the first bar")
    return at


def positions(t_ns: Times, key: slice) -> slice:
    """Return a slice of positions and moments as a slice of positions only.

    Raises TypeError for an end that is neither, ValueError for a step of 0.
    """
    step = 1 if key.step is None else operator.index(key.step)
    whole = slice(_index(key.start), _index(key.stop), step)
    start, stop, _ = whole.indices(t_ns.size)
    if _is_moment(key.start):
        start = _edge(t_ns, key.start, step)
    if _is_moment(key.stop):
        stop = _edge(t_ns, key.stop, step)
    if step > 0:
        return slice(start, stop, step)
    # A plain -1 would mean the last row: what begins before the first row is empty, what ends there is open.
    return slice(start, stop if stop >= 0 else None, step) if start >= 0 else slice(0, 0, step)


def _edge(t_ns: Times, moment: Moment, step: int) -> int:
    at = moment_ns(moment)
    if step > 0:
        return int(np.searchsorted(t_ns, at))
    return int(np.searchsorted(t_ns, at, side="right")) - 1


def _is_moment(end: object) -> bool:
    return isinstance(end, str | date)


def _index(end: SupportsIndex | Moment | None) -> int | None:
    return None if end is None or isinstance(end, str | date) else operator.index(end)


def _parsed(moment: Moment) -> date | datetime:
    if not isinstance(moment, str):
        if not isinstance(moment, date):
            raise TypeError(f"{moment!r} is no position and no moment")
        return moment
    text = moment.strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass  # it has a time of day
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{moment!r} is no time: write it as '2026-01-05' or '2026-01-05 09:30', New York's"
        ) from None
