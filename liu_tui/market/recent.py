"""What a symbol has printed lately, so that a print or bar which comes twice is known again."""

from typing import Final

from liu_tui.model.market import Bar, Trade

GENERATION: Final = 128
"""Moments of prints in one generation. Two are kept: a print is known again among the last 128 to 256.
A print kept is half a kilobyte: of 3,000 busy symbols these are about 300 MB."""

BARS: Final = 64
"""Starts of bars that are kept."""


class RecentTrades:
    """The last prints, by their moment: the same print has the same time, exchange and id.

    A print without an id (0) is the same as another if all its fields are.

    newer: moment -> print. On the hot path a caller puts a print that is later than all before it here
           himself, and calls turn() once there are GENERATION: no other print can be the same
    """

    __slots__ = ("_older", "_older_twins", "_twins", "newer")

    def __init__(self) -> None:
        self.newer: dict[int, Trade] = {}
        self._older: dict[int, Trade] = {}
        self._twins: set[tuple[int, str, int] | Trade] = set()  # further prints of a moment
        self._older_twins: set[tuple[int, str, int] | Trade] = set()

    def again(self, trade: Trade) -> bool:
        """Say whether this print is known; keep it if it is not. It may be of any time."""
        t_ns = trade.t_ns
        first = self.newer.get(t_ns) or self._older.get(t_ns)
        if first is None:
            self.newer[t_ns] = trade
        else:
            key = _key(trade)
            if key == _key(first) or key in self._twins or key in self._older_twins:
                return True
            self._twins.add(key)
        if len(self.newer) + len(self._twins) >= GENERATION:
            self.turn()
        return False

    def turn(self) -> None:
        """Forget the older generation, and begin a newer one in the same dictionary."""
        self._older = self.newer.copy()
        self.newer.clear()
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
            del self._told[next(iter(self._told))]
        return False

    def before(self, bar: Bar, within_ns: int) -> Bar | None:
        """Return the bar before this one, as it was told last; None if it ended `within_ns` earlier."""
        told = self._told.get(bar.t_ns - bar.span_ns)
        if told is None:
            start_ns = max((start for start in self._told if start < bar.t_ns), default=None)
            if start_ns is None or bar.t_ns - start_ns - bar.span_ns >= within_ns:
                return None
            told = self._told[start_ns]
        return told[-1]


def _key(trade: Trade) -> tuple[int, str, int] | Trade:
    return (trade.t_ns, trade.exchange, trade.id) if trade.id else trade
