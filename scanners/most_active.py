"""Picks the names with the most shares traded today."""

from __future__ import annotations

from collections.abc import Iterable

from liu_tui import Hit, MarketView, Scanner


class MostActive(Scanner):
    """The most active first. Values: volume in shares, price in dollars."""

    top: int = 20
    min_price: float = 5.0  # dollars; cheap names trade many shares and little money

    async def run(self, market: MarketView) -> Iterable[str | Hit]:
        """Ask for more than `top`, because some will be too cheap."""
        active = await market.most_active(self.top * 3)
        snapshots = await market.snapshots([symbol for symbol, _ in active])
        hits = [
            Hit(symbol, {"volume": volume, "price": snapshots[symbol].price})
            for symbol, volume in active
            if volume > 0 and symbol in snapshots and snapshots[symbol].price >= self.min_price
        ]
        return hits[: self.top]
