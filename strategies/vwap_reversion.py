"""Fades moves away from the session's volume-weighted average price, in both directions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from liu_tui import Action, Buy, Cancel, Context, Cover, Fill, PositionView, Sell, Series, Short, Strategy
from liu_tui.fincalcs.vwap import typical_price, vwap_deviation


class VwapReversion(Strategy):
    """Long below the band, short above it. The stop lies beyond the entry, the target at the VWAP.

    Entry: a minute closes more than `entry_sd` deviations away from the VWAP and has begun to turn back.
    Exit:  the stop, the target, a close on the other side of the VWAP as it is by then, or `hold_minutes`.
    """

    events: ClassVar[set[str]] = {"minute"}
    lookback: ClassVar[int] = 10
    initial_state: ClassVar[Mapping[str, Any]] = {"entered_ns": 0, "asked_ns": 0}

    first_minutes: int = 5  # bars of the session before the bands mean anything
    entry_sd: float = 2.25  # distance from the VWAP, in its volume-weighted deviations
    min_edge_pct: float = 0.2  # and at least so far, percent of the price: the way back must pay
    stop_frac: float = 0.75  # distance of the stop beyond the entry, as a fraction of the way to the VWAP
    hold_minutes: float = 60.0
    pause_minutes: float = 10.0  # between two entries in a symbol
    max_value: float = 10_000.0  # dollars a position
    shorts: bool = True

    async def run(
        self, symbol: str, now: datetime, bars: Series, position: PositionView, ctx: Context
    ) -> Action | Iterable[Action] | None:
        """Answer one closed minute."""
        if position.pending:
            return Cancel(reason="the turn ran away from the limit")
        if position.qty:
            return self._leave(bars, position, ctx)
        since = (ctx.now_ns - ctx.state["asked_ns"]) / 60e9
        return self._enter(bars, ctx) if since >= self.pause_minutes else None

    async def on_fill(self, fill: Fill, ctx: Context) -> None:
        """Remember when the trade began: a restart must not forget it."""
        if fill.position == fill.qty:
            ctx.state["entered_ns"] = fill.t_ns

    def _enter(self, bars: Series, ctx: Context) -> Buy | Short | None:
        today = bars.session_slice()
        if today.stop - today.start < self.first_minutes:
            return None
        price, before, vwap = bars.close[-1], bars.close[-2], bars.session_vwap
        typical = typical_price(bars.high[today], bars.low[today], bars.close[today])
        deviation = float(vwap_deviation(typical, bars.volume[today])[-1])
        away = price - vwap
        far = abs(away) > max(self.entry_sd * deviation, price * self.min_edge_pct / 100)
        turning = price > before if away < 0 else price < before
        if not (far and turning) or (away > 0 and not self.shorts):
            return None
        stop, target = round(price + self.stop_frac * away, 2), round(vwap, 2)
        qty = min(ctx.shares_for_risk(price, stop), ctx.shares_for_value(price, self.max_value))
        if qty <= 0:
            return None
        ctx.state["asked_ns"] = ctx.now_ns
        side = Buy if away < 0 else Short
        return side(
            qty=qty,
            limit=round(price * (1.0005 if away < 0 else 0.9995), 2),
            stop=stop,
            target=target,
            reason=f"{abs(away) / deviation:.1f} deviations {'below' if away < 0 else 'above'} VWAP",
            indicators={"vwap": round(vwap, 4), "deviation": round(deviation, 4), "away": round(away, 4)},
        )

    def _leave(self, bars: Series, position: PositionView, ctx: Context) -> Sell | Cover | None:
        price, vwap = bars.close[-1], bars.session_vwap
        minutes = (ctx.now_ns - ctx.state["entered_ns"]) / 60e9
        if (price - vwap) * position.qty > 0:
            reason = "back at VWAP"
        elif minutes >= self.hold_minutes:
            reason = f"held {self.hold_minutes:.0f} minutes"
        else:
            return None
        side = Sell if position.qty > 0 else Cover
        return side(reason=reason, indicators={"vwap": round(vwap, 4), "minutes": round(minutes, 1)})
