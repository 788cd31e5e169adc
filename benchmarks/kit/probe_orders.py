"""The strategy of the order benchmark: buys and sells in turn, and notes when it returned.

Loaded by the consumers as a user's file. Each line of its file is `SYMBOL EVENT_NS RETURNED_NS`: the event's
time is part of the order's name, so that what arrives at the broker can be matched to it.
"""

import os
from datetime import datetime
from pathlib import Path
from time import monotonic_ns
from typing import ClassVar
from zlib import crc32

from liu_tui import Buy, Context, PositionView, Sell, Series, Strategy


class Turns(Strategy):
    """Acts on one of `share` events of a symbol."""

    events: ClassVar[set[str]] = {"trade"}
    folder: str = ""
    share: int = 400
    venue_ns: int = 0
    at_ns: int = 0
    speed: float = 1.0

    async def on_start(self, ctx: Context) -> None:
        """Open the file."""
        self._file = (Path(self.folder) / f"{os.getpid()}.orders").open("a", buffering=1)
        self._seen: dict[str, int] = {}

    async def run(
        self, symbol: str, now: datetime, bars: Series, position: PositionView, ctx: Context
    ) -> Buy | Sell | None:
        """Buy one share, or sell it."""
        # Symbols act at moments of their own, as they would.
        seen = self._seen[symbol] = self._seen.get(symbol, crc32(symbol.encode()) % self.share) + 1
        if seen % self.share or position.pending or ctx.event is None:
            return None
        said = Sell() if position.qty else Buy(qty=1)
        self._file.write(f"{symbol} {ctx.event.t_ns} {monotonic_ns()}\n")
        return said
