"""What the exchange writes down of each change: the order's state, the execution, the account, the update."""

from decimal import Decimal
from uuid import NAMESPACE_OID, uuid5

import msgspec

from liu_tui.model.orders import Execution, OrderState, OrderUpdate
from liu_tui.trading.fees import fee_of
from liu_tui.trading.matching.book import Book
from liu_tui.trading.matching.correction import is_first, reckoned
from liu_tui.trading.matching.exact import ZERO, money, shares
from liu_tui.trading.matching.order import Order
from liu_tui.trading.matching.state import Core


class Teller:
    """The books of one account. executions: the log, oldest first; updates: what nobody has fetched yet."""

    def __init__(
        self, core: Core, book: Book, executions: list[Execution], updates: list[OrderUpdate]
    ) -> None:
        self.core, self.book, self.executions, self.updates = core, book, executions, updates

    def tell(self, order: Order, status: OrderState, event: str, execution: Execution | None = None) -> None:
        """Give the order a state, and say so."""
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

    def fill(self, order: Order, qty: Decimal, price: Decimal) -> None:
        """Book shares that changed hands, take the fee, and say so."""
        fee = self._fee(order, qty, price, first=not order.done)
        order.filled += qty
        order.paid += qty * price
        self.core.funds.book(order.symbol, qty * order.side.sign, price, fee)
        execution = Execution(
            execution_id=self.next_id(),
            order_id=order.id,
            symbol=order.symbol,
            side=order.side,
            qty=float(qty),
            price=float(price),
            t_ns=self.core.now_ns,
            fee=float(fee),
        )
        self.executions.append(execution)
        if order.leaves:
            self.tell(order, OrderState.PARTIALLY_FILLED, "partial_fill", execution)
        else:
            self.tell(order, OrderState.FILLED, "fill", execution)

    def correct(self, old: Execution, price: Decimal | None) -> Execution:
        """Take a fill back (price None), or give it another price; returns the row that stands for it now."""
        order, qty = self.book.orders[old.order_id], shares(old.qty)
        fee = ZERO
        if price is None:
            order.filled -= qty
            order.busted += qty
        else:
            fee = self._fee(order, qty, price, first=is_first(self.executions, old))
        order.paid -= qty * (money(old.price) - (price or ZERO))
        new = msgspec.structs.replace(
            old,
            execution_id=self.next_id(),
            qty=0.0 if price is None else old.qty,
            price=old.price if price is None else float(price),
            t_ns=self.core.now_ns,
            corrects=old.execution_id,
            fee=float(fee),
        )
        self.executions.append(new)
        self.core.funds = reckoned(self.core.starting_cash, self.executions)
        self.tell(order, order.status, "trade_bust" if price is None else "trade_correct", new)
        return new

    def next_id(self) -> str:
        """Give out a new id: a replay gives the same ones."""
        self.core.counter += 1
        return self.derive(str(self.core.counter))

    def derive(self, name: str) -> str:
        """Make an id that depends on the account, the seed and the name only."""
        return str(uuid5(NAMESPACE_OID, f"{self.core.account_id}:{self.core.seed}:{name}"))

    def _fee(self, order: Order, qty: Decimal, price: Decimal, *, first: bool) -> Decimal:
        fees = self.core.options.fees
        return money(fee_of(fees, order.side, float(qty), float(price), first=first))
