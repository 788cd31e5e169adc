"""Pages of historical data: by symbol, then by time, with a token that says where the next one begins."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from liu_tui.localmarket.rest import bad_query
from liu_tui.model.market import Bar, Quote, Trade

Row = TypeVar("Row", Bar, Trade, Quote)


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: so many rows of this symbol at this very time have been given."""

    symbol: str
    t_ns: int
    given: int

    def token(self) -> str:
        """As a client sends it back."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode()

    @classmethod
    def read(cls, token: str) -> "Mark":
        """Read a token. Raises ExchangeRefusal (400)."""
        try:
            return msgspec.json.decode(base64.urlsafe_b64decode(token), type=cls)
        except (binascii.Error, ValueError, msgspec.MsgspecError) as e:
            raise bad_query("invalid page_token") from e


class Page(msgspec.Struct, Generic[Row], frozen=True):
    """Rows by symbol (symbols without rows are absent), and where the next page begins, if there is one."""

    rows: dict[str, list[Row]]
    next_mark: Mark | None


def cut_page(
    symbols: Sequence[str],
    fetch: Callable[[str], list[Row]],
    *,
    limit: int,
    after: Mark | None,
    descending: bool,
) -> Page[Row]:
    """Take at most `limit` rows in all. fetch: the rows of one symbol, oldest first."""
    rows: dict[str, list[Row]] = {}
    room, last = limit, None
    for symbol in sorted(symbols):
        if after is not None and symbol < after.symbol:
            continue
        found = fetch(symbol)
        if descending:
            found = found[::-1]
        if after is not None and symbol == after.symbol:
            found = _behind(found, after, descending)
        if found and not room:
            return Page(rows, last)
        if found[:room]:
            rows[symbol] = found[:room]
            last = _mark(symbol, rows[symbol], after)
        if len(found) > room:
            return Page(rows, last)
        room -= len(found)
    return Page(rows, None)


def _behind(found: list[Row], after: Mark, descending: bool) -> list[Row]:
    sign = -1 if descending else 1
    at = next((n for n, row in enumerate(found) if row.t_ns * sign >= after.t_ns * sign), len(found))
    while at < len(found) and found[at].t_ns == after.t_ns and after.given > 0:
        after = msgspec.structs.replace(after, given=after.given - 1)
        at += 1
    return found[at:]


def _mark(symbol: str, given: list[Row], after: Mark | None) -> Mark:
    t_ns = given[-1].t_ns
    same = sum(1 for row in given if row.t_ns == t_ns)
    if after is not None and after.symbol == symbol and after.t_ns == t_ns:
        same += after.given
    return Mark(symbol, t_ns, same)
