"""AlpacaTrader: one account at Alpaca, or at the local market.

submit, cancel, orders, ...   calls (REST through alpaca-py, in threads)   outcomes (what became of it)
updates                       tradestream (a websocket of our own)         parse_orders (both speak one JSON)
"""

from collections.abc import AsyncIterator
from urllib.parse import quote

from liu_tui.adapters.alpaca.calls import ANSWER_S, Calls, Query
from liu_tui.adapters.alpaca.order_form import order_form, replace_form
from liu_tui.adapters.alpaca.parse_orders import (
    read_account,
    read_executions,
    read_listing,
    read_order,
    read_orders,
    read_positions,
)
from liu_tui.adapters.alpaca.rategate import LONGEST_S, Need, Rate
from liu_tui.adapters.alpaca.times import write_time
from liu_tui.adapters.alpaca.tradestream import TradeStream
from liu_tui.errors import BrokerAway, OrderRefused, OrderUnknown, TraderError
from liu_tui.model.account import Account, BrokerPosition
from liu_tui.model.market import Asset, Step
from liu_tui.model.orders import BrokerOrder, Execution, OrderRequest, OrderUpdate, ReplaceRequest
from liu_tui.trading.trader import BrokerStatus, Trader

ORDERS_A_PAGE = 500
FILLS_A_PAGE = 100
LOCAL_HOLD_S = 1.0
"""After a 429 of the local market, which refuses only when told to, and whose days are short."""
_MILLISECOND_NS = 1_000_000
_NOT_FOUND = 40410000


