"""Frames of the market data websocket -> what a market says. The vendor's spelling ends here.

One typed decode of a whole msgpack frame into slim structs that keep only what is used, then one object of
ours each. Times come as msgpack's timestamp extension. Taken as raw bytes they keep their nanoseconds and
cost less than as a datetime, which has microseconds only (750 against 820 ns an event, all included).

A frame that does not decode is read again message by message: a bad one costs itself and nothing else.
"""

import logging
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.msgpack import Decoder, Ext

from liu_tui.market.streaming import Halt, SessionEnd, StreamItem
from liu_tui.model.clock import Anchor, monotonic_ns
from liu_tui.model.market import SECOND_NS, Bar, Quote, Step, Trade

log = logging.getLogger(__name__)

# The bounds refuse NaN and infinity, which no comparison of a rule would catch, and what no int64 holds.
_Price = Annotated[float, Meta(gt=0, lt=1e9)]
_Side = Annotated[float, Meta(ge=0, lt=1e9)]  # 0: no bid, or no ask
_Size = Annotated[float, Meta(ge=0, lt=1e15)]
_Symbol = Annotated[str, Meta(min_length=1, max_length=32)]
_Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_MAX_NS = 2**63 - 1
_TIMESTAMP = -1  # msgpack's own extension code

_HALTED = frozenset("2HP")  # tapes A, B: 2 halt; tapes C, O: H halt, P volatility pause
_RESUMED = frozenset("3T")  # tapes A, B: 3 resume; tapes C, O: T trading resumption


class _TradeMessage(
    Struct,
    tag_field="T",
    tag="t",
    frozen=True,
    gc=False,
    rename={
        "symbol": "S",
        "at": "t",
        "price": "p",
        "size": "s",
        "exchange": "x",
        "id": "i",
        "conditions": "c",
        "tape": "z",
    },
):
    symbol: _Symbol
    at: Ext
    price: _Price
    size: _Size
    id: _Count = 0
    exchange: str = ""
    conditions: tuple[str, ...] | None = ()
    tape: str = ""


class _QuoteMessage(
    Struct,
    tag_field="T",
    tag="q",
    frozen=True,
    gc=False,
    rename={"symbol": "S", "at": "t", "bid": "bp", "bid_size": "bs", "ask": "ap", "ask_size": "as"},
):
    symbol: _Symbol
    at: Ext
    bid: _Side
    bid_size: _Size
    ask: _Side
    ask_size: _Size


class _BarMessage(
    Struct,
    tag_field="T",
    tag="b",
    frozen=True,
    gc=False,
    rename={
        "symbol": "S",
        "at": "t",
        "open": "o",
        "high": "h",
        "low": "l",
        "close": "c",
        "volume": "v",
        "vwap": "vw",
        "count": "n",
    },
):
    symbol: _Symbol
    at: Ext
    open: _Price
    high: _Price
    low: _Price
    close: _Price
    volume: _Size
    vwap: _Side = 0.0
    count: _Count = 0


class _StatusMessage(
    Struct,
    tag_field="T",
    tag="s",
    frozen=True,
    rename={"symbol": "S", "at": "t", "code": "sc", "words": "sm", "reason": "rm"},
):
    symbol: _Symbol
    at: Ext
    code: str
    words: str = ""
    reason: str = ""


class Success(Struct, tag_field="T", tag="success", frozen=True):
    """A step of the hand-shake went well: "connected", "authenticated"."""

    msg: str = ""


class Refusal(Struct, tag_field="T", tag="error", frozen=True):
    """The vendor's no, with its code."""

    code: int = 0
    msg: str = ""


class Subscribed(Struct, tag_field="T", tag="subscription", frozen=True):
    """The whole set that is subscribed now, by channel. Channels that we never ask for are left out."""

    trades: frozenset[str] = frozenset()
    quotes: frozenset[str] = frozenset()
    bars: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()


class _ClockMessage(Struct, tag_field="T", tag="clock", frozen=True, rename={"at": "t"}):
    at: Ext | Annotated[int, Meta(ge=0, le=_MAX_NS)]
    speed: Annotated[float, Meta(ge=0, lt=1e9)] = 1.0
    paused: bool = False
    lockstep: bool = False


class _StepMessage(Struct, tag_field="T", tag="step", frozen=True, rename={"at": "t"}):
    n: _Count
    at: Ext | Annotated[int, Meta(ge=0, le=_MAX_NS)]


class _EndMessage(Struct, tag_field="T", tag="end", frozen=True, rename={"at": "t"}):
    at: Ext | Annotated[int, Meta(ge=0, le=_MAX_NS)]


class _TypeOnly(Struct, frozen=True, rename={"type": "T"}):
    type: str


class _Correction(Struct, tag_field="T", tag="c", frozen=True):
    """Comes with trades unasked; so does the next. Named here so that they do not cost a second reading."""


class _CancelError(Struct, tag_field="T", tag="x", frozen=True):
    """A trade that was taken back."""


Control = Success | Refusal | Subscribed
_Message = (
    _TradeMessage
    | _QuoteMessage
    | _BarMessage
    | _StatusMessage
    | Control
    | _ClockMessage
    | _StepMessage
    | _EndMessage
    | _Correction
    | _CancelError
)
_KNOWN = frozenset({"t", "q", "b", "s", "c", "x", "success", "error", "subscription", "clock", "step", "end"})

