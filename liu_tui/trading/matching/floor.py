"""What happens to orders once they are taken: they wait, work, fill, wake their legs, and end.

    advance(time)  the day's boundaries: waiting orders begin, day orders end
    see(event)     a market event: the symbol's working orders try to trade
    begin, work    a new order
    end, cancel    the ways out

Every change is told in `updates`, in order. Nothing here refuses: that was done before.
"""

from decimal import Decimal
from uuid import NAMESPACE_OID, uuid5

import msgspec

from liu_tui.model.market import Bar, Quote, Trade
from liu_tui.model.orders import Execution, OrderState, OrderUpdate, Side, TimeInForce
from liu_tui.trading.matching.book import Book
from liu_tui.trading.matching.correction import reckoned, taken_back
from liu_tui.trading.matching.credit import available
from liu_tui.trading.matching.exact import ZERO, money, shares
from liu_tui.trading.matching.hours import OPEN
from liu_tui.trading.matching.mark import Mark, is_present, reached
from liu_tui.trading.matching.order import AT_ONCE, Order
from liu_tui.trading.matching.partial import first_slice
from liu_tui.trading.matching.state import Core

_AUCTIONS = (TimeInForce.OPG, TimeInForce.CLS)


class Floor:
    """The orders of one account, and the market they meet."""

    def __init__(
        self, core: Core, book: Book, executions: list[Execution], updates: list[OrderUpdate]
    ) -> None:
        self.core, self.book, self.executions, self.updates = core, book, executions, updates
        self.taken_back = taken_back(executions)

    def advance(self, now_ns: int) -> None:
        """Let time pass, through every boundary of the day on the way. Time never goes back."""
        hours = self.core.hours
        while (due := hours.due_ns) is not None and due <= now_ns:
            self.core.now_ns = max(self.core.now_ns, due)
            if hours.phase < OPEN:
                hours.phase += 1
                self._begin_waiting()
            else:
                self._end_of_time()
                hours.phase += 1
        self.core.now_ns = max(self.core.now_ns, now_ns)

    def see(self, event: Trade | Quote | Bar) -> None:
        """Take a market event in; match the symbol's orders against it."""
        if isinstance(event, Bar) and not is_present(event):
            return
        slot = self.book.slot(event.symbol)
        if not slot.open:
            slot.mark.see(event)
            return
        self.advance(event.end_ns if isinstance(event, Bar) else event.t_ns)
        slot.mark.see(event)
        for order in [order for order in slot.open.values() if order.live]:
            self._try(order, slot.mark, event)

    def begin(self, order: Order) -> None:
        """Put an order on the book, or let it wait for its part of the day."""
        if self.core.hours.begins(order) and order.tif is not TimeInForce.OPG:
            self._set(order, OrderState.NEW, "new")
        else:
            self._set(order, OrderState.ACCEPTED, "accepted")

    def work(self, order: Order) -> None:
        """Let a new order try what the market offers now."""
        self._try(order, self.book.slot(order.symbol).mark, None)

    def cancel(self, order: Order) -> list[Order]:
        """Cancel an order, and with it its whole group; return what was canceled."""
        members = [member for member in self.book.family(order) if member.open]
        for member in members:
            self._set(member, OrderState.CANCELED, "canceled")
        return members

    def replace(self, old: Order, new: Order) -> None:
        """End `old` in favour of `new`, which takes its state."""
        status = OrderState.HELD if old.status is OrderState.HELD else OrderState.NEW
        self._set(old, OrderState.REPLACED, "replaced")
        self._set(new, status, "new")

    def correct(self, old: Execution, price: Decimal | None) -> Execution:
        """Take a fill back (price None), or give it another price; returns the row that stands for it now."""
        order, qty = self.book.orders[old.order_id], shares(old.qty)
        if price is None:
            order.filled -= qty
            order.busted += qty
        order.paid -= qty * (money(old.price) - (price or ZERO))
        new = msgspec.structs.replace(
            old,
            execution_id=self.next_id(),
            qty=0.0 if price is None else old.qty,
            price=old.price if price is None else float(price),
            t_ns=self.core.now_ns,
            corrects=old.execution_id,
        )
        self.executions.append(new)
        self.taken_back.add(old.execution_id)
        self.core.funds = reckoned(self.core.starting_cash, self.executions)
        self._set(order, order.status, "trade_bust" if price is None else "trade_correct", new)
        self._trim_exits(order.symbol)
        return new

    def next_id(self) -> str:
        """Give out a new id: a replay gives the same ones."""
        self.core.counter += 1
        return self.derive(str(self.core.counter))

    def derive(self, name: str) -> str:
        """Make an id that depends on the account, the seed and the name only."""
        return str(uuid5(NAMESPACE_OID, f"{self.core.account_id}:{self.core.seed}:{name}"))

    def _begin_waiting(self) -> None:
        hours = self.core.hours
        for order in list(self.book.open.values()):
            if order.status is OrderState.ACCEPTED and hours.begins(order):
                self._set(order, OrderState.NEW, "new")
                self.work(order)

    def _end_of_time(self) -> None:
        hours = self.core.hours
        for order in list(self.book.open.values()):
            if order.open and hours.ends(order):
                if order.tif is TimeInForce.CLS and not order.live:
                    self._set(order, OrderState.NEW, "new")
                    self.work(order)
                if order.open:
                    self._end(order, OrderState.EXPIRED, "expired")

    def _try(self, order: Order, mark: Mark, event: Trade | Quote | Bar | None) -> None:
        if not order.live or not self.core.hours.admits(order):
            return
        if order.sleeping:
            if not reached(order, mark.watched(event, order.side)):
                return
            order.triggered = True
            self.book.touch(order)
        price = mark.fill_price(order)
        if price is not None:
            self._fill(order, price)
        if order.tif in AT_ONCE and order.open and mark.known:
            late = order.tif in _AUCTIONS
            self._end(
                order, OrderState.EXPIRED if late else OrderState.CANCELED, "expired" if late else "canceled"
            )

    def _fill(self, order: Order, price: float) -> None:
        qty, exact = self._slice(order), money(price)
        order.filled += qty
        order.paid += qty * exact
        self.core.funds.book(order.symbol, qty * order.side.sign, exact)
        execution = Execution(
            execution_id=self.next_id(),
            order_id=order.id,
            symbol=order.symbol,
            side=order.side,
            qty=float(qty),
            price=float(exact),
            t_ns=self.core.now_ns,
        )
        self.executions.append(execution)
        if order.leaves:
            self._set(order, OrderState.PARTIALLY_FILLED, "partial_fill", execution)
        else:
            self._set(order, OrderState.FILLED, "fill", execution)
        self._follow(order, qty)

    def _slice(self, order: Order) -> Decimal:
        if order.sliced or order.tif is TimeInForce.FOK:
            return order.leaves
        order.sliced = True
        core = self.core
        return first_slice(core.seed, order.content, order.leaves, core.partial_fills)

    def _follow(self, order: Order, qty: Decimal) -> None:
        if order.enters:
            if not order.leaves:
                self._release(order)
            return
        for partner in self.book.partners(order):
            if partner.leaves <= qty:
                self._set(partner, OrderState.CANCELED, "canceled")
            else:
                partner.qty -= qty
                self._set(partner, partner.status, "restated")

    def _release(self, entry: Order) -> None:
        # What the entry bought may have been sold since by another order: exits never open a position.
        legs = [leg for leg in self.book.legs(entry) if leg.status is OrderState.HELD]
        free = available(self.book, self.core.funds, entry.symbol, entry.side.opposite)
        for leg in legs:
            leg.qty = min(leg.qty, free)
            if leg.qty:
                self._set(leg, OrderState.NEW, "new")
            else:
                self._set(leg, OrderState.CANCELED, "canceled")
        for leg in legs:
            self.work(leg)

    def _trim_exits(self, symbol: str) -> None:
        # A bust may have taken away what exits were to close: exits never open a position.
        held = self.core.funds.qty(symbol)
        free = {Side.SELL: max(ZERO, held), Side.BUY: max(ZERO, -held)}
        spent: dict[str, Decimal] = {}
        for order in list(self.book.slot(symbol).open.values()):
            if order.opens or order.status is OrderState.HELD:
                continue
            had = spent.get(order.group_id, ZERO)
            most = max(ZERO, free[order.side] + had)
            self._shrink(order, most)
            spent[order.group_id] = max(had, order.leaves if order.open else ZERO)
            free[order.side] += had - spent[order.group_id]

    def _shrink(self, order: Order, most: Decimal) -> None:
        """Leave the order no more than `most` shares to do."""
        if order.leaves <= most:
            return
        if not most:
            self._set(order, OrderState.CANCELED, "canceled")
            return
        order.qty -= order.leaves - most
        self._set(order, order.status, "restated")

    def _end(self, order: Order, status: OrderState, event: str) -> None:
        self._set(order, status, event)
        for leg in self.book.legs(order):
            if leg.status is OrderState.HELD:
                self._set(leg, OrderState.CANCELED, "canceled")

    def _set(self, order: Order, status: OrderState, event: str, execution: Execution | None = None) -> None:
        order.status, order.updated_ns = status, self.core.now_ns
        self.book.touch(order)
        told = OrderUpdate(event=event, order=order.view(), t_ns=self.core.now_ns)
        if execution is not None:
            told = OrderUpdate(
                event=event,
                order=told.order,
                t_ns=told.t_ns,
                execution_id=execution.execution_id,
                price=execution.price,
                qty=execution.qty,
                position_qty=float(self.core.funds.qty(order.symbol)),
                corrects=execution.corrects,
            )
        self.updates.append(told)
