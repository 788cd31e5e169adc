"""Polygon's trades and quotes: those that the market still remembers, and the last ones."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from liu_tui.adapters.foreign import MAX_NS
from liu_tui.adapters.polygon.spelling import their_ticker
from liu_tui.localmarket import polygon_rows as rows
from liu_tui.localmarket.paging import Page, cut_page
from liu_tui.localmarket.polygon_door import yes
from liu_tui.localmarket.polygon_query import Asked, moment_in, not_found, symbol_of
from liu_tui.localmarket.venue import Venue
from liu_tui.localmarket.wire import ANY_TAPE
from liu_tui.model.market import Quote, Trade

MOST, USUAL = 50_000, 1_000


class PolygonTicks:
    """Answers of the endpoints of trades and quotes. tapes: symbol -> the letter of its tape."""

    def __init__(self, venue: Venue, tapes: dict[str, str]) -> None:
        self._venue, self._tapes = venue, tapes

    def routes(self) -> list[web.RouteDef]:
        """Where they are reached."""
        return [
            web.get("/v3/trades/{ticker}", self._history(Trade)),
            web.get("/v3/quotes/{ticker}", self._history(Quote)),
            web.get("/v2/last/trade/{ticker}", self.last_trade),
            web.get("/v2/last/nbbo/{ticker}", self.last_quote),
        ]

    async def last_trade(self, request: web.Request) -> web.Response:
        """`GET /v2/last/trade/{T}`."""
        symbol = symbol_of(request)
        trade = self._venue.tape.trade(symbol)
        if trade is None:
            raise not_found(symbol)
        return yes({"results": {"T": their_ticker(symbol), "y": trade.t_ns, "q": 0} | rows.last_trade(trade)})

    async def last_quote(self, request: web.Request) -> web.Response:
        """`GET /v2/last/nbbo/{T}`."""
        symbol = symbol_of(request)
        quote = self._venue.tape.quote(symbol)
        if quote is None:
            raise not_found(symbol)
        return yes({"results": {"T": their_ticker(symbol), "y": quote.t_ns, "q": 0} | rows.last_quote(quote)})

    def _history(self, kind: type[Trade] | type[Quote]) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.Response:
            asked, symbol = Asked.of(request), symbol_of(request)
            first_ns, last_ns = _span(asked)
            page: Page[Any] = cut_page(
                [symbol],
                lambda _: [
                    event
                    for event in self._venue.recent
                    if type(event) is kind and event.symbol == symbol and first_ns <= event.t_ns <= last_ns
                ],
                limit=asked.whole("limit", USUAL, most=MOST),
                after=asked.mark,
                descending=asked.falls("desc"),
            )
            words: dict[str, Any] = {"results": [self._row(event) for event in page.rows.get(symbol, [])]}
            if page.next_mark is not None:
                words["next_url"] = asked.next_url(request, mark=page.next_mark)
            return yes(words)

        return answer

    def _row(self, event: Trade | Quote) -> rows.Words:
        # The time itself is a number that grows: nothing counts what was told before this market began.
        if isinstance(event, Trade):
            return rows.trade(event, event.t_ns)
        return rows.quote(event, event.t_ns, self._tapes.get(event.symbol, ANY_TAPE))


def _span(asked: Asked) -> tuple[int, int]:
    """The first and last moment asked for. Raises ExchangeRefusal (400)."""
    first_ns, last_ns = 0, MAX_NS
    for key, said in asked.words.items():
        name, _, side = key.partition(".")
        if name != "timestamp":
            continue
        begin_ns, end_ns = moment_in(said, 1), moment_in(said, 1, end_of_day=True)
        if side in ("", "gte", "gt"):
            first_ns = max(first_ns, end_ns + 1 if side == "gt" else begin_ns)
        if side in ("", "lte", "lt"):
            last_ns = min(last_ns, begin_ns - 1 if side == "lt" else end_ns)
    return first_ns, last_ns
