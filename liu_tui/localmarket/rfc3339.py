"""UTC nanoseconds to and from the text that Alpaca uses for times."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from liu_tui.market.calendar import NEW_YORK, midnight_ns, to_ns
from liu_tui.model.market import SECOND_NS

_FRACTION = re.compile(r"\.(\d+)")


def rfc3339(t_ns: int) -> str:
    """Write a time as Go does: `2026-11-23T14:30:00.000000123Z`, trailing zeros left away."""
    seconds, fraction = divmod(t_ns, SECOND_NS)
    whole = _whole_second(seconds)
    return f"{whole}.{fraction:09d}".rstrip("0") + "Z" if fraction else whole + "Z"


def new_york(t_ns: int) -> str:
    """Write a time with New York's offset, as `/v2/clock` does."""
    seconds, fraction = divmod(t_ns, SECOND_NS)
    local = datetime.fromtimestamp(seconds, NEW_YORK)
    base, offset = local.strftime("%Y-%m-%dT%H:%M:%S"), local.strftime("%z")
    tail = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{base}{tail}{offset[:3]}:{offset[3:]}"


def read_time(text: str, *, end_of_day: bool = False) -> int:
    """Read an RFC 3339 time, or an ISO date, which means its first moment in New York (or its last).

    A time without an offset is UTC. Raises ValueError naming the text.
    """
    if len(text) == 10:
        day = date.fromisoformat(text)
        return midnight_ns(day + timedelta(days=1)) - 1 if end_of_day else midnight_ns(day)
    # A plus sign in a query string arrives as a blank from clients that do not escape it.
    text = text.replace(" ", "+") if "T" in text else text
    fraction = _FRACTION.search(text)
    nanoseconds = int(fraction.group(1)[:9].ljust(9, "0")) if fraction else 0
    moment = datetime.fromisoformat(_FRACTION.sub("", text))
    return to_ns(moment if moment.tzinfo else moment.replace(tzinfo=UTC)) + nanoseconds


@lru_cache(maxsize=256)
def _whole_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
