"""Market events as Polygon's (Massive's) stocks stream spells them: JSON, times in milliseconds.

Source: Massive's "Stocks WebSocket" pages. `q` grows with each event of a symbol, as the vendor promises.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from liu_tui.adapters.polygon.codes import EXCHANGE_NUMBERS, numbers_of, tape_number
from liu_tui.adapters.polygon.spelling import LOT, MS_NS, SHARES_SINCE_NS, their_ticker
from liu_tui.localmarket.wire import ANY_TAPE, NO_CONDITION, NO_EXCHANGE, JsonCodec
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Bar, PriceBand, Quote, TapeEvent, Trade

ANY_EXCHANGE = EXCHANGE_NUMBERS[NO_EXCHANGE]
REGULAR_QUOTE = 1


class _Trade(msgspec.Struct, tag_field="ev", tag="T", omit_defaults=True):
    sym: str
    x: int
    i: str
    z: int
    p: float
    s: int
    c: tuple[int, ...]
    t: int
    q: int
    ds: str = ""


class _Quote(msgspec.Struct, tag_field="ev", tag="Q", rename={"ask_size": "as"}):
    sym: str
    bx: int
    bp: float
    bs: float
    ax: int
    ap: float
    ask_size: float
    c: int
    i: tuple[int, ...]
    t: int
    q: int
    z: int


class _Bar(msgspec.Struct, omit_defaults=True):
    """av, op, a: the day's shares, official open and average price so far; z: shares a trade, cut."""

    sym: str
    v: int
    av: int
    op: float
    vw: float
    o: float
    c: float
    h: float
    l: float  # noqa: E741 - the vendor's letter
    a: float
    z: int
    s: int
    e: int
    dv: str = ""


class _Second(_Bar, tag_field="ev", tag="A"):
    """One second."""


class _Minute(_Bar, tag_field="ev", tag="AM"):
    """One minute."""


class _Band(msgspec.Struct, tag_field="ev", tag="LULD"):
    T: str
    h: float
    l: float  # noqa: E741 - the vendor's letter
    i: tuple[int, ...]
    z: int
    t: int
    q: int


class PolygonCodec(JsonCodec):
    """Text frames of Polygon's. Control messages and frames are put together as in any JSON stream.

    tapes:     symbol -> the letter of its tape
    day_so_far: the running daily bar of a symbol, None before its first minute
    """

    def __init__(self, tapes: Mapping[str, str], day_so_far: Callable[[str], Bar | None]) -> None:
        super().__init__(tapes)
        self._tape_of, self._day_so_far = tapes, day_so_far
        self._days: dict[str, tuple[int, Bar | None]] = {}
        self._counts: Counter[str] = Counter()

    def event(self, event: TapeEvent) -> bytes:
        """One event, or a price band, as an element of a frame. Other notes Polygon does not have."""
        match event:
            case Trade():
                return self._encode(self._trade_message(event))
            case Quote():
                return self._encode(self._quote_message(event))
            case Bar():
                return self._encode(self._bar_message(event))
            case PriceBand():
                return self._encode(self._band_message(event))
        raise TypeError(f"Polygon has no {type(event).__name__}")

    def status(self, status: str, message: str) -> bytes:
        """A word about the connection, as an element of a frame."""
        return self._encode({"ev": "status", "status": status, "message": message})

    def _trade_message(self, t: Trade) -> _Trade:
        tape = t.tape or self._tape_of.get(t.symbol, ANY_TAPE)
        return _Trade(
            their_ticker(t.symbol),
            exchange_number(t.exchange),
            str(t.id),
            tape_number(tape),
            t.price,
            int(t.size),
            condition_numbers(t, tape),
            t.t_ns // MS_NS,
            self._next(t.symbol),
            fraction(t.size),
        )

    def _quote_message(self, q: Quote) -> _Quote:
        return _Quote(
            their_ticker(q.symbol),
            ANY_EXCHANGE,
            q.bid,
            quote_size(q.bid_size, q.t_ns),
            ANY_EXCHANGE,
            q.ask,
            quote_size(q.ask_size, q.t_ns),
            REGULAR_QUOTE,
            (),
            q.t_ns // MS_NS,
            self._next(q.symbol),
            self._tape(q.symbol),
        )

    def _bar_message(self, b: Bar) -> _Bar:
        day = self._day(b)
        shares, open_, average = (int(day.volume), day.open, day.vwap) if day is not None else (0, 0.0, 0.0)
        kind = _Second if b.span_ns == SECOND_NS else _Minute
        return kind(
            sym=their_ticker(b.symbol),
            v=int(b.volume),
            av=shares,
            op=open_,
            vw=b.vwap,
            o=b.open,
            c=b.close,
            h=b.high,
            l=b.low,
            a=average,
            z=int(b.volume / b.count) if b.count else 0,
            s=b.t_ns // MS_NS,
            e=b.end_ns // MS_NS,
            dv=fraction(b.volume),
        )

    def _band_message(self, band: PriceBand) -> _Band:
        numbers = tuple(int(word) for word in band.indicator.split(",") if word.isdecimal())
        at_ms, n = band.t_ns // MS_NS, self._next(band.symbol)
        ticker, tape = their_ticker(band.symbol), self._tape(band.symbol)
        return _Band(ticker, band.upper, band.lower, numbers, tape, at_ms, n)

    def _day(self, bar: Bar) -> Bar | None:
        # It changes with the minutes, and is asked for with each second.
        minute, known = bar.end_ns // MINUTE_NS, self._days.get(bar.symbol)
        if known is None or known[0] != minute:
            known = self._days[bar.symbol] = (minute, self._day_so_far(bar.symbol))
        return known[1]

    def _tape(self, symbol: str) -> int:
        return tape_number(self._tape_of.get(symbol, ANY_TAPE))

    def _next(self, symbol: str) -> int:
        self._counts[symbol] += 1
        return self._counts[symbol]


def exchange_number(letter: str) -> int:
    """Number an exchange; a number that stands as text stays what it is."""
    if letter.isascii() and letter.isdecimal():
        return int(letter)
    return EXCHANGE_NUMBERS.get(letter, ANY_EXCHANGE)


def condition_numbers(trade: Trade, tape: str) -> tuple[int, ...]:
    """Number a trade's sale conditions."""
    return numbers_of(trade.conditions or NO_CONDITION, tape)


def quote_size(size: float, t_ns: int) -> float:
    """A quote's size as the tapes told it at that time: in lots of 100 until 2025-11-03, in shares since."""
    said = size if t_ns >= SHARES_SINCE_NS else size / LOT
    return int(said) if said == int(said) else said


def fraction(shares: float) -> str:
    """The exact number of shares, where it is no whole one; else ""."""
    return "" if shares == int(shares) else repr(shares)


def read_message(data: str | bytes) -> dict[str, Any]:
    """Read what a client sent. Raises msgspec.MsgspecError."""
    return msgspec.json.decode(data, type=dict[str, Any])
