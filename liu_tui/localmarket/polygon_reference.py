"""Polygon's reference endpoints: tickers and what happened to them, its numbers, and the market's hours."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, timedelta
from fractions import Fraction
from typing import Any

from aiohttp import web

from liu_tui.adapters.polygon.spelling import their_ticker
from liu_tui.localmarket.marketclock import MarketClock
from liu_tui.localmarket.polygon_door import yes
from liu_tui.localmarket.polygon_meta import ANY_MARKET, MARKET_CODES, conditions, exchanges
from liu_tui.localmarket.polygon_query import Asked, not_found, symbol_of
from liu_tui.localmarket.rest import reply
from liu_tui.localmarket.venue import Venue
from liu_tui.market import calendar
from liu_tui.model.market import SECOND_NS, Asset, CorporateAction

Words = dict[str, Any]
MOST, USUAL = 1_000, 100
_YEAR = timedelta(days=365)
_SATURDAY = 5
_PHASES = {"pre": "extended-hours", "open": "open", "post": "extended-hours"}
_SIDES: dict[str, Callable[[str, str], bool]] = {
    "": lambda value, said: value == said,
    "gt": lambda value, said: value > said,
    "gte": lambda value, said: value >= said,
    "lt": lambda value, said: value < said,
    "lte": lambda value, said: value <= said,
}


class PolygonReference:
    """Answers of the reference endpoints."""

    def __init__(self, venue: Venue, clock: MarketClock) -> None:
        self._venue, self._clock = venue, clock

    def routes(self) -> list[web.RouteDef]:
        """Where they are reached."""
        return [
            web.get("/v3/reference/tickers", self.tickers),
            web.get("/v3/reference/tickers/{ticker}", self.ticker),
            web.get("/v3/reference/splits", self.splits),
            web.get("/v3/reference/dividends", self.dividends),
            web.get("/v3/reference/conditions", self.conditions),
            web.get("/v3/reference/exchanges", self.exchanges),
            web.get("/vX/reference/tickers/{ticker}/events", self.events),
            web.get("/v1/marketstatus/now", self.now),
            web.get("/v1/marketstatus/upcoming", self.upcoming),
        ]

    async def tickers(self, request: web.Request) -> web.Response:
        """`GET /v3/reference/tickers`: by ticker."""
        found = (_ticker(asset) for asset in self._venue.assets.values())
        return self._listed(request, found, "ticker", USUAL)

    async def ticker(self, request: web.Request) -> web.Response:
        """`GET /v3/reference/tickers/{T}`."""
        asset = self._venue.assets.get(symbol_of(request))
        if asset is None:
            raise not_found("ticker")
        return yes({"results": _ticker(asset)})

    async def splits(self, request: web.Request) -> web.Response:
        """`GET /v3/reference/splits`: the latest first."""
        found = (_split(action) for action in self._venue.actions if action.kind == "split")
        return self._listed(request, found, "execution_date", 10, order="desc")

    async def dividends(self, request: web.Request) -> web.Response:
        """`GET /v3/reference/dividends`: the latest first."""
        found = (_dividend(action) for action in self._venue.actions if action.kind == "dividend")
        return self._listed(request, found, "ex_dividend_date", 10, order="desc")

    async def conditions(self, request: web.Request) -> web.Response:
        """`GET /v3/reference/conditions`: of trades."""
        asked, found = Asked.of(request), conditions()
        page, more = asked.cut(found, request, asked.whole("limit", 10, most=MOST))
        return yes({"results": page, "count": len(found)} | more)

    async def exchanges(self, _: web.Request) -> web.Response:
        """`GET /v3/reference/exchanges`."""
        found = exchanges()
        return yes({"results": found, "count": len(found)})

    async def events(self, request: web.Request) -> web.Response:
        """`GET /vX/reference/tickers/{T}/events`: what a company was called, the latest first."""
        symbol = symbol_of(request)
        changes = _changes(self._venue.actions, symbol)
        if not changes and symbol not in self._venue.assets:
            raise not_found("ticker")
        words = [
            {"ticker_change": {"ticker": their_ticker(name)}, "type": "ticker_change", "date": day}
            for day, name in changes
        ]
        return yes({"results": {"name": symbol, "events": words}})

    async def now(self, _: web.Request) -> web.Response:
        """`GET /v1/marketstatus/now`; `clock` is ours: the exact time, and how it runs."""
        clock = self._clock
        now_ns = clock.told_ns()
        phase = self._venue.hours.phase(now_ns)
        market = _PHASES.get(phase, "closed")
        moment = calendar.to_datetime(now_ns - now_ns % SECOND_NS)
        how = {"speed": clock.speed, "paused": clock.paused, "lockstep": clock.lockstep}
        return reply(
            {
                "market": market,
                "earlyHours": phase == "pre",
                "afterHours": phase == "post",
                "serverTime": moment.isoformat(),
                "exchanges": {"nyse": market, "nasdaq": market, "otc": market},
                "currencies": {"fx": "open", "crypto": "open"},
                "clock": {"t": now_ns} | how,
            }
        )

    async def upcoming(self, _: web.Request) -> web.Response:
        """`GET /v1/marketstatus/upcoming`: a year's holidays and early closes."""
        today = calendar.day_of(self._venue.now_ns)
        days = [today + timedelta(days=n) for n in range(_YEAR.days)]
        found = [words for day in days if (words := _exception(day)) is not None]
        return reply([{"exchange": name} | words for words in found for name in ("NYSE", "NASDAQ")])

    def _listed(
        self, request: web.Request, found: Iterable[Words], key: str, usual: int, *, order: str = "asc"
    ) -> web.Response:
        """Sift by the query's `ticker` and `key`, sort by `key`, cut a page."""
        asked = Asked.of(request)
        kept = [row for row in found if all(_fits(row, *pair) for pair in asked.words.items())]
        kept.sort(key=lambda row: (str(row[key]), str(row["ticker"])), reverse=asked.falls(order))
        page, more = asked.cut(kept, request, asked.whole("limit", usual, most=MOST))
        return yes({"results": page, "count": len(page)} | more)


