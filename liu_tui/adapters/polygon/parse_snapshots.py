"""JSON of Polygon's snapshots -> ours. No I/O.

A part that is empty ("day" before the open: all zeros) is absent in ours.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from liu_tui.adapters.foreign import Count, Side, Size
from liu_tui.adapters.polygon.answers import maybe, read, some
from liu_tui.adapters.polygon.parse_history import LastQuote, LastTrade
from liu_tui.adapters.polygon.spelling import from_ms, our_symbol
from liu_tui.market.calendar import day_of, midnight_ns, previous_session
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar, Snapshot

_Percent = Annotated[float, Meta(gt=-1e12, lt=1e12)]


class _Part(Struct, frozen=True):
    """A bar inside a snapshot: zeros where there is none."""

    o: Side | None = 0.0
    h: Side | None = 0.0
    l: Side | None = 0.0  # noqa: E741 - the vendor's letter
    c: Side | None = 0.0
    v: Size | None = 0.0
    vw: Side | None = 0.0
    n: Count | None = 0
    t: Count | None = 0
    av: Size | None = 0.0

    def ours(self, symbol: str, t_ns: int, span_ns: int) -> Bar | None:
        if not (self.o and self.h and self.l and self.c):
            return None
        prices = (self.o, self.h, self.l, self.c)
        return Bar(symbol, t_ns, *prices, self.v or 0.0, self.vw or 0.0, self.n or 0, span_ns)


class RawTicker(Struct, frozen=True, rename="camel"):
    """One symbol's snapshot."""

    ticker: str
    day: _Part | None = None
    min: _Part | None = None
    prev_day: _Part | None = None
    last_trade: msgspec.Raw = msgspec.Raw(b"")  # by themselves: one that cannot be read is absent
    last_quote: msgspec.Raw = msgspec.Raw(b"")
    todays_change_perc: _Percent | None = 0.0
    updated: Count | None = 0

    @property
    def volume(self) -> float:
        """Shares traded today, as far as either part tells."""
        parts = [self.day.v if self.day else 0.0, self.min.av if self.min else 0.0]
        return max(part or 0.0 for part in parts)

    def ours(self, now_ns: int) -> Snapshot:
        """Our snapshot of it. now_ns: the venue's time, where the snapshot does not say its own."""
        symbol = our_symbol(self.ticker)
        today = day_of(self.updated or now_ns)
        start_ns, before_ns = midnight_ns(today), midnight_ns(previous_session(today))
        minute, day, previous = self.min, self.day, self.prev_day
        trade, quote = maybe(self.last_trade, LastTrade), maybe(self.last_quote, LastQuote)
        return Snapshot(
            symbol=symbol,
            latest_trade=trade.ours(symbol) if trade is not None else None,
            latest_quote=quote.ours(symbol) if quote is not None else None,
            minute_bar=minute.ours(symbol, from_ms(minute.t), MINUTE_NS) if minute and minute.t else None,
            daily_bar=day.ours(symbol, start_ns, DAY_NS) if day else None,
            previous_daily_bar=previous.ours(symbol, before_ns, DAY_NS) if previous else None,
        )


class _Tickers(Struct, frozen=True):
    tickers: list[msgspec.Raw] | None = None


def read_tickers(body: bytes, *, where: str) -> list[RawTicker]:
    """Read snapshots, in the vendor's order. One that cannot be read is left out. Raises FeedError."""
    return some(read(body, _Tickers, where).tickers or [], RawTicker, where)
