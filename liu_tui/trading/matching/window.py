"""What an exchange shows of itself: orders, fills, positions, the account. Nothing here changes anything."""

from bisect import bisect_right
from decimal import Decimal

from liu_tui.model.account import Account, BrokerPosition
from liu_tui.model.orders import BrokerOrder, Execution, OrderUpdate, Side
from liu_tui.trading.matching import credit, margin
from liu_tui.trading.matching.book import Book
from liu_tui.trading.matching.correction import standing
from liu_tui.trading.matching.draw import hard_to_borrow
from liu_tui.trading.matching.exact import money
from liu_tui.trading.matching.options import ExchangeOptions
from liu_tui.trading.matching.state import Core
from liu_tui.trading.matching.teller import Teller


class Window:
    """The side of the exchange that is only looked at; `Exchange` is the one class that adds the other."""

    _core: Core
    _book: Book
    _teller: Teller

    def drain(self) -> list[OrderUpdate]:
        """Return what happened since the last call, in order. Legs have updates of their own."""
        updates = list(self._teller.updates)
        self._teller.updates.clear()
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
        """Return the log's rows after `after_ns`, oldest first: what happened, and what was said of it since.

        A fill that was taken back or repriced stays where it was; the row that names it in `corrects` comes
        later, with qty 0 for a bust. What counts in the end is `standing`.
        """
        log = self._teller.executions
        return log[bisect_right(log, after_ns, key=lambda done: done.t_ns) :]

    def standing(self) -> list[Execution]:
        """Return the fills that count now, each at its first place: their sum is what is held."""
        return [done for done in standing(self._teller.executions) if done.qty]

    def executions_from(self, n: int) -> list[Execution]:
        """Return all rows of the log but the first n, corrected ones too: what is not stored yet."""
        return self._teller.executions[n:]

    def positions(self) -> list[BrokerPosition]:
        """Return what is held, by symbol."""
        holdings = self._core.funds.holdings
        return [self._position(symbol) for symbol in sorted(holdings)]

    def account(self) -> Account:
        """Cash, equity, margins and buying power, now."""
        core, book = self._core, self._book
        worth, held = credit.equity(book, core.funds), credit.worth_of(book, core.funds)
        last = core.starting_cash if core.last_equity is None else core.last_equity
        return Account(
            id=core.account_id,
            cash=float(core.funds.cash),
            equity=float(worth),
            buying_power=float(credit.buying_power(book, core.funds)),
            multiplier=float(credit.multiplier(worth)),
            shorting_enabled=worth >= credit.MARGIN_EQUITY,
            cash_only=max(0.0, float(core.funds.cash)),
            initial_margin=float(margin.initial(held)),
            maintenance_margin=float(margin.maintenance(held)),
            last_equity=float(last),
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
    def fees(self) -> float:
        """Dollars of fees paid so far; they are out of the cash already, and not in `realized`."""
        return float(self._core.funds.fees)

    @property
    def options(self) -> ExchangeOptions:
        """Its manners."""
        return self._core.options

    @property
    def seed(self) -> int:
        """Of the partial fills and of all ids."""
        return self._core.seed

    def borrowable(self, symbol: str) -> bool:
        """Whether shares of the symbol can be borrowed now, to be sold short."""
        core = self._core
        hard = hard_to_borrow(core.seed, symbol, core.options.hard_to_borrow)
        return not hard and symbol not in core.no_borrow

    def price(self, symbol: str) -> float:
        """Return what a share is worth: the last trade, else the middle of the quote, else 0."""
        slot = self._book.slots.get(symbol)
        return slot.mark.price if slot is not None else 0.0

    def open_symbols(self) -> set[str]:
        """Symbols with open orders or a position: whose events move the account."""
        return {*self._core.funds.holdings, *(order.symbol for order in self._book.open.values())}

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
