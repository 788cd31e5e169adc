"""The sessions of the New York Stock Exchange: rules and exceptions. The only file that knows New York.

The exceptions are those since 2008; Juneteenth counts from 2022. A closure that nobody has announced yet
cannot be here: the broker's own calendar is told with `correct`, once for the process, and then all that is
asked here follows it. Halts within a day are not here.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from liu_tui.model.clock import SessionHours
from liu_tui.model.market import SECOND_NS

NEW_YORK: Final = ZoneInfo("America/New_York")

PRE, OPEN, CLOSE, POST = time(4), time(9, 30), time(16), time(20)
EARLY_CLOSE, EARLY_POST = time(13), time(17)

SPECIAL_CLOSURES: Final = frozenset(
    {
        date(2012, 10, 29),  # Hurricane Sandy
        date(2012, 10, 30),
        date(2018, 12, 5),  # mourning for George H. W. Bush
        date(2025, 1, 9),  # mourning for Jimmy Carter
    }
)

_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6
_ONE_DAY = timedelta(days=1)
_HOUR_NS = 3_600 * SECOND_NS
_corrected: Final[dict[date, SessionHours | None]] = {}


def hours(day: date) -> SessionHours | None:
    """Return the session of a New York date, or None on a weekend or holiday."""
    return _corrected[day] if day in _corrected else _by_rule(day)


def correct(sessions: Iterable[SessionHours], closed: Iterable[date]) -> None:
    """Let the broker's calendar stand above the rules, in this whole process; said again it starts anew.

    sessions: those that the rules do not know, or know with other hours; put in place of theirs
    closed:   dates without a session whatever the rules say

    The one thing in this house that is set for a whole process: the exchange has one calendar, and whoever
    asks for hours must hear the same. Call it before the first question. `correct((), ())` forgets it.
    """
    known: dict[date, SessionHours | None] = {date.fromisoformat(s.day): s for s in sessions}
    known.update(dict.fromkeys(closed))
    _corrected.clear()
    _corrected.update(known)


def differences(
    theirs: Iterable[SessionHours], start: date, end: date
) -> tuple[list[SessionHours], list[date]]:
    """Return what `correct` must be told so that the rules agree with a broker's calendar.

    theirs: every session that the broker knows from start to end, both included

    returns: its sessions that the rules lack or time otherwise, and the dates on which it has none though the
             rules know one; both in order
    """
    known = {date.fromisoformat(session.day): session for session in theirs}
    days = [start + n * _ONE_DAY for n in range((end - start).days + 1)]
    other = [known[day] for day in days if day in known and known[day] != _by_rule(day)]
    return other, [day for day in days if day not in known and _by_rule(day) is not None]


def session_of(now_ns: int) -> SessionHours:
    """Return the session under way, pre-market and after-hours included, or the next one."""
    session = first_session(day_of(now_ns))
    return session if now_ns < session.post_ns else first_session(date.fromisoformat(session.day) + _ONE_DAY)


def first_session(day: date) -> SessionHours:
    """Return the session of this date, or the next one if there is none."""
    return _first(day, _ONE_DAY)


def previous_session(day: date) -> date:
    """Return the date of the last session before this one."""
    return date.fromisoformat(_first(day - _ONE_DAY, -_ONE_DAY).day)


def sessions(start: date, end: date) -> Iterator[SessionHours]:
    """Yield the sessions from start to end, both included."""
    day = start
    while day <= end:
        if (session := hours(day)) is not None:
            yield session
        day += _ONE_DAY


def is_early_close(day: date) -> bool:
    """Say whether the exchange closes before 16:00; False on days without a session."""
    session = hours(day)
    return session is not None and session.close_ns < _at(day, CLOSE)


def day_of(t_ns: int) -> date:
    """Return the New York date of a moment."""
    # An hour of UTC never straddles a midnight or a change of New York's clocks.
    return _day_of_hour(t_ns // _HOUR_NS)


def ordinals_of(t_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the New York dates of many moments, as `date.toordinal` numbers, in the same order."""
    hour, where = np.unique(t_ns // _HOUR_NS, return_inverse=True)
    return np.array([_day_of_hour(int(h)).toordinal() for h in hour], dtype=np.int64)[where]


def is_regular(t_ns: int) -> bool:
    """Say whether a moment lies in regular trading hours: closed left, open right."""
    session = hours(day_of(t_ns))
    return session is not None and session.open_ns <= t_ns < session.close_ns


def to_datetime(t_ns: int) -> datetime:
    """Return a moment as New York time, cut to microseconds (never rounded up: that would look ahead)."""
    return datetime.fromtimestamp(t_ns // 1000 / 1e6, NEW_YORK)


def to_ns(moment: datetime) -> int:
    """Return UTC nanoseconds. A naive moment is New York time."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=NEW_YORK)
    whole = int(aware.replace(microsecond=0).timestamp())
    return whole * SECOND_NS + aware.microsecond * 1000


def midnight_ns(day: date) -> int:
    """Return the moment at which a New York date begins: what a daily bar is stamped with."""
    return _at(day, time())


def _by_rule(day: date) -> SessionHours | None:
    if day.weekday() >= _SATURDAY or day in SPECIAL_CLOSURES or day in _holidays(day.year):
        return None
    return _session(day)


def _first(day: date, step: timedelta) -> SessionHours:
    while (session := hours(day)) is None:
        day += step
    return session


@lru_cache(maxsize=4096)
def _session(day: date) -> SessionHours:
    close, post = (EARLY_CLOSE, EARLY_POST) if _closes_early(day) else (CLOSE, POST)
    return SessionHours(day.isoformat(), _at(day, PRE), _at(day, OPEN), _at(day, close), _at(day, post))


def _at(day: date, clock: time) -> int:
    return int(datetime.combine(day, clock, NEW_YORK).timestamp()) * SECOND_NS


@lru_cache(maxsize=65536)
def _day_of_hour(hour: int) -> date:
    return datetime.fromtimestamp(hour * 3_600, NEW_YORK).date()


def _closes_early(day: date) -> bool:
    if (day.month, day.day) in ((7, 3), (12, 24)):
        # On a Friday either is the holiday itself, kept a day early, or no eve of a session.
        return day.weekday() <= _THURSDAY
    return day - _ONE_DAY == _nth(day.year, 11, _THURSDAY, 4)


@lru_cache(maxsize=256)
def _holidays(year: int) -> frozenset[date]:
    days = {
        _nth(year, 1, _MONDAY, 3),  # Martin Luther King
        _nth(year, 2, _MONDAY, 3),  # Washington
        _easter(year) - 2 * _ONE_DAY,  # Good Friday
        _nth(year, 6, _MONDAY, 1) - timedelta(days=7),  # Memorial Day: the last Monday of May
        _kept(date(year, 7, 4)),
        _nth(year, 9, _MONDAY, 1),  # Labor Day
        _nth(year, 11, _THURSDAY, 4),  # Thanksgiving
        _kept(date(year, 12, 25)),
    }
    new_year = date(year, 1, 1)
    if new_year.weekday() != _SATURDAY:  # the exchange does not close a year on its last Friday (Rule 7.2)
        days.add(_kept(new_year))
    if year >= 2022:
        days.add(_kept(date(year, 6, 19)))  # Juneteenth
    return frozenset(days)


def _kept(day: date) -> date:
    """Return when a holiday of fixed date is kept: Friday for a Saturday, Monday for a Sunday."""
    if day.weekday() == _SATURDAY:
        return day - _ONE_DAY
    return day + _ONE_DAY if day.weekday() == _SUNDAY else day


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _easter(year: int) -> date:
    """Return Easter Sunday. Source: Meeus, Astronomical Algorithms, ch. 8."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)
