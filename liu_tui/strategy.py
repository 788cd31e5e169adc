"""The class a strategy file extends, and what the house hands to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from liu_tui.model.market import Event

if TYPE_CHECKING:
    from liu_tui.market.series import Series
    from liu_tui.model.actions import Action
    from liu_tui.model.market import MarketEvent
    from liu_tui.model.orders import Fill, OrderNews

State = dict[str, Any]
"""Declared state: JSON values (numbers, strings, booleans, lists, dicts), nothing else."""


class StrategyType(StrEnum):
    """What happens to its positions at the end of the day."""

    DAY_TRADE = "day_trade"  # liquidated before the close
    SWING = "swing"  # kept


class PositionView(msgspec.Struct, frozen=True, gc=False):
    """What this strategy holds in this symbol, with what is on its way.

    qty:       signed shares, negative if short
    pending:   signed shares of entries asked for and not yet answered or filled
    avg_price: dollars, 0 when flat
    stop, target: dollars, of the entry or as a Protect moved them, None where none was given
    """

    qty: float = 0.0
    pending: float = 0.0
    avg_price: float = 0.0
    stop: float | None = None
    target: float | None = None

    @property
    def flat(self) -> bool:
        """Nothing held and nothing on its way."""
        return not self.qty and not self.pending


class Context(Protocol):
    """What a strategy may ask of the house during a call. Nothing here waits for the network."""

    now_ns: int
    event: MarketEvent | None
    """What the call is for; None in run_all, on_start and on_stop."""
    risk: float
    """Fraction of portfolio_value that one trade may lose (the plan's `risk`)."""
    state: State
    """Declared state: of this symbol in run, of the strategy in run_all. Survives a restart and a reload."""

    @property
    def minutes_since_open(self) -> float:
        """Minutes of the session that are over; negative before the open."""

    @property
    def minutes_to_close(self) -> float:
        """Minutes of the session that are left; negative after the close."""

    @property
    def portfolio_value(self) -> float:
        """Dollars: what the strategy's portfolio is worth now, else the plan's portfolio_value."""

    def shares_for_risk(self, price: float, stop: float, *, risk_pct: float | None = None) -> int:
        """Size a trade: whole shares that lose `risk` of the portfolio (or risk_pct percent) at the stop.

        With a portfolio_id, never more than the free money of the portfolio buys.
        """

    def calc_qty(self, price: float, *, fraction: float = 1.0, fee_percent: float = 0.0) -> int:
        """Whole shares that the free money buys, or a fraction of it (0-1), fees of fee_percent on top."""

    def shares_for_value(self, price: float, dollars: float) -> int:
        """Whole shares worth at most `dollars`."""

    def log(self, words: str) -> None:
        """Say something in the session's log, under the strategy's name and symbol."""

    def get(self, key: str, default: str | None = None) -> str | None:
        """Read the key/value store that lasts across sessions (one name space per strategy)."""

    def set(self, key: str, value: str) -> None:
        """Write the key/value store; stored within a second, and at the session's end."""


class Strategy:
    """Decide what to do with one symbol at a time (run), or with a collection on a timer (run_all).

    The house owns positions and orders. It calls run() only inside the `schedule` windows or while a position
    or order exists, for a rejected symbol only while it is held, and never twice at once.

    Keep in `ctx.state` what must survive a restart or a reload; keep in self only what may be forgotten.
    Never sleep and never open a socket here: every other symbol of this consumer waits while you run. Declare
    run or run_all, not both.

    Annotated class attributes with a default (`risk_pct: float = 0.5`) are parameters: a plan key of the same
    name lands there, checked against the type.
    """

    events: ClassVar[set[str]] = {"minute"}
    """What run() is called for: any of trade, quote, second, minute."""
    lookback: ClassVar[int] = 0
    """Minute bars that must be there before the first call, across days if need be."""
    lookback_days: ClassVar[int] = 0
    """Daily bars kept as `bars.daily`."""
    type: ClassVar[StrategyType] = StrategyType.DAY_TRADE
    every: ClassVar[float | None] = None
    """run_all: minutes of session time between two calls; None for a strategy with run()."""
    initial_state: ClassVar[Mapping[str, Any]] = {}
    """Declared state: the keys of ctx.state and their first values."""

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def declaration_faults(cls) -> list[tuple[str, str]]:
        """Say what is wrong with the class's declaration: (what, mend). Asked when the class is loaded."""
        faults = []
        by_event, by_timer = cls.run is not Strategy.run, cls.run_all is not Strategy.run_all
        if by_event == by_timer:
            which = "both run() and run_all()" if by_event else "neither run() nor run_all()"
            faults.append((f"it defines {which}", "Define one of them."))
        if by_timer and not (cls.every and cls.every > 0):
            what = f"run_all() needs `every`, which was {cls.every!r}"
            faults.append((what, "Write every = 5.0 for five minutes."))
        unknown = sorted(set(cls.events) - set(Event))
        faults += [(f"unknown event {name!r}", f"Choose from {', '.join(Event)}.") for name in unknown]
        return faults

    async def run(
        self, symbol: str, now: datetime, bars: Series, position: PositionView, ctx: Context
    ) -> Action | Iterable[Action] | None:
        """Answer one event of one symbol.

        now:  the venue's time, in New York
        bars: closed minute bars as columns, oldest first; bars.price is the last price
        """
        raise NotImplementedError(f"{type(self).__name__} must define run() or run_all()")

    async def run_all(
        self, now: datetime, series: Mapping[str, Series], positions: Mapping[str, PositionView], ctx: Context
    ) -> Iterable[Action]:
        """Answer the timer for the whole collection. Each action must name its symbol.

        series:    symbol -> closed minute bars, for every symbol of the collection, sorted by symbol
        positions: symbol -> PositionView, for the same symbols
        """
        raise NotImplementedError(f"{type(self).__name__} must define run() or run_all()")

    async def on_start(self, ctx: Context) -> None:
        """Once per session and process, before the first call; again after a restart or a reload."""

    async def on_stop(self, ctx: Context) -> None:
        """Once, when the session ends in order."""

    async def on_fill(self, fill: Fill, ctx: Context) -> None:
        """Hear of your own fill, once, after it is in the books. The next run() sees the position."""

    async def on_order(self, news: OrderNews, ctx: Context) -> None:
        """Hear that one of your orders changed its state, or was refused (news.code, news.words)."""
