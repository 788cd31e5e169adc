"""Polygon's snapshots: some tickers, all of them, one; gainers and losers."""

from typing import Any

from aiohttp import web

from liu_tui.adapters.polygon.spelling import our_symbol, their_ticker
from liu_tui.localmarket import polygon_rows as rows
from liu_tui.localmarket.polygon_door import yes
from liu_tui.localmarket.polygon_query import not_found, symbol_of
from liu_tui.localmarket.rest import bad_query
from liu_tui.localmarket.venue import Venue

TOP = 20
LEAST_SHARES = 10_000
"""Below so many shares today a name is no gainer and no loser."""
_BASE = "/v2/snapshot/locale/us/markets/stocks"


class PolygonSnapshots:
    """Answers of the snapshot endpoints."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        """Where they are reached."""
        return [
            web.get(f"{_BASE}/tickers", self.tickers),
            web.get(f"{_BASE}/tickers/{{ticker}}", self.ticker),
            web.get(f"{_BASE}/{{direction}}", self.movers),
        ]

    async def tickers(self, request: web.Request) -> web.Response:
        """`GET .../tickers`: those of `tickers`, or all; unknown ones are absent."""
        said = [word.strip() for word in request.query.get("tickers", "").split(",") if word.strip()]
        wanted = [our_symbol(word) for word in said] or sorted(self._venue.assets)
        shares = self._shares()
        found = [self._words(symbol, shares) for symbol in wanted if self._venue.tape.knows(symbol)]
        return yes({"count": len(found), "tickers": found})

    async def ticker(self, request: web.Request) -> web.Response:
        """`GET .../tickers/{T}`."""
        symbol = symbol_of(request)
        if not self._venue.tape.knows(symbol):
            raise not_found(symbol)
        return yes({"ticker": self._words(symbol, self._shares())})

    async def movers(self, request: web.Request) -> web.Response:
        """`GET .../gainers` and `.../losers`: against yesterday's close, 20 at most."""
        direction, shares = request.match_info["direction"], self._shares()
        if direction not in ("gainers", "losers"):
            raise bad_query(f"invalid direction: gainers or losers, was {direction!r}")
        found = [
            self._words(symbol, shares)
            for symbol, percent in self._venue.tape.movers(len(self._venue.assets))
            if (percent > 0) == (direction == "gainers") and shares.get(symbol, 0) >= LEAST_SHARES
        ]
        return yes({"tickers": found[:TOP]})

    def _shares(self) -> dict[str, float]:
        tape = self._venue.tape
        return dict(tape.most_active(len(tape.assets)))

    def _words(self, symbol: str, shares: dict[str, float]) -> dict[str, Any]:
        snapshot = self._venue.tape.snapshot(symbol)
        words: dict[str, Any] = {"ticker": their_ticker(symbol), "updated": self._venue.now_ns}
        words |= self._change(symbol, snapshot.price)
        if (minute := snapshot.minute_bar) is not None:
            words["min"] = rows.bar(minute) | {"av": shares.get(symbol, 0.0)}
        if snapshot.daily_bar is not None:
            words["day"] = rows.prices(snapshot.daily_bar)
        if snapshot.previous_daily_bar is not None:
            words["prevDay"] = rows.prices(snapshot.previous_daily_bar)
        if snapshot.latest_trade is not None:
            words["lastTrade"] = rows.last_trade(snapshot.latest_trade)
        if snapshot.latest_quote is not None:
            words["lastQuote"] = rows.last_quote(snapshot.latest_quote)
        return words

    def _change(self, symbol: str, price: float) -> dict[str, float]:
        before = self._venue.last_close(symbol)
        if not before or not price:
            return {"todaysChange": 0.0, "todaysChangePerc": 0.0}
        return {"todaysChange": round(price - before, 4), "todaysChangePerc": 100 * (price / before - 1)}
