"""Picks stocks that opened well above yesterday's close."""

from __future__ import annotations

from collections.abc import Iterable

from liu_tui import Hit, MarketView, Scanner


class Gappers(Scanner):
    """The biggest gap first. Values, shown on the console: gap in percent, volume in shares."""

    min_gap: float = 2.0  # percent
    min_price: float = 5.0  # dollars
    top: int = 20

    async def run(self, market: MarketView) -> Iterable[str | Hit]:
        """Look at every tradable name."""
        hits = []
        for symbol, snapshot in (await market.snapshots()).items():
            today, yesterday = snapshot.daily_bar, snapshot.previous_daily_bar
            if today is None or yesterday is None or snapshot.price < self.min_price:
                continue
            gap = 100 * (today.open / yesterday.close - 1)
            if gap >= self.min_gap:
                hits.append(Hit(symbol, {"gap": round(gap, 2), "volume": today.volume}))
        return sorted(hits, key=lambda hit: (-hit.values["gap"], hit.symbol))[: self.top]
