"""The tape's events and notes, and control messages, as bytes in the two spellings of Alpaca's data stream.

msgpack goes in binary frames with timestamps as extension -1, to the nanosecond; JSON goes in text frames
with RFC 3339 times. `T` is always the first key: the vendor's Go client insists on it. Nothing here knows a
socket. Source: Alpaca's "Real-time stock data" page.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from liu_tui.localmarket.rfc3339 import rfc3339
from liu_tui.model.market import (
    DAY_NS,
    Bar,
    Halt,
    MarketEvent,
    PriceBand,
    Quote,
    TapeEvent,
    Trade,
    TradeCancel,
    TradeCorrection,
)

FRAME_BYTES = 256 * 1024
"""The most that is put in one frame: clients refuse frames of 1 MiB and more."""

NO_EXCHANGE = "V"
ANY_TAPE = "C"
NO_CONDITION = ("@",)
QUOTE_CONDITION = ("R",)
HALTED, RESUMED = "H", "T"
"""Status codes, on every tape in the spelling of tape C: trading halt, trading resumption."""
CANCELED, ERROR = "C", "E"

Stamp = str | msgspec.msgpack.Ext


class TradeRow(msgspec.Struct):
    """One print, without its symbol."""

    i: int
    x: str
    p: float
    s: int
    c: tuple[str, ...]
    t: Stamp
    z: str


class QuoteRow(msgspec.Struct, rename={"ask_size": "as"}):
    """Best bid and ask, without their symbol; sizes in shares."""

    bx: str
    bp: float
    bs: int
    ax: str
    ap: float
    ask_size: int
    c: tuple[str, ...]
    t: Stamp
    z: str


class BarRow(msgspec.Struct):
    """One interval, without its symbol; `t` is its start."""

    o: float
    h: float
    l: float  # noqa: E741 - Alpaca's key
    c: float
    v: int
    n: int
    vw: float
    t: Stamp


class _Trade(TradeRow, tag_field="T", tag="t"):
    S: str


class _Quote(QuoteRow, tag_field="T", tag="q", rename={"ask_size": "as"}):
    S: str


class _Bar(BarRow, tag_field="T", tag="b"):
    S: str


class _UpdatedBar(BarRow, tag_field="T", tag="u"):
    S: str


class _DailyBar(BarRow, tag_field="T", tag="d"):
    S: str


class _Status(msgspec.Struct, tag_field="T", tag="s"):
    S: str
    sc: str
    sm: str
    rc: str
    rm: str
    t: Stamp
    z: str


class _Band(msgspec.Struct, tag_field="T", tag="l"):
    S: str
    u: float
    d: float
    i: str
    t: Stamp
    z: str


class _Correction(msgspec.Struct, tag_field="T", tag="c"):
    S: str
    x: str
    oi: int
    op: float
    os: int
    oc: tuple[str, ...]
    ci: int
    cp: float
    cs: int
    cc: tuple[str, ...]
    t: Stamp
    z: str


class _Cancel(msgspec.Struct, tag_field="T", tag="x"):
    S: str
    i: int
    x: str
    p: float
    s: int
    a: str
    t: Stamp
    z: str


Row = TradeRow | QuoteRow | BarRow
_Message = Row | _Status | _Band | _Correction | _Cancel


class Codec(Protocol):
    """One spelling of the data stream."""

    binary: bool

    def stamp(self, t_ns: int) -> Stamp:
        """A time as a value of a message."""

    def event(self, event: TapeEvent) -> bytes:
        """One event or note of the tape as an element of a frame."""

    def message(self, message: Mapping[str, Any]) -> bytes:
        """A control message as a whole frame: an array of one."""

    def frames(self, parts: list[bytes]) -> Iterable[bytes]:
        """Elements joined into as few frames as FRAME_BYTES allows."""

    def read(self, data: str | bytes) -> Any:
        """What a client sent. Raises msgspec.MsgspecError."""


class _Wire:
    """What the two codecs share: our events in Alpaca's fields."""

    def __init__(self, tapes: Mapping[str, str]) -> None:
        self._tapes = tapes

    def stamp(self, t_ns: int) -> Stamp:
        raise NotImplementedError

    def row(self, event: MarketEvent) -> Row:
        """One event as the historical endpoints list it: the symbol stands outside."""
        if isinstance(event, Quote):
            return QuoteRow(*self._quote(event))
        return TradeRow(*self._trade(event)) if isinstance(event, Trade) else BarRow(*self._bar(event))

    def fields(self, event: TapeEvent) -> _Message:
        """One event or note as a message of the stream."""
        if isinstance(event, Quote):
            return _Quote(*self._quote(event), event.symbol)
        if isinstance(event, Trade):
            return _Trade(*self._trade(event), event.symbol)
        if isinstance(event, Bar):
            return _kind_of(event)(*self._bar(event), event.symbol)
        return self._note(event)

    def _note(self, note: Halt | PriceBand | TradeCorrection | TradeCancel) -> _Message:
        at, tape = self.stamp(note.t_ns), self._tapes.get(note.symbol, ANY_TAPE)
        match note:
            case Halt():
                return _Status(note.symbol, HALTED if note.halted else RESUMED, note.words, "", "", at, tape)
            case PriceBand():
                return _Band(note.symbol, note.upper, note.lower, note.indicator, at, tape)
            case TradeCorrection():
                return self._correction(note, at, tape)
            case TradeCancel():
                exchange, word = note.exchange or NO_EXCHANGE, ERROR if note.error else CANCELED
                return _Cancel(note.symbol, note.id, exchange, note.price, int(note.size), word, at, tape)

    def _correction(self, fix: TradeCorrection, at: Stamp, tape: str) -> _Correction:
        return _Correction(
            S=fix.symbol,
            x=fix.exchange or NO_EXCHANGE,
            oi=fix.id,
            op=fix.price,
            os=int(fix.size),
            oc=NO_CONDITION,
            ci=fix.new_id,
            cp=fix.new_price,
            cs=int(fix.new_size),
            cc=fix.new_conditions or NO_CONDITION,
            t=at,
            z=fix.tape or tape,
        )

    def _quote(self, q: Quote) -> tuple[str, float, int, str, float, int, tuple[str, ...], Stamp, str]:
        at, tape = self.stamp(q.t_ns), self._tapes.get(q.symbol, ANY_TAPE)
        bid_size, ask_size = int(q.bid_size), int(q.ask_size)
        return NO_EXCHANGE, q.bid, bid_size, NO_EXCHANGE, q.ask, ask_size, QUOTE_CONDITION, at, tape

    def _trade(self, t: Trade) -> tuple[int, str, float, int, tuple[str, ...], Stamp, str]:
        tape = t.tape or self._tapes.get(t.symbol, ANY_TAPE)
        exchange, conditions = t.exchange or NO_EXCHANGE, t.conditions or NO_CONDITION
        return t.id, exchange, t.price, int(t.size), conditions, self.stamp(t.t_ns), tape

    def _bar(self, b: Bar) -> tuple[float, float, float, float, int, int, float, Stamp]:
        return b.open, b.high, b.low, b.close, int(b.volume), b.count, b.vwap, self.stamp(b.t_ns)


