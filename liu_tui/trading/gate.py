"""The gate: whether what a strategy asks may be sent. Gathers the facts, walks the `guards`."""

import msgspec

from liu_tui.model.orders import Operation
from liu_tui.plan.schema import Limits
from liu_tui.trading.book import Book
from liu_tui.trading.closing import Closer, closing_operation
from liu_tui.trading.codes import Refusal, refusal
from liu_tui.trading.daytime import Daytime
from liu_tui.trading.differences import Differences
from liu_tui.trading.facts import gather
from liu_tui.trading.guards import refuse
from liu_tui.trading.latches import Latches
from liu_tui.trading.memory import Memory
from liu_tui.trading.orders import OrderRecord
from liu_tui.trading.risk import Ask
from liu_tui.trading.standing import Standing
from liu_tui.trading.vetoes import Vetoes


class Gate:
    """Says no, with a code, or nothing. entries_allowed: the driver's; false where nothing may be opened."""

    def __init__(
        self,
        book: Book,
        limits: Limits,
        standing: Standing,
        vetoes: Vetoes,
        latches: Latches,
        closer: Closer,
        day: Daytime,
        memory: Memory,
        differences: Differences,
        *,
        entries_allowed: bool,
    ) -> None:
        self._book, self.limits, self._standing = book, limits, standing
        self._vetoes, self._latches, self._closer, self._day = vetoes, latches, closer, day
        self._memory, self._differences = memory, differences
        self.entries_allowed = entries_allowed

    def no_entry(self, ask: Ask, now_ns: int) -> Refusal | None:
        """Say why this order may not be sent; None if it may."""
        standing, latch = self._standing, self._latches.on(ask.symbol)
        veto = self._vetoes.on(ask.symbol, ask.strategy, now_ns)
        key = ask.strategy, ask.symbol
        facts = msgspec.structs.replace(
            gather(self._book, self._memory, ask, self.limits, now_ns),
            state=standing.state,
            state_by=standing.by,
            state_reason=standing.reason,
            ready=self.entries_allowed and self._closer.ready and not self._differences.holds_up,
            unreconciled=self._differences.on(ask.symbol),
            exiting=self._closer.on_its_way(key) is not None,
            closing=latch.words if latch else "",
            closing_soon=self._day.over(key, now_ns),
            liquidate_min=self._day.liquidate_min,
            veto=(veto.by, veto.reason) if veto else None,
        )
        return refuse(ask, facts)

    def no_exit(self, record: OrderRecord, held: float) -> Refusal | None:
        """Say that there is nothing to close, or that it is being closed. No limit is looked at here."""
        if not held or closing_operation(held).side is not record.operation.side:
            words = "sell" if record.operation is Operation.SELL else "cover"
            return refusal(
                "NOTHING_TO_CLOSE", strategy=record.strategy, held=held, symbol=record.symbol, operation=words
            )
        other = self._closer.on_its_way(record.key)
        if other is not None:
            words = f"{other.client_order_id} ({other.state})"
            return refusal("ALREADY_CLOSING", symbol=record.symbol, other=words)
        return None
