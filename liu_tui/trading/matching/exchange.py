"""The exchange: one account, its orders, and how they fill.

The way of an order: `submit` checks the request (`form`), then what the account can carry (`credit`), makes
the order and its legs (`groups`), and hands them to the `floor`, where market events and the clock move them
on. What happened is fetched with `drain`, in order. Time is whatever the caller says; it never goes back.
"""

from bisect import bisect_right
from decimal import Decimal
from math import isfinite

import msgspec

from liu_tui.model.account import Account, BrokerPosition
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import Bar, Quote, Trade
from liu_tui.model.orders import (
    BrokerOrder,
    Execution,
    OrderClass,
    OrderRequest,
    OrderState,
    OrderType,
    OrderUpdate,
    Side,
    TimeInForce,
)
from liu_tui.trading.matching import credit
from liu_tui.trading.matching.amend import amended
from liu_tui.trading.matching.book import Book
from liu_tui.trading.matching.exact import money, shares
from liu_tui.trading.matching.floor import Floor
from liu_tui.trading.matching.form import check_form, check_levels, exit_limit
from liu_tui.trading.matching.funds import Funds
from liu_tui.trading.matching.groups import hand_over, make_legs
from liu_tui.trading.matching.hours import Hours
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

__all__ = ["Exchange", "ExchangeRefusal"]


