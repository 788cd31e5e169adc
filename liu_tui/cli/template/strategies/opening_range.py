"""Buys the break of the first minutes' high."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from liu_tui import Action, Buy, Context, Fill, PositionView, Series, Strategy


class OpeningRange(Strategy):
    """One trade a symbol and day: stop at the range's low, target at `reward` times that distance.

    Both rest at the broker, so there is nothing to do here once the position is open.
    """

    events: ClassVar[set[str]] = {"minute"}  # what run() is called for
    lookback: ClassVar[int] = 1  # minute bars that must be there
    initial_state: ClassVar[Mapping[str, Any]] = {"traded": False}  # survives a restart and a reload

    range_minutes: int = 15
    reward: float = 2.0

    async def run(
        self, symbol: str, now: datetime, bars: Series, position: PositionView, ctx: Context
    ) -> Action | None:
        """Answer one closed minute of one symbol."""
        if not position.flat or ctx.state["traded"] or ctx.minutes_since_open <= self.range_minutes:
            return None
        today = bars.session_slice()
        high = float(bars.high[today][: self.range_minutes].max())
        low = float(bars.low[today][: self.range_minutes].min())
        price = float(bars.close[-1])
        qty = ctx.shares_for_risk(price, low)
        if not low < high < price or qty == 0:
            return None
        return Buy(
            qty=qty,
            limit=round(price * 1.001, 2),
            stop=round(low, 2),
            target=round(price + self.reward * (price - low), 2),
            reason=f"above the range {low:.2f} to {high:.2f}",
        )

    async def on_fill(self, fill: Fill, ctx: Context) -> None:
        """Remember the trade."""
        ctx.state["traded"] = True
