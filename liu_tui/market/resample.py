"""Longer bars out of shorter ones: 5 minutes, an hour, a day, a week.

Intraday buckets are counted from each session's open, so that 09:30 begins one at any length; before the open
they are counted backwards, and none reaches into the day before. A day begins at New York's midnight and
takes all rows of its date, a week on Monday. A bucket is labelled with its start; an empty one is not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

import numpy as np

from liu_tui.market.block import Block, Times, frozen
from liu_tui.market.calendar import OPEN, hours, midnight_ns, ordinals_of, to_ns
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS

WEEK_NS: Final = 7 * DAY_NS
_HALF_DAY_NS: Final = DAY_NS // 2

_RULE = re.compile(r"\s*(\d*)\s*(s|min|h|d|w)\s*", re.IGNORECASE)
_UNITS: Final = {"s": SECOND_NS, "min": MINUTE_NS, "h": 60 * MINUTE_NS, "d": DAY_NS, "w": WEEK_NS}
_OPEN, _HIGH, _LOW, _CLOSE, _VOLUME, _VWAP, _COUNT = range(7)


def span_of(rule: str, from_ns: int) -> int:
    """Return the length that a rule names, in nanoseconds: "5min", "1h", "1d", "1w" (spelled as pandas does).

    from_ns: the length of the rows that are there

    Raises ValueError for a rule that cannot be read, or whose buckets do not hold whole rows.
    """
    match = _RULE.fullmatch(rule)
    count = int(match[1] or 1) if match else 0
    if match is None or not count:
        raise ValueError(f"{rule!r} is no length: write '5min', '1h', '1d' or '1w'")
    span = count * _UNITS[match[2].lower()]
    if span > _HALF_DAY_NS and span not in (DAY_NS, WEEK_NS):
        raise ValueError(f"{rule!r} is not to be had: take up to 12 hours, one day, or one week")
    if span % from_ns:
        raise ValueError(f"{rule!r} does not hold whole bars of {from_ns / SECOND_NS:g} s")
    return span


def resample(block: Block, span_ns: int) -> Block:
    """Return the rows in buckets of a length: first open, highest high, lowest low, last close, and sums.

    vwap: of the rows' own VWAPs by volume; a row without one counts with (high + low + close) / 3; 0 where no
          share traded

    The last bucket holds what is there: it may still be forming.
    Source: the usual definition, as pandas' resample with first, max, min, last and sum.
    """
    if not len(block):
        return block
    starts = _starts(block.t_ns, span_ns)
    first = np.flatnonzero(np.append(True, np.diff(starts) > 0))
    last = np.append(first[1:], len(block)) - 1
    rows = block.values
    out = np.empty((len(rows), first.size))
    out[_OPEN], out[_CLOSE] = rows[_OPEN, first], rows[_CLOSE, last]
    out[_HIGH] = np.maximum.reduceat(rows[_HIGH], first)
    out[_LOW] = np.minimum.reduceat(rows[_LOW], first)
    out[_VOLUME] = np.add.reduceat(rows[_VOLUME], first)
    out[_COUNT] = np.add.reduceat(rows[_COUNT], first)
    typical = (rows[_HIGH] + rows[_LOW] + rows[_CLOSE]) / 3
    notional = np.add.reduceat(np.where(rows[_VWAP] > 0, rows[_VWAP], typical) * rows[_VOLUME], first)
    out[_VWAP] = np.divide(notional, out[_VOLUME], out=np.zeros(first.size), where=out[_VOLUME] > 0)
    return frozen(starts[first], out)


def _starts(t_ns: Times, span_ns: int) -> Times:
    ordinals = ordinals_of(t_ns)
    days, which = np.unique(ordinals, return_inverse=True)
    if span_ns == WEEK_NS:
        days -= (days - 1) % 7  # ordinal 1 was a Monday
    midnights = _of_days(days, midnight_ns)[which]
    if span_ns >= DAY_NS:
        return midnights
    anchors = _of_days(days, _open_ns)[which]
    return np.maximum(anchors + (t_ns - anchors) // span_ns * span_ns, midnights)


def _of_days(ordinals: Times, moment: Callable[[date], int]) -> Times:
    return np.array([moment(date.fromordinal(n)) for n in ordinals.tolist()], np.int64)


def _open_ns(day: date) -> int:
    session = hours(day)
    return session.open_ns if session is not None else to_ns(datetime.combine(day, OPEN))
