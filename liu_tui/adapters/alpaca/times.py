"""Alpaca's spelling of time: RFC 3339 with up to nine decimals, and New York wall times in the calendar."""

import re
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from liu_tui.model.market import SECOND_NS

NEW_YORK = ZoneInfo("America/New_York")
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|z|[+-]\d\d:\d\d)?", re.ASCII
)


def read_time(text: str) -> int:
    """Turn an RFC 3339 time into UTC nanoseconds. Without an offset it is taken as UTC.

    Raises ValueError naming the text.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no RFC 3339 time")
    day, clock, fraction, offset = found.groups()
    shift = "+00:00" if offset in (None, "Z", "z") else offset
    return _second_ns(f"{day}T{clock}{shift}") + (int(fraction.ljust(9, "0")) if fraction else 0)


def read_time_or_zero(text: str | None) -> int:
    """As read_time; 0 where there is none, or where it cannot be read."""
    try:
        return read_time(text) if text else 0
    except ValueError:
        return 0


def write_time(t_ns: int) -> str:
    """Spell UTC nanoseconds as RFC 3339, to the nanosecond."""
    seconds, nanoseconds = divmod(t_ns, SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def new_york_day(t_ns: int) -> date:
    """Name the day it is in New York at this moment."""
    return datetime.fromtimestamp(t_ns // SECOND_NS, NEW_YORK).date()


def new_york_ns(day: date, clock: str) -> int:
    """UTC nanoseconds of a New York wall time, "09:30" or "0930", on a day.

    Raises ValueError naming the clock.
    """
    digits = clock.replace(":", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) == 4):
        raise ValueError(f"{clock!r} is no time of day")
    at = time(int(digits[:2]), int(digits[2:]), tzinfo=NEW_YORK)
    return int(datetime.combine(day, at).timestamp()) * SECOND_NS


@lru_cache(maxsize=1024)
def _second_ns(text: str) -> int:
    # A page of prints has many of one second. As a float one is exact until the year 285,428,751.
    return int(datetime.fromisoformat(text).timestamp()) * SECOND_NS
