"""The messages of Alpaca's market data websocket, as they lie in a msgpack frame, and their times.

Each struct keeps only the fields that are used; unknown ones are skipped by the decoder. Source: Alpaca's
"Real-time stock pricing data" page.

A time is msgpack's timestamp extension. Taken as an `Ext` it keeps its nanoseconds and costs less than as a
datetime, which has microseconds only.
"""

from typing import Final

from msgspec import Raw, Struct
from msgspec.msgpack import Decoder, Ext

from liu_tui.adapters.foreign import MAX_NS, UNREADABLE, Count, Price, Side, Size, Speed, Symbol
from liu_tui.model.market import SECOND_NS

SECONDS_BITS: Final = 0x3FFFFFFFF
"""The lower 34 bits of an 8-byte timestamp are seconds, the upper 30 nanoseconds."""
TIMESTAMP: Final = -1
"""msgpack's own extension code for times."""


class Timed(Struct, frozen=True, gc=False, kw_only=True, rename={"at": "t"}):
    """A message with a time."""

    at: Ext


class TradeMessage(
    Timed,
    tag_field="T",
    tag="t",
    frozen=True,
    gc=False,
    rename={
        "symbol": "S",
        "id": "i",
        "exchange": "x",
        "price": "p",
        "size": "s",
        "conditions": "c",
        "tape": "z",
    },
):
    """A print."""

    symbol: Symbol
    price: Price
    size: Size
    id: Count = 0
    exchange: str = ""
    conditions: tuple[str, ...] | None = ()
    tape: str = ""


class QuoteMessage(
    Timed,
    tag_field="T",
    tag="q",
    frozen=True,
    gc=False,
    rename={"symbol": "S", "bid": "bp", "bid_size": "bs", "ask": "ap", "ask_size": "as"},
):
    """The best bid and ask, sizes in shares."""

    symbol: Symbol
    bid: Side
    bid_size: Size
    ask: Side
    ask_size: Size


class _BarFields(
    Timed,
    frozen=True,
    gc=False,
    rename={
        "symbol": "S",
        "open": "o",
        "high": "h",
        "low": "l",
        "close": "c",
        "volume": "v",
        "vwap": "vw",
        "count": "n",
    },
):
    symbol: Symbol
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Size
    vwap: Side = 0.0
    count: Count = 0


class BarMessage(_BarFields, tag_field="T", tag="b", frozen=True, gc=False):
    """A minute; its time is the start."""


class UpdatedBarMessage(_BarFields, tag_field="T", tag="u", frozen=True, gc=False):
    """A minute again, half a minute later, because trades came late."""


class DailyBarMessage(_BarFields, tag_field="T", tag="d", frozen=True, gc=False):
    """The day so far, each minute; its time is midnight in New York."""


class StatusMessage(
    Timed,
    tag_field="T",
    tag="s",
    frozen=True,
    gc=False,
    rename={"symbol": "S", "code": "sc", "words": "sm", "reason": "rm"},
):
    """A change of a symbol's trading status."""

    symbol: Symbol
    code: str
    words: str = ""
    reason: str = ""


class BandMessage(
    Timed,
    tag_field="T",
    tag="l",
    frozen=True,
    gc=False,
    rename={"symbol": "S", "upper": "u", "lower": "d", "indicator": "i"},
):
    """Limit up and limit down. 0: that side has none now."""

    symbol: Symbol
    upper: Side
    lower: Side
    indicator: str = ""


class CorrectionMessage(
    Timed,
    tag_field="T",
    tag="c",
    frozen=True,
    gc=False,
    rename={
        "symbol": "S",
        "exchange": "x",
        "id": "oi",
        "price": "op",
        "size": "os",
        "new_id": "ci",
        "new_price": "cp",
        "new_size": "cs",
        "new_conditions": "cc",
        "tape": "z",
    },
):
    """What a print should have been. Comes with trades, unasked; so does the next."""

    symbol: Symbol
    id: Count
    price: Price
    size: Size
    new_id: Count
    new_price: Price
    new_size: Size
    exchange: str = ""
    new_conditions: tuple[str, ...] | None = ()
    tape: str = ""


