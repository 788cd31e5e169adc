"""Holds the strongest names of a collection, in equal parts, and sells what falls behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar

from liu_tui import Action, Buy, Context, PositionView, Sell, Series, Strategy


class RelativeStrength(Strategy):
    """A run_all strategy: every few minutes it sees the whole collection at once.

    Ranking: the return over the last `window` minutes, divided by the mean range of a minute, so that a quiet
             climb counts as much as a wild one.
    Buys:    what is among the first `top`, rose, and is not held, for `budget / top` dollars each; the stop
             rests at the broker.
    Sells:   what is no longer among the first `keep`. The gap between the two saves turnover.
    """

    every: ClassVar[float | None] = 5.0
    lookback: ClassVar[int] = 31

    window: int = 30  # minutes
    top: int = 5
    keep: int = 10
    budget: float = 50_000.0  # dollars for all positions together
    stop_pct: float = 1.5  # of the price, below the entry
    stale_minutes: float = 5.0  # a name without a bar for so long is not ranked

    async def run_all(
        self, now: datetime, series: Mapping[str, Series], positions: Mapping[str, PositionView], ctx: Context
    ) -> Iterable[Action]:
        """Rank, sell what fell behind, then buy what leads."""
        scores = {
            symbol: self._score(bars)
            for symbol, bars in series.items()
            if (ctx.now_ns - bars.t_ns[-1]) / 60e9 <= self.stale_minutes + 1
        }
        # Equal scores go by name: two runs of one day must rank alike.
        ranked = sorted(scores, key=lambda symbol: (-scores[symbol], symbol))
        place = {symbol: at for at, symbol in enumerate(ranked, 1)}
        sells = [
            Sell(symbol=symbol, reason=f"fell to place {place.get(symbol, len(ranked) + 1)}")
            for symbol, held in positions.items()
            if held.qty > 0 and place.get(symbol, self.keep + 1) > self.keep
        ]
        room = self.top - sum(1 for held in positions.values() if not held.flat) + len(sells)
        wanted = [s for s in ranked[: self.top] if positions[s].flat and scores[s] > 0]
        buys = [self._buy(s, series[s].price, scores[s], place[s], ctx) for s in wanted[: max(room, 0)]]
        return [*sells, *(buy for buy in buys if buy is not None)]

    def _score(self, bars: Series) -> float:
        span = slice(-self.window, None)
        ranges = float((bars.high[span] - bars.low[span]).mean())
        rise = float(bars.close[-1] - bars.close[-self.window - 1 :][0])
        return rise / ranges if ranges > 0 else 0.0

    def _buy(self, symbol: str, price: float, score: float, place: int, ctx: Context) -> Buy | None:
        qty = ctx.shares_for_value(price, self.budget / self.top)
        if qty <= 0:
            return None
        return Buy(
            symbol=symbol,
            qty=qty,
            stop=round(price * (1 - self.stop_pct / 100), 2),
            reason=f"place {place}, {score:+.1f} ranges in {self.window} minutes",
            indicators={"score": round(score, 3), "place": place},
        )
