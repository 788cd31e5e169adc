"""What a plan or the command line plays: recorded or simulated days."""

from __future__ import annotations

from pathlib import Path

import msgspec

from liu_tui.errors import UsageError
from liu_tui.market.calendar import session_of
from liu_tui.market.source import Source
from liu_tui.market.sources import SIMULATED, open_source
from liu_tui.model.clock import wall_ns
from liu_tui.plan.schema import MarketTable, TradePlan


def open_history(plan: TradePlan, root: Path, data: Path | None, day: str = "") -> Source:
    """Open the data that are named, else the plan's own source.

    root: the workspace, which the plan's source is relative to; `data` is relative to where we are
    day:  which day of the simulation; the plan's, or the present session, if empty

    Raises UsageError if there are none, FeedError if they cannot be read.
    """
    market = plan.market
    if data is not None:
        if not data.expanduser().exists():
            raise UsageError(f"no such file or folder: {data}", where="--data", mend="Check the path.")
        market = msgspec.structs.replace(market or MarketTable(), source=str(data), date="")
        root = Path.cwd()
    if market is None:
        mend = "Give --data PATH: a file or a folder of recorded bars."
        raise UsageError("the plan trades at Alpaca and names no recorded data", where="[market]", mend=mend)
    if market.source == SIMULATED and data is None:
        day = day or market.date or session_of(wall_ns()).day
    else:
        day = ""  # which of the recorded days are played is chosen from those there are
    return open_source(market.source, base=root, symbols=market.symbols, seed=market.seed, day=day)
