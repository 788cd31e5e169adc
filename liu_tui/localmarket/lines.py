"""Faults of connections: cut, slow, refused; and of the clock that their clients are told."""

from typing import Protocol

import msgspec

from liu_tui.localmarket.faults import Fault
from liu_tui.localmarket.marketclock import MarketClock
from liu_tui.localmarket.trickle import Pace
from liu_tui.model.market import SECOND_NS
from liu_tui.plan.faultkinds import AT_LOGIN, AT_SUBSCRIPTION, WHILE_CONNECTED
from liu_tui.plan.schema import FaultKind

KINDS = (FaultKind.DROP, FaultKind.REFUSE, FaultKind.SLOW)


class Refusals(msgspec.Struct):
    """Who is to be refused now; every data client asks before it lets somebody in."""

    active: list[Fault] = []

    def at_login(self) -> int:
        """The code to refuse a login with, 0 to let it in: 402, 404 or 406."""
        return self._code(AT_LOGIN)

    def at_subscription(self) -> int:
        """The code to refuse a subscription with, 0 to take it: 405."""
        return self._code(AT_SUBSCRIPTION)

    def _code(self, codes: tuple[int, ...]) -> int:
        for fault in self.active:
            if fault.table.code in codes and fault.hit():
                return fault.table.code
        return 0


class DataLines(Protocol):
    """All open connections of market data."""

    pace: Pace

    def drop_data(self) -> int:
        """Cut each without a word; return how many there were."""

    def cut_off_data(self) -> int:
        """Tell each that it is too slow, and hang up; return how many there were."""


class Lines:
    """The faults of connections of one market."""

    def __init__(self, lines: DataLines, refusals: Refusals) -> None:
        self._lines, self._refusals = lines, refusals

    def begin(self, fault: Fault, _: int) -> None:
        """Cut or slow the lines, or refuse whoever asks."""
        if fault.table.kind is FaultKind.DROP:
            fault.hits += self._lines.drop_data()
        elif fault.table.kind is FaultKind.SLOW:
            self._lines.pace.slowing.append(fault.hit)
        elif fault.table.code in WHILE_CONNECTED:
            fault.hits += self._lines.cut_off_data()
        else:
            self._refusals.active.append(fault)

    def end(self, fault: Fault, _: int) -> None:
        """Let them be; what waits on a slow line goes out at once."""
        if fault.table.kind is FaultKind.SLOW:
            self._lines.pace.slowing.remove(fault.hit)
        elif fault in self._refusals.active:
            self._refusals.active.remove(fault)


class Skew:
    """The fault of the clock: it is told wrong, and runs right."""

    def __init__(self, clock: MarketClock) -> None:
        self._clock = clock

    def begin(self, fault: Fault, _: int) -> None:
        """Tell so much more than it is."""
        fault.hits += 1
        self._clock.skew(int(fault.table.seconds * SECOND_NS))

    def end(self, fault: Fault, _: int) -> None:
        """Tell the time again."""
        self._clock.skew(-int(fault.table.seconds * SECOND_NS))
