"""Keeps daily bars of the names worth knowing, so that they need not be asked for on the day."""

from __future__ import annotations

from liu_tui.market.lookback import daily_start
from liu_tui.miner import Miner, MineSite
from liu_tui.model.market import DAY_NS, normal_symbols


class DailyOHLC(Miner):
    """Stores the last finished daily bars of `symbols`, or of the `top` most active names, in stock_ohlc."""

    symbols: tuple[str, ...] = ()
    top: int = 100
    days: int = 60  # sessions

    async def run(self, site: MineSite) -> int:
        """Ask for all of them at once; what is there already is replaced."""
        names = normal_symbols(self.symbols)
        if not names:
            names = [symbol for symbol, _ in await site.data.most_active(self.top)]
        now = site.clock.now_ns()
        found = await site.data.bars(names, daily_start(now, self.days), now, span_ns=DAY_NS)
        bare = [name for name in names if not found.get(name)]
        if bare:
            site.log(f"no daily bars of {', '.join(bare)}")
        if names and len(bare) == len(names):
            raise LookupError(f"no daily bars of any of {len(names)} names")
        return await site.save_daily(bar for bars in found.values() for bar in bars[-self.days :])
