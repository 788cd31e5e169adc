"""DataLoader: the past of any symbol, read like a data frame, over any vendor.

    loader = DataLoader(data)
    await loader.prefetch(["AAPL"], "2026-01-05", "2026-01-10")     # in a coroutine
    loader.load(["AAPL"], "2026-01-05", "2026-01-10")               # in a notebook or a script: it waits
    loader["AAPL"].close[-1]
    loader["AAPL"].high["2026-01-05 09:30":"2026-01-05 10:00"].max()
    loader["AAPL"]["2026-01-06"].resample("15min").df

Reading never goes to the network: only prefetch and load do. How bars are indexed: see symboldata.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from liu_tui.errors import DataMissing, UsageError
from liu_tui.market.block import EMPTY, Block, block_of, joined
from liu_tui.market.history import DataAPI
from liu_tui.market.moments import Moment, moment_ns
from liu_tui.market.ownloop import OwnLoop
from liu_tui.market.progress import Told, progress_bar
from liu_tui.market.sidebyside import SideBySide
from liu_tui.market.symboldata import SymbolData
from liu_tui.model.clock import Clock
from liu_tui.model.market import DAY_NS, MINUTE_NS, Adjustment, normal_symbol, normal_symbols

if TYPE_CHECKING:
    import pandas as pd

SYMBOLS_A_QUESTION = 100
"""So that progress is told often and no answer is huge; the vendor's adapter may split further."""

_Opened = weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, DataAPI]


class TimeScale(IntEnum):
    """How long a loader's bars are, in nanoseconds."""

    MINUTE = MINUTE_NS
    DAY = DAY_NS


