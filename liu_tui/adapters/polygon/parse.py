"""Frames of Polygon's stocks stream -> what a market says. The vendor's spelling ends here.

One typed decode of a whole JSON frame into slim structs that keep only what is used, then one object of ours
each. Numbers are read leniently: a feed of Polygon's has been seen to send prices as texts. Times are
milliseconds, so two trades of one millisecond are told apart by their order only.

A frame that does not decode is read again message by message: a bad one costs itself and nothing else, and an
`Unreadable` stands in its place.
"""

import logging

from msgspec import Raw, Struct
from msgspec.json import Decoder

from liu_tui.adapters.foreign import UNREADABLE, Count, Price, Side, Size, Speed, Symbol
from liu_tui.adapters.polygon.codes import letters_of, tape_of
from liu_tui.adapters.polygon.spelling import (
    LATE_MS,
    MS_NS,
    SHARES_SINCE_NS,
    from_ms,
    id_of,
    our_symbol,
    shares,
)
from liu_tui.market.streaming import SessionEnd, StreamItem, Unreadable
from liu_tui.model.clock import Anchor, monotonic_ns
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Bar, PriceBand, Quote, Trade

log = logging.getLogger(__name__)

_SHARES_SINCE_MS = SHARES_SINCE_NS // MS_NS


class _TradeMessage(
    Struct,
    tag_field="ev",
    tag="T",
    frozen=True,
    gc=False,
    rename={
        "symbol": "sym",
        "at": "t",
        "price": "p",
        "size": "s",
        "id": "i",
        "exchange": "x",
        "tape": "z",
        "conditions": "c",
        "exact_size": "ds",
    },
):
    symbol: Symbol
    at: Count
    price: Price
    size: Size = 0.0
    id: str | Count = 0
    exchange: Count = 0
    tape: Count = 0
    conditions: tuple[Count, ...] | None = ()
    exact_size: Size = 0.0  # with fractions of a share, where there are any


class _QuoteMessage(
    Struct,
    tag_field="ev",
    tag="Q",
    frozen=True,
    gc=False,
    rename={"symbol": "sym", "at": "t", "bid": "bp", "bid_size": "bs", "ask": "ap", "ask_size": "as"},
):
    symbol: Symbol
    at: Count
    bid: Side = 0.0  # an empty side may be left out
    bid_size: Size = 0.0
    ask: Side = 0.0
    ask_size: Size = 0.0


class _BarMessage(
    Struct,
    frozen=True,
    gc=False,
    rename={
        "symbol": "sym",
        "start": "s",
        "open": "o",
        "high": "h",
        "low": "l",
        "close": "c",
        "volume": "v",
        "vwap": "vw",
        "exact_volume": "dv",
    },
):
    """Says no count of trades, only their mean size, cut to a whole number: so our bar has none."""

    symbol: Symbol
    start: Count
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Size
    vwap: Side = 0.0
    exact_volume: Size = 0.0


class _SecondMessage(_BarMessage, tag_field="ev", tag="A", frozen=True, gc=False):
    """One second."""


class _MinuteMessage(_BarMessage, tag_field="ev", tag="AM", frozen=True, gc=False):
    """One minute."""


class _BandMessage(
    Struct,
    tag_field="ev",
    tag="LULD",
    frozen=True,
    gc=False,
    rename={"symbol": "T", "at": "t", "upper": "h", "lower": "l", "indicators": "i"},
):
    symbol: Symbol
    at: Count
    upper: Side
    lower: Side
    indicators: tuple[Count, ...] | None = ()


class Status(Struct, tag_field="ev", tag="status", frozen=True):
    """What the vendor says of the connection, in a word and in words."""

    status: str = ""
    message: str = ""


class _ClockMessage(Struct, tag_field="ev", tag="clock", frozen=True, rename={"at": "t"}):
    """The local market's own: its time in nanoseconds, and how it runs."""

    at: Count
    speed: Speed = 1.0
    paused: bool = False
    lockstep: bool = False


class _EndMessage(Struct, tag_field="ev", tag="end", frozen=True, rename={"at": "t"}):
    """The local market's own: the session is over."""

    at: Count


class _TypeOnly(Struct, frozen=True, rename={"type": "ev"}):
    type: str


Control = Status
_Message = (
    _TradeMessage
    | _QuoteMessage
    | _SecondMessage
    | _MinuteMessage
    | _BandMessage
    | Status
    | _ClockMessage
    | _EndMessage
)
_KNOWN = frozenset({"T", "Q", "A", "AM", "LULD", "status", "clock", "end"})

_frame_decoder: Decoder[list[_Message]] = Decoder(list[_Message], strict=False)
_pieces_decoder: Decoder[list[Raw]] = Decoder(list[Raw])
_message_decoder: Decoder[_Message] = Decoder(_Message, strict=False)
_type_decoder: Decoder[_TypeOnly] = Decoder(_TypeOnly)


