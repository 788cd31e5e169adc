"""Picks stocks that gapped up or have risen today, within bounds of price and volume."""

from __future__ import annotations

from collections.abc import Iterable

from liu_tui import Hit, MarketView, Scanner
from liu_tui.model.market import Snapshot

SESSION_MINUTES = 390


class Momentum(Scanner):
    """The strongest first. Values: gap, change in percent; rvol: volume against yesterday's by this hour."""

    min_last_dv: float = 500_000.0  # dollars traded yesterday, at least
    min_share_price: float = 2.0
    max_share_price: float = 500.0
    min_volume: float = 30_000.0  # shares traded today, at least
    today_change_percent: float = 2.0  # gap at the open or change since yesterday's close, at least

    async def run(self, market: MarketView) -> Iterable[str | Hit]:
        """Look at every tradable name."""
        elapsed = min(max(market.minutes_since_open, 1.0), SESSION_MINUTES) / SESSION_MINUTES
        hits = []
        for symbol, snapshot in (await market.snapshots()).items():
            values = self._values(snapshot, elapsed)
            if values is not None and max(values["gap"], values["change"]) >= self.today_change_percent:
                hits.append(Hit(symbol, values))
        return sorted(hits, key=lambda hit: (-max(hit.values["gap"], hit.values["change"]), hit.symbol))

    def _values(self, snapshot: Snapshot, elapsed: float) -> dict[str, float] | None:
        today, yesterday, price = snapshot.daily_bar, snapshot.previous_daily_bar, snapshot.price
        if today is None or yesterday is None or not yesterday.close > 0:
            return None
        if not self.min_share_price <= price <= self.max_share_price or today.volume < self.min_volume:
            return None
        if yesterday.volume * yesterday.close < self.min_last_dv:
            return None
        return {
            "gap": round(100 * (today.open / yesterday.close - 1), 2),
            "change": round(100 * (price / yesterday.close - 1), 2),
            "rvol": round(today.volume / (yesterday.volume * elapsed), 2),
        }
