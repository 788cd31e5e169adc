"""What all readers of Alpaca's REST answers share: bytes become a typed value, or a FeedError in words."""

from typing import TypeVar

import msgspec

from liu_tui.adapters.foreign import MAX_NS, UNREADABLE
from liu_tui.errors import FeedError

T = TypeVar("T")


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
