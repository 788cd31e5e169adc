"""The same order again: a strategy that repeats itself by mistake is stopped at the second."""

from collections.abc import Iterable

from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import OrderState, Side
from liu_tui.trading.effects import Effect, Journal
from liu_tui.trading.orders import ENTRY, OrderRecord
from liu_tui.trading.risk import Ask

_Terms = tuple[str, str, Side, float, float | None, float | None, float | None, float | None]


class Duplicates:
    """When each order was sent last, by its terms: strategy, symbol, side, quantity and prices."""

    def __init__(self) -> None:
        self._sent_ns: dict[_Terms, int] = {}

    def hear(self, effect: Effect) -> None:
        """Note an entry that goes out."""
        if isinstance(effect, Journal) and effect.order.state is OrderState.INTENT:
            self._note(effect.order)

    def restore(self, orders: Iterable[OrderRecord]) -> None:
        """Take over what the journal knows."""
        for order in orders:
            self._note(order)

    def age_s(self, ask: Ask, now_ns: int) -> float | None:
        """Seconds since the same order was sent, None if it never was."""
        terms = (
            ask.strategy, ask.symbol, ask.operation.side, round(ask.qty, 2), ask.limit, ask.trigger,
            ask.stop, ask.target,
        )  # fmt: skip
        sent_ns = self._sent_ns.get(terms)
        return None if sent_ns is None else (now_ns - sent_ns) / SECOND_NS

    def _note(self, order: OrderRecord) -> None:
        if order.role != ENTRY or not order.sent_ns:
            return
        qty = order.qty or (order.notional or 0.0) / (order.price or 1.0)
        terms = (
            order.strategy, order.symbol, order.operation.side, round(qty, 2), order.limit_price,
            order.stop_price, order.stop, order.target,
        )  # fmt: skip
        self._sent_ns[terms] = max(order.sent_ns, self._sent_ns.get(terms, 0))
