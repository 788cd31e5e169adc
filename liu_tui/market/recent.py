"""What a symbol has printed lately, so that a print or bar which comes twice is known again."""

from typing import Final

from liu_tui.model.market import Bar, Trade

GENERATION: Final = 512
"""Moments of prints in one generation. Two are kept: a print is known again among the last 512 to 1,024."""

BARS: Final = 64
"""Starts of bars that are kept."""


class RecentTrades:
    """The last prints, by their moment: the same print has the same time, exchange and id.

    A print without an id (0) is the same as another if all its fields are.
    """

    __slots__ = ("_newer", "_older", "_older_twins", "_twins")

    def __init__(self) -> None:
        self._newer: dict[int, Trade] = {}
        self._older: dict[int, Trade] = {}
        self._twins: set[tuple[int, str, int] | Trade] = set()  # further prints of a moment
        self._older_twins: set[tuple[int, str, int] | Trade] = set()

    def add(self, trade: Trade) -> None:
        """Keep a print that is later than all before it: no other can be the same."""
        newer = self._newer
        newer[trade.t_ns] = trade
        if len(newer) >= GENERATION:
            self._turn()

    def again(self, trade: Trade) -> bool:
        """Say whether this print is known; keep it if it is not. It may be of any time."""
        t_ns = trade.t_ns
        first = self._newer.get(t_ns) or self._older.get(t_ns)
        if first is None:
            self.add(trade)
            return False
        key = _key(trade)
        if key == _key(first) or key in self._twins or key in self._older_twins:
            return True
        self._twins.add(key)
        if len(self._twins) >= GENERATION:
            self._turn()
        return False

    def _turn(self) -> None:
        self._older, self._newer = self._newer, {}
        self._older_twins, self._twins = self._twins, set()


class RecentBars:
    """The last bars of one length as they were told, each with its revisions.

    newest_ns: start of the newest, -1 before the first
    """

    __slots__ = ("_told", "newest_ns")

    def __init__(self) -> None:
        self._told: dict[int, tuple[Bar, ...]] = {}
        self.newest_ns = -1

    def again(self, bar: Bar) -> bool:
        """Say whether exactly this was told of this start before; keep it if not."""
        told = self._told.get(bar.t_ns, ())
        if bar in told:
            return True
        self._told[bar.t_ns] = (*told[-3:], bar)
        self.newest_ns = max(self.newest_ns, bar.t_ns)
        if len(self._told) > BARS:
            del self._told[min(self._told)]
        return False

    def before(self, t_ns: int) -> Bar | None:
        """Return the last bar that starts before this moment, as it was told last."""
        start_ns = max((start for start in self._told if start < t_ns), default=-1)
        return self._told[start_ns][-1] if start_ns >= 0 else None


def _key(trade: Trade) -> tuple[int, str, int] | Trade:
    return (trade.t_ns, trade.exchange, trade.id) if trade.id else trade
