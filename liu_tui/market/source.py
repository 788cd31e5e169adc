"""Source: where a played day comes from, recorded or simulated; one for the local market and the backtest.

The order of a step is part of the promise, for two drivers must see one day alike:
  1. by moment: a trade's or quote's own time; a bar's end, for it is not known before
  2. at one moment bars come first, then each symbol's quote before its trade
  3. symbols in alphabetical order
Events that a file stamps alike for one symbol keep the file's order.

A recording of a feed is `complete`: its steps are what was received, when it was received, in that order,
late and doubled events and the tape's notes included. Of the promise only 1 holds then, by the receipt.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Set
from datetime import date

from liu_tui.market.calendar import midnight_ns
from liu_tui.model.market import DAY_NS, Asset, Bar, TapeEvent

Batch = tuple[int, list[TapeEvent]]
"""A moment of venue time, and what becomes known then; no event lies after it.

Empty with `wanted`, and where a recording only says that symbols were subscribed: scanners looked then.
"""


class Source(ABC):
    """Days of market data that can be played any number of times, always alike. The caller has the clock.

    complete: the steps are all that was said: nobody makes bars of the day so far, or anything else, of them
    """

    complete: bool = False

    @abstractmethod
    def assets(self) -> list[Asset]:
        """Return every name, sorted by symbol."""

    @abstractmethod
    def days(self) -> list[str]:
        """Return the New York dates that can be played, ISO, in order."""

    @abstractmethod
    def steps(self, day: str, start_ns: int = 0, wanted: Set[str] | None = None) -> Iterator[Batch]:
        """Yield the day's steps in time order: exactly those of the whole day that are at or after start_ns.

        wanted: the symbols whose trades and quotes are needed; all if None. The caller may add to it between
                two steps. Of symbols that `expands` names the others yield bars only; no moment is left out

        Raises FeedError, before the first step, if there is no such day.
        """

    def expands(self, symbol: str, day: str) -> bool:
        """Say whether the day's trades and quotes of a symbol are made of its minute bars (see expansion)."""
        return False

    @abstractmethod
    def bars(
        self, symbol: str, span_ns: int, start_ns: int, end_ns: int, now_ns: int | None = None
    ) -> list[Bar]:
        """Return bars that start at or after start_ns and end at or before end_ns, oldest first.

        span_ns: MINUTE_NS, or DAY_NS: stamped at New York's midnight, regular hours only
        now_ns:  as they were known at this moment: one that came late is absent before, one that was revised
                 has its first values; as they were known at last if None
        returns: the very bars that steps() yields, and those of days that cannot be played; [] if none
        """

    def untold(self, day: str) -> list[Bar]:
        """Return the day's minute bars that bars() has and steps() never yields, in order of their end."""
        return []

    def previous_daily(self, symbol: str, day: str) -> Bar | None:
        """Return the last daily bar before this date, or None if nothing earlier is known."""
        midnight = midnight_ns(date.fromisoformat(day))
        # A year back is enough for any halt; a day's length differs by an hour where the clocks change.
        bars = self.bars(symbol, DAY_NS, midnight - 370 * DAY_NS, midnight + DAY_NS // 2)
        return bars[-1] if bars else None

    def previous_close(self, symbol: str, day: str) -> float | None:
        """Return the last regular close before this date in dollars, or None if nothing earlier is known."""
        bar = self.previous_daily(symbol, day)
        return bar.close if bar is not None else None
