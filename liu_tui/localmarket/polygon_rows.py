"""Our objects as Polygon's REST endpoints list them."""

from typing import Any

from liu_tui.adapters.polygon.codes import tape_number
from liu_tui.adapters.polygon.spelling import MS_NS, their_ticker
from liu_tui.localmarket.polygon_codec import (
    ANY_EXCHANGE,
    REGULAR_QUOTE,
    condition_numbers,
    exchange_number,
    fraction,
    quote_size,
)
from liu_tui.localmarket.wire import ANY_TAPE
from liu_tui.model.market import Bar, Quote, Trade

Words = dict[str, Any]


def bar(b: Bar, *, at_ns: int | None = None, named: bool = False) -> Words:
    """One aggregate. at_ns: its stamp, its start if None; named: with its ticker."""
    at_ms = (b.t_ns if at_ns is None else at_ns) // MS_NS
    words = prices(b) | {"t": at_ms, "n": b.count}
    return {"T": their_ticker(b.symbol)} | words if named else words


def prices(b: Bar) -> Words:
    """Prices and volume alone: a day inside a snapshot."""
    return {"o": b.open, "h": b.high, "l": b.low, "c": b.close, "v": b.volume, "vw": b.vwap}


def trade(t: Trade, n: int) -> Words:
    """A row of /v3/trades. n: its place in time, as sequence number."""
    words = {
        "conditions": condition_numbers(t, tape_of(t)),
        "exchange": exchange_number(t.exchange),
        "id": str(t.id),
        "participant_timestamp": t.t_ns,
        "price": t.price,
        "sequence_number": n,
        "sip_timestamp": t.t_ns,
        "size": int(t.size),
        "tape": tape_number(tape_of(t)),
    }
    return words | _exact("decimal_size", t.size)


def quote(q: Quote, n: int, tape: str) -> Words:
    """A row of /v3/quotes. tape: the letter of the symbol's."""
    return {
        "ask_exchange": ANY_EXCHANGE,
        "ask_price": q.ask,
        "ask_size": quote_size(q.ask_size, q.t_ns),
        "bid_exchange": ANY_EXCHANGE,
        "bid_price": q.bid,
        "bid_size": quote_size(q.bid_size, q.t_ns),
        "conditions": [REGULAR_QUOTE],
        "participant_timestamp": q.t_ns,
        "sequence_number": n,
        "sip_timestamp": q.t_ns,
        "tape": tape_number(tape),
    }


def last_trade(t: Trade) -> Words:
    """The last print, as snapshots and /v2/last spell it."""
    words = {
        "c": condition_numbers(t, tape_of(t)),
        "i": str(t.id),
        "p": t.price,
        "s": int(t.size),
        "t": t.t_ns,
        "x": exchange_number(t.exchange),
        "z": tape_number(tape_of(t)),
    }
    return words | _exact("ds", t.size)


def last_quote(q: Quote) -> Words:
    """The quote as it stands, as snapshots and /v2/last spell it."""
    return {
        "P": q.ask,
        "S": quote_size(q.ask_size, q.t_ns),
        "p": q.bid,
        "s": quote_size(q.bid_size, q.t_ns),
        "t": q.t_ns,
    }


def tape_of(t: Trade) -> str:
    """The letter of a print's tape, one of them if it has none."""
    return t.tape or ANY_TAPE


def _exact(key: str, size: float) -> Words:
    said = fraction(size)
    return {key: said} if said else {}
