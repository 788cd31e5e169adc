"""A vendor of bars for tests: it knows what it is given, tells no more than its clock allows, and counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from liu_tui.errors import FeedError
from liu_tui.market.history import DataAPI
from liu_tui.model.clock import Anchor, SessionHours, monotonic_ns
from liu_tui.model.market import MINUTE_NS, Adjustment, Asset, Bar, CorporateAction, Snapshot
from tests.kit.market import at

Asked = tuple[tuple[str, ...], int, int, int, Adjustment]
"""(symbols, start, end, span, adjustment) of one question."""


class Vendor(DataAPI):
    """bars: all it knows; now_ns: its present; fault: raised instead of every answer while it is set."""

    def __init__(self, bars: Iterable[Bar] = (), *, now: str = "2024-09-03 12:00") -> None:
        self.known = list(bars)
        self.now_ns = at(now)
        self.asked: list[Asked] = []
        self.fault: FeedError | None = None
        self.closed = 0

    async def bars(
        self,
        symbols: Iterable[str],
        start_ns: int,
        end_ns: int,
        *,
        span_ns: int = MINUTE_NS,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> dict[str, list[Bar]]:
        names = list(symbols)
        if self.fault is not None:
            raise self.fault
        self.asked.append((tuple(sorted(names)), start_ns, end_ns, span_ns, adjustment))
        end_ns = min(end_ns, self.now_ns)
        mine = [
            bar
            for bar in sorted(self.known, key=lambda bar: bar.t_ns)
            if bar.span_ns == span_ns and bar.t_ns >= start_ns and bar.end_ns <= end_ns
        ]
        return {name: [bar for bar in mine if bar.symbol == name] for name in names}

    async def snapshots(self, symbols: Iterable[str]) -> dict[str, Snapshot]:
        return {symbol: Snapshot(symbol=symbol) for symbol in symbols}

    async def most_active(self, top: int = 50) -> list[tuple[str, float]]:
        return [("AAPL", 1.0)][:top]

    async def movers(self, top: int = 20) -> list[tuple[str, float]]:
        return [("AAPL", 2.0)][:top]

    async def assets(self) -> list[Asset]:
        return [Asset(symbol="AAPL")]

    async def hours(self) -> SessionHours:
        return SessionHours("2024-09-03", 0, 0, 0, 0)

    async def anchor(self) -> Anchor:
        return Anchor(self.now_ns, monotonic_ns(), paused=True)

    async def close(self) -> None:
        self.closed += 1


class ActiveVendor(Vendor):
    """A Vendor that tells corporate actions, too."""

    def __init__(
        self,
        bars: Iterable[Bar] = (),
        actions: Iterable[CorporateAction] = (),
        *,
        now: str = "2024-09-03 12:00",
    ) -> None:
        super().__init__(bars, now=now)
        self.actions = list(actions)
        self.asked_actions: list[tuple[tuple[str, ...], date, date]] = []
        self.actions_fault: FeedError | None = None

    async def corporate_actions(
        self, symbols: Iterable[str], start: date, end: date
    ) -> list[CorporateAction]:
        names = set(symbols)
        if self.actions_fault is not None:
            raise self.actions_fault
        self.asked_actions.append((tuple(sorted(names)), start, end))
        return [
            action
            for action in self.actions
            if {action.symbol, action.new_symbol} & names
            and start.isoformat() <= action.day <= end.isoformat()
        ]
