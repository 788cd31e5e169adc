"""History for a consumer's symbols: before the first call, after a gap of the feed, and to mend a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from enum import Enum, auto
from typing import Any

import msgspec

from liu_tui.engine.child import Child
from liu_tui.engine.messages import Assign, Assigned, GapBegin, StrategyProfile, SymbolTask
from liu_tui.errors import FeedError
from liu_tui.market.history import DataAPI
from liu_tui.market.lookback import daily_start, history_start
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar

RETRIES = 5
RETRY_S = 1.0


class Purpose(Enum):
    """What history was asked for."""

    BEGIN = auto()  # what strategies declared to look back to
    GAP = auto()  # what the feed may have missed; their events wait for it
    REPAIR = auto()  # minutes whose bars did not come, or that a correction changed; nobody waits


class Loaded(msgspec.Struct, frozen=True):
    """History that has arrived: (task, minute bars, daily bars) of each symbol, and what to answer."""

    purpose: Purpose
    symbols: list[tuple[SymbolTask, list[Bar], list[Bar]]]
    answer: Assigned | None = None


class Backfill:
    """Fetches in the background; finished() hands over in the order of asking."""

    def __init__(self, data: DataAPI, child: Child, profiles: Sequence[StrategyProfile]) -> None:
        self._data = data
        self._child = child
        self.profiles = profiles
        self._tasks: list[asyncio.Task[Loaded]] = []

    def begin(self, assign: Assign) -> None:
        """Fetch what the strategies' lookback needs for these symbols."""
        self._start(self._fetch(assign.tasks, Assigned(n=assign.n)))

    def refill(self, symbols: Sequence[str], gap: GapBegin) -> None:
        """Fetch the bars of a gap; they come marked as back-filled."""
        start = gap.from_ns - gap.from_ns % MINUTE_NS - MINUTE_NS
        words = f"gap in the feed ({gap.words})" if gap.words else "gap in the feed"
        self._start(self._fetch_again(Purpose.GAP, symbols, start, words))

    def refetch(self, symbols: Iterable[str], from_ns: int, words: str) -> None:
        """Fetch bars again that are wrong or did not come, from the minute of `from_ns` on; words: why."""
        start = from_ns - from_ns % MINUTE_NS
        self._start(self._fetch_again(Purpose.REPAIR, list(symbols), start, words))

    def finished(self) -> list[Loaded]:
        """What has arrived since the last call, in the order of asking."""
        done: list[Loaded] = []
        while self._tasks and self._tasks[0].done():
            done.append(self._tasks.pop(0).result())
        return done

    async def close(self) -> None:
        """Give up what is under way. May be called twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._data.close()

    def _start(self, job: Coroutine[Any, Any, Loaded]) -> None:
        task = asyncio.get_running_loop().create_task(job)
        task.add_done_callback(lambda _task: self._child.wake.set())
        self._tasks.append(task)

    async def _fetch(self, tasks: Sequence[SymbolTask], answer: Assigned) -> Loaded:
        now = self._child.clock.now_ns()
        names = [task.symbol for task in tasks]
        lookback = max((profile.lookback for profile in self.profiles), default=0)
        days = max((profile.lookback_days for profile in self.profiles), default=0)
        minutes = await self._bars(names, history_start(now, lookback), now, MINUTE_NS)
        daily = await self._bars(names, daily_start(now, days), now, DAY_NS) if days else {}
        rows = [(task, minutes.get(task.symbol, []), daily.get(task.symbol, [])) for task in tasks]
        return Loaded(Purpose.BEGIN, rows, answer)

    async def _fetch_again(self, purpose: Purpose, symbols: Sequence[str], start: int, words: str) -> Loaded:
        bars = await self._bars(symbols, start, self._child.clock.now_ns(), MINUTE_NS)
        count = sum(len(rows) for rows in bars.values())
        verb = "back-filled" if purpose is Purpose.GAP else "fetched again"
        said = f"{words}: {count} minute bars of {len(symbols)} symbols {verb}"
        self._child.say("warn", said, kind="feed")
        return Loaded(
            purpose, [(SymbolTask(symbol=name), _marked(bars.get(name, ())), []) for name in symbols]
        )

    async def _bars(self, names: Sequence[str], start: int, end: int, span: int) -> dict[str, list[Bar]]:
        for attempt in range(1, RETRIES + 1):
            try:
                return await self._data.bars(names, start, end, span_ns=span)
            except FeedError as e:
                self._child.say(
                    "warn", f"history of {len(names)} symbols ({attempt}/{RETRIES}): {e}", kind="feed"
                )
                await asyncio.sleep(RETRY_S * attempt)
        self._child.say("error", f"no history for {', '.join(names[:5])}: their strategies wait", kind="feed")
        return {}


def _marked(bars: Iterable[Bar]) -> list[Bar]:
    return [msgspec.structs.replace(bar, backfilled=True) for bar in bars]
