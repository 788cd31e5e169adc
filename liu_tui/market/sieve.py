"""Sieve: what of a symbol's events is passed on. Duplicates, stale quotes and bad prints are not.

It is a pure function of the symbol's events in the order they were received: a replay is sifted as the live
day was. The rule in words is docs/data-quality.md, and why it is so docs/decisions/012-bad-prints.md.

The way of a print: known again? late? may it set a price? within the limit of the reference (the last price
that was admitted)? Nearly every print passes here. One beyond the limit is held in a Doubt, until prints or
quotes confirm its level, or a price at the old level refutes it.
"""

from math import inf
from typing import Final

from liu_tui.market import sievewords
from liu_tui.market.calendar import day_of, hours
from liu_tui.market.conditions import ALL, HIGH_LOW, VOLUME, effect, regular_until
from liu_tui.market.doubt import ENOUGH, ENOUGH_SETTLING, Doubt
from liu_tui.market.limits import near, width
from liu_tui.market.recent import GENERATION, RecentBars, RecentTrades
from liu_tui.market.wicks import changes, cut
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    SECOND_NS,
    Bar,
    Halt,
    Quote,
    TapeEvent,
    Trade,
    TradeCancel,
    TradeCorrection,
)

PAUSE_NS: Final = 15 * MINUTE_NS
"""A reference of that age says nothing any more: whatever comes next is the market."""

SETTLING_NS: Final = MINUTE_NS
"""For so long after the open, a resumption or a pause a new level is believed sooner."""

VOUCH_NS: Final = 10 * SECOND_NS
VOUCH_TIMES: Final = 2.0
"""A print between bid and ask needs no second word, if the quote is no older and no wider (limits) than this,
and itself holds on to the old level."""

GATE_FRAC: Final = 0.02
"""So near to a price that was looked at nothing else needs to be: two prices of this gate are 4.1 % apart at
most, and no limit is narrower than 5 %. Only speed hangs on it."""

WORDS_MOST: Final = 200
"""Lines kept for a caller who does not fetch them."""


