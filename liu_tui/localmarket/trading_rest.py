"""The trading API: orders and positions. Source: Alpaca's Trading API 2."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from liu_tui.localmarket import words
from liu_tui.localmarket.clockwork import Clockwork
from liu_tui.localmarket.orderform import (
    check_intent,
    client_id,
    new_client_id,
    optional,
    positive,
    read_order,
    word,
)
from liu_tui.localmarket.rest import bad_request, body_of, moment, names, reply, truth, whole
from liu_tui.localmarket.venue import Venue
from liu_tui.model.account import BrokerPosition
from liu_tui.model.market import Asset, normal_symbol
from liu_tui.model.orders import BrokerOrder, OrderRequest, OrderType, Side, TimeInForce
from liu_tui.trading.matching.exchange import Exchange
from liu_tui.trading.matching.listing import check_asset
from liu_tui.trading.matching.refusals import ExchangeRefusal, forbidden, not_found, unprocessable

NO_POSITION = "position does not exist"


class TradingRest:
    """Answers of the trading endpoints."""

    def __init__(self, venue: Venue, clockwork: Clockwork) -> None:
        self._venue, self._clockwork = venue, clockwork

    def routes(self) -> list[web.RouteDef]:
        """Where they are reached."""
        return [
            web.post("/v2/orders", self.submit),
            web.get("/v2/orders", self.orders),
            web.delete("/v2/orders", self.cancel_all),
            web.get("/v2/orders:by_client_order_id", self.order_by_client_id),
            web.get("/v2/orders/{id}", self.order),
            web.patch("/v2/orders/{id}", self.replace),
            web.delete("/v2/orders/{id}", self.cancel),
            web.get("/v2/positions", self.positions),
            web.delete("/v2/positions", self.close_all),
            web.get("/v2/positions/{symbol}", self.position),
            web.delete("/v2/positions/{symbol}", self.close),
        ]

    async def submit(self, request: web.Request) -> web.Response:
        """`POST /v2/orders`."""
        body = await body_of(request)
        form = read_order(body)
        check_intent(body, form.side, self._venue.held(form.symbol))
        return reply(words.order(self._place(form)))

    async def orders(self, request: web.Request) -> web.Response:
        """`GET /v2/orders`: newest first unless asked otherwise, legs inside their parents if `nested`."""
        found = self._venue.exchange.orders(open_only=False)
        if not truth(request, "nested"):
            found = [member for top in found for member in (top, *top.legs)]
        found = list(filter(_chosen(request), found))
        ascending = request.query.get("direction", "desc") == "asc"
        found.sort(key=lambda o: o.submitted_ns, reverse=not ascending)
        limit = whole(request, "limit", 50, most=500)
        return reply([words.order(o, nested=truth(request, "nested")) for o in found[:limit]])

    async def order(self, request: web.Request) -> web.Response:
        """`GET /v2/orders/{id}`: legs are shown here always, as Alpaca's own console needs them."""
        return reply(words.order(self._order(request)))

    async def order_by_client_id(self, request: web.Request) -> web.Response:
        """`GET /v2/orders:by_client_order_id`."""
        said = request.query.get("client_order_id", "")
        found = self._venue.exchange.order_by_client_id(said)
        if found is None:
            raise not_found(said)
        return reply(words.order(found))

    async def replace(self, request: web.Request) -> web.Response:
        """`PATCH /v2/orders/{id}`: a new order with a new id takes the old one's place."""
        body = await body_of(request)
        if body.get("notional") is not None:
            raise unprocessable("notional orders cannot be replaced")
        old = self._order(request)
        with self._trading() as exchange:
            new = exchange.replace(
                old.id,
                self._venue.now_ns,
                qty=optional(body, "qty"),
                limit_price=optional(body, "limit_price"),
                stop_price=optional(body, "stop_price"),
                trail=optional(body, "trail"),
                tif=None if body.get("time_in_force") is None else word(TimeInForce, "time_in_force", body),
                client_order_id=client_id(body) or None,
            )
        return reply(words.order(new))

    async def cancel(self, request: web.Request) -> web.Response:
        """`DELETE /v2/orders/{id}`: 204; the update tells how it ended."""
        order_id = self._order(request).id
        with self._trading() as exchange:
            exchange.cancel(order_id, self._venue.now_ns)
        return web.Response(status=204)

    async def cancel_all(self, _: web.Request) -> web.Response:
        """`DELETE /v2/orders`: 207 with each order's own status."""
        with self._trading() as exchange:
            canceled = exchange.cancel_all(self._venue.now_ns)
        return reply([{"id": o.id, "status": 200} for o in canceled], status=207)

    async def positions(self, _: web.Request) -> web.Response:
        """`GET /v2/positions`."""
        return reply([self._position(p) for p in self._venue.exchange.positions()])

    async def position(self, request: web.Request) -> web.Response:
        """`GET /v2/positions/{symbol or asset id}`."""
        return reply(self._position(self._held(request)))

    async def close(self, request: web.Request) -> web.Response:
        """`DELETE /v2/positions/{symbol}`: a market order for all, or for `qty` or `percentage` of it."""
        held = self._held(request)
        return reply(words.order(self._place(_closing(held, _share(request, held)))))

    async def close_all(self, request: web.Request) -> web.Response:
        """`DELETE /v2/positions`: 207 with the order or the refusal of each."""
        held = self._venue.exchange.positions()
        if truth(request, "cancel_orders"):
            with self._trading() as exchange:
                exchange.cancel_all(self._venue.now_ns)
        return reply([self._close_one(p) for p in held], status=207)

    def _close_one(self, held: BrokerPosition) -> dict[str, Any]:
        body: dict[str, Any]
        try:
            status, body = 200, words.order(self._place(_closing(held, abs(held.qty))))
        except ExchangeRefusal as e:
            status, body = (
                e.http,
                {"code": e.broker_code, "message": e.what, "symbol": held.symbol} | e.context,
            )
        return {"symbol": held.symbol, "status": status, "body": body}

    def _place(self, form: OrderRequest) -> BrokerOrder:
        venue = self._venue
        if venue.configuration["suspend_trade"]:
            raise forbidden("new orders are rejected by user request")
        check_asset(
            form,
            venue.assets.get(form.symbol),
            venue.held(form.symbol),
            no_shorting=bool(venue.configuration["no_shorting"]),
        )
        with self._trading() as exchange:
            return exchange.submit(form, venue.now_ns)

    @contextmanager
    def _trading(self) -> Iterator[Exchange]:
        # What the market said before this moment comes before what the client asks.
        self._clockwork.catch_up()
        with self._venue.trading() as exchange:
            yield exchange

    def _order(self, request: web.Request) -> BrokerOrder:
        order_id = request.match_info["id"]
        found = self._venue.exchange.order(order_id)
        if found is None:
            raise not_found(order_id)
        return found

    def _held(self, request: web.Request) -> BrokerPosition:
        said = request.match_info["symbol"]
        for p in self._venue.exchange.positions():
            if normal_symbol(said) == p.symbol or said == words.asset_id(p.symbol):
                return p
        raise ExchangeRefusal(404, 40410000, NO_POSITION)

    def _position(self, p: BrokerPosition) -> dict[str, Any]:
        venue = self._venue
        return words.position(
            p,
            venue.assets.get(p.symbol) or Asset(symbol=p.symbol),
            available=venue.exchange.available(p.symbol),
            last_close=venue.last_close(p.symbol),
        )