class CancelMessage(
    Timed,
    tag_field="T",
    tag="x",
    frozen=True,
    gc=False,
    rename={"symbol": "S", "id": "i", "exchange": "x", "price": "p", "size": "s", "action": "a"},
):
    """A print that was taken back. action: "C" cancelled, "E" printed by error."""

    symbol: Symbol
    id: Count
    price: Price
    size: Size
    exchange: str = ""
    action: str = ""


class Success(Struct, tag_field="T", tag="success", frozen=True):
    """A step of the hand-shake went well: "connected", "authenticated"."""

    msg: str = ""


class Refusal(Struct, tag_field="T", tag="error", frozen=True):
    """The vendor's no, with its code."""

    code: int = 0
    msg: str = ""


class Subscribed(Struct, tag_field="T", tag="subscription", frozen=True):
    """The whole set that is subscribed now, by channel; the channels of events, which we hold it to."""

    trades: frozenset[str] | None = frozenset()
    quotes: frozenset[str] | None = frozenset()
    bars: frozenset[str] | None = frozenset()


class ClockMessage(Timed, tag_field="T", tag="clock", frozen=True, gc=False):
    """The local market's own: how its clock runs."""

    speed: Speed = 1.0
    paused: bool = False
    lockstep: bool = False


class StepMessage(Timed, tag_field="T", tag="step", frozen=True, gc=False):
    """The local market's own: the end of a step."""

    n: Count


class EndMessage(Timed, tag_field="T", tag="end", frozen=True, gc=False):
    """The local market's own: the session is over."""


class _TypeOnly(Struct, frozen=True, rename={"type": "T"}):
    type: str


AnyBar = BarMessage | UpdatedBarMessage | DailyBarMessage
Control = Success | Refusal | Subscribed
"""What a vendor says of the connection."""
Message = (
    TradeMessage
    | QuoteMessage
    | BarMessage
    | UpdatedBarMessage
    | DailyBarMessage
    | StatusMessage
    | BandMessage
    | CorrectionMessage
    | CancelMessage
    | Control
    | ClockMessage
    | StepMessage
    | EndMessage
)
_KNOWN = frozenset(
    {"t", "q", "b", "u", "d", "s", "l", "c", "x", "success", "error", "subscription", "clock", "step", "end"}
)

decode_frame = Decoder(list[Message]).decode
decode_message = Decoder(Message).decode
split_frame = Decoder(list[Raw]).decode
_decode_type = Decoder(_TypeOnly).decode


def is_foreign(message: Raw) -> bool:
    """Whether this is a well-formed message of a type that we do not know: no fault, only not for us."""
    try:
        return _decode_type(message).type not in _KNOWN
    except UNREADABLE:
        return False


def time_of(m: Timed) -> int:
    """Give a message's time in UTC nanoseconds, from any of the extension's three forms.

    They are 4 bytes of seconds; 30 bits of nanoseconds and 34 of seconds; 4 bytes of nanoseconds and 8 of
    signed seconds. Raises ValueError.
    """
    data = bytes(m.at.data)
    number = int.from_bytes(data, "big")
    match len(data):
        case 4:
            t_ns = number * SECOND_NS
        case 8:
            t_ns = (number & SECONDS_BITS) * SECOND_NS + (number >> 34)
        case 12:
            t_ns = int.from_bytes(data[4:], "big", signed=True) * SECOND_NS + int.from_bytes(data[:4], "big")
        case length:
            raise ValueError(f"a timestamp of {length} bytes")
    if m.at.code != TIMESTAMP or not 0 <= t_ns <= MAX_NS:
        raise ValueError("no time, one before 1970, or one that no int64 holds")
    return t_ns
