"""One symbol of a consumer: its series, and who is called for what."""

from liu_tui.market.series import Series
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Bar
from liu_tui.trading.runner import Seat


class Track:
    """One symbol: its series, who trades it, and who is called for what, in the plan's order.

    names, for_all: the strategies that it is served to
    has_seconds:    the vendor sends second bars: none are made
    """

    __slots__ = ("for_all", "has_seconds", "minute", "names", "quote", "second", "series", "trade")

    def __init__(self, series: Series) -> None:
        self.series = series
        self.names: set[str] = set()
        self.for_all = False
        self.has_seconds = False
        self.call([])

    def call(self, seats: list[Seat]) -> None:
        """Say who is called."""
        self.trade = [seat for seat in seats if "trade" in seat.runner.strategy.events]
        self.quote = [seat for seat in seats if "quote" in seat.runner.strategy.events]
        self.second = [seat for seat in seats if "second" in seat.runner.strategy.events]
        self.minute = [seat for seat in seats if "minute" in seat.runner.strategy.events]

    def on_bar(self, bar: Bar) -> list[Seat]:
        """Take a bar into the series; return whom it calls."""
        if bar.span_ns == SECOND_NS:
            self.has_seconds = True
            return self.second
        series = self.series
        if bar.span_ns != MINUTE_NS:
            series.on_day(bar)
            return []
        newest_ns = series.t_ns[-1] if series.length else 0
        series.append(bar)
        # A later word on an earlier minute mends the series; nobody acts on it.
        return [] if bar.backfilled or bar.revised or bar.t_ns <= newest_ns else self.minute
