"""Small differences between Polygon's spelling and the house's: symbols, ids, sizes, times.

Symbols: preferred shares have a small p at Polygon ("BACpK"); the house spells them "BAC.PRK", as the broker
does. Everything else is alike, class shares ("BRK.B") too.
"""

import re
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from liu_tui.adapters.foreign import MAX_NS
from liu_tui.model.market import SECOND_NS, normal_symbol

MS_NS: Final = 1_000_000
SHARES_SINCE_NS: Final = 1_762_146_000_000_000_000
"""2025-11-03 in New York. From that day on the SIPs give quote sizes in shares, before it in lots of 100."""
LOT: Final = 100
LATE_MS: Final = MAX_NS // MS_NS
"""In the year 2262: a greater number is no milliseconds."""
_PREFERRED = re.compile(r"([A-Z]+)p([A-Z]?)")
_OURS = re.compile(r"([A-Z]+)\.PR([A-Z]?)")


@lru_cache(maxsize=65_536)
def our_symbol(ticker: str) -> str:
    """Spell a ticker as the house does. One of blanks only stays as it is: nobody asked for it."""
    found = _PREFERRED.fullmatch(ticker)
    return f"{found[1]}.PR{found[2]}" if found is not None else normal_symbol(ticker) or ticker


def their_ticker(symbol: str) -> str:
    """Spell a symbol as Polygon does."""
    symbol = normal_symbol(symbol)
    found = _OURS.fullmatch(symbol)
    return f"{found[1]}p{found[2]}" if found is not None else symbol


def id_of(said: str | int) -> int:
    """Turn a trade's id into a number: its decimal digits, else a hash of the text.

    The hash is blake2b's first 63 bits: the same text gives the same number everywhere and always.
    """
    if isinstance(said, int):
        return said if 0 <= said <= MAX_NS else hash_of(str(said))
    if len(said) <= 18 and said.isascii() and said.isdecimal():
        return int(said)
    return hash_of(said) if said else 0


def hash_of(text: str) -> int:
    """Return 63 bits that stand for a text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def from_ms(t: int) -> int:
    """Turn milliseconds into nanoseconds; a number too great for them is taken for nanoseconds already."""
    return t * MS_NS if t <= LATE_MS else t


def shares(size: float, t_ns: int) -> float:
    """Turn a quote's size into shares: until 2025-11-03 the tapes told lots of 100."""
    return size if t_ns >= SHARES_SINCE_NS else round(size * LOT, 6)


def read_time(text: str) -> int:
    """Turn an RFC 3339 time (with an offset, to the microsecond) into UTC nanoseconds. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    whole = int(moment.replace(microsecond=0).timestamp())
    t_ns = whole * SECOND_NS + moment.microsecond * 1000
    if not 0 <= t_ns <= MAX_NS:
        raise ValueError(f"{text!r} lies outside of the years 1970 to 2262")
    return t_ns
