"""The played day's data as the local market serves them: the same answers, without the wire."""

from __future__ import annotations

from liu_tui.market.tapedata import TapeData

MOST_ACTIVE = 100
MOST_MOVERS = 50


class PlayedData(TapeData):
    """TapeData with the screeners' bounds and roundings. Source: Alpaca's screener endpoints."""

    async def most_active(self, top: int = 50) -> list[tuple[str, float]]:
        """Return (symbol, shares traded today), most first; 100 at most."""
        rows = await super().most_active(max(1, min(top, MOST_ACTIVE)))
        return [(symbol, float(int(shares))) for symbol, shares in rows]

    async def movers(self, top: int = 20) -> list[tuple[str, float]]:
        """Return (symbol, percent against yesterday's close, two places); 50 gainers and losers at most."""
        rows = await super().movers(max(1, min(top, MOST_MOVERS)))
        return [(symbol, round(percent, 2)) for symbol, percent in rows]