class Sieve:
    """Sift the events of one symbol.

    duplicates: events that came twice
    disordered: events older than one of their kind that came before; of these only quotes are left out
    held_back:  prints and quotes left out as too far from the market, and bars whose wick was cut
    released:   events that the last admit() lets go, in order; the caller passes them on first, and clears it
    words:      a line for each thing held back or confirmed; the caller takes them and clears it
    """

    __slots__ = (
        "_ask_least",
        "_bars",
        "_before",
        "_bid_most",
        "_day",
        "_doubt",
        "_high",
        "_hours_end",
        "_least",
        "_low",
        "_may",
        "_minute_end",
        "_most",
        "_pages",
        "_past_high",
        "_past_low",
        "_past_start",
        "_price",
        "_price_ns",
        "_quote",
        "_recent",
        "_regular",
        "_seconds",
        "_settling_ns",
        "_trade_ns",
        "disordered",
        "duplicates",
        "held_back",
        "released",
        "symbol",
        "words",
    )

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.duplicates = self.disordered = self.held_back = 0
        self.released: list[TapeEvent] = []
        self.words: list[str] = []
        self._price = self._before = 0.0  # the reference, and that of the level before; 0: none
        self._price_ns = self._settling_ns = 0
        self._trade_ns = self._minute_end = 0  # newest print, and the end of its minute
        self._low, self._high = inf, -inf  # of the prints admitted of that minute
        self._past_start, self._past_low, self._past_high = 0, inf, -inf  # and of the one before
        self._regular, self._hours_end = False, 0
        self._may: dict[tuple[str, ...], int] = {}  # by sale conditions, in the present hours on its one tape
        self._recent = RecentTrades()
        self._pages = self._recent.pages
        self._quote = Quote(symbol, -1, 0.0, 0.0, 0.0, 0.0)
        self._doubt = Doubt()
        self._bars, self._seconds = RecentBars(), RecentBars()
        self._day: Bar | None = None
        self._open_gates()

    @property
    def waiting(self) -> int:
        """How many events are held and neither confirmed nor refuted yet."""
        return len(self._doubt.events)

    def admit(self, event: TapeEvent) -> bool:
        """Say whether to pass this event on. Look at `released` whatever the answer is.

        False: it came twice, or is stale, or is held back; or it is a bar that is in `released`, amended.
        """
        if type(event) is Quote:
            if event.t_ns > self._quote.t_ns and event.bid <= self._bid_most and event.ask >= self._ask_least:
                self._quote = event
                return True
            return self._judge_quote(event)
        if type(event) is Trade:
            t_ns = event.t_ns
            if not self._trade_ns < t_ns < self._minute_end:
                return self._unusual(event)
            self._trade_ns = t_ns
            page = self._pages.get(event.exchange)
            if page is None or len(page) >= GENERATION:
                page = self._recent.room(event.exchange)
            page[t_ns] = event.id or event
            # From here on as _judge does it, once more in place: most events of a market come this way.
            if (conditions := event.conditions) and (may := self._may.get(conditions)) != ALL:
                return True if may == VOLUME else self._judge(event)
            price = event.price
            if self._least <= price <= self._most:
                self._price = price
                self._price_ns = t_ns
                if price > self._high:
                    self._high = price
                if price < self._low:
                    self._low = price
                return True
            return self._judge(event)
        return self._judge_bar(event) if isinstance(event, Bar) else self._hear(event)

    # ── prints ──

    def _unusual(self, trade: Trade) -> bool:
        if trade.t_ns > self._trade_ns:
            self._turn_minute(trade.t_ns)
            return self.admit(trade)
        if self._recent.again(trade):
            self.duplicates += 1
            return False
        if trade.t_ns < self._trade_ns:
            self.disordered += 1
            return self._judge_late(trade)
        return self._judge(trade)

    def _turn_minute(self, t_ns: int) -> None:
        start_ns = t_ns - t_ns % MINUTE_NS
        self._past_start = self._minute_end - MINUTE_NS
        self._past_low, self._past_high = self._low, self._high
        self._low, self._high = inf, -inf
        self._minute_end = start_ns + MINUTE_NS
        if start_ns >= self._hours_end:
            self._regular, self._hours_end = regular_until(start_ns)
            self._may = {}

    def _judge(self, trade: Trade) -> bool:
        may = self._effect(trade)
        if may != ALL:
            if may & HIGH_LOW:
                self._reach(trade)
            return True
        if not self._price or not near(trade.price, self._price):
            return self._judge_far(trade)
        self._settle(trade.price)
        self._accept(trade)
        return True

    def _effect(self, trade: Trade) -> int:
        conditions = trade.conditions
        may = self._may.get(conditions) if conditions else ALL
        if may is None:
            may = self._may[conditions] = effect(conditions, trade.tape, self._regular)
        return may

    def _judge_far(self, trade: Trade) -> bool:
        if self._forgotten(trade.t_ns):
            self._settle(trade.price)
            self._before = self._price or self._before
            self._settling_ns = trade.t_ns + SETTLING_NS
        elif self._vouched(trade):
            self._settle(trade.price)
        elif not self._confirm(trade, 1 if trade.price > self._price else -1, trade.price):
            return False
        self._accept(trade)
        return True

    def _vouched(self, trade: Trade) -> bool:
        # In a thin name bid and ask may be further apart than the limit, and prints jump between them.
        quote, price = self._quote, trade.price
        if not 0 < quote.bid <= price <= quote.ask or trade.t_ns - quote.t_ns > VOUCH_NS:
            return False
        return quote.ask - quote.bid <= VOUCH_TIMES * width(quote.ask) and not self._side(quote)

    def _accept(self, trade: Trade) -> None:
        self._refer(trade.price, trade.t_ns)
        self._reach(trade)

    def _refer(self, price: float, t_ns: int) -> None:
        """Make this the reference, with the gates through which nearly everything passes unexamined."""
        self._price, self._price_ns = price, t_ns
        if self._doubt.side:
            self._shut_gates()
        elif price:
            self._least, self._most = price * (1 - GATE_FRAC), price * (1 + GATE_FRAC)
            self._bid_most, self._ask_least = self._most, self._least
        else:
            self._open_gates()

    def _open_gates(self) -> None:
        # Nothing is known: a quote passes, and a print must be looked at, for it becomes the reference.
        self._least, self._most = inf, -inf
        self._bid_most, self._ask_least = inf, -inf

    def _shut_gates(self) -> None:
        self._least, self._most = inf, -inf
        self._bid_most, self._ask_least = -inf, inf

    def _judge_late(self, trade: Trade) -> bool:
        # It may be of the level before the last jump. It is no word on where the market is now.
        may, known = self._effect(trade), self._price > 0
        if may == ALL and known and not any(near(trade.price, at) for at in (self._price, self._before)):
            self._drop(trade)
            return False
        if may & HIGH_LOW:
            self._reach(trade)
        return True

    def _reach(self, trade: Trade) -> None:
        if trade.t_ns >= self._minute_end - MINUTE_NS:
            self._low, self._high = min(self._low, trade.price), max(self._high, trade.price)
        elif trade.t_ns >= self._past_start:
            self._past_low = min(self._past_low, trade.price)
            self._past_high = max(self._past_high, trade.price)

    # ── quotes ──

    def _judge_quote(self, quote: Quote) -> bool:
        newest = self._quote
        if quote.t_ns <= newest.t_ns:
            if quote == newest:
                self.duplicates += 1
                return False
            if quote.t_ns < newest.t_ns:
                self.disordered += 1
                return False
        self._quote = quote
        side = self._side(quote)
        if not side:
            self._hear_quote(quote)
            return True
        if self._forgotten(quote.t_ns):
            return True
        if not self._confirm(quote, side, quote.mid):
            return False
        self._refer(quote.mid, quote.t_ns)
        return True

    def _side(self, quote: Quote) -> int:
        # Both sides must be beyond the limit: a wide quote around the market says nothing wrong.
        bid, ask, reference = quote.bid, quote.ask, self._price
        if bid > reference and not near(bid, reference):
            return 1
        return -1 if 0 < ask < reference and not near(ask, reference) else 0

    def _hear_quote(self, quote: Quote) -> None:
        # Somebody sells (buys) within the old limit: what was held above (below) it is no market.
        side, reference = self._doubt.side, self._price
        if side > 0 and quote.ask > 0 and (quote.ask < reference or near(quote.ask, reference)):
            self._settle(quote.ask)
        elif side < 0 and quote.bid > 0 and (quote.bid > reference or near(quote.bid, reference)):
            self._settle(quote.bid)

    # ── doubt ──

    def _forgotten(self, t_ns: int) -> bool:
        # Nothing is known of the level: none yet, too old, of another day.
        return not self._price or t_ns - self._price_ns >= PAUSE_NS or day_of(t_ns) != day_of(self._price_ns)

    def _confirm(self, event: Trade | Quote, side: int, level: float) -> bool:
        """Hold an event, or release all that is held if it confirms the level with them."""
        doubt = self._doubt
        if doubt.side == -side:
            self._drop(*doubt.end())
        doubt.hold(event, side)
        self._shut_gates()
        if doubt.confirmed(ENOUGH_SETTLING if self._settling(event.t_ns) else ENOUGH):
            held = doubt.end()[:-1]
            self._say(sievewords.moved(level, self._price, event.t_ns, len(held)))
            self._before = self._price
            self._release(held)
            return True
        return False

    def _settling(self, t_ns: int) -> bool:
        if t_ns < self._settling_ns:
            return True
        session = hours(day_of(t_ns))
        return session is not None and session.open_ns <= t_ns < session.open_ns + SETTLING_NS

    def _settle(self, level: float) -> None:
        """End the doubt: what is within the limit of this level was right, the rest was not."""
        if not self._doubt.side:
            return
        side = self._doubt.side
        held = self._doubt.end()
        self._refer(self._price, self._price_ns)
        self._release([event for event in held if near(_edge(event, side), level)])
        self._drop(*(event for event in held if not near(_edge(event, side), level)))

    def _release(self, events: list[Trade | Quote]) -> None:
        self.released += events
        for event in events:
            if isinstance(event, Trade):
                self._accept(event)

    def _drop(self, *events: Trade | Quote) -> None:
        self.held_back += len(events)
        for event in events:
            self._say(sievewords.held_back(event, self._price))

    def _say(self, words: str) -> None:
        if len(self.words) < WORDS_MOST:
            self.words.append(f"{self.symbol} {words}")

    # ── bars and notes ──

    def _judge_bar(self, bar: Bar) -> bool:
        if bar.span_ns == DAY_NS:
            again, self._day = bar == self._day, bar
            self.duplicates += again
            return not again
        recent = self._seconds if bar.span_ns == SECOND_NS else self._bars
        self.disordered += bar.t_ns < recent.newest_ns
        if recent.again(bar):
            self.duplicates += 1
            return False
        amended = bar
        if not self._least <= bar.low <= bar.high <= self._most:
            amended = cut(bar, recent.before(bar, PAUSE_NS), self._price, *self._reached(bar.t_ns))
        self._learn(bar)
        if amended is bar:
            return True
        self.held_back += 1
        self.released.append(amended)
        self._say(sievewords.wick_cut(bar.t_ns, changes(bar, amended)))
        return False

    def _reached(self, t_ns: int) -> tuple[float, float]:
        start_ns = t_ns - t_ns % MINUTE_NS
        if start_ns == self._minute_end - MINUTE_NS:
            return self._low, self._high
        return (self._past_low, self._past_high) if start_ns == self._past_start else (inf, -inf)

    def _learn(self, bar: Bar) -> None:
        # Where no prints come a bar's close is the reference; it cannot confirm what is held.
        if bar.t_ns <= self._price_ns or self._doubt.side:
            return
        if near(bar.close, self._price) or self._forgotten(bar.t_ns):
            self._refer(bar.close, bar.end_ns)

    def _hear(self, note: TapeEvent) -> bool:
        if isinstance(note, Halt):
            self._release(self._doubt.end())
            self._before = self._price or self._before
            self._refer(0.0, self._price_ns)
            self._settling_ns = note.t_ns + SETTLING_NS
        elif isinstance(note, TradeCancel | TradeCorrection):
            withdrawn = self._doubt.take_trade(note.exchange, note.id)
            if withdrawn is not None:
                self._refer(self._price, self._price_ns)
                self.held_back += 1
                self._say(sievewords.withdrawn(withdrawn))
        return True


def _edge(event: Trade | Quote, side: int) -> float:
    if isinstance(event, Trade):
        return event.price
    return event.bid if side > 0 else event.ask
