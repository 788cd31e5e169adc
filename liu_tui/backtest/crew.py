"""The users' classes that a plan names, loaded and built for one day; and a scanner with its timetable."""

from __future__ import annotations

import traceback
from pathlib import Path

import msgspec

from liu_tui import userfiles
from liu_tui.backtest.record import Record
from liu_tui.errors import LiuError
from liu_tui.market.view import VenueView
from liu_tui.model.clock import SessionHours
from liu_tui.plan.schema import ScannerTable, TradePlan
from liu_tui.scanner import Hit, Scanner, check_events, hits_of
from liu_tui.strategy import Strategy, StrategyType
from liu_tui.trading.session import Slot
from liu_tui.trading.timetable import Timetable


class Crew(msgspec.Struct, frozen=True):
    """The strategies of a plan as they are called.

    lookback, lookback_days: the most that any of them declares
    """

    slots: tuple[Slot, ...]

    @property
    def lookback(self) -> int:
        """Minute bars to load for a symbol."""
        return max((slot.strategy.lookback for slot in self.slots), default=0)

    @property
    def lookback_days(self) -> int:
        """Daily bars to load for a symbol."""
        return max((slot.strategy.lookback_days for slot in self.slots), default=0)

    @property
    def events(self) -> dict[str, frozenset[str]]:
        """What each of them is called for."""
        return {slot.name: frozenset(slot.strategy.events) for slot in self.slots}

    @property
    def swing(self) -> frozenset[str]:
        """Those whose positions are kept over the close."""
        return frozenset(slot.name for slot in self.slots if slot.strategy.type is StrategyType.SWING)


def load_crew(plan: TradePlan, root: Path) -> Crew:
    """Load every strategy of the plan. Raises UserFileError: a backtest without one of them would mislead."""
    slots = []
    for name, table in plan.strategies.items():
        cls = userfiles.load(root / table.filename, name, Strategy)
        slots.append(Slot(name, userfiles.build(cls, name, table.params), table.schedule))
    return Crew(tuple(slots))


class Scout:
    """One scanner of the plan with its timetable."""

    def __init__(self, name: str, table: ScannerTable, root: Path, hours: SessionHours) -> None:
        cls = userfiles.load(root / table.filename, name, Scanner)
        scanner = userfiles.build(cls, name, table.params)
        check_events(scanner)
        self.name, self.target, self.events = name, table.target_strategy_name, frozenset(scanner.events)
        self._scanner, self._most = scanner, table.max_symbols
        self.timetable = Timetable(
            hours,
            recurrence=table.recurrence if table.recurrence is not None else scanner.recurrence,
            from_market_open=scanner.from_market_open,
        )

    async def look(self, view: VenueView, now_ns: int, record: Record) -> list[Hit]:
        """Take a turn. What the user's code raises is written down; it is called again at its next turn."""
        hits: list[Hit] = []
        try:
            hits = hits_of(await self._scanner.run(view), self._most)
        except Exception as e:  # noqa: BLE001 - user code may raise anything
            words = str(e) if isinstance(e, LiuError) else traceback.format_exception_only(e)[-1].strip()
            record.fault(words, source=self.name)
        self.timetable.ran(now_ns)
        record.scanned(self.name, self.target, now_ns, hits)
        return hits


def load_scouts(plan: TradePlan, root: Path, hours: SessionHours) -> list[Scout]:
    """Load every scanner of the plan, in its order. Raises UserFileError."""
    return [Scout(name, table, root, hours) for name, table in plan.scanners.items()]
