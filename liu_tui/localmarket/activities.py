"""The account's history: its fills, what was said of them since, and what they cost."""

from collections.abc import Iterator

import msgspec

from liu_tui.localmarket import words
from liu_tui.market.calendar import day_of
from liu_tui.model.orders import Execution
from liu_tui.trading.matching.exchange import Exchange

KINDS = ("FILL", "FEE")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows. after_ns, until_ns: neither of them included, None for any; day: ISO, New York; "" for any.

    kinds: of KINDS; order_id: fills of this order only
    """

    kinds: frozenset[str]
    after_ns: int | None = None
    until_ns: int | None = None
    day: str = ""
    order_id: str = ""

    def takes(self, done: Execution) -> bool:
        """Whether a row of this execution is wanted."""
        return (
            (not self.order_id or done.order_id == self.order_id)
            and (self.after_ns is None or done.t_ns > self.after_ns)
            and (self.until_ns is None or done.t_ns < self.until_ns)
            and (not self.day or day_of(done.t_ns).isoformat() == self.day)
        )


def rows(exchange: Exchange, wanted: Wanted) -> Iterator[words.Words]:
    """Fills and fees, oldest first; a fee comes after its fill, and is of no order.

    A correction has a row of its own, and the fee that it changes.
    """
    log = {done.execution_id: done for done in exchange.executions()}
    filled: dict[str, float] = {}
    for done in log.values():
        before = log.get(done.corrects)
        shares, owed = done.qty, done.fee
        if before is not None:
            shares, owed = shares - before.qty, owed - before.fee
        filled[done.order_id] = filled.get(done.order_id, 0.0) + shares
        if not wanted.takes(done):
            continue
        order = exchange.order(done.order_id)
        if "FILL" in wanted.kinds and order is not None:
            yield words.activity(done, order, cumulative=filled[done.order_id])
        if "FEE" in wanted.kinds and owed and not wanted.order_id:
            yield words.fee(done, owed)
