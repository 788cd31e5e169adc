"""One question for cached bars: under which names they lie, and what splits and dividends make of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from liu_tui.market.adjust import WITH_DIVIDENDS, adjusted, steps_of
from liu_tui.market.calendar import day_of, midnight_ns
from liu_tui.market.names import Stretch, stretches
from liu_tui.market.sidebyside import together
from liu_tui.model.market import DAY_NS, Adjustment, Bar, CorporateAction
from liu_tui.store.cacheddays import CachedDays
from liu_tui.store.cachedminutes import CachedMinutes
from liu_tui.store.vendor import relabelled

_ONE_DAY: Final = timedelta(days=1)
_CLOSE_WITHIN: Final = timedelta(days=14)
"""How far before a dividend its close is looked for: over any holidays, and a halt of a week."""

Actions = Mapping[str, Sequence[CorporateAction]]


class Question:
    """What is true of the moment of asking.

    actions:    of each symbol that is asked for, and of its other names
    maps_names: the vendor is asked for the past under the present name
    """

    def __init__(
        self, days: CachedDays, minutes: CachedMinutes, actions: Actions, now_ns: int, *, maps_names: bool
    ) -> None:
        self._days, self._minutes, self._actions = days, minutes, actions
        self._now_ns, self._maps_names = now_ns, maps_names

    async def raw(
        self, symbols: Iterable[str], start_ns: int, end_ns: int, span_ns: int
    ) -> dict[str, list[Bar]]:
        """Return bars as they were printed. Raises FeedError, StoreError."""
        found: dict[str, list[Bar]] = {symbol: [] for symbol in symbols}
        parts: dict[tuple[date, date], dict[str, Stretch]] = defaultdict(dict)
        for symbol in found:
            for part in stretches(symbol, day_of(start_ns), day_of(end_ns), self._actions.get(symbol, ())):
                parts[part.first, part.last][symbol] = part

        async def answer(
            days: tuple[date, date], named: Mapping[str, Stretch]
        ) -> tuple[Mapping[str, Stretch], dict[str, list[Bar]]]:
            names = {part.name: part.now_named if self._maps_names else part.name for part in named.values()}
            begin, over = midnight_ns(days[0]), midnight_ns(days[1] + _ONE_DAY)
            ask = self._days.bars if span_ns == DAY_NS else self._minutes.bars
            return named, await ask(names, max(start_ns, begin), min(end_ns, over), self._now_ns)

        for named, bars in await together(answer(days, parts[days]) for days in sorted(parts)):
            for symbol, part in named.items():
                found[symbol] += relabelled(bars[part.name], symbol)
        return found

    async def adjusted(self, raw: Mapping[str, list[Bar]], adjustment: Adjustment) -> dict[str, list[Bar]]:
        """Return raw bars in the shares and dollars of today. Raises FeedError, StoreError."""
        mine = {symbol: self._own(symbol, bars) for symbol, bars in raw.items()}
        closes = await self._closes(mine) if adjustment in WITH_DIVIDENDS else {}
        today = day_of(self._now_ns)
        return {
            symbol: adjusted(bars, steps_of(mine[symbol], adjustment, today, closes.get(symbol, {})))
            for symbol, bars in raw.items()
        }

    def _own(self, symbol: str, bars: Sequence[Bar]) -> list[CorporateAction]:
        """Return the actions that happened to this symbol under the name it had, after its first bar."""
        actions = self._actions.get(symbol, ())
        if not bars or not actions:
            return []
        first = day_of(bars[0].t_ns).isoformat()
        parts = stretches(symbol, date.fromisoformat(first), day_of(self._now_ns), actions)
        return [
            action
            for action in actions
            if action.day > first and any(_falls_in(part, action) for part in parts)
        ]

    async def _closes(self, mine: Actions) -> dict[str, dict[str, float]]:
        """Return the raw close before each dividend: symbol -> ISO ex-date -> dollars."""
        paid = {s: [a.day for a in own if a.kind == "dividend"] for s, own in mine.items()}
        paid = {symbol: days for symbol, days in paid.items() if days}
        if not paid:
            return {}
        days = [date.fromisoformat(day) for own in paid.values() for day in own]
        start_ns, end_ns = midnight_ns(min(days) - _CLOSE_WITHIN), midnight_ns(max(days))
        bars = await self.raw(paid, start_ns, min(end_ns, self._now_ns), DAY_NS)
        return {
            symbol: {day: _close_before(bars[symbol], day) for day in own} for symbol, own in paid.items()
        }


def _falls_in(part: Stretch, action: CorporateAction) -> bool:
    # On the day of a rename an action may stand under either name.
    return action.symbol == part.name and part.first <= date.fromisoformat(action.day) <= part.last + _ONE_DAY


def _close_before(bars: Sequence[Bar], day: str) -> float:
    ex = date.fromisoformat(day)
    since_ns, before_ns = midnight_ns(ex - _CLOSE_WITHIN), midnight_ns(ex)
    return next((bar.close for bar in reversed(bars) if since_ns <= bar.t_ns < before_ns), 0.0)