def _fits(row: Words, key: str, said: str) -> bool:
    name, _, side = key.partition(".")
    if name not in row or side not in _SIDES or not isinstance(row[name], str):
        return True
    return _SIDES[side](row[name], said)


def _ticker(asset: Asset) -> Words:
    return {
        "ticker": their_ticker(asset.symbol),
        "name": asset.name or asset.symbol,
        "market": "stocks",
        "locale": "us",
        "primary_exchange": MARKET_CODES.get(asset.exchange, ANY_MARKET),
        "type": "CS",
        "active": asset.tradable,
        "currency_name": "usd",
    }


def _split(action: CorporateAction) -> Words:
    ratio = Fraction(action.ratio).limit_denominator(10_000)
    numbers = {"split_from": ratio.denominator, "split_to": ratio.numerator}
    return {"ticker": their_ticker(action.symbol), "execution_date": action.day} | numbers


def _dividend(action: CorporateAction) -> Words:
    days = {"ex_dividend_date": action.day, "record_date": action.day, "pay_date": action.day}
    words = {"ticker": their_ticker(action.symbol), "cash_amount": action.cash, "currency": "USD"}
    return words | days | {"dividend_type": "CD", "frequency": 4}


def _changes(actions: Iterable[CorporateAction], symbol: str) -> list[tuple[str, str]]:
    """Day and name of each ticker that a company had, the latest first; the first one's day is unknown."""
    renames = sorted((a for a in actions if a.kind == "rename"), key=lambda a: a.day)
    chain: list[tuple[str, str]] = []
    for action in renames:
        if (
            action.new_symbol == symbol
            or action.symbol == symbol
            or (chain and chain[-1][1] == action.symbol)
        ):
            chain = chain or [("1970-01-01", action.symbol)]
            chain.append((action.day, action.new_symbol))
    return chain[::-1]


def _exception(day: date) -> Words | None:
    """What is unusual about a day; None if nothing is, or if it is a weekend."""
    session = calendar.hours(day)
    if session is None and day.weekday() < _SATURDAY:
        return {"name": "Holiday", "date": day.isoformat(), "status": "closed"}
    if session is None or not calendar.is_early_close(day):
        return None
    times = {"open": _zulu(session.open_ns), "close": _zulu(session.close_ns)}
    return {"name": "Early close", "date": day.isoformat(), "status": "early-close"} | times


def _zulu(t_ns: int) -> str:
    return f"{calendar.to_datetime(t_ns).astimezone(tz=UTC):%Y-%m-%dT%H:%M:%S}.000Z"