class MsgpackCodec(_Wire):
    """Binary frames; what alpaca-py and this house's own client ask for."""

    binary = True

    def __init__(self, tapes: Mapping[str, str]) -> None:
        super().__init__(tapes)
        self._encode = msgspec.msgpack.Encoder().encode

    def stamp(self, t_ns: int) -> Stamp:
        """Extension -1, the 64-bit form: 30 bits of nanoseconds, 34 of seconds."""
        seconds, nanoseconds = divmod(t_ns, 1_000_000_000)
        return msgspec.msgpack.Ext(-1, (nanoseconds << 34 | seconds).to_bytes(8, "big"))

    def event(self, event: TapeEvent) -> bytes:
        """One event or note of the tape as an element of a frame."""
        return self._encode(self.fields(event))

    def message(self, message: Mapping[str, Any]) -> bytes:
        """A control message as a whole frame: an array of one."""
        return self._encode([message])

    def frames(self, parts: list[bytes]) -> Iterable[bytes]:
        """Elements joined into as few frames as FRAME_BYTES allows."""
        for some in _chunks(parts):
            yield _array_header(len(some)) + b"".join(some)

    def read(self, data: str | bytes) -> Any:
        """What a client sent; a text frame is taken for JSON, since some clients log in so."""
        return msgspec.json.decode(data) if isinstance(data, str) else msgspec.msgpack.decode(data)


class JsonCodec(_Wire):
    """Text frames; the default of the protocol."""

    binary = False

    def __init__(self, tapes: Mapping[str, str]) -> None:
        super().__init__(tapes)
        self._encode = msgspec.json.Encoder().encode

    def stamp(self, t_ns: int) -> Stamp:
        """RFC 3339 with nanoseconds, as Go writes it: no trailing zeros."""
        return rfc3339(t_ns)

    def event(self, event: TapeEvent) -> bytes:
        """One event or note of the tape as an element of a frame."""
        return self._encode(self.fields(event))

    def message(self, message: Mapping[str, Any]) -> bytes:
        """A control message as a whole frame: an array of one."""
        return self._encode([message])

    def frames(self, parts: list[bytes]) -> Iterable[bytes]:
        """Elements joined into as few frames as FRAME_BYTES allows."""
        for some in _chunks(parts):
            yield b"[" + b",".join(some) + b"]"

    def read(self, data: str | bytes) -> Any:
        """What a client sent."""
        return msgspec.json.decode(data)


def _kind_of(bar: Bar) -> type[_Bar] | type[_UpdatedBar] | type[_DailyBar]:
    if bar.span_ns == DAY_NS:
        return _DailyBar
    return _UpdatedBar if bar.revised else _Bar


@lru_cache(maxsize=1024)
def _array_header(count: int) -> bytes:
    if count < 16:
        return bytes([0x90 | count])
    if count < 65_536:
        return b"\xdc" + count.to_bytes(2, "big")
    return b"\xdd" + count.to_bytes(4, "big")


def _chunks(parts: list[bytes]) -> Iterable[list[bytes]]:
    size, begin = 0, 0
    for n, part in enumerate(parts):
        size += len(part) + 1
        if size > FRAME_BYTES and n > begin:
            yield parts[begin:n]
            begin, size = n, len(part) + 1
    if begin < len(parts):
        yield parts[begin:]
