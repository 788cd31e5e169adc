"""Rest after losses: a symbol in which a trade lost, and a strategy that lost several one after another.

A trade is from flat to flat, of one strategy in one symbol, fees in. Only what happened is kept here; how
long it binds the limits say when they are asked, so that a change of the plan holds for what was before.
"""

from collections.abc import Iterable, Sequence

import msgspec

from liu_tui.model.market import MINUTE_NS
from liu_tui.model.orders import Fill
from liu_tui.plan.schema import Limits
from liu_tui.trading.positions import EXTERNAL


class Rest(msgspec.Struct, frozen=True):
    """How long something rests yet. minutes: 0 if it does not; lost: dollars; count: trades lost in a row."""

    minutes: float = 0.0
    lost: float = 0.0
    count: int = 0


class Cooldowns:
    """Every trade that lost, as far as it may still bind somebody."""

    def __init__(self) -> None:
        self._under_way: dict[tuple[str, str], float] = {}  # (strategy, symbol) -> dollars realised so far
        self._lost: dict[str, tuple[int, float]] = {}  # symbol -> when a trade lost there last, and how much
        self._rows: dict[str, list[int]] = {}  # strategy -> when it lost, since it last did not

    def hear(self, fill: Fill) -> None:
        """Take a fill that is booked."""
        if fill.strategy == EXTERNAL:
            return
        key = fill.strategy, fill.symbol
        net = self._under_way.pop(key, 0.0) + fill.realized - fill.fee
        before = round(fill.position - fill.qty, 9)
        if before and before * fill.position <= 0:
            self._ended(fill.strategy, fill.symbol, net, fill.t_ns)
        else:
            self._under_way[key] = net

    def restore(self, fills: Iterable[Fill]) -> None:
        """Take the fills over that were booked before, in their order."""
        for fill in fills:
            self.hear(fill)

    def open_day(self) -> None:
        """Begin another day: nobody rests, as in a new session."""
        self._lost.clear()
        self._rows.clear()

    def of_symbol(self, symbol: str, limits: Limits, now_ns: int) -> Rest:
        """Say how long nobody opens anything in the symbol."""
        if limits.symbol_cooldown_min is None or symbol not in self._lost:
            return Rest()
        t_ns, dollars = self._lost[symbol]
        left = t_ns + limits.symbol_cooldown_min * MINUTE_NS - now_ns
        return Rest(max(left, 0.0) / MINUTE_NS, dollars)

    def of_strategy(self, strategy: str, limits: Limits, now_ns: int) -> Rest:
        """Say how long the strategy opens nothing."""
        if limits.max_losses_in_row is None:
            return Rest()
        rest_ns = int(limits.strategy_cooldown_min * MINUTE_NS)
        count, until_ns = rest_until(self._rows.get(strategy, ()), limits.max_losses_in_row, rest_ns)
        return Rest(max(until_ns - now_ns, 0) / MINUTE_NS, count=count)

    def _ended(self, strategy: str, symbol: str, net: float, t_ns: int) -> None:
        if net < 0:
            self._lost[symbol] = t_ns, -net
            self._rows.setdefault(strategy, []).append(t_ns)
        else:
            self._rows.pop(strategy, None)


def rest_until(losses: Sequence[int], most: int, rest_ns: int) -> tuple[int, int]:
    """Count losses in a row, and say until when they mean rest (0 for not at all).

    losses: when, in order, none but losses between them. A rest that is over begins the count anew.
    """
    count = until_ns = 0
    for t_ns in losses:
        if count >= most and t_ns >= until_ns:
            count = 0
        count += 1
        if count >= most:
            until_ns = t_ns + rest_ns
    return count, until_ns
