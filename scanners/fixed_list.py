"""Picks the names that the plan lists."""

from __future__ import annotations

from collections.abc import Iterable

from liu_tui import Hit, MarketView, Scanner
from liu_tui.model.market import normal_symbols


class FixedList(Scanner):
    """The plan's own order. Names that cannot be traded are left out."""

    symbols: tuple[str, ...] = ()

    async def run(self, market: MarketView) -> Iterable[str | Hit]:
        """Keep what the broker lists."""
        tradable = {asset.symbol for asset in await market.assets()}
        return [symbol for symbol in normal_symbols(self.symbols) if symbol in tradable]