class AlpacaTrader(Trader):
    """Orders, fills, positions and the account.

    rest_url:    https://paper-api.alpaca.markets, or http://127.0.0.1:PORT
    updates_url: wss://paper-api.alpaca.markets/stream, or ws://127.0.0.1:PORT/stream
    local:       reconnect eagerly: the local market comes back within a second
    lockstep:    the local market marks the end of each step's updates
    answer_s:    wall seconds to wait for an answer; after that an order's fate is unknown

    Nothing is tried twice here: what may be sent again is the desk's to know.
    """

    def __init__(
        self,
        rest_url: str,
        updates_url: str,
        key: str,
        secret: str,
        *,
        local: bool = False,
        lockstep: bool = False,
        answer_s: float = ANSWER_S,
    ) -> None:
        hold_s = LOCAL_HOLD_S if local else LONGEST_S
        self._calls = Calls(rest_url, key, secret, answer_s=answer_s, longest_hold_s=hold_s)
        self._stream = TradeStream(
            updates_url,
            key,
            secret,
            lockstep=lockstep,
            first_wait_s=0.1 if local else 1.0,
            longest_wait_s=2.0 if local else 30.0,
        )

    @property
    def rate(self) -> Rate:
        """The REST allowance as the last answer told it."""
        return self._calls.rate

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send an order. Raises OrderRefused (a definite no), OrderUnknown (answer lost) or BrokerAway."""
        raw = await self._calls.post("/orders", order_form(request))
        try:
            return read_order(raw)
        except TraderError as e:
            # The broker said yes to something: whatever it is must be asked for.
            raise OrderUnknown(e.what, where=e.where, mend="The broker is asked for the order.") from e

    async def replace(self, request: ReplaceRequest) -> BrokerOrder:
        """Put a new order in a working one's place.

        Raises OrderRefused (a definite no), OrderUnknown (answer lost) or BrokerAway.
        """
        path = f"/orders/{quote(request.order_id, safe='')}"
        raw = await self._calls.patch(path, replace_form(request), ordering=True)
        try:
            return read_order(raw)
        except TraderError as e:
            raise OrderUnknown(e.what, where=e.where, mend="The broker is asked for the order.") from e

    async def cancel(self, order_id: str) -> None:
        """Ask for a cancel. Raises OrderRefused if there is nothing left to cancel.

        A lost answer is BrokerAway: asking for the same cancel again does no harm.
        """
        try:
            await self._calls.delete(f"/orders/{quote(order_id, safe='')}")
        except BrokerAway:
            raise
        except TraderError as e:
            raise OrderRefused(
                e.what, where=e.where, mend=e.mend, status=e.status, broker_code=e.broker_code
            ) from e

    async def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """Look up an order by our id; None only if the broker itself says that it has never seen it."""
        try:
            raw = await self._calls.get(
                "/orders:by_client_order_id", {"client_order_id": client_order_id}, need=Need.ORDER
            )
        except TraderError as e:
            # A 404 without Alpaca's code is a wrong address or somebody in between: that proves nothing.
            if e.status == 404 and e.broker_code == _NOT_FOUND:
                return None
            raise
        return read_order(raw)

    async def orders(self, *, open_only: bool = False, after_ns: int = 0) -> list[BrokerOrder]:
        """Fetch orders submitted after after_ns, oldest first, legs nested.

        open_only: a leg that works on while its parent is done stands alone, with parent_id where it is told.
        """
        status = "open" if open_only else "all"
        found = await self._orders_by_page({"status": status, "nested": "true"}, after_ns)
        if open_only:
            # Asked for nested, a filled parent is no longer listed, and its legs with it.
            told = {order.id for top in found for order in (top, *top.legs)}
            flat = await self._orders_by_page({"status": status}, after_ns)
            found += [order for order in flat if order.id not in told]
            found.sort(key=lambda order: order.submitted_ns)
        return found

    async def executions(self, after_ns: int) -> list[Execution]:
        """Fetch fills after after_ns, oldest first.

        Alpaca's history has milliseconds where the stream has more, so fills of the same millisecond come
        again: book them by execution_id.
        """
        after_ns = max(0, after_ns // _MILLISECOND_NS * _MILLISECOND_NS - 1)
        query: dict[str, str | int] = {"direction": "asc", "page_size": FILLS_A_PAGE}
        if after_ns:
            query["after"] = write_time(after_ns)
        found: list[Execution] = []
        while True:
            raw = await self._calls.get("/account/activities/FILL", query)
            page = read_executions(raw)
            found += page
            if len(page) < FILLS_A_PAGE:
                break
            query["page_token"] = str(raw[-1]["id"])
        found.sort(key=lambda fill: fill.t_ns)
        return [fill for fill in found if fill.t_ns > after_ns]

    async def positions(self) -> list[BrokerPosition]:
        """Fetch what the account holds."""
        return read_positions(await self._calls.get("/positions"))

    async def account(self) -> Account:
        """Fetch cash, equity, buying power."""
        return read_account(await self._calls.get("/account"))

    async def assets(self) -> list[Asset]:
        """Fetch what the broker lists."""
        raw = await self._calls.get("/assets", {"status": "active", "asset_class": "us_equity"})
        return read_listing(raw)

    async def suspend(self, on: bool) -> None:
        """Set or lift the account's own lock on new orders. Raises TraderError."""
        await self._calls.patch("/account/configurations", {"suspend_trade": on}, ordering=False)

    def updates(self) -> AsyncIterator[OrderUpdate | BrokerStatus | Step]:
        """Yield order updates, and each coming and going of the stream, until close().

        Raises TraderError if the keys are refused. An update that cannot be read becomes a BrokerStatus:
        reconcile.
        """
        self._calls.stay_warm()  # whoever listens is going to trade
        return self._stream.items()

    async def close(self) -> None:
        """End updates() and let the connections go. May be called twice."""
        await self._stream.close()
        await self._calls.close()

    async def _orders_by_page(self, query: Query, after_ns: int) -> list[BrokerOrder]:
        """Page by the time of the last order. Orders of one moment are asked for again, and told once."""
        found: dict[str, BrokerOrder] = {}
        while True:
            known = len(found)
            asked = {**query, "direction": "asc", "limit": ORDERS_A_PAGE}
            if after_ns:
                asked["after"] = write_time(after_ns)
            page = read_orders(await self._calls.get("/orders", asked))
            found |= {order.id: order for order in page}
            if len(page) < ORDERS_A_PAGE:
                return list(found.values())
            # `after` leaves its own moment out: step back, unless that page held nothing new.
            last_ns = page[-1].submitted_ns
            after_ns = last_ns - 1 if len(found) > known else last_ns
