"""What a question to the data API asks for: symbols, span, feed, order. Refusals are in Alpaca's words."""

from aiohttp import web

from liu_tui.localmarket.rest import bad_query, names
from liu_tui.localmarket.rfc3339 import read_time
from liu_tui.market.calendar import day_of, midnight_ns
from liu_tui.model.market import normal_symbol

LIMIT = 10_000
_PAST = frozenset({"sip", "iex", "boats", "otc"})
_PRESENT = _PAST | {"delayed_sip", "overnight"}


def required(request: web.Request, key: str) -> str:
    """A parameter that must be there. Raises ExchangeRefusal (400)."""
    said = request.query.get(key, "")
    if not said:
        raise bad_query(f"Invalid format for parameter {key}: query parameter '{key}' is required")
    return said


def symbols_of(request: web.Request) -> list[str]:
    """The symbol of the path or those of the query, as the house spells them. Raises ExchangeRefusal."""
    if "symbol" in request.match_info:
        return [normal_symbol(request.match_info["symbol"])]
    required(request, "symbols")
    return names(request)


def check_feed(request: web.Request, *, past: bool) -> None:
    """Refuse a feed that the endpoints of the past, or of the present, do not have.

    There is one tape here: it is told whatever feed is named. Raises ExchangeRefusal (400).
    """
    feed = request.query.get("feed", "sip")
    if feed.lower() not in (_PAST if past else _PRESENT):
        raise bad_query(f"invalid feed: {feed}")


def limit_of(request: web.Request, default: int = 1_000, *, most: int = LIMIT) -> int:
    """How many rows of all symbols together one page may have. Raises ExchangeRefusal (400)."""
    said = request.query.get("limit")
    if said is None:
        return default
    if not (said.isascii() and said.isdecimal() and len(said) < 10 and 1 <= int(said) <= most):
        raise bad_query(f"invalid limit: a number from 1 to {most}, was {said!r}")
    return int(said)


def is_descending(request: web.Request) -> bool:
    """Whether the newest come first. Raises ExchangeRefusal (400)."""
    sort = request.query.get("sort", "asc").lower()
    if sort not in ("asc", "desc"):
        raise bad_query(f"invalid sort: {sort}")
    return sort == "desc"


def span_of(request: web.Request, now_ns: int) -> tuple[int, int]:
    """From when to when, both included: today up to now unless it is said; never later than now.

    Raises ExchangeRefusal (400).
    """
    start_ns = _moment(request, "start", end_of_day=False)
    end_ns = _moment(request, "end", end_of_day=True)
    start_ns = midnight_ns(day_of(now_ns)) if start_ns is None else start_ns
    end_ns = now_ns if end_ns is None else end_ns
    if end_ns < start_ns:
        raise bad_query("end should not be before start")
    return start_ns, min(end_ns, now_ns)


def _moment(request: web.Request, key: str, *, end_of_day: bool) -> int | None:
    said = request.query.get(key)
    if not said:
        return None
    try:
        # A time of day without an offset is refused, as the service does.
        moment = read_time(said, end_of_day=end_of_day) if len(said) == 10 or _has_offset(said) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise bad_query(
            f"Invalid format for parameter {key}: error parsing '{said}' as RFC3339 or 2006-01-02 time"
        )
    return moment


def _has_offset(said: str) -> bool:
    # A plus sign that was not escaped has become a blank.
    return said[-1:] in "Zz" or said[-6:-5] in ("+", "-", " ")
