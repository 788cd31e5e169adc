"""The market data API: history, the latest, snapshots, screeners. Never anything later than the venue's now.

Trades and quotes are kept for the last RECENT of all symbols together; bars as far back as the source goes.
Source: Alpaca's Market Data API 1.1.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from liu_tui.localmarket.meta import EXCHANGES, QUOTE_CONDITIONS, TRADE_CONDITIONS
from liu_tui.localmarket.paging import Mark, Page, Row, cut_page
from liu_tui.localmarket.rest import bad_request, names, reply, whole
from liu_tui.localmarket.rfc3339 import read_time, rfc3339
from liu_tui.localmarket.timeframe import Timeframe
from liu_tui.localmarket.venue import Venue
from liu_tui.localmarket.wire import JsonCodec
from liu_tui.market.calendar import day_of, midnight_ns
from liu_tui.model.market import DAY_NS, Bar, MarketEvent, Quote, Trade

Words = dict[str, Any]
_KINDS = {"trades": Trade, "quotes": Quote}
_SINGULAR = {"trades": "trade", "quotes": "quote", "bars": "bar"}
LIMIT = 10_000


class DataRest:
    """Answers of the market data endpoints."""

    def __init__(self, venue: Venue, codec: JsonCodec) -> None:
        self._venue, self._codec = venue, codec

    def routes(self) -> list[web.RouteDef]:
        """Where they are reached. With `{symbol}` in it, it answers for that one; else for `symbols`."""
        one, many = "/v2/stocks/{symbol}", "/v2/stocks"
        routes = [
            web.get(f"{many}/snapshots", self.snapshots),
            web.get(f"{one}/snapshot", self.snapshot),
            web.get("/v1beta1/screener/stocks/most-actives", self.most_actives),
            web.get("/v1beta1/screener/stocks/movers", self.movers),
            web.get(f"{many}/meta/conditions/{{kind}}", self.conditions),
            web.get(f"{many}/meta/exchanges", self.exchanges),
        ]
        for kind in ("bars", "trades", "quotes"):
            for base in (many, one):
                routes.append(web.get(f"{base}/{kind}", self._history(kind)))
                routes.append(web.get(f"{base}/{kind}/latest", self._latest(kind)))
        return routes

    async def snapshots(self, request: web.Request) -> web.Response:
        """`GET /v2/stocks/snapshots`: flat; unknown symbols are absent."""
        return reply({symbol: self._snapshot(symbol) for symbol in _symbols(request) if self._knows(symbol)})

    async def snapshot(self, request: web.Request) -> web.Response:
        """`GET /v2/stocks/{symbol}/snapshot`."""
        symbol = request.match_info["symbol"].upper()
        return reply({"symbol": symbol} | (self._snapshot(symbol) if self._knows(symbol) else {}))

    async def most_actives(self, request: web.Request) -> web.Response:
        """`GET /v1beta1/screener/stocks/most-actives`: by volume, or by trades."""
        top, by = whole(request, "top", 10, most=100), request.query.get("by", "volume")
        if by not in ("volume", "trades"):
            raise bad_request(f"invalid by: volume or trades, was {by!r}")
        # Ranked by trades everybody must be looked at: the tape ranks by volume only.
        ranked = self._venue.tape.most_active(top if by == "volume" else len(self._venue.assets))
        active = [(symbol, volume, self._count(symbol)) for symbol, volume in ranked]
        if by == "trades":
            active = sorted(active, key=lambda row: -row[2])[:top]
        rows = [{"symbol": s, "volume": int(volume), "trade_count": count} for s, volume, count in active]
        return reply({"most_actives": rows, "last_updated": rfc3339(self._venue.now_ns)})

    async def movers(self, request: web.Request) -> web.Response:
        """`GET /v1beta1/screener/stocks/movers`: against yesterday's close."""
        ranked = self._venue.tape.movers(whole(request, "top", 10, most=50))
        return reply(
            {
                "gainers": [self._mover(symbol, percent) for symbol, percent in ranked if percent > 0],
                "losers": [self._mover(symbol, percent) for symbol, percent in ranked if percent < 0],
                "market_type": "stocks",
                "last_updated": rfc3339(self._venue.now_ns),
            }
        )

    async def conditions(self, request: web.Request) -> web.Response:
        """`GET /v2/stocks/meta/conditions/{trade or quote}`."""
        tables: Mapping[str, Mapping[str, str]] = {"trade": TRADE_CONDITIONS, "quote": QUOTE_CONDITIONS}
        table = tables.get(request.match_info["kind"])
        if table is None:
            raise bad_request("invalid ticktype: trade or quote")
        return reply(table)

    async def exchanges(self, _: web.Request) -> web.Response:
        """`GET /v2/stocks/meta/exchanges`."""
        return reply(EXCHANGES)

    def _history(self, kind: str) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.Response:
            start_ns, end_ns = self._range(request)
            if kind == "bars":
                return self._answer(request, kind, self._bars(request, start_ns, end_ns))
            wanted = _KINDS[kind]
            recent: dict[str, list[Any]] = {}
            for event in self._venue.recent:
                if type(event) is wanted and start_ns <= event.t_ns <= end_ns:
                    recent.setdefault(event.symbol, []).append(event)
            return self._answer(request, kind, lambda symbol: recent.get(symbol, []))

        return answer

    def _answer(self, request: web.Request, kind: str, fetch: Callable[[str], list[Row]]) -> web.Response:
        token = request.query.get("page_token")
        page: Page[Row] = cut_page(
            _symbols(request),
            fetch,
            limit=whole(request, "limit", 1000, most=LIMIT),
            after=Mark.read(token) if token else None,
            descending=request.query.get("sort") == "desc",
        )
        rows = {symbol: [self._codec.row(row) for row in some] for symbol, some in page.rows.items()}
        next_token = page.next_mark.token() if page.next_mark is not None else None
        if "symbol" in request.match_info:
            symbol = request.match_info["symbol"].upper()
            return reply({kind: rows.get(symbol, []), "symbol": symbol, "next_page_token": next_token})
        return reply({kind: rows, "next_page_token": next_token})

    def _bars(self, request: web.Request, start_ns: int, end_ns: int) -> Callable[[str], list[Bar]]:
        frame = Timeframe.read(request.query.get("timeframe", ""))
        from_ns = frame.start_of(start_ns)

        def fetch(symbol: str) -> list[Bar]:
            bars = self._base_bars(symbol, frame.base_ns, from_ns, end_ns)
            bars = bars if frame.is_base else frame.fold(bars)
            return [bar for bar in bars if start_ns <= bar.t_ns <= end_ns]

        return fetch

    def _base_bars(self, symbol: str, span_ns: int, start_ns: int, end_ns: int) -> list[Bar]:
        venue = self._venue
        bars = venue.tape.bars(symbol, span_ns, start_ns, min(end_ns + span_ns, venue.now_ns))
        today = venue.tape.snapshot(symbol).daily_bar if span_ns == DAY_NS else None
        if today is not None and start_ns <= today.t_ns and (not bars or bars[-1].t_ns < today.t_ns):
            bars = [*bars, today]  # the day so far, as Alpaca gives it
        return bars

    def _latest(self, kind: str) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.Response:
            found = {symbol: self._latest_of(kind, symbol) for symbol in _symbols(request)}
            rows = {symbol: self._codec.row(row) for symbol, row in found.items() if row is not None}
            if "symbol" not in request.match_info:
                return reply({kind: rows})
            symbol = request.match_info["symbol"].upper()
            return reply({"symbol": symbol, _SINGULAR[kind]: rows.get(symbol)})

        return answer

    def _latest_of(self, kind: str, symbol: str) -> MarketEvent | None:
        tape = self._venue.tape
        if kind == "bars":
            return tape.snapshot(symbol).minute_bar
        return tape.trade(symbol) if kind == "trades" else tape.quote(symbol)

    def _knows(self, symbol: str) -> bool:
        return self._venue.tape.knows(symbol)

    def _snapshot(self, symbol: str) -> Words:
        snapshot = self._venue.tape.snapshot(symbol)
        parts = {
            "latestTrade": snapshot.latest_trade,
            "latestQuote": snapshot.latest_quote,
            "minuteBar": snapshot.minute_bar,
            "dailyBar": snapshot.daily_bar,
            "prevDailyBar": snapshot.previous_daily_bar,
        }
        return {name: self._codec.row(part) if part is not None else None for name, part in parts.items()}

    def _count(self, symbol: str) -> int:
        day = self._venue.tape.snapshot(symbol).daily_bar
        return day.count if day is not None else 0

    def _mover(self, symbol: str, percent: float) -> Words:
        price = self._venue.tape.price(symbol)
        change = round(price - price / (1 + percent / 100), 4)
        return {"symbol": symbol, "percent_change": round(percent, 2), "change": change, "price": price}

    def _range(self, request: web.Request) -> tuple[int, int]:
        now_ns = self._venue.now_ns
        start, end = request.query.get("start"), request.query.get("end")
        try:
            start_ns = read_time(start) if start else midnight_ns(day_of(now_ns))
            end_ns = read_time(end, end_of_day=True) if end else now_ns
        except ValueError as e:
            raise bad_request(f"invalid start or end: {e}") from e
        if end_ns < start_ns:
            raise bad_request("end should not be before start")
        return start_ns, min(end_ns, now_ns)


def _symbols(request: web.Request) -> list[str]:
    if "symbol" in request.match_info:
        return [request.match_info["symbol"].upper()]
    symbols = names(request)
    if not symbols:
        raise bad_request("symbols is required")
    return symbols