class Exchange:
    """One account at an exchange that fills as Alpaca's paper trading does.

    Orders fill whole at the best bid or ask, whatever its size; a fraction of them in two pieces. Show it
    every market event, also of symbols without orders (that costs one look-up): an order is matched against
    the last quote seen. Without `set_hours` the market is always open.

    cash:          dollars at the start
    seed:          of the partial fills and of all ids
    partial_fills: fraction (0-1) of orders whose first fill is a partial one
    """

    def __init__(
        self, *, cash: float, seed: int = 1, partial_fills: float = 0.1, account_id: str = "LOCAL0001"
    ) -> None:
        exact = money(cash)
        core = Core(
            account_id=account_id,
            seed=seed,
            partial_fills=partial_fills,
            starting_cash=exact,
            funds=Funds(cash=exact),
            hours=Hours(),
        )
        self._adopt(State(core=core))

    def submit(self, request: OrderRequest, now_ns: int) -> BrokerOrder:
        """Take an order. The answer is of before it met the market; fills are in the updates.

        Raises ExchangeRefusal; then nothing has changed.
        """
        self._floor.advance(now_ns)
        check_form(request)
        check_levels(request, self.price(request.symbol))
        self._check_new(request.client_order_id)
        order = self._draft(request)
        credit.admit(order, self._book, self._core.funds)
        if order.opens and order.side is Side.SELL and not self.borrowable(order.symbol):
            raise not_shortable(order.symbol)
        order.id = self._floor.next_id()
        order.client_order_id = order.client_order_id or self._floor.derive(f"client:{order.id}")
        legs = make_legs(order, request, lambda role: self._leg_ids(order, role))
        return self._place(order, legs)

    def cancel(self, order_id: str, now_ns: int) -> None:
        """Cancel an order and its group. Raises ExchangeRefusal: 404 unknown, 422 finished."""
        self._floor.advance(now_ns)
        order = self._find(order_id)
        if not order.open:
            raise unprocessable(f'order is already in "{order.status.value}" state')
        self._floor.cancel(order)

    def cancel_all(self, now_ns: int) -> list[BrokerOrder]:
        """Cancel all open orders; return them, legs as orders of their own."""
        self._floor.advance(now_ns)
        canceled: list[Order] = []
        for order in list(self._book.open.values()):
            if order.open:
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
        tif: TimeInForce | None = None,
        client_order_id: str | None = None,
    ) -> BrokerOrder:
        """Put a new order, with a new id, in the place of a working one; None keeps what was.

        qty: whole shares in all, those filled already included; the new order asks for the rest. No groups
        Raises ExchangeRefusal; then the old order works on.
        """
        self._floor.advance(now_ns)
        old = self._find(order_id)
        self._check_new(client_order_id or "")
        new = amended(old, qty, limit_price, stop_price, tif, self.price(old.symbol))
        new.client_order_id = client_order_id or self._floor.derive(f"{old.client_order_id}:replaced")
        if old.status is not OrderState.HELD:
            credit.admit(new, self._book, self._core.funds, without=old)
        new.id, new.replaces = self._floor.next_id(), old.id
        new.submitted_ns = self._core.now_ns
        return self._swap(old, new)

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

    def borrowable(self, symbol: str) -> bool:
        """Whether shares of the symbol can be borrowed now, to be sold short."""
        return symbol not in self._core.no_borrow

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

    def drain(self) -> list[OrderUpdate]:
        """Return what happened since the last call, in order. Legs have updates of their own."""
        updates = list(self._floor.updates)
        self._floor.updates.clear()
        return updates

    def order(self, order_id: str) -> BrokerOrder | None:
        """Return the order, legs nested; None if there never was one."""
        order = self._book.orders.get(order_id)
        return None if order is None else self._book.view(order)

    def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """Return the order under the caller's own id; None if there never was one."""
        order = self._book.by_client_id(client_order_id)
        return None if order is None else self._book.view(order)

    def orders(
        self, *, open_only: bool = False, after_ns: int = 0, symbols: frozenset[str] = frozenset()
    ) -> list[BrokerOrder]:
        """Orders oldest first, legs nested under their parents.

        open_only: those where the order or one of its legs is open
        after_ns:  those submitted after it
        symbols:   those of these symbols; of all if empty
        """
        return [
            self._book.view(order)
            for order in self._book.top()
            if order.submitted_ns > after_ns
            and (not symbols or order.symbol in symbols)
            and (not open_only or self._book.group_open(order))
        ]

    def executions(self, after_ns: int = 0) -> list[Execution]:
        """Return fills after `after_ns`, oldest first, as they stand now.

        A fill that was taken back or repriced is not among them: the row that names it in `corrects` is, at
        the time of the correction, with qty 0 for a bust. So their sum is what is held.
        """
        log, gone = self._floor.executions, self._floor.taken_back
        begin = bisect_right(log, after_ns, key=lambda done: done.t_ns)
        return [done for done in log[begin:] if done.execution_id not in gone]

    def executions_from(self, n: int) -> list[Execution]:
        """Return all rows of the log but the first n, corrected ones too: what is not stored yet."""
        return self._floor.executions[n:]

    def positions(self) -> list[BrokerPosition]:
        """Return what is held, by symbol."""
        holdings = self._core.funds.holdings
        return [self._position(symbol) for symbol in sorted(holdings)]

    def account(self) -> Account:
        """Cash, equity and buying power, now."""
        funds = self._core.funds
        worth = credit.equity(self._book, funds)
        return Account(
            id=self._core.account_id,
            cash=float(funds.cash),
            equity=float(worth),
            buying_power=float(credit.buying_power(self._book, funds)),
            multiplier=float(credit.multiplier(worth)),
            shorting_enabled=worth >= credit.MARGIN_EQUITY,
        )

    def available(self, symbol: str) -> float:
        """Signed shares held that no open order has reserved: the broker's qty_available."""
        held = self._core.funds.qty(symbol)
        side = Side.SELL if held > 0 else Side.BUY
        return (
            float(credit.available(self._book, self._core.funds, symbol, side).copy_sign(held))
            if held
            else 0.0
        )

    @property
    def starting_cash(self) -> float:
        """Dollars the account began with."""
        return float(self._core.starting_cash)

    @property
    def cash(self) -> float:
        """Dollars; more than was paid in while shorts are open."""
        return float(self._core.funds.cash)

    @property
    def realized(self) -> float:
        """Dollars won or lost by closing, against the average cost."""
        return float(self._core.funds.realized)

    @property
    def seed(self) -> int:
        """Of the partial fills and of all ids."""
        return self._core.seed

    def price(self, symbol: str) -> float:
        """Return what a share is worth: the last trade, else the middle of the quote, else 0."""
        slot = self._book.slots.get(symbol)
        return slot.mark.price if slot is not None else 0.0

    def open_symbols(self) -> set[str]:
        """Symbols with open orders or a position: whose events move the account."""
        return {*self._core.funds.holdings, *(order.symbol for order in self._book.open.values())}

    def dump(self) -> bytes:
        """Pack the whole state; `load` continues exactly where it was."""
        core = msgspec.structs.replace(
            self._core, marks={symbol: slot.mark for symbol, slot in self._book.slots.items()}
        )
        floor = self._floor
        return msgspec.msgpack.encode(
            State(
                core=core,
                orders=[*self._book.orders.values()],
                executions=floor.executions,
                updates=floor.updates,
            )
        )

    @classmethod
    def load(cls, raw: bytes) -> "Exchange":
        """Continue from a dump."""
        return cls.resume(msgspec.msgpack.decode(raw, type=State))

    @classmethod
    def resume(cls, state: State) -> "Exchange":
        """Continue from a state; it belongs to the exchange from now on."""
        exchange = cls.__new__(cls)
        exchange._adopt(state)
        return exchange

    def core(self) -> Core:
        """Return the state but for orders, executions and updates; of the marks those in use. Not a copy."""
        return msgspec.structs.replace(self._core, marks=self._book.marks_in_use(self._core.funds.holdings))

    def changed(self) -> list[Order]:
        """Return orders added or changed since the last call, as they are kept: what the ledger stores."""
        return self._book.changed()

    def _adopt(self, state: State) -> None:
        self._core = state.core
        self._book = Book(state.orders, state.core.marks)
        self._floor = Floor(state.core, self._book, state.executions, state.updates)

    def _check_new(self, client_order_id: str) -> None:
        if client_order_id and self._book.by_client_id(client_order_id) is not None:
            raise not_unique()

    def _standing(self, execution_id: str) -> Execution:
        log, gone = self._floor.executions, self._floor.taken_back
        for done in log:
            if done.execution_id == execution_id and done.qty and execution_id not in gone:
                return done
        raise ExchangeRefusal(404, NOT_FOUND, f"no such execution stands: {execution_id}")

    def _find(self, order_id: str) -> Order:
        order = self._book.orders.get(order_id)
        if order is None:
            raise not_found(order_id)
        return order

    def _draft(self, request: OrderRequest) -> Order:
        limit = exit_limit(request) if request.order_class is OrderClass.OCO else request.limit_price
        return Order(
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
        )

    def _leg_ids(self, parent: Order, role: str) -> tuple[str, str]:
        return self._floor.next_id(), self._floor.derive(f"{parent.client_order_id}:{role}")

    def _place(self, order: Order, legs: list[Order]) -> BrokerOrder:
        begun = [order, *legs] if order.order_class is OrderClass.OCO else [order]
        for member in (order, *legs):
            self._book.add(member)
        for member in begun:
            self._floor.begin(member)
        answer = self._book.view(order)
        for member in begun:
            self._floor.work(member)
        return answer

    def _swap(self, old: Order, new: Order) -> BrokerOrder:
        hand_over(old, new, self._book.family(old))
        old.replaced_by = new.id
        self._book.add(new)
        for leg in self._book.legs(new):
            self._book.touch(leg)
        self._floor.replace(old, new)
        answer = self._book.view(new)
        self._floor.work(new)
        return answer

    def _position(self, symbol: str) -> BrokerPosition:
        held = self._core.funds.holdings[symbol]
        price = self.price(symbol)
        open_gain = (money(price) - held.avg_price) * held.qty if price > 0 else Decimal(0)
        return BrokerPosition(
            symbol=symbol,
            qty=float(held.qty),
            avg_price=float(held.avg_price),
            price=price,
            unrealized=float(open_gain),
        )