class FrameReader:
    """Reads frames; counts what it could not read (`refused`) and what it did not need (`ignored`)."""

    def __init__(self) -> None:
        self.refused = 0
        self.ignored = 0

    def read(self, frame: bytes) -> tuple[list[StreamItem], list[Control]]:
        """Turn one frame into what it says of the market, in order, and what it says of the connection."""
        try:
            return self._take(_frame_decoder.decode(frame))
        except UNREADABLE:
            return self._read_pieces(frame)

    def _take(self, messages: list[_Message]) -> tuple[list[StreamItem], list[Control]]:
        # The first two branches are nine tenths of a day and paid for every event: spare every call.
        items: list[StreamItem] = []
        control: list[Control] = []
        ignored = 0
        add = items.append
        for m in messages:
            if type(m) is _QuoteMessage:
                at = m.at
                if _SHARES_SINCE_MS <= at <= LATE_MS:
                    add(Quote(our_symbol(m.symbol), at * MS_NS, m.bid, m.bid_size, m.ask, m.ask_size))
                else:
                    add(_old_quote(m))
            elif type(m) is _TradeMessage:
                add(_trade(m))
            elif isinstance(m, Control):
                control.append(m)
            elif (item := _rare(m)) is not None:
                add(item)
            else:
                ignored += 1
        self.ignored += ignored
        return items, control

    def _read_pieces(self, frame: bytes) -> tuple[list[StreamItem], list[Control]]:
        items: list[StreamItem] = []
        control: list[Control] = []
        try:
            pieces = _pieces_decoder.decode(frame)
        except UNREADABLE as e:
            self._refuse(e, items)
            return items, control
        for piece in pieces:
            try:
                some, said = self._take([_message_decoder.decode(piece)])
            except UNREADABLE as e:
                if _is_foreign(piece):
                    self.ignored += 1
                else:
                    self._refuse(e, items)
            else:
                items += some
                control += said
        return items, control

    def _refuse(self, why: Exception, items: list[StreamItem]) -> None:
        self.refused += 1
        before = items[-1] if items else None
        if isinstance(before, Unreadable):
            items[-1] = Unreadable(before.count + 1, before.words)
        else:
            items.append(Unreadable(1, str(why)))
        if self.refused == 1 or self.refused % 1000 == 0:
            log.warning("polygon stream: %d messages could not be read; the last one: %s", self.refused, why)


def _rare(m: _Message) -> StreamItem | None:
    """Turn a message that is no trade and no quote into an item; None for what nobody needs."""
    match m:
        case _SecondMessage():
            return _bar(m, SECOND_NS)
        case _MinuteMessage():
            return _bar(m, MINUTE_NS)
        case _BandMessage() if m.lower > 0 and m.upper > 0:
            return _band(m)
        case _ClockMessage():
            return Anchor(m.at, monotonic_ns(), m.speed, m.paused, m.lockstep)
        case _EndMessage():
            return SessionEnd(m.at)
        case _:
            return None


def _old_quote(m: _QuoteMessage) -> Quote:
    t_ns = from_ms(m.at)
    sizes = shares(m.bid_size, t_ns), shares(m.ask_size, t_ns)
    return Quote(our_symbol(m.symbol), t_ns, m.bid, sizes[0], m.ask, sizes[1])


def _trade(m: _TradeMessage) -> Trade:
    tape = tape_of(m.tape)
    what = letters_of(m.conditions, tape) if m.conditions else ()
    size, exchange = m.exact_size or m.size, str(m.exchange) if m.exchange else ""
    return Trade(our_symbol(m.symbol), from_ms(m.at), m.price, size, id_of(m.id), exchange, what, tape)


def _bar(m: _BarMessage, span_ns: int) -> Bar:
    """Raises ValueError if the prices contradict each other."""
    if not (m.low <= m.open <= m.high and m.low <= m.close <= m.high):
        raise ValueError(f"a bar whose prices contradict each other: {m.open} {m.high} {m.low} {m.close}")
    prices = (m.open, m.high, m.low, m.close)
    volume = m.exact_volume or m.volume
    return Bar(our_symbol(m.symbol), from_ms(m.start), *prices, volume, m.vwap, span_ns=span_ns)


def _band(m: _BandMessage) -> PriceBand:
    """Raises ValueError if the lower limit is above the upper."""
    if m.lower > m.upper:
        raise ValueError(f"a price band from {m.lower} to {m.upper}")
    indicator = ",".join(map(str, m.indicators or ()))
    return PriceBand(our_symbol(m.symbol), from_ms(m.at), m.lower, m.upper, indicator)


def _is_foreign(piece: Raw) -> bool:
    """Whether this is a well-formed message of a type that we do not know: no fault, only not for us."""
    try:
        return _type_decoder.decode(piece).type not in _KNOWN
    except UNREADABLE:
        return False
