"""What a question to Polygon's face asks for, on its first page and on the next ones."""

import base64
import binascii
from datetime import date
from typing import TypeVar

import msgspec
from aiohttp import web

from liu_tui.adapters.polygon.spelling import our_symbol
from liu_tui.localmarket.paging import Mark
from liu_tui.localmarket.rest import bad_query
from liu_tui.market.calendar import midnight_ns
from liu_tui.trading.matching.refusals import ExchangeRefusal

T = TypeVar("T")
_DIGITS = 19


class Asked(msgspec.Struct, frozen=True):
    """A query. A next page's stands in its cursor, with the place where the page before it ended.

    mark: of rows that have times; given: how many rows have been given, of those that have none
    """

    words: dict[str, str]
    mark: Mark | None = None
    given: int = 0

    @classmethod
    def of(cls, request: web.Request) -> "Asked":
        """Read a request's. Raises ExchangeRefusal (400)."""
        cursor = request.query.get("cursor")
        if cursor is None:
            return cls({key: said for key, said in request.query.items() if key != "apiKey"})
        try:
            return msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=cls)
        except (binascii.Error, ValueError, msgspec.MsgspecError) as e:
            raise bad_query("invalid cursor") from e

    def whole(self, key: str, default: int, *, most: int) -> int:
        """A whole number from 1 to `most`; more is taken for the most. Raises ExchangeRefusal (400)."""
        said = self.words.get(key, str(default))
        if not (said.isascii() and said.isdecimal() and len(said) <= _DIGITS and int(said) > 0):
            raise bad_query(f"invalid {key}: a number from 1 to {most}, was {said!r}")
        return min(int(said), most)

    def falls(self, default: str = "asc", key: str = "order") -> bool:
        """Whether the last comes first. Raises ExchangeRefusal (400)."""
        said = self.words.get(key, default)
        if said not in ("asc", "desc"):
            raise bad_query(f"invalid {key}: asc or desc, was {said!r}")
        return said == "desc"

    def next_url(self, request: web.Request, *, mark: Mark | None = None, given: int = 0) -> str:
        """The address of the page after this one."""
        cursor = msgspec.json.encode(msgspec.structs.replace(self, mark=mark, given=given))
        return f"{request.url.origin()}{request.path}?cursor={base64.urlsafe_b64encode(cursor).decode()}"

    def cut(self, rows: list[T], request: web.Request, limit: int) -> tuple[list[T], dict[str, str]]:
        """Cut this page out of rows without times; return it, and what says where the next one is."""
        end = self.given + limit
        more = {"next_url": self.next_url(request, given=end)} if end < len(rows) else {}
        return rows[self.given : end], more


def symbol_of(request: web.Request) -> str:
    """The symbol in the path, in the house's spelling."""
    return our_symbol(request.match_info["ticker"])


def day_in(text: str) -> date:
    """Read a date. Raises ExchangeRefusal (400)."""
    try:
        return date.fromisoformat(text)
    except ValueError as e:
        raise bad_query(f"invalid date: {text!r}") from e


def moment_in(text: str, unit_ns: int, *, end_of_day: bool = False) -> int:
    """Read a moment: a number of units since 1970, or a New York date. Raises ExchangeRefusal (400)."""
    if text.isascii() and text.isdecimal() and len(text) <= _DIGITS:
        return int(text) * unit_ns
    day = day_in(text)
    # The last moment of a day; a day's length is an hour off where the clocks change.
    return midnight_ns(date.fromordinal(day.toordinal() + 1)) - 1 if end_of_day else midnight_ns(day)


def not_found(what: str) -> ExchangeRefusal:
    """There is no such thing (404)."""
    return ExchangeRefusal(404, 0, f"{what} not found.")
