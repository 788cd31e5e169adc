"""`GET /v1/corporate-actions`: splits, dividends and renames, in Alpaca's groups.

They are the venue's `actions`: whoever makes one happen here appends it there. Alpaca's own list is sorted
by the day on which it processes an action; here that is the day itself. Source: Market Data API 1.1.
"""

import base64
import binascii
import uuid
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

from aiohttp import web

from liu_tui.localmarket.data_query import is_descending, limit_of
from liu_tui.localmarket.rest import bad_query, names, reply
from liu_tui.localmarket.venue import Venue
from liu_tui.market.calendar import day_of
from liu_tui.model.market import CorporateAction

MOST = 1_000
_TYPES = frozenset(
    {"reverse_split", "forward_split", "unit_split", "cash_dividend", "stock_dividend", "spin_off"}
    | {"cash_merger", "stock_merger", "stock_and_cash_merger", "redemption", "name_change"}
    | {"worthless_removal", "rights_distribution"}
)


class CorporateRest:
    """Answers of the corporate actions endpoint."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        """Where it is reached."""
        return [web.get("/v1/corporate-actions", self.actions)]

    async def actions(self, request: web.Request) -> web.Response:
        """`GET /v1/corporate-actions`: today's unless a span is given; 100 a page unless said."""
        found = sorted(self._asked(request), key=_place, reverse=is_descending(request))
        after = _read_token(request.query.get("page_token", ""))
        begin = next((n + 1 for n, action in enumerate(found) if _id(action) == after), 0)
        size = limit_of(request, 100, most=MOST)
        page, more = found[begin : begin + size], len(found) > begin + size
        groups: dict[str, list[dict[str, Any]]] = {}
        for action in page:
            groups.setdefault(f"{_type(action)}s", []).append(_row(action))
        return reply(
            {"corporate_actions": groups, "next_page_token": _token(page[-1]) if more and page else None}
        )

    def _asked(self, request: web.Request) -> Iterable[CorporateAction]:
        symbols, types, ids = names(request), _types(request), request.query.get("ids", "")
        if ids:
            return [action for action in self._venue.actions if _id(action) in ids.split(",")]
        today = day_of(self._venue.now_ns)
        start, end = _day(request, "start", today), _day(request, "end", today)
        if end < start:
            raise bad_query("end should not be before start")
        return [
            action
            for action in self._venue.actions
            if start <= action.day <= end
            and (not symbols or action.symbol in symbols or action.new_symbol in symbols)
            and (not types or _type(action) in types)
        ]


def _place(action: CorporateAction) -> tuple[str, str, str]:
    return action.day, action.symbol, _id(action)


def _types(request: web.Request) -> set[str]:
    types = {word.strip() for word in request.query.get("types", "").split(",") if word.strip()}
    for word in types - _TYPES:
        raise bad_query(f"invalid type: {word}")
    return types


def _day(request: web.Request, key: str, default: date) -> str:
    said = request.query.get(key)
    try:
        return (date.fromisoformat(said) if said else default).isoformat()
    except ValueError as e:
        raise bad_query(f"Invalid format for parameter {key}: error parsing '{said}' as date") from e


def _type(action: CorporateAction) -> str:
    if action.kind == "split":
        return "forward_split" if action.ratio >= 1 else "reverse_split"
    return "cash_dividend" if action.kind == "dividend" else "name_change"


def _id(action: CorporateAction) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, repr(action)))


def _token(action: CorporateAction) -> str:
    return base64.urlsafe_b64encode(_id(action).encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, ValueError) as e:
        raise bad_query("invalid page_token") from e


def _row(action: CorporateAction) -> dict[str, Any]:
    row: dict[str, Any] = {"id": _id(action), "process_date": action.day}
    if action.kind == "rename":
        names_of = {"old_symbol": action.symbol, "new_symbol": action.new_symbol}
        return row | names_of | {"old_cusip": _cusip(action.symbol), "new_cusip": _cusip(action.new_symbol)}
    row |= {"symbol": action.symbol, "ex_date": action.day, "record_date": action.day}
    row["payable_date"] = action.day
    if action.kind == "dividend":
        return row | {
            "cusip": _cusip(action.symbol),
            "rate": action.cash,
            "special": False,
            "foreign": False,
        }
    rate = Fraction(action.ratio).limit_denominator(10_000)
    row |= {"new_rate": rate.numerator, "old_rate": rate.denominator}
    if _type(action) == "forward_split":
        return row | {"cusip": _cusip(action.symbol)}
    # A reverse split gives the shares a new number.
    return row | {"old_cusip": _cusip(action.symbol), "new_cusip": _cusip(action.symbol + action.day)}


def _cusip(name: str) -> str:
    """Make up a number of nine characters, always the same one for the same name."""
    return uuid.uuid5(uuid.NAMESPACE_OID, name).hex[:9].upper()
