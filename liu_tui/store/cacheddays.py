"""Daily bars through the cache: what is final is fetched once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Final

from liu_tui.market.calendar import day_of, midnight_ns
from liu_tui.market.coverage import lacking
from liu_tui.market.history import DataAPI
from liu_tui.market.sidebyside import together
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar
from liu_tui.store.barcache import BarCache
from liu_tui.store.vendor import ask

SETTLED_NS: Final = 240 * MINUTE_NS
"""A day's bar is final when the next day's pre-market begins: vendors correct the close over the evening."""


class CachedDays:
    """Daily bars of one feed. delay_ns: how far the vendor is behind the market."""

    def __init__(self, inner: DataAPI, cache: BarCache, *, delay_ns: int) -> None:
        self._inner, self._cache, self._delay_ns = inner, cache, delay_ns

    async def bars(
        self, names: Mapping[str, str], start_ns: int, end_ns: int, now_ns: int
    ) -> dict[str, list[Bar]]:
        """Return the daily bars within a span, by name.

        names: what they are kept under -> what the vendor is asked for

        Raises FeedError, StoreError.
        """
        first, last = _days(start_ns, end_ns)
        if first > last or not names:
            return {name: [] for name in names}
        final = day_of(now_ns - self._delay_ns - SETTLED_NS).toordinal() - 1
        rows = await self._cache.bars(names, midnight_of(first), midnight_of(last + 1))
        found = {name: {bar.t_ns: bar for bar in rows.get(name, ())} for name in names}
        groups = await self._lacking(names, first, last, final, now_ns)
        for fetched in await together(
            self._fetch({name: names[name] for name in some}, *span, final, now_ns) for span, some in groups
        ):
            for name, bars in fetched.items():
                found[name].update((bar.t_ns, bar) for bar in bars)
        return {
            name: [bar for t_ns, bar in sorted(own.items()) if start_ns <= t_ns and bar.end_ns <= end_ns]
            for name, own in found.items()
        }

    async def _lacking(
        self, names: Mapping[str, str], first: int, last: int, final: int, now_ns: int
    ) -> list[tuple[tuple[int, int], list[str]]]:
        """Return which days must be asked for, with the names that lack the same ones."""
        known = await self._cache.known(names)
        groups: dict[tuple[int, int], list[str]] = defaultdict(list)
        for name in names:
            span = lacking(known.get(name, ()), first, min(last, final), now_ns)
            if last > final:  # the newest may still change: it is asked for each time
                span = (span[0] if span is not None else max(first, final + 1), last)
            if span is not None:
                groups[span].append(name)
        return list(groups.items())

    async def _fetch(
        self, names: Mapping[str, str], first: int, last: int, final: int, now_ns: int
    ) -> dict[str, list[Bar]]:
        start_ns, end_ns = midnight_of(first), midnight_of(last) + DAY_NS
        fetched = await ask(self._inner, names, start_ns, end_ns, DAY_NS)
        last = min(last, final)
        if first <= last:
            before_ns = midnight_of(last + 1)
            keep = {name: [bar for bar in bars if bar.t_ns < before_ns] for name, bars in fetched.items()}
            await self._cache.keep(keep, first, last, now_ns)
        return fetched


def midnight_of(ordinal: int) -> int:
    """Return the moment at which a New York day begins, by its number."""
    return midnight_ns(date.fromordinal(ordinal))


def _days(start_ns: int, end_ns: int) -> tuple[int, int]:
    """Return the first and last day whose bars lie within a span."""
    first, last = day_of(start_ns).toordinal(), day_of(end_ns).toordinal() - 1
    return first + (midnight_of(first) < start_ns), last
