"""Tape: one day of a source being played, and what everybody may know of it by now.

The local market and the backtest both hold one. It only goes forward; nothing it tells is later than now_ns.
"""

from collections import deque
from collections.abc import Iterator, Set
from datetime import date

import msgspec

from liu_tui.market.calendar import midnight_ns
from liu_tui.market.expansion import last_ticks
from liu_tui.market.source import Batch, Source
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    Bar,
    Quote,
    Snapshot,
    TapeEvent,
    Trade,
    TradeCancel,
    TradeCorrection,
)


class Tape:
    """The playing of one day. now_ns: how far it has come; hours: the day's session.

    start_ns: where to begin; the first step if 0. What happened before is known but not played; the last
        minute's trades and quotes are read too, so that a market entered at 11:00 has prices at once.
    wanted: the symbols whose trades and quotes are to be in the steps (see Source.steps); all if None. What
        the tape tells of the others is the same: their latest trade and quote are made when asked for

    Raises FeedError if the source has no such day.
    """

    def __init__(
        self,
        source: Source,
        day: str,
        hours: SessionHours,
        start_ns: int = 0,
        wanted: Set[str] | None = None,
    ) -> None:
        self.source, self.day, self.hours = source, day, hours
        self.now_ns = start_ns or hours.pre_ns
        self.assets = source.assets()
        self._known = frozenset(asset.symbol for asset in self.assets)
        self._trades: dict[str, Trade] = {}
        self._quotes: dict[str, Quote] = {}
        self._minutes: dict[str, Bar] = {}
        self._totals: dict[str, _Totals] = {}
        self._yesterday: dict[str, Bar | None] = {}
        self._expanded: frozenset[str] = frozenset()
        if wanted is not None:
            self._expanded = frozenset(name for name in self._known if source.expands(name, day))
        self._made: dict[str, tuple[Bar, Quote | None, Trade | None]] = {}
        self._began_ns = start_ns - MINUTE_NS if start_ns else 0
        self._untold = deque(source.untold(day))
        self._steps: Iterator[Batch] = source.steps(day, self._began_ns, wanted)
        self._ahead: list[Batch | None] = []  # the next step, once it has been looked at
        self._catch_up(self._began_ns, start_ns)

    @property
    def next_ns(self) -> int | None:
        """The moment of the next step; None at the end of the day."""
        step = self._peek()
        return step[0] if step is not None else None

    def next_step(self) -> Batch | None:
        """Play one step and return it; None at the end of the day."""
        step = self._peek()
        if step is None:
            return None
        self._ahead.clear()
        self.now_ns = max(self.now_ns, step[0])
        self._observe(step)
        return step

    def advance(self, to_ns: int) -> list[Batch]:
        """Play all steps up to and including a moment, and make it the present. Time never goes back."""
        played: list[Batch] = []
        while (next_ns := self.next_ns) is not None and next_ns <= to_ns:
            step = self.next_step()
            if step is not None:
                played.append(step)
        self.now_ns = max(self.now_ns, to_ns)
        self._learn_untold(self.now_ns)
        return played

    def knows(self, symbol: str) -> bool:
        """Say whether the source has this symbol."""
        return symbol in self._known

    def trade(self, symbol: str) -> Trade | None:
        """Return the latest trade."""
        return self._made_ticks(symbol)[1] if symbol in self._expanded else self._trades.get(symbol)

    def quote(self, symbol: str) -> Quote | None:
        """Return the latest quote."""
        return self._made_ticks(symbol)[0] if symbol in self._expanded else self._quotes.get(symbol)

    def price(self, symbol: str) -> float:
        """Return the last price known in dollars, yesterday's close included; 0 if none."""
        return self.snapshot(symbol).price

    def snapshot(self, symbol: str) -> Snapshot:
        """Return the latest of one symbol; empty if the source does not know it.

        The daily bar is that of the regular session as far as its minutes are closed.
        """
        totals = self._totals.get(symbol)
        return Snapshot(
            symbol=symbol,
            latest_trade=self.trade(symbol),
            latest_quote=self.quote(symbol),
            minute_bar=self._minutes.get(symbol),
            daily_bar=totals.daily(symbol, self.day) if totals is not None else None,
            previous_daily_bar=self.previous_daily(symbol),
        )

    def previous_daily(self, symbol: str) -> Bar | None:
        """Return yesterday's bar, or None if the source knows nothing earlier."""
        if symbol not in self._yesterday:
            self._yesterday[symbol] = self.source.previous_daily(symbol, self.day)
        return self._yesterday[symbol]

    def most_active(self, top: int) -> list[tuple[str, float]]:
        """Return (symbol, shares of today's closed minutes, pre-market included), most first."""
        traded = [(symbol, totals.shares) for symbol, totals in self._totals.items() if totals.shares]
        return sorted(traded, key=lambda pair: (-pair[1], pair[0]))[:top]

    def movers(self, top: int) -> list[tuple[str, float]]:
        """Return (symbol, percent against yesterday's close): gainers, best first, then losers, worst first.

        There are up to `top` of each. Symbols without that close, or without a price today, are absent.
        """
        moves = [move for symbol in self._known if (move := self._move(symbol)) is not None]
        up = sorted((m for m in moves if m[1] > 0), key=lambda m: (-m[1], m[0]))
        down = sorted((m for m in moves if m[1] < 0), key=lambda m: (m[1], m[0]))
        return up[:top] + down[:top]

    def bars(self, symbol: str, span_ns: int, start_ns: int, end_ns: int) -> list[Bar]:
        """Return bars that are known by now, today's included, oldest first. See Source.bars."""
        return self.source.bars(symbol, span_ns, start_ns, min(end_ns, self.now_ns), self.now_ns)

    def _move(self, symbol: str) -> tuple[str, float] | None:
        trade, minute = self.trade(symbol), self._minutes.get(symbol)
        price = trade.price if trade is not None else minute.close if minute is not None else 0.0
        before = self.previous_daily(symbol) if price else None
        return (symbol, 100 * (price / before.close - 1)) if before is not None else None

    def _catch_up(self, began_ns: int, start_ns: int) -> None:
        """Learn what came before: closed minutes from the source's history, the last one by reading it."""
        if not start_ns:
            return
        for symbol in self._known:
            self._add_up(symbol, began_ns - 1)
        while self._untold and self._untold[0].end_ns < began_ns:
            self._untold.popleft()
        while (step := self._peek()) is not None and step[0] < start_ns:
            self._observe(step)
            self._ahead.clear()

    def _peek(self) -> Batch | None:
        # Not before it is asked for: what is wanted of the next step may still be said.
        if not self._ahead:
            self._ahead.append(next(self._steps, None))
        return self._ahead[0]

    def _made_ticks(self, symbol: str) -> tuple[Quote | None, Trade | None]:
        """Make a symbol's latest quote and trade of its minutes, as playing them would have."""
        quote: Quote | None = None
        trade: Trade | None = None
        if into_ns := self.now_ns % MINUTE_NS:
            begun_ns = self.now_ns - into_ns
            for bar in self.source.bars(symbol, MINUTE_NS, begun_ns, begun_ns + MINUTE_NS):
                quote, trade = last_ticks(bar, self.now_ns)
        if quote is None or trade is None:
            closed = self._closed_ticks(symbol)
            quote, trade = quote or closed[0], trade or closed[1]
        if trade is None and quote is not None:
            trade = self._last_trade(symbol)
        return quote, trade

    def _closed_ticks(self, symbol: str) -> tuple[Quote | None, Trade | None]:
        bar, made = self._minutes.get(symbol), self._made.get(symbol)
        if bar is None:
            return None, None
        if made is None or made[0] is not bar:
            made = self._made[symbol] = (bar, *last_ticks(bar, bar.end_ns))
        quote, trade = made[1], made[2]
        return (
            quote if quote is not None and quote.t_ns >= self._began_ns else None,
            trade if trade is not None and trade.t_ns >= self._began_ns else None,
        )

    def _last_trade(self, symbol: str) -> Trade | None:
        # The last minutes had quotes and no trade: look further back, as far as was played.
        since_ns = max(self._began_ns - MINUTE_NS, midnight_ns(date.fromisoformat(self.day)))
        for bar in reversed(self.source.bars(symbol, MINUTE_NS, since_ns, self.now_ns)):
            trade = last_ticks(bar, bar.end_ns)[1]
            if trade is not None:
                return trade if trade.t_ns >= self._began_ns else None
        return None

    def _observe(self, step: Batch) -> None:
        trades, quotes = self._trades, self._quotes
        moment, events = step
        self._learn_untold(moment)
        for event in events:
            kind = type(event)
            if kind is Quote:
                quotes[event.symbol] = event  # type: ignore[assignment]  # its type was just compared
            elif kind is Trade:
                trades[event.symbol] = event  # type: ignore[assignment]  # its type was just compared
            elif isinstance(event, Bar):
                self._take_bar(event, moment)
            else:
                self._take_note(event)

    def _take_bar(self, bar: Bar, now_ns: int) -> None:
        if bar.span_ns != MINUTE_NS:
            return
        last = self._minutes.get(bar.symbol)
        if last is None or last.t_ns < bar.t_ns:
            self._fold(bar)
        else:
            self._add_up(bar.symbol, now_ns)  # it came late, or again: the sums are made anew

    def _take_note(self, note: TapeEvent) -> None:
        """Amend the latest trade, if it is the one that was wrong."""
        if not isinstance(note, TradeCorrection | TradeCancel):
            return
        last = self._trades.get(note.symbol)
        if last is None or (last.id, last.exchange) != (note.id, note.exchange):
            return
        if isinstance(note, TradeCancel):
            del self._trades[note.symbol]
        else:
            self._trades[note.symbol] = msgspec.structs.replace(
                last,
                id=note.new_id,
                price=note.new_price,
                size=note.new_size,
                conditions=note.new_conditions,
            )

    def _learn_untold(self, now_ns: int) -> None:
        while self._untold and self._untold[0].end_ns <= now_ns:
            self._take_bar(self._untold.popleft(), now_ns)

    def _add_up(self, symbol: str, now_ns: int) -> None:
        self._totals.pop(symbol, None)
        for bar in self.source.bars(symbol, MINUTE_NS, self.hours.pre_ns, now_ns, now_ns):
            self._fold(bar)

    def _fold(self, bar: Bar) -> None:
        self._minutes[bar.symbol] = bar
        totals = self._totals.get(bar.symbol)
        if totals is None:
            totals = self._totals[bar.symbol] = _Totals()
        totals.add(bar, regular=self.hours.open_ns <= bar.t_ns < self.hours.close_ns)


class _Totals:
    """What today's closed minutes of one symbol add up to. shares: of all; the rest: of regular hours."""

    __slots__ = ("_close", "_count", "_high", "_low", "_notional", "_open", "_volume", "shares")

    def __init__(self) -> None:
        self.shares = self._volume = self._notional = 0.0
        self._open = self._high = self._low = self._close = 0.0
        self._count = 0

    def add(self, bar: Bar, *, regular: bool) -> None:
        self.shares += bar.volume
        if not regular:
            return
        self._notional += bar.volume * (bar.vwap or (bar.high + bar.low + bar.close) / 3)
        if not self._open:
            self._open, self._high, self._low = bar.open, bar.high, bar.low
        elif bar.high > self._high:
            self._high = bar.high
        if bar.low < self._low:
            self._low = bar.low
        self._close = bar.close
        self._volume += bar.volume
        self._count += bar.count

    def daily(self, symbol: str, day: str) -> Bar | None:
        if not self._open:
            return None
        vwap = self._notional / self._volume if self._volume else 0.0
        start = midnight_ns(date.fromisoformat(day))
        prices = (self._open, self._high, self._low, self._close)
        return Bar(symbol, start, *prices, self._volume, vwap, self._count, DAY_NS)
