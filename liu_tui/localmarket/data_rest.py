"""The market data API: history, the latest, snapshots, screeners. Never anything later than the venue's now.

Trades and quotes are kept for the last RECENT of all symbols together; bars as far back as the source goes.
Source: Alpaca's Market Data API 1.1.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from liu_tui.localmarket.adjusting import Splits, wants_splits
from liu_tui.localmarket.data_query import (
    check_feed,
    is_descending,
    limit_of,
    required,
    span_of,
    symbols_of,
)
from liu_tui.localmarket.meta import EXCHANGES, QUOTE_CONDITIONS, TRADE_CONDITIONS
from liu_tui.localmarket.paging import Mark, Page, Row, cut_page
from liu_tui.localmarket.rest import bad_query, reply, whole
from liu_tui.localmarket.rfc3339 import rfc3339
from liu_tui.localmarket.timeframe import Timeframe
from liu_tui.localmarket.venue import Venue
from liu_tui.localmarket.wire import JsonCodec
from liu_tui.market.calendar import day_of
from liu_tui.model.market import DAY_NS, Bar, MarketEvent, Quote, Trade, normal_symbol

Words = dict[str, Any]
_KINDS = {"trades": Trade, "quotes": Quote}
_SINGULAR = {"trades": "trade", "quotes": "quote", "bars": "bar"}


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
        symbols = symbols_of(request)
        check_feed(request, past=False)
        return reply({symbol: self._snapshot(symbol) for symbol in symbols if self._venue.tape.knows(symbol)})

    async def snapshot(self, request: web.Request) -> web.Response:
        """`GET /v2/stocks/{symbol}/snapshot`."""
        check_feed(request, past=False)
        symbol = normal_symbol(request.match_info["symbol"])
        return reply({"symbol": symbol} | (self._snapshot(symbol) if self._venue.tape.knows(symbol) else {}))

    async def most_actives(self, request: web.Request) -> web.Response:
        """`GET /v1beta1/screener/stocks/most-actives`: by volume, or by trades."""
        top, by = whole(request, "top", 10, most=100), request.query.get("by", "volume")
        if by not in ("volume", "trades"):
            raise bad_query(f"invalid by: volume or trades, was {by!r}")
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
            raise bad_query("invalid ticktype: trade or quote")
        return reply(table)

    async def exchanges(self, _: web.Request) -> web.Response:
        """`GET /v2/stocks/meta/exchanges`."""
        return reply(EXCHANGES)

    def _history(self, kind: str) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.Response:
            symbols = symbols_of(request)
            check_feed(request, past=True)
            start_ns, end_ns = span_of(request, self._venue.now_ns)
            if kind == "bars":
                return self._answer(request, kind, symbols, self._bars(request, start_ns, end_ns))
            wanted = _KINDS[kind]
            recent: dict[str, list[Any]] = {}
            for event in self._venue.recent:
                if type(event) is wanted and start_ns <= event.t_ns <= end_ns:
                    recent.setdefault(event.symbol, []).append(event)
            return self._answer(request, kind, symbols, lambda symbol: recent.get(symbol, []))

        return answer

    def _answer(
        self, request: web.Request, kind: str, symbols: list[str], fetch: Callable[[str], list[Row]]
    ) -> web.Response:
        token = request.query.get("page_token")
        page: Page[Row] = cut_page(
            symbols,
            fetch,
            limit=limit_of(request),
            after=Mark.read(token) if token else None,
            descending=is_descending(request),
        )
        rows = {symbol: [self._codec.row(row) for row in some] for symbol, some in page.rows.items()}
        next_token = page.next_mark.token() if page.next_mark is not None else None
        if "symbol" in request.match_info:
            return reply(
                {kind: rows.get(symbols[0], []), "symbol": symbols[0], "next_page_token": next_token}
            )
        return reply({kind: rows, "next_page_token": next_token})

    def _bars(self, request: web.Request, start_ns: int, end_ns: int) -> Callable[[str], list[Bar]]:
        frame = Timeframe.read(required(request, "timeframe"))
        splits = wants_splits(request.query.get("adjustment", "raw"))
        from_ns, to_ns = frame.start_of(start_ns), frame.next_start(end_ns)
        today = day_of(self._venue.now_ns).isoformat()

        def fetch(symbol: str) -> list[Bar]:
            bars = self._base_bars(symbol, frame.base_ns, from_ns, to_ns)
            if splits:
                bars = Splits(self._venue.actions, symbol, today).adjust(bars)
            bars = bars if frame.is_base else frame.fold(bars)
            return [bar for bar in bars if start_ns <= bar.t_ns <= end_ns]

        return fetch

    def _base_bars(self, symbol: str, span_ns: int, from_ns: int, to_ns: int) -> list[Bar]:
        """Minutes or days that start in a span: closed left, open right. Today is told as far as it is."""
        venue = self._venue
        # A day is not always 24 hours: ask for one more, and leave out what begins too late.
        bars = venue.tape.bars(symbol, span_ns, from_ns, min(to_ns + span_ns, venue.now_ns))
        today = venue.tape.snapshot(symbol).daily_bar if span_ns == DAY_NS else None
        if today is not None and from_ns <= today.t_ns and (not bars or bars[-1].t_ns < today.t_ns):
            bars = [*bars, today]
        return [bar for bar in bars if bar.t_ns < to_ns]

    def _latest(self, kind: str) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.Response:
            symbols = symbols_of(request)
            check_feed(request, past=False)
            found = {symbol: self._latest_of(kind, symbol) for symbol in symbols}
            rows = {symbol: self._codec.row(row) for symbol, row in found.items() if row is not None}
            if "symbol" not in request.match_info:
                return reply({kind: rows})
            return reply({"symbol": symbols[0], _SINGULAR[kind]: rows.get(symbols[0])})

        return answer

    def _latest_of(self, kind: str, symbol: str) -> MarketEvent | None:
        tape = self._venue.tape
        if kind == "bars":
            return tape.snapshot(symbol).minute_bar
        return tape.trade(symbol) if kind == "trades" else tape.quote(symbol)

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
