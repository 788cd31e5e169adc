"""What a symbol has printed lately, so that a print or bar which comes twice is known again."""

from typing import Final

from liu_tui.model.market import Bar, Trade

GENERATION: Final = 128
"""Moments of prints on one exchange that fill a generation. Two are kept: a print is known again among the
last 128 of its symbol, and mostly among many more."""

BARS: Final = 64
"""Starts of bars that are kept."""


Page = dict[int, "int | Trade"]
"""Moment -> the id of its first print; the print itself if it has none (0). Ids, not prints: half a kilobyte
each of a market's last prints would be a gigabyte, and every new one would come to lie in cold memory."""


class RecentTrades:
    """The last prints, by their moment: the same print has the same time, exchange and id.

    A print without an id (0) is the same as another if all its fields are.

    pages: by exchange. On the hot path a caller puts a print that is later than all before it here himself,
           into what room() gives once a page is missing or has GENERATION: no other print can be the same
    """

    __slots__ = ("_older", "_older_twins", "_twins", "pages")

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self._older: dict[str, Page] = {}
        self._twins: set[tuple[int, str, int] | Trade] = set()  # further prints of a moment and exchange
        self._older_twins: set[tuple[int, str, int] | Trade] = set()

    def room(self, exchange: str) -> Page:
        """Return an exchange's newer page, with room for one print."""
        page = self.pages.setdefault(exchange, {})
        if len(page) + len(self._twins) >= GENERATION:
            self._turn()
        return page

    def again(self, trade: Trade) -> bool:
        """Say whether this print is known; keep it if it is not. It may be of any time."""
        t_ns, name = trade.t_ns, trade.id or trade
        page = self.room(trade.exchange)
        first = page.get(t_ns) or self._older.get(trade.exchange, {}).get(t_ns)
        if first is None:
            page[t_ns] = name
        else:
            key = (t_ns, trade.exchange, trade.id) if trade.id else trade
            if name == first or key in self._twins or key in self._older_twins:
                return True
            self._twins.add(key)
        return False

    def _turn(self) -> None:
        """Forget the older generation, and begin a newer one in the same dictionaries."""
        self._older = {exchange: page.copy() for exchange, page in self.pages.items()}
        for page in self.pages.values():
            page.clear()
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
