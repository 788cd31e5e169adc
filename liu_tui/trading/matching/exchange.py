"""The exchange: one account, its orders, and how they fill.

The way of an order: `submit` checks the request (`form`), then what the account can carry (`credit`), makes
the order and its legs (`groups`), and hands them to the `floor`, where market events and the clock move them
on. What happened is fetched with `drain`, in order. Time is whatever the caller says; it never goes back.
What it shows of itself stands in `window`.
"""

from math import isfinite

import msgspec

from liu_tui.model.clock import SessionHours
from liu_tui.model.market import Bar, Halt, Quote, Trade
from liu_tui.model.orders import (
    BrokerOrder,
    Execution,
    OrderClass,
    OrderRequest,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
)
from liu_tui.trading.matching import credit
from liu_tui.trading.matching.amend import amended
from liu_tui.trading.matching.amount import estimated
from liu_tui.trading.matching.book import Book
from liu_tui.trading.matching.exact import money, shares
from liu_tui.trading.matching.floor import Floor
from liu_tui.trading.matching.form import check_form, check_levels, exit_limit
from liu_tui.trading.matching.funds import Funds
from liu_tui.trading.matching.groups import make_legs
from liu_tui.trading.matching.hours import OPEN, Hours
from liu_tui.trading.matching.options import ExchangeOptions
from liu_tui.trading.matching.order import Order
from liu_tui.trading.matching.refusals import (
    NOT_FOUND,
    ExchangeRefusal,
    not_found,
    not_shortable,
    not_unique,
    unprocessable,
)
from liu_tui.trading.matching.state import Core, State
from liu_tui.trading.matching.teller import Teller
from liu_tui.trading.matching.trailing import follow
from liu_tui.trading.matching.window import Window

__all__ = ["Exchange", "ExchangeOptions", "ExchangeRefusal"]


