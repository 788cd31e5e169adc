"""Bars of before a split, told as if it had always been: what `adjustment=split` means.

Prices go down by the ratio and volume up by it. A split is in force from the opening of its session on, as
the tape is played here: the day's own bar is in new shares already, its minutes before the opening are not.
One that is still to come changes nothing yet. Splits are all that this market makes happen, so that
`dividend` and `spin-off` have nothing to do.
"""

from collections.abc import Iterable
from datetime import date

import msgspec

from liu_tui.localmarket.rest import bad_query
from liu_tui.market.calendar import hours, midnight_ns
from liu_tui.model.market import DAY_NS, Bar, CorporateAction

_WORDS = frozenset({"raw", "split", "dividend", "spin-off", "all"})
_PLACES = 4


def wants_splits(said: str) -> bool:
    """Read the `adjustment` of a query, words joined by commas. Raises ExchangeRefusal (400)."""
    words = said.lower().split(",")
    if not _WORDS.issuperset(words):
        raise bad_query(f"invalid adjustment: {said}")
    return "split" in words or "all" in words


class Splits:
    """The splits of one symbol as they stand today. today: ISO date in New York."""

    def __init__(self, actions: Iterable[CorporateAction], symbol: str, today: str) -> None:
        self._splits = [
            (*_in_force(date.fromisoformat(action.day)), action.ratio)
            for action in actions
            if action.kind == "split" and action.symbol == symbol and action.day <= today
        ]

    def adjust(self, bars: list[Bar]) -> list[Bar]:
        """Return the bars at today's scale."""
        return [self._adjusted(bar) for bar in bars] if self._splits else bars

    def _adjusted(self, bar: Bar) -> Bar:
        ratio = 1.0
        for midnight, opening, one in self._splits:
            ratio *= one if bar.t_ns < (midnight if bar.span_ns == DAY_NS else opening) else 1.0
        if ratio == 1.0:
            return bar
        return msgspec.structs.replace(
            bar,
            open=round(bar.open / ratio, _PLACES),
            high=round(bar.high / ratio, _PLACES),
            low=round(bar.low / ratio, _PLACES),
            close=round(bar.close / ratio, _PLACES),
            volume=float(round(bar.volume * ratio)),
            vwap=round(bar.vwap / ratio, 6),
        )


def _in_force(day: date) -> tuple[int, int]:
    """From when on: for daily bars, and for shorter ones."""
    session, midnight = hours(day), midnight_ns(day)
    return midnight, session.open_ns if session is not None else midnight
