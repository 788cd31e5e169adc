"""History for a consumer's symbols: before the first call, and after a gap of the feed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from liu_tui.engine.child import Child
from liu_tui.engine.messages import Assign, Assigned, GapBegin, StrategyProfile, SymbolTask
from liu_tui.errors import FeedError
from liu_tui.market.history import DataAPI
from liu_tui.market.lookback import daily_start, history_start
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar

RETRIES = 5
RETRY_S = 1.0


class Loaded(msgspec.Struct, frozen=True):
    """History that has arrived: (task, minute bars, daily bars) of each symbol, and what to answer."""

    symbols: list[tuple[SymbolTask, list[Bar], list[Bar]]]
    answer: Assigned | None


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
        self._start(self._fetch_gap([SymbolTask(symbol=symbol) for symbol in symbols], gap))

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

    def _start(self, job: object) -> None:
        task: asyncio.Task[Loaded] = asyncio.ensure_future(job)  # type: ignore[call-overload]
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
        return Loaded(rows, answer)

    async def _fetch_gap(self, tasks: Sequence[SymbolTask], gap: GapBegin) -> Loaded:
        names = [task.symbol for task in tasks]
        start = gap.from_ns - gap.from_ns % MINUTE_NS - MINUTE_NS
        bars = await self._bars(names, start, self._child.clock.now_ns(), MINUTE_NS)
        count = sum(len(rows) for rows in bars.values())
        self._child.say(
            "warn", f"gap in the feed: {count} minute bars of {len(names)} symbols back-filled", kind="feed"
        )
        marked = {
            name: [msgspec.structs.replace(bar, backfilled=True) for bar in rows]
            for name, rows in bars.items()
        }
        return Loaded([(task, marked.get(task.symbol, []), []) for task in tasks], None)

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
