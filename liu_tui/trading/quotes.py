"""What the desk has heard of the market beside last prices: bid and ask, and when it heard of a symbol."""

from liu_tui.model.market import MINUTE_NS
from liu_tui.model.orders import Side

OLD_NS = MINUTE_NS
"""A quote that the last price is newer by than this is not the market's any more."""


class Quotes:
    """The newest quotes by symbol. Dollars; times in session nanoseconds, 0 where nothing was heard."""

    def __init__(self) -> None:
        self._quotes: dict[str, tuple[float, float, int]] = {}
        self._heard_ns: dict[str, int] = {}

    def hear(self, symbol: str, t_ns: int, bid: float, ask: float) -> None:
        """Take a mark. bid, ask: both 0 if it has no quote."""
        if bid or ask:
            self._quotes[symbol] = bid, ask, t_ns
        if t_ns > self._heard_ns.get(symbol, 0):
            self._heard_ns[symbol] = t_ns

    def heard_ns(self, symbol: str) -> int:
        """When the market last said anything of the symbol, 0 if it never did."""
        return self._heard_ns.get(symbol, 0)

    def offered(self, symbol: str, side: Side) -> float:
        """What the side would trade at now: the ask for who buys, the bid for who sells; 0 if not known."""
        bid, ask, t_ns = self._quotes.get(symbol, (0.0, 0.0, 0))
        if self._heard_ns.get(symbol, 0) - t_ns > OLD_NS:
            return 0.0
        return ask if side is Side.BUY else bid
