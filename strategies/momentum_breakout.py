"""Buys a stock that breaks above the range it opened in, on more volume than usual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

import numpy as np

from liu_tui import Action, Buy, Cancel, Context, Fill, PositionView, Sell, Series, Strategy


class MomentumBreakout(Strategy):
    """Long only. One bracket a trade: the stop and the target rest at the broker.

    Entry: a minute closes above the opening range and above the last `recent` highs, over the day's VWAP, on
           `volume_ratio` times the usual volume.
    Exit:  the stop, the target, a close too far below the best one since the entry, or `hold_minutes`.
    """

    events: ClassVar[set[str]] = {"minute"}
    lookback: ClassVar[int] = 21
    initial_state: ClassVar[Mapping[str, Any]] = {"entered_ns": 0, "best": 0.0, "trades": 0}

    range_minutes: int = 5  # the opening range: no entry before it is complete
    recent: int = 20  # bars whose high must be broken too
    volume_ratio: float = 1.5  # of the bar, against the mean of the `recent` bars before it
    stop_atr: float = 2.0  # distance of the stop, in average minute ranges
    trail_atr: float = 3.0  # distance of the trailing exit, likewise
    min_stop_pct: float = 0.25  # neither is nearer than this, percent of the price
    reward: float = 2.0  # distance of the target, in distances of the stop
    hold_minutes: float = 45.0
    max_trades: int = 2  # a symbol and day
    max_value: float = 10_000.0  # dollars a position

    async def run(
        self, symbol: str, now: datetime, bars: Series, position: PositionView, ctx: Context
    ) -> Action | Iterable[Action] | None:
        """Answer one closed minute."""
        if position.pending:
            return Cancel(reason="the break ran away from the limit")
        atr = float((bars.high[-15:] - bars.low[-15:]).mean())
        if position.qty > 0:
            return self._leave(bars.close[-1], atr, ctx)
        if ctx.minutes_since_open < self.range_minutes or ctx.state["trades"] >= self.max_trades:
            return None
        return self._enter(bars, atr, ctx)

    async def on_fill(self, fill: Fill, ctx: Context) -> None:
        """Remember when the trade began: a restart must not forget it."""
        if fill.qty > 0 and fill.position == fill.qty:
            ctx.state.update(entered_ns=fill.t_ns, best=fill.price, trades=ctx.state["trades"] + 1)

    def _enter(self, bars: Series, atr: float, ctx: Context) -> Buy | None:
        price = bars.close[-1]
        opening = bars.high[bars.session_slice()][: self.range_minutes]
        level = float(max(np.max(opening, initial=0.0), bars.high[-self.recent - 1 : -1].max()))
        usual = float(bars.volume[-self.recent - 1 : -1].mean())
        if price <= level or price < bars.session_vwap or bars.volume[-1] < self.volume_ratio * usual:
            return None
        risk = max(self.stop_atr * atr, price * self.min_stop_pct / 100)
        stop, target = round(price - risk, 2), round(price + self.reward * risk, 2)
        qty = min(ctx.shares_for_risk(price, stop), ctx.shares_for_value(price, self.max_value))
        if qty <= 0:
            return None
        return Buy(
            qty=qty,
            limit=round(price * 1.0005, 2),
            stop=stop,
            target=target,
            reason=f"broke {level:.2f}",
            indicators={
                "level": round(level, 4),
                "atr": round(atr, 4),
                "volume_ratio": round(bars.volume[-1] / usual, 2) if usual else 0.0,
                "vwap": round(bars.session_vwap, 4),
            },
        )

    def _leave(self, price: float, atr: float, ctx: Context) -> Sell | None:
        best = ctx.state["best"] = max(ctx.state["best"], price)
        minutes = (ctx.now_ns - ctx.state["entered_ns"]) / 60e9
        indicators = {"best": best, "minutes": round(minutes, 1), "atr": round(atr, 4)}
        if price < best - max(self.trail_atr * atr, best * self.min_stop_pct / 100):
            return Sell(reason=f"fell back from {best:.2f}", indicators=indicators)
        if minutes >= self.hold_minutes:
            return Sell(reason=f"held {self.hold_minutes:.0f} minutes", indicators=indicators)
        return None
