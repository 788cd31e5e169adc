"""Minute bars through the cache: finished days once, the day under way up to what is final."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec
import numpy as np

from liu_tui.market.block import EMPTY, Block, bars_of, block_of, joined
from liu_tui.market.calendar import day_of, hours, midnight_ns
from liu_tui.market.coverage import believed, has_holes
from liu_tui.market.history import DataAPI
from liu_tui.market.sidebyside import together
from liu_tui.model.market import MINUTE_NS, Bar
from liu_tui.store.minutefiles import KnownDay, MinuteFiles
from liu_tui.store.vendor import ask

_log = logging.getLogger(__name__)

REVISED_NS: Final = 2 * MINUTE_NS
"""For how long a vendor may revise a minute: Alpaca does half a minute after its end, prints come late by ten
seconds (Alpaca Learn, "Stock Minute Bars"); twice the sum, in whole minutes."""
_SATURDAY: Final = 5


class Day(msgspec.Struct, frozen=True):
    """A New York day in UTC nanoseconds."""

    day: date
    start_ns: int
    end_ns: int


class Wanted(msgspec.Struct, frozen=True):
    """What must be asked for of one name. start_ns: the earliest moment that nothing sure is known of."""

    start_ns: int
    end_ns: int


class CachedMinutes:
    """Minute bars of one feed. delay_ns: how far the vendor is behind the market."""

    def __init__(self, inner: DataAPI, files: MinuteFiles, *, delay_ns: int) -> None:
        self._inner, self._files = inner, files
        self._lag_ns = delay_ns + REVISED_NS
        self._told = False

    async def bars(
        self, names: Mapping[str, str], start_ns: int, end_ns: int, now_ns: int
    ) -> dict[str, list[Bar]]:
        """Return the minute bars within a span, by name; end_ns is at most now_ns.

        names: what they are kept under -> what the vendor is asked for

        Raises FeedError. A disk that cannot be written is told in the log.
        """
        days = list(_days(start_ns, end_ns - MINUTE_NS + 1))  # no bar of the span begins later
        known = await asyncio.to_thread(self._read, list(names), days)
        groups: dict[tuple[date, date], dict[str, Wanted]] = defaultdict(dict)
        for name, own in known.items():
            wanted = _wanted(own, days, start_ns, end_ns, now_ns)
            if wanted is not None:
                groups[day_of(wanted.start_ns), day_of(wanted.end_ns - 1)][name] = wanted
        await together(self._fetch(names, some, days, known, now_ns) for some in groups.values())
        return await asyncio.to_thread(_within, known, start_ns, end_ns)

    def _read(self, names: Sequence[str], days: Sequence[Day]) -> dict[str, dict[date, KnownDay]]:
        known: dict[str, dict[date, KnownDay]] = {}
        for name in names:
            found = ((day.day, self._files.read(name, day.day)) for day in days)
            known[name] = {day: file for day, file in found if file is not None}
        return known

    async def _fetch(
        self,
        names: Mapping[str, str],
        some: Mapping[str, Wanted],
        days: Sequence[Day],
        known: dict[str, dict[date, KnownDay]],
        now_ns: int,
    ) -> None:
        """Ask for several names at once, from the earliest that one of them lacks, and keep what is final."""
        start_ns = min(wanted.start_ns for wanted in some.values())
        end_ns = max(wanted.end_ns for wanted in some.values())
        asked = {name: names[name] for name in some}
        fetched = await ask(self._inner, asked, start_ns, end_ns, MINUTE_NS)
        touched = [day for day in days if day.end_ns > start_ns and day.start_ns < end_ns]
        sure_ns = min(end_ns, now_ns - self._lag_ns)

        def settle() -> None:
            for name, bars in fetched.items():
                block = block_of(bars)
                for day in touched:
                    self._settle(name, day, block, known[name], start_ns, sure_ns, now_ns)

        await asyncio.to_thread(settle)

    def _settle(
        self,
        name: str,
        day: Day,
        fetched: Block,
        known: dict[date, KnownDay],
        start_ns: int,
        sure_ns: int,
        now_ns: int,
    ) -> None:
        """Join what came of a day with what was there; write it if all from the day's beginning is known."""
        old = known.get(day.day, KnownDay(EMPTY, day.start_ns, 0))
        whole = joined(old.block, _cut(fetched, day.start_ns, day.end_ns))
        known[day.day] = KnownDay(whole, day.start_ns, now_ns)  # for this answer; what is kept is less
        until_ns = max(min(day.end_ns, sure_ns), old.until_ns)
        if start_ns <= max(old.until_ns, _resume(old, day)) and until_ns > day.start_ns:
            sure = _cut(whole, day.start_ns, until_ns - MINUTE_NS + 1)
            holes = until_ns == day.end_ns and has_holes(sure.t_ns, hours(day.day))
            self._write(name, day.day, KnownDay(sure, until_ns, now_ns, holes))

    def _write(self, name: str, day: date, known: KnownDay) -> None:
        try:
            self._files.write(name, day, known)
        except OSError as e:
            if not self._told:
                self._told = True
                _log.warning("minute bars cannot be kept (%s): they will be fetched again", e)


def _days(start_ns: int, end_ns: int) -> Iterator[Day]:
    """Yield the weekdays that a span touches; the exchange knows no other days."""
    day, begin = day_of(start_ns), midnight_ns(day_of(start_ns))
    while begin < end_ns:
        after = midnight_ns(day + timedelta(days=1))
        if day.weekday() < _SATURDAY:
            yield Day(day, begin, after)
        day, begin = day + timedelta(days=1), after


def _wanted(
    known: Mapping[date, KnownDay], days: Sequence[Day], start_ns: int, end_ns: int, now_ns: int
) -> Wanted | None:
    """Say what must be asked for: finished days whole, the day under way as far as it is asked for."""
    lacks = [day for day in days if not _has(known.get(day.day), day, end_ns, now_ns)]
    if not lacks:
        return None
    first, last = lacks[0], lacks[-1]
    begin = _resume(known.get(first.day), first)
    if first.end_ns > now_ns and start_ns > begin and not _from_the_start(first, start_ns):
        begin = start_ns
    return Wanted(begin, last.end_ns if last.end_ns <= now_ns else end_ns)


def _has(known: KnownDay | None, day: Day, end_ns: int, now_ns: int) -> bool:
    if known is None or known.until_ns < min(day.end_ns, end_ns):
        return False
    return not known.holes or believed(known.asked_ns, day.end_ns, now_ns)


def _from_the_start(day: Day, start_ns: int) -> bool:
    # Nothing trades before the pre-market: who asks from there on asks for the whole day.
    session = hours(day.day)
    return session is not None and start_ns <= session.pre_ns


def _resume(known: KnownDay | None, day: Day) -> int:
    """Return from where a day is to be asked for: after its last bar, since a vendor may have been late."""
    if known is None or known.holes or not len(known.block):
        return day.start_ns
    return int(known.block.t_ns[-1]) + MINUTE_NS


def _cut(block: Block, start_ns: int, end_ns: int) -> Block:
    first, last = np.searchsorted(block.t_ns, (start_ns, end_ns)).tolist()
    return block[first:last]


def _within(known: Mapping[str, Mapping[date, KnownDay]], start_ns: int, end_ns: int) -> dict[str, list[Bar]]:
    return {
        name: [
            bar
            for day in sorted(own)
            for bar in bars_of(name, _cut(own[day].block, start_ns, end_ns - MINUTE_NS + 1), MINUTE_NS)
        ]
        for name, own in known.items()
    }
