"""Prints that never happened, and prints told wrong: what faults of the tape put into a stream.

Each has the place of the symbol's last true print, and an id that no true print has. One that never happened
is a regular sale of a round lot at least: an odd lot may not set a price, and nobody would mind it.
"""

from hashlib import blake2b

from liu_tui.market.tape import Tape
from liu_tui.model.market import Trade, TradeCancel, TradeCorrection

SLIP = 1.002
"""How far a print is off that is corrected or cancelled: a slip that no rule of bad prints holds back."""
FIRST_ID = 70_000_000_000_000
"""Above what the tapes of a day give out, and below 2**53, which every JSON reader keeps."""
_IDS = 1_000_000_000
_SIZE = 100.0
_REGULAR = ("@", " ")
"""A regular sale, as Nasdaq's tape and New York's say it."""


def stray(tape: Tape, symbol: str, factor: float | None, t_ns: int, fault_id: str) -> Trade | None:
    """A print at `factor` times the market's price (None: a slip); None if the symbol has no price yet."""
    last, quote = tape.trade(symbol), tape.quote(symbol)
    price = last.price if last is not None else quote.mid if quote is not None else tape.price(symbol)
    if price <= 0:
        return None
    model = last if last is not None else Trade(symbol, t_ns, price, _SIZE)
    return Trade(
        symbol,
        t_ns,
        _in_ticks(price * (SLIP if factor is None else factor)),
        max(model.size, _SIZE),
        _new_id(fault_id, symbol),
        model.exchange,
        tuple(condition for condition in model.conditions if condition in _REGULAR),
        model.tape,
    )


def as_wrong(true: Trade, fault_id: str) -> Trade:
    """A true print as it is told first: at another price, under another id."""
    return Trade(
        true.symbol,
        true.t_ns,
        _in_ticks(true.price * SLIP),
        true.size,
        _new_id(fault_id, true.symbol),
        true.exchange,
        true.conditions,
        true.tape,
    )


def correction(wrong: Trade, true: Trade, t_ns: int) -> TradeCorrection:
    """What makes the wrong print the true one."""
    return TradeCorrection(
        symbol=wrong.symbol,
        t_ns=t_ns,
        exchange=wrong.exchange,
        id=wrong.id,
        price=wrong.price,
        size=wrong.size,
        new_id=true.id,
        new_price=true.price,
        new_size=true.size,
        new_conditions=true.conditions,
        tape=true.tape,
    )


def cancellation(trade: Trade, t_ns: int) -> TradeCancel:
    """What takes a print back."""
    return TradeCancel(trade.symbol, t_ns, trade.exchange, trade.id, trade.price, trade.size)


def _new_id(fault_id: str, symbol: str) -> int:
    digest = blake2b(f"{fault_id}:{symbol}".encode(), digest_size=8).digest()
    return FIRST_ID + int.from_bytes(digest, "big") % _IDS


def _in_ticks(price: float) -> float:
    """Whole cents; hundredths of a cent below a dollar."""
    return max(round(price, 2), 0.01) if price >= 1 else max(round(price, 4), 0.0001)
