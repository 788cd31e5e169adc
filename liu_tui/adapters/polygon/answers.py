"""Reading a JSON answer of Polygon's, whole or row by row. No I/O.

Numbers are read leniently, as in the stream; the bounds refuse NaN, infinity and what no int64 holds.
"""

import logging
from collections.abc import Sequence
from typing import Any, TypeVar, cast

import msgspec

from liu_tui.adapters.foreign import UNREADABLE
from liu_tui.errors import FeedError

log = logging.getLogger(__name__)

T = TypeVar("T")


def read(body: bytes | msgspec.Raw, kind: Any, where: str) -> Any:
    """Read a whole answer as this type. Raises FeedError."""
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except UNREADABLE as e:
        raise unreadable(e, where) from e


def results(body: bytes, kind: type[T], where: str) -> list[T]:
    """Read the list that stands under "results"; it may be missing, which is an empty one.

    Raises FeedError.
    """
    found = read(body, dict[str, msgspec.Raw], where).get("results")
    return cast(list[T], read(found, list[kind] | None, where) or []) if found else []  # type: ignore[valid-type]


def result(body: bytes, kind: type[T], where: str) -> T:
    """Read the one thing that stands under "results". Raises FeedError."""
    found = read(body, dict[str, msgspec.Raw], where).get("results")
    return cast(T, read(found or b"", kind, where))


def maybe(raw: msgspec.Raw, kind: type[T]) -> T | None:
    """Read a part; None where it is absent, null, or cannot be read."""
    try:
        return msgspec.json.decode(raw, type=kind, strict=False) if bytes(raw) else None
    except UNREADABLE:
        return None


def some(rows: Sequence[msgspec.Raw], kind: type[T], where: str) -> list[T]:
    """Read the rows that can be read: one bad name must not cost the market. Says how many could not.

    Raises FeedError if there are rows and none can be read.
    """
    found = [row for row in (maybe(raw, kind) for raw in rows) if row is not None]
    if rows and not found:
        read(rows[0], kind, where)
    if len(found) < len(rows):
        log.warning("%s: %d of %d rows could not be read", where, len(rows) - len(found), len(rows))
    return found


def unreadable(e: Exception, where: str) -> FeedError:
    """Say that an answer is not what it should be."""
    return FeedError(f"an answer that cannot be read: {e}", where=where, mend="Polygon may have changed it.")
