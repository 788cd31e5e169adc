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
    """History that has arrived: (task, minute bars, daily bars) of each symbol, what to answer, and why."""

    purpose: Purpose
    symbols: list[tuple[SymbolTask, list[Bar], list[Bar]]]
    answer: Assigned | None = None
    words: str = ""


class Backfill:
    """Fetches in the background; finished() hands over in the order of asking."""

    def __init__(self, data: DataAPI, child: Child, profiles: Sequence[StrategyProfile]) -> None:
        self._data = data
        self._child = child
        self.profiles = profiles
        self._tasks: list[asyncio.Task[Loaded]] = []
        self._repairs: list[asyncio.Task[Loaded]] = []

    def begin(self, assign: Assign) -> None:
        """Fetch what the strategies' lookback needs for these symbols."""
        self._tasks.append(self._started(self._fetch(assign.tasks, Assigned(n=assign.n))))

    def refill(self, symbols: Sequence[str], gap: GapBegin) -> None:
        """Fetch the bars of a gap; they come marked as back-filled."""
        start = gap.from_ns - gap.from_ns % MINUTE_NS - MINUTE_NS
        self._tasks.append(self._started(self._fetch_gap(list(symbols), start, gap.words)))

    def refetch(
        self, symbols: Iterable[str], from_ns: int, words: str, *, until_ns: int | None = None
    ) -> None:
        """Fetch bars again that are wrong or did not come, from the minute of `from_ns` on; words: why.

        until_ns: the end of the last one; now if not given
        """
        start = from_ns - from_ns % MINUTE_NS
        self._repairs.append(self._started(self._fetch_again(list(symbols), start, until_ns, words)))

    def finished(self) -> list[Loaded]:
        """What has arrived since the last call, in the order of asking; repairs hold up nobody."""
        done: list[Loaded] = []
        for tasks in (self._tasks, self._repairs):
            while tasks and tasks[0].done():
                done.append(tasks.pop(0).result())
        return done

    async def close(self) -> None:
        """Give up what is under way. May be called twice."""
        under_way = self._tasks + self._repairs
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        self._tasks, self._repairs = [], []
        await self._data.close()

    def _started(self, job: Coroutine[Any, Any, Loaded]) -> asyncio.Task[Loaded]:
        task = asyncio.get_running_loop().create_task(job)
        task.add_done_callback(lambda _task: self._child.wake.set())
        return task

    async def _fetch(self, tasks: Sequence[SymbolTask], answer: Assigned) -> Loaded:
        now = self._child.clock.now_ns()
        names = [task.symbol for task in tasks]
        lookback = max((profile.lookback for profile in self.profiles), default=0)
        days = max((profile.lookback_days for profile in self.profiles), default=0)
        minutes = await self._bars(names, history_start(now, lookback), now, MINUTE_NS)
        daily = await self._bars(names, daily_start(now, days), now, DAY_NS) if days else {}
        rows = [(task, minutes.get(task.symbol, []), daily.get(task.symbol, [])) for task in tasks]
        return Loaded(Purpose.BEGIN, rows, answer)

    async def _fetch_gap(self, symbols: Sequence[str], start: int, words: str) -> Loaded:
        loaded = await self._fetch_again(symbols, start, None, words)
        count = sum(len(rows) for _task, rows, _daily in loaded.symbols)
        said = f"gap in the feed ({words})" if words else "gap in the feed"
        said = f"{said}: {count} minute bars of {len(symbols)} symbols back-filled"
        self._child.say("warn", said, kind="feed")
        return msgspec.structs.replace(loaded, purpose=Purpose.GAP)

    async def _fetch_again(self, symbols: Sequence[str], start: int, until: int | None, words: str) -> Loaded:
        end = self._child.clock.now_ns() if until is None else until
        bars = await self._bars(symbols, start, end, MINUTE_NS)
        rows = [(SymbolTask(symbol=name), _marked(bars.get(name, ())), list[Bar]()) for name in symbols]
        return Loaded(Purpose.REPAIR, rows, words=words)

    async def _bars(self, names: Sequence[str], start: int, end: int, span: int) -> dict[str, list[Bar]]:
        for attempt in range(1, RETRIES + 1):
            try:
                return await self._data.bars(names, start, end, span_ns=span)
            except FeedError as e:
                self._child.say(
                    "warn", f"history of {len(names)} symbols ({attempt}/{RETRIES}): {e}", kind="feed"
                )
                await asyncio.sleep(RETRY_S * attempt)
        whose = f"no history for {', '.join(names[:5])}"
        words = f"{whose}: what needs it waits, the rest goes on without these minutes"
        self._child.say("error", words, kind="feed")
        return {}


def _marked(bars: Iterable[Bar]) -> list[Bar]:
    return [msgspec.structs.replace(bar, backfilled=True) for bar in bars]
