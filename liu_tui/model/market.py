"""What a market says: trades, quotes, bars.

Prices are dollars a share, sizes and volumes are shares, times are UTC nanoseconds since 1970 in fields named
`*_ns`. The structs are arrays on the wire, so a field's place is its number: append, never reorder.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

import msgspec

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS


_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,14}")


def is_symbol(text: str) -> bool:
    """Say whether the text is spelled as a symbol. For one that is not, a vendor refuses them all."""
    return _SYMBOL.fullmatch(text) is not None


_CLASS_SHARE = re.compile(r"([A-Z]+)[-/]([A-Z])")


def normal_symbol(text: str) -> str:
    """Spell a symbol as the house does: in capitals, and the class of a share after a dot.

    A "-" or "/" between letters, with one letter after it to the end, is a dot: brk-b and BRK/B are BRK.B,
    and SPAQ/U, a unit, is SPAQ.U. Everything else keeps what it is: preferred shares (BAC-PL, BAC.PRL), pairs
    (BTC/USD). Spaces around it are taken off. Whether the result is a symbol says `is_symbol`.
    """
    capitals = text.strip().upper()
    found = _CLASS_SHARE.fullmatch(capitals)
    return f"{found[1]}.{found[2]}" if found is not None else capitals


def normal_symbols(texts: Iterable[str]) -> list[str]:
    """Spell symbols as the house does, each once, in their order."""
    return list(dict.fromkeys(map(normal_symbol, texts)))


class Event(StrEnum):
    """What a strategy can be called for; also what is subscribed at the vendor."""

    TRADE = "trade"
    QUOTE = "quote"
    SECOND = "second"
    MINUTE = "minute"


class Trade(msgspec.Struct, frozen=True, array_like=True, tag="t", gc=False):
    """One print on the tape."""

    symbol: str
    t_ns: int
    price: float
    size: float
    id: int = 0
    exchange: str = ""
    conditions: tuple[str, ...] = ()
    tape: str = ""


class Quote(msgspec.Struct, frozen=True, array_like=True, tag="q", gc=False):
    """The best bid and ask. A price of 0 means that side is empty."""

    symbol: str
    t_ns: int
    bid: float
    bid_size: float
    ask: float
    ask_size: float

    @property
    def mid(self) -> float:
        """The middle of bid and ask; the side that exists if one is empty; 0 if both are."""
        if self.bid > 0 and self.ask > 0:
            return (self.bid + self.ask) / 2
        return self.bid or self.ask


class Bar(msgspec.Struct, frozen=True, array_like=True, tag="b", gc=False):
    """One interval, closed left and open right.

    t_ns:       its start; it is known at `end_ns` and not before
    span_ns:    its length: SECOND_NS, MINUTE_NS or DAY_NS
    vwap:       dollars; 0 where the vendor gives none
    backfilled: fetched from history after a gap; no strategy is called for it
    revised:    the vendor's later word on a minute that it has told before; it replaces, and nobody is called
    """

    symbol: str
    t_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    vwap: float = 0.0
    count: int = 0
    span_ns: int = MINUTE_NS
    backfilled: bool = False
    revised: bool = False

    @property
    def end_ns(self) -> int:
        """The moment the bar closes."""
        return self.t_ns + self.span_ns


MarketEvent = Trade | Quote | Bar


class Halt(msgspec.Struct, frozen=True, array_like=True, tag="halt", gc=False):
    """A symbol stopped (halted=True) or resumed trading."""

    symbol: str
    t_ns: int
    halted: bool
    words: str = ""


class PriceBand(msgspec.Struct, frozen=True, array_like=True, tag="band", gc=False):
    """Limit down and up: between which prices a symbol may trade now. indicator: the tape's letter."""

    symbol: str
    t_ns: int
    lower: float
    upper: float
    indicator: str = ""


class TradeCorrection(msgspec.Struct, frozen=True, array_like=True, tag="fix", gc=False):
    """An earlier print was wrong. Exchange and id say which one, the `new` fields what it was.

    t_ns: of the correction as the tape stamps it; the print itself may be older
    """

    symbol: str
    t_ns: int
    exchange: str
    id: int
    price: float
    size: float
    new_id: int
    new_price: float
    new_size: float
    new_conditions: tuple[str, ...] = ()
    tape: str = ""


class TradeCancel(msgspec.Struct, frozen=True, array_like=True, tag="bust", gc=False):
    """An earlier print (by its exchange and id) did not happen. error: it was printed by mistake."""

    symbol: str
    t_ns: int
    exchange: str
    id: int
    price: float
    size: float
    error: bool = False


MarketNote = Halt | PriceBand | TradeCorrection | TradeCancel
"""What a tape says about its symbols beside prices."""

TapeEvent = MarketEvent | MarketNote


class Adjustment(StrEnum):
    """What history's prices are adjusted for."""

    RAW = "raw"
    SPLIT = "split"
    DIVIDEND = "dividend"
    ALL = "all"


class CorporateAction(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a name. kind: "split", "dividend" or "rename".

    day:        ISO date in New York of the first session that trades on it (ex-date)
    ratio:      split: new shares for one old share; 4.0, or 0.1 for a reverse split
    cash:       dividend: dollars a share
    new_symbol: rename: what `symbol` is called from that day on
    """

    kind: str
    symbol: str
    day: str
    ratio: float = 1.0
    cash: float = 0.0
    new_symbol: str = ""


class Step(msgspec.Struct, frozen=True, array_like=True, tag="s", gc=False):
    """Lock-step: all events up to and including `t_ns` have been sent; the market waits for the answer.

    n: 1, 2, 3, ...; 0 is never sent
    """

    n: int
    t_ns: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a market screener knows of one symbol. Absent parts are None."""

    symbol: str
    latest_trade: Trade | None = None
    latest_quote: Quote | None = None
    minute_bar: Bar | None = None
    daily_bar: Bar | None = None
    previous_daily_bar: Bar | None = None

    @property
    def price(self) -> float:
        """The last price known, 0 if none."""
        if self.latest_trade is not None:
            return self.latest_trade.price
        for bar in (self.minute_bar, self.daily_bar, self.previous_daily_bar):
            if bar is not None:
                return bar.close
        return 0.0


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One tradable name, as the broker lists it. easy_to_borrow: shares to sell short are at hand."""

    symbol: str
    name: str = ""
    exchange: str = ""
    tradable: bool = True
    shortable: bool = True
    marginable: bool = True
    fractionable: bool = False
    easy_to_borrow: bool = True
