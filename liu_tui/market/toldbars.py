"""ToldBars: the bars of one symbol and one span, each with the moment at which it became known.

A feed may tell a bar late, twice, or revise it; history may know one that the feed never told. Columns, not
structs: a day of three thousand symbols has a million minutes.
"""

from array import array
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from liu_tui.model.market import Bar

_BACKFILLED, _REVISED, _PRIOR = 1, 2, 4
_VALUES: Final = 7  # open, high, low, close, volume, vwap, count


class ToldBars:
    """Filled first, asked afterwards."""

    def __init__(self, symbol: str, span_ns: int) -> None:
        self._symbol, self._span_ns = symbol, span_ns
        self._t_ns, self._known_ns = array("q"), array("q")
        self._values, self._flags = array("d"), array("b")

    def add(self, bar: Bar, known_ns: int, *, prior: bool = False) -> None:
        """Take a bar. prior: from history, and not from the feed."""
        self._t_ns.append(bar.t_ns)
        self._known_ns.append(known_ns)
        self._values.extend((bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.count))
        self._flags.append(_BACKFILLED * bar.backfilled | _REVISED * bar.revised | _PRIOR * prior)

    def bars(self, start_ns: int, end_ns: int, now_ns: int | None) -> list[Bar]:
        """Return the bars of a span as they were known at a moment. See Source.bars."""
        order, t_ns = self._sorted
        last_ns = min(end_ns - self._span_ns, 2**62)  # beyond 64 bits numpy would compare as floats
        first, past = np.searchsorted(t_ns, [max(start_ns, 0), last_ns + 1]).tolist()
        found: dict[int, int] = {}
        for row in order[first:past].tolist():
            if now_ns is None or self._known_ns[row] <= now_ns:
                found[self._t_ns[row]] = row  # of one minute the last word counts
        return [self._bar(row) for row in found.values()]

    def untold(self, start_ns: int, end_ns: int) -> list[Bar]:
        """Return the bars of a span that only history had."""
        order, t_ns = self._sorted
        first, past = np.searchsorted(t_ns, [start_ns, end_ns]).tolist()
        rows = order[first:past].tolist()
        told = {self._t_ns[row] for row in rows if not self._flags[row] & _PRIOR}
        last = {self._t_ns[row]: row for row in rows if self._t_ns[row] not in told}
        return [self._bar(row) for row in last.values()]

    @cached_property
    def _sorted(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
        t_ns = np.array(self._t_ns, np.int64)
        order = np.lexsort(
            (np.array(self._known_ns, np.int64), t_ns)
        )  # stable: as recorded where all is alike
        return order, t_ns[order]

    def _bar(self, row: int) -> Bar:
        o, high, low, close, volume, vwap, count = self._values[row * _VALUES : (row + 1) * _VALUES]
        flags = self._flags[row]
        return Bar(
            self._symbol,
            self._t_ns[row],
            o,
            high,
            low,
            close,
            volume,
            vwap,
            int(count),
            self._span_ns,
            bool(flags & _BACKFILLED),
            bool(flags & _REVISED),
        )