class DataLoader:
    """Bars of one scale, by symbol. Each fetch adds to what is there.

    data:       whom to ask; or what opens it, and then each event loop gets one of its own
    clock:      where there is one, a bar that has not ended by its now does not exist; the loader's answer to
                `loader[symbol]` is what was known at that moment, and stays so
    adjustment: for splits and dividends. Adjusted prices hold for the day on which they were fetched: a fetch
                brings all of a symbol's bars anew, so that one series never has two scales
    questions:  how many are under way at once
    """

    def __init__(
        self,
        data: DataAPI | Callable[[], DataAPI],
        *,
        scale: TimeScale = TimeScale.MINUTE,
        clock: Clock | None = None,
        adjustment: Adjustment = Adjustment.RAW,
        questions: int = 4,
    ) -> None:
        self._data = data
        self._scale, self._clock, self._adjustment, self._questions = scale, clock, adjustment, questions
        self._home: asyncio.AbstractEventLoop | None = None
        self._opened: _Opened = weakref.WeakKeyDictionary()
        self._blocks: dict[str, Block] = {}
        self._shown: dict[str, SymbolData] = {}

    async def prefetch(
        self, symbols: str | Iterable[str], start: Moment, end: Moment, *, progress: Told | None = None
    ) -> None:
        """Fetch the bars that start in a span: closed left, open right. One symbol may be given as a string.

        progress: told how many symbols are done, and of how many; without it a bar is shown on a terminal
                  for what takes over two seconds

        Raises FeedError; what had come until then stays. UsageError if the data belong to another loop.
        """
        names = _names(symbols)
        data = self._data_here()
        start_ns, end_ns = self._span(names, moment_ns(start), moment_ns(end))
        parts = [names[i : i + SYMBOLS_A_QUESTION] for i in range(0, len(names), SYMBOLS_A_QUESTION)]
        done = 0
        with _telling(progress, len(names)) as told:

            async def fetch(part: list[str]) -> None:
                nonlocal done
                await self._fetch(data, part, start_ns, end_ns)
                done += len(part)
                told(done, len(names))

            await SideBySide(self._questions).each(parts, fetch)

    def load(
        self, symbols: str | Iterable[str], start: Moment, end: Moment, *, progress: Told | None = None
    ) -> None:
        """Fetch as prefetch does, and wait for it: for notebooks (where a loop runs already) and scripts.

        It works in a thread and a loop of the loader's own. In a strategy or a scanner everybody would wait:
        use prefetch there.

        Raises FeedError; UsageError if the loader's one DataAPI was used in another loop before.
        """
        self._own_loop.run(self.prefetch(symbols, start, end, progress=progress))

    def __getitem__(self, symbol: str) -> SymbolData:
        """Return a symbol's bars as far as they are known now. Raises DataMissing if it was not fetched."""
        symbol = normal_symbol(symbol)
        block = self._blocks.get(symbol)
        if block is None:
            raise DataMissing(
                f"{symbol} was not fetched",
                where="DataLoader",
                mend=f"First: await loader.prefetch([{symbol!r}], start, end), or loader.load(...).",
            )
        known = self._known(block)
        shown = self._shown.get(symbol)
        if shown is None or len(shown) != known:
            shown = self._shown[symbol] = SymbolData(symbol, block[:known], int(self._scale))
        return shown

    def __contains__(self, symbol: str) -> bool:
        return normal_symbol(symbol) in self._blocks

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._blocks))

    def __len__(self) -> int:
        return len(self._blocks)

    @property
    def df(self) -> pd.DataFrame:
        """All symbols in one data frame, indexed by symbol and start: a copy, unlike `loader[symbol].df`."""
        import pandas as pd

        frames = {symbol: self[symbol].df for symbol in self}
        if not frames:
            frames = {"": SymbolData("", EMPTY, int(self._scale)).df}
        return pd.concat(frames, names=["symbol"])

    def close(self) -> None:
        """End the thread of load, if there is one, and let go what it opened. May be called twice."""
        if "_own_loop" in self.__dict__:
            _let_go(self.__dict__.pop("_own_loop"), self._opened)

    async def aclose(self) -> None:
        """Let go what was opened for this loop. A DataAPI that was given belongs to who made it."""
        await _close_here(self._opened)

    @cached_property
    def _own_loop(self) -> OwnLoop:
        own = OwnLoop("DataLoader.load")
        weakref.finalize(self, _let_go, own, self._opened)  # a notebook seldom closes: done at its end, too
        return own

    def _data_here(self) -> DataAPI:
        loop = asyncio.get_running_loop()
        if not isinstance(self._data, DataAPI):
            if loop not in self._opened:
                self._opened[loop] = self._data()
            return self._opened[loop]
        # Connections live in one loop; that of a script's earlier asyncio.run is gone, and with it they.
        if self._home is not None and self._home is not loop and not self._home.is_closed():
            raise UsageError(
                "its data were first used in another event loop",
                where="DataLoader",
                mend="Keep to prefetch or to load, or make the loader with a function that opens the data.",
            )
        self._home = loop
        return self._data

    def _span(self, names: Sequence[str], start_ns: int, end_ns: int) -> tuple[int, int]:
        if self._adjustment is Adjustment.RAW:
            return start_ns, end_ns
        known = [block.t_ns for name in names if len(block := self._blocks.get(name, EMPTY))]
        starts, ends = [int(t_ns[0]) for t_ns in known], [int(t_ns[-1]) + 1 for t_ns in known]
        return min([start_ns, *starts]), max([end_ns, *ends])

    async def _fetch(self, data: DataAPI, names: list[str], start_ns: int, end_ns: int) -> None:
        span = int(self._scale)
        # The port counts by a bar's end, this span by its start: the last bar may end after `end`.
        fetched = await data.bars(
            names, start_ns, end_ns + span - 1, span_ns=span, adjustment=self._adjustment
        )
        raw = self._adjustment is Adjustment.RAW
        for name in names:
            new = block_of(fetched.get(name, ()))
            self._blocks[name] = joined(self._blocks.get(name, EMPTY), new) if raw else new
            self._shown.pop(name, None)

    def _known(self, block: Block) -> int:
        if self._clock is None:
            return len(block)
        return int(np.searchsorted(block.t_ns, self._clock.now_ns() - int(self._scale), side="right"))

    def __repr__(self) -> str:
        return f"<DataLoader of {len(self)} symbols, {self._scale.name.lower()} bars>"


async def _close_here(opened: _Opened) -> None:
    if (data := opened.pop(asyncio.get_running_loop(), None)) is not None:
        await data.close()


def _let_go(own: OwnLoop, opened: _Opened) -> None:
    if not own.closed:
        own.run(_close_here(opened))
        own.close()


def _names(symbols: str | Iterable[str]) -> list[str]:
    given = [symbols] if isinstance(symbols, str) else symbols
    return normal_symbols(given)


def _telling(progress: Told | None, total: int) -> AbstractContextManager[Told]:
    return progress_bar("bars", total) if progress is None else nullcontext(progress)
