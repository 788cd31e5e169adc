"""What all readers of Alpaca's REST answers share: bytes become a typed value, or a FeedError in words."""

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from liu_tui.errors import FeedError

T = TypeVar("T")

# The bounds refuse NaN and infinity, which no comparison of a rule would catch, and what no int64 holds.
Price = Annotated[float, Meta(gt=0, lt=1e9)]
Side = Annotated[float, Meta(ge=0, lt=1e9)]  # 0: no bid, or no ask
Size = Annotated[float, Meta(ge=0, lt=1e15)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
MAX_NS = 2**63 - 1

UNREADABLE = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
"""What foreign bytes can raise: a wrong type or syntax, broken UTF-8, a time out of range, deep nesting."""


def read_json(body: bytes, kind: type[T], where: str) -> T:
    """Read a whole answer. Raises FeedError, with the first words of a body that is none."""
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE as e:
        raise unreadable(e, where) from e


def unreadable(e: Exception, where: str) -> FeedError:
    """Word what is wrong with an answer."""
    return FeedError(f"an answer that cannot be read: {e}", where=where, mend="Alpaca may have changed it.")


def in_range(t_ns: int) -> int:
    """Pass a time on. Raises ValueError if it is before 1970 or after 2262, where an int64 ends."""
    if not 0 <= t_ns <= MAX_NS:
        raise ValueError("a time outside 1970 to 2262")
    return t_ns