_frame_decoder: Decoder[list[_Message]] = Decoder(list[_Message])
_pieces_decoder: Decoder[list[Raw]] = Decoder(list[Raw])
_message_decoder: Decoder[_Message] = Decoder(_Message)
_type_decoder: Decoder[_TypeOnly] = Decoder(_TypeOnly)
# What foreign bytes can raise: a wrong type or syntax, broken UTF-8, a time out of range, deep nesting.
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


class FrameReader:
    """Reads frames; counts what it could not read (`refused`) and what it did not need (`ignored`)."""

    def __init__(self) -> None:
        self.refused = 0
        self.ignored = 0

    def read(self, frame: bytes) -> tuple[list[StreamItem], list[Control]]:
        """Turn one frame into what it says of the market, in order, and what it says of the connection."""
        items: list[StreamItem] = []
        control: list[Control] = []
        ignored = self.ignored
        try:
            self._take(_frame_decoder.decode(frame), items, control)
        except _UNREADABLE:
            self.ignored = ignored
            return self._read_pieces(frame)
        return items, control

    def _take(self, messages: list[_Message], items: list[StreamItem], control: list[Control]) -> None:
        # The first two branches are nine tenths of a day and paid for every event: spare every call.
        add = items.append
        for m in messages:
            if type(m) is _QuoteMessage:
                add(Quote(m.symbol, _time(m.at), m.bid, m.bid_size, m.ask, m.ask_size))
            elif type(m) is _TradeMessage:
                when, what = _time(m.at), m.conditions or ()
                add(Trade(m.symbol, when, m.price, m.size, m.id, m.exchange, what, m.tape))
            else:
                self._take_rare(m, items, control)

    def _take_rare(self, m: _Message, items: list[StreamItem], control: list[Control]) -> None:
        match m:
            case _BarMessage():
                items.append(_bar(m))
            case Success() | Refusal() | Subscribed():
                control.append(m)
            case _StepMessage():
                items.append(Step(m.n, _any_time(m.at)))
            case _ClockMessage():
                items.append(Anchor(_any_time(m.at), monotonic_ns(), m.speed, m.paused, m.lockstep))
            case _EndMessage():
                items.append(SessionEnd(_any_time(m.at)))
            case _StatusMessage() if m.code in _HALTED or m.code in _RESUMED:
                items.append(_halt(m))
            case _:
                self.ignored += 1

    def _read_pieces(self, frame: bytes) -> tuple[list[StreamItem], list[Control]]:
        items: list[StreamItem] = []
        control: list[Control] = []
        try:
            pieces = _pieces_decoder.decode(frame)
        except _UNREADABLE as e:
            self._refuse(e)
            return items, control
        for piece in pieces:
            try:
                self._take([_message_decoder.decode(piece)], items, control)
            except _UNREADABLE as e:
                if _is_foreign(piece):
                    self.ignored += 1
                else:
                    self._refuse(e)
        return items, control

    def _refuse(self, why: Exception) -> None:
        self.refused += 1
        if self.refused == 1 or self.refused % 1000 == 0:
            log.warning("alpaca stream: %d messages could not be read; the last one: %s", self.refused, why)


def _bar(m: _BarMessage) -> Bar:
    return Bar(m.symbol, _time(m.at), m.open, m.high, m.low, m.close, m.volume, m.vwap, m.count)


def _halt(m: _StatusMessage) -> Halt:
    return Halt(m.symbol, _time(m.at), m.code in _HALTED, " ".join(w for w in (m.words, m.reason) if w))


def _is_foreign(piece: Raw) -> bool:
    """Whether this is a well-formed message of a type that we do not know: no fault, only not for us."""
    try:
        return _type_decoder.decode(piece).type not in _KNOWN
    except _UNREADABLE:
        return False


def _time(ext: Ext) -> int:
    """Nanoseconds of msgpack's timestamp extension: 8 bytes hold 30 bits of nanoseconds and 34 of seconds."""
    data: bytes = ext.data  # type: ignore[assignment] # always bytes when decoded
    if len(data) == 8 and ext.code == _TIMESTAMP:
        bits = int.from_bytes(data, "big")
        t_ns = (bits & 0x3FFFFFFFF) * SECOND_NS + (bits >> 34)
        if t_ns <= _MAX_NS:
            return t_ns
    return _rare_time(ext)


def _rare_time(ext: Ext) -> int:
    """Read the other two forms: 4 bytes of seconds, or 4 of nanoseconds and 8 of signed seconds.

    Raises ValueError.
    """
    data = bytes(ext.data)
    if ext.code == _TIMESTAMP and len(data) == 4:
        return int.from_bytes(data, "big") * SECOND_NS
    if ext.code == _TIMESTAMP and len(data) == 12:
        t_ns = int.from_bytes(data[4:], "big", signed=True) * SECOND_NS + int.from_bytes(data[:4], "big")
        if 0 <= t_ns <= _MAX_NS:
            return t_ns
    raise ValueError(f"extension {ext.code} of {len(data)} bytes is no time since 1970")


def _any_time(at: Ext | int) -> int:
    # The local market's own messages may spell a time as plain nanoseconds.
    return at if isinstance(at, int) else _time(at)