def _chosen(request: web.Request) -> Callable[[BrokerOrder], bool]:
    """What the query asks of an order."""
    status = request.query.get("status", "open")
    if status not in ("open", "closed", "all"):
        raise bad_request(f"invalid status: open, closed or all, was {status!r}")
    symbols, side = frozenset(names(request)), request.query.get("side")
    after, until = moment(request, "after"), moment(request, "until")

    def chosen(o: BrokerOrder) -> bool:
        return (
            (status == "all" or o.status.final is (status == "closed"))
            and (not symbols or o.symbol in symbols)
            and (not side or o.side.value == side)
            and (after is None or o.submitted_ns > after)
            and (until is None or o.submitted_ns < until)
        )

    return chosen


def _closing(held: BrokerPosition, qty: float) -> OrderRequest:
    return OrderRequest(
        client_order_id=new_client_id(),
        symbol=held.symbol,
        side=Side.SELL if held.qty > 0 else Side.BUY,
        qty=qty,
        order_type=OrderType.MARKET,
        tif=TimeInForce.DAY,
    )


def _share(request: web.Request, held: BrokerPosition) -> float:
    """How many shares to close: `qty`, or `percentage` (0-100); whole shares if whole ones are held."""
    whole_qty = abs(held.qty)
    if "qty" in request.query:
        return positive(request.query, "qty")
    if "percentage" not in request.query:
        return whole_qty
    qty = whole_qty * min(positive(request.query, "percentage"), 100.0) / 100.0
    qty = float(int(qty)) if whole_qty == int(whole_qty) else round(qty, 9)
    if not qty:
        raise unprocessable("percentage is less than one share")
    return qty
