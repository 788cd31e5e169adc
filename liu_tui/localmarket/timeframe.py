"""Timeframes of historical bars: what `5Min` means, and minutes or days folded into it."""

import re
from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

from liu_tui.localmarket.rest import bad_query
from liu_tui.market.calendar import day_of, midnight_ns
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar

_SPELLING = re.compile(r"(\d{1,2})(Min|T|Hour|H|Day|D|Week|W|Month|M)")
_UNITS = {"Min": "minute", "T": "minute", "Hour": "hour", "H": "hour", "Day": "day", "D": "day"} | {
    "Week": "week", "W": "week", "Month": "month", "M": "month"
}  # fmt: skip
_ALLOWED = {
    "minute": range(1, 60),
    "hour": range(1, 24),
    "day": range(1, 2),
    "week": range(1, 2),
    "month": (1, 2, 3, 4, 6, 12),
}


class Timeframe(msgspec.Struct, frozen=True):
    """So many units. Minutes and hours are counted from the epoch, the others from New York's midnights."""

    count: int
    unit: str

    @classmethod
    def read(cls, text: str) -> "Timeframe":
        """Read Alpaca's spelling. Raises ExchangeRefusal (400)."""
        match = _SPELLING.fullmatch(text)
        if match is None or int(match[1]) not in _ALLOWED[_UNITS[match[2]]]:
            raise bad_query(f"invalid timeframe: {text}")
        return cls(int(match[1]), _UNITS[match[2]])

    @property
    def base_ns(self) -> int:
        """The bars it is made of: minutes or days."""
        return MINUTE_NS if self.unit in ("minute", "hour") else DAY_NS

    @property
    def is_base(self) -> bool:
        """Whether there is nothing to fold."""
        return self.count == 1 and self.unit in ("minute", "day")

    def start_of(self, t_ns: int) -> int:
        """The start of the bar that holds this moment."""
        if self.unit in ("minute", "hour"):
            span_ns = self.count * MINUTE_NS * (60 if self.unit == "hour" else 1)
            return t_ns - t_ns % span_ns
        day = day_of(t_ns)
        if self.unit == "week":
            day -= timedelta(days=day.weekday())
        elif self.unit == "month":
            day = date(day.year, (day.month - 1) // self.count * self.count + 1, 1)
        return midnight_ns(day)

    def next_start(self, t_ns: int) -> int:
        """The start of the bar after the one that holds this moment."""
        # Longer than any bar of the unit, shorter than two: months have 28 to 31 days, a day 23 to 25 hours.
        length = {"day": 26 * 60, "week": 8 * 1_440, "month": (31 * self.count + 1) * 1_440}
        if self.unit in length:
            return self.start_of(self.start_of(t_ns) + length[self.unit] * MINUTE_NS)
        return self.start_of(t_ns) + self.count * MINUTE_NS * (60 if self.unit == "hour" else 1)

    def fold(self, bars: Iterable[Bar]) -> list[Bar]:
        """Join bars of the base, oldest first, into bars of this timeframe, oldest first."""
        folded: list[Bar] = []
        for bar in bars:
            start_ns = self.start_of(bar.t_ns)
            if folded and folded[-1].t_ns == start_ns:
                folded[-1] = _join(folded[-1], bar)
            else:
                folded.append(msgspec.structs.replace(bar, t_ns=start_ns))
        return folded


def _join(first: Bar, later: Bar) -> Bar:
    volume = first.volume + later.volume
    worth = first.vwap * first.volume + later.vwap * later.volume
    return msgspec.structs.replace(
        first,
        high=max(first.high, later.high),
        low=min(first.low, later.low),
        close=later.close,
        volume=volume,
        vwap=round(worth / volume, 6) if volume else 0.0,
        count=first.count + later.count,
    )