class Exchange(Window):
    """One account at an exchange that fills as Alpaca's paper trading does.

    Orders fill whole at the best bid or ask, whatever its size; a fraction of them in two pieces. Show it
    every market event, also of symbols without orders (that costs one look-up): an order is matched against
    the last quote seen. Without `set_hours` the market is always open.

    cash:          dollars at the start
    seed:          of the partial fills and of all ids
    partial_fills: fraction (0-1) of orders whose first fill is a partial one
    options:       how much harder than that it is, and what it costs
    """

    def __init__(
        self,
        *,
        cash: float,
        seed: int = 1,
        partial_fills: float = 0.1,
        account_id: str = "LOCAL0001",
        options: ExchangeOptions | None = None,
    ) -> None:
        exact = money(cash)
        core = Core(
            account_id=account_id,
            seed=seed,
            partial_fills=partial_fills,
            starting_cash=exact,
            funds=Funds(cash=exact),
            hours=Hours(),
            options=options or ExchangeOptions(),
        )
        self._adopt(State(core=core))

    def submit(self, request: OrderRequest, now_ns: int) -> BrokerOrder:
        """Take an order. The answer is of before it met the market; fills are in the updates.

        Raises ExchangeRefusal; then nothing has changed.
        """
        self._floor.advance(now_ns)
        check_form(request)
        self._check_window(request.tif)
        check_levels(request, self.price(request.symbol))
        self._check_new(request.client_order_id)
        order = self._draft(request)
        credit.admit(order, self._book, self._core.funds)
        if order.opens and order.side is Side.SELL and not self.borrowable(order.symbol):
            raise not_shortable(order.symbol)
        order.id = self._teller.next_id()
        order.client_order_id = order.client_order_id or self._teller.derive(f"client:{order.id}")
        legs = make_legs(order, request, lambda role: self._leg_ids(order, role))
        self._floor.arrive(order, legs)
        answer = self._book.view(order)
        self._floor.work(order)
        return answer

    def cancel(self, order_id: str, now_ns: int) -> None:
        """Cancel an order and its group. Raises ExchangeRefusal: 404 unknown, 422 finished."""
        self._floor.advance(now_ns)
        order = self._find(order_id)
        if not order.open or order.asked:
            raise unprocessable(f'order is already in "{order.view().status.value}" state')
        self._floor.cancel(order)

    def cancel_all(self, now_ns: int) -> list[BrokerOrder]:
        """Cancel all open orders; return them, legs as orders of their own.

        With latency, what a request is on its way for already is left to that.
        """
        self._floor.advance(now_ns)
        canceled: list[Order] = []
        for order in list(self._book.open.values()):
            if order.open and not order.asked:
                canceled += self._floor.cancel(order)
        return [order.view() for order in canceled]

    def replace(
        self,
        order_id: str,
        now_ns: int,
        *,
        qty: float | None = None,
        limit_price: float | None = None,
        stop_price: float | None = None,
        trail: float | None = None,
        tif: TimeInForce | None = None,
        client_order_id: str | None = None,
    ) -> BrokerOrder:
        """Put a new order, with a new id, in the place of a working one; None keeps what was.

        qty:   whole shares in all, those filled already included; the new order asks for the rest. No groups
        trail: of a trailing stop, dollars or percent, whichever it has
        Raises ExchangeRefusal; then the old order works on.
        """
        self._floor.advance(now_ns)
        old = self._find(order_id)
        self._check_new(client_order_id or "")
        new = amended(old, qty, limit_price, stop_price, trail, tif, self.price(old.symbol))
        new.client_order_id = client_order_id or self._teller.derive(f"{old.client_order_id}:replaced")
        if old.status is not OrderState.HELD:
            credit.admit(new, self._book, self._core.funds, without=old)
        new.id, new.replaces = self._teller.next_id(), old.id
        new.submitted_ns = self._core.now_ns
        self._floor.replace(old, new)
        answer = self._book.view(new)
        self._floor.work(new)
        return answer

    def bust(self, execution_id: str) -> Execution:
        """Take a fill back, now: position, cash and the order are as if it had never been.

        Busted shares are not traded again; exits that would close more than is left shrink or are canceled.
        Returns the row that stands for the fill from now on, with qty 0. Raises ExchangeRefusal (404) if no
        such fill stands.
        """
        return self._floor.correct(self._standing(execution_id), None)

    def reprice(self, execution_id: str, price: float) -> Execution:
        """Give a fill another price (dollars), now, as if it had been so from the start.

        Returns the row that stands for the fill from now on. Raises ExchangeRefusal: 404 if no such fill
        stands, 422 for what is no price.
        """
        old = self._standing(execution_id)
        if not isfinite(price) or price <= 0:
            raise unprocessable(f"invalid price {price}. must be > 0")
        return self._floor.correct(old, money(price))

    def stop_borrow(self, symbol: str) -> None:
        """From now on nobody lends shares of the symbol: new shorts in it are refused, open ones stay."""
        self._core.no_borrow.add(symbol)

    def resume_borrow(self, symbol: str) -> None:
        """Let shares of the symbol be borrowed again."""
        self._core.no_borrow.discard(symbol)

    def on_event(self, event: Trade | Quote | Bar) -> None:
        """Take in what the market says; match the symbol's orders against it."""
        self._floor.see(event)

    def set_hours(self, hours: SessionHours) -> None:
        """Begin a trading day. A day before it that has not run to its end does so now."""
        today = self._core.hours.today
        if today is not None and today.day < hours.day:
            self._floor.advance(today.post_ns)
        self._core.hours.set(hours)

    def on_time(self, now_ns: int) -> None:
        """Let time pass: at the open, waiting orders begin; at the close, day orders expire."""
        self._floor.advance(now_ns)

    def halts(self) -> list[Halt]:
        """Return the trading pauses that price bands have brought since the last call, and their ends.

        Whoever shows events to the exchange must tell them on, and show it nothing of a symbol in between.
        """
        halts = list(self._floor.bands.halts)
        self._floor.bands.halts.clear()
        return halts

    def dump(self) -> bytes:
        """Pack the whole state; `load` continues exactly where it was."""
        core = msgspec.structs.replace(
            self._core, marks={symbol: slot.mark for symbol, slot in self._book.slots.items()}
        )
        teller = self._teller
        return msgspec.msgpack.encode(
            State(
                core=core,
                orders=[*self._book.orders.values()],
                executions=teller.executions,
                updates=teller.updates,
            )
        )

    @classmethod
    def load(cls, raw: bytes) -> "Exchange":
        """Continue from a dump."""
        return cls.resume(msgspec.msgpack.decode(raw, type=State))

    @classmethod
    def resume(cls, state: State, options: ExchangeOptions | None = None) -> "Exchange":
        """Continue from a state; it belongs to the exchange from now on. options: new manners for it."""
        exchange = cls.__new__(cls)
        if options is not None:
            state.core.options = options
        exchange._adopt(state)
        return exchange

    def core(self) -> Core:
        """Return the state but for orders, executions and updates. Not a copy.

        Of marks and bands it has those of the symbols in use.
        """
        core, marks = self._core, self._book.marks_in_use(self._core.funds.holdings)
        bands = {symbol: band for symbol, band in core.bands.items() if symbol in marks}
        return msgspec.structs.replace(core, marks=marks, bands=bands)

    def changed(self) -> list[Order]:
        """Return orders added or changed since the last call, as they are kept: what the ledger stores."""
        return self._book.changed()

    def _adopt(self, state: State) -> None:
        self._core = state.core
        self._book = Book(state.orders, state.core.marks)
        self._teller = Teller(state.core, self._book, state.executions, state.updates)
        self._floor = Floor(state.core, self._book, self._teller)

    def _check_new(self, client_order_id: str) -> None:
        if client_order_id and self._book.by_client_id(client_order_id) is not None:
            raise not_unique()

    def _check_window(self, tif: TimeInForce) -> None:
        closed = self._core.hours.refuses_auction(tif, self._core.now_ns)
        if closed:
            raise unprocessable(f"{tif.value} orders are not accepted between {closed} New York time")

    def _standing(self, execution_id: str) -> Execution:
        for done in self.standing():
            if done.execution_id == execution_id:
                return done
        raise ExchangeRefusal(404, NOT_FOUND, f"no such execution stands: {execution_id}")

    def _find(self, order_id: str) -> Order:
        order = self._book.orders.get(order_id)
        if order is None:
            raise not_found(order_id)
        return order

    def _draft(self, request: OrderRequest) -> Order:
        limit = exit_limit(request) if request.order_class is OrderClass.OCO else request.limit_price
        order = Order(
            id="",
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            qty=shares(request.qty),
            order_type=OrderType(request.order_type),
            tif=request.tif,
            status=OrderState.PENDING_NEW,
            limit_price=None if limit is None else round(limit, 4),
            stop_price=None if request.stop_price is None else round(request.stop_price, 4),
            order_class=request.order_class,
            extended_hours=request.extended_hours,
            submitted_ns=self._core.now_ns,
            updated_ns=self._core.now_ns,
            trail_price=request.trail_price,
            trail_percent=request.trail_percent,
        )
        mark = self._book.slot(request.symbol).mark
        if request.notional is not None:
            order.notional = money(request.notional)
            order.qty = estimated(order.notional, mark.against(request.side) or mark.price)
        if order.trails:
            # Outside regular hours nothing moves it: it begins to trail at the open.
            follow(order, (mark.against(request.side) or mark.price) if self._regular() else 0.0)
        return order

    def _regular(self) -> bool:
        return self._core.hours.phase == OPEN

    def _leg_ids(self, parent: Order, role: str) -> tuple[str, str]:
        return self._teller.next_id(), self._teller.derive(f"{parent.client_order_id}:{role}")
