"""What the exchange itself does to an account: fills taken back or corrected, shares nobody lends any more.

These are made true, for everybody: ledger, history and updates tell them alike.
"""

from liu_tui.localmarket.faults import Fault
from liu_tui.localmarket.venue import Venue
from liu_tui.model.orders import Execution
from liu_tui.plan.schema import FaultKind
from liu_tui.trading.matching.correction import standing
from liu_tui.trading.matching.exchange import Exchange

KINDS = (FaultKind.BUST, FaultKind.REPRICE, FaultKind.NO_BORROW)
_PRICE_DIGITS = 4


class ExchangeFaults:
    """The faults of one market's exchange."""

    def __init__(self, venue: Venue) -> None:
        self._venue, self._listed = venue, frozenset(venue.assets)
        self._unlent: list[Fault] = []
        # The ledger kept what was not lent, but the fault went with its market. One of the plan begins anew.
        for symbol in self._listed:
            venue.exchange.resume_borrow(symbol)

    def begin(self, fault: Fault, _: int) -> None:
        """Correct the last fill that stands, or lend no more; without a fill nothing is struck."""
        with self._venue.trading() as exchange:
            if fault.table.kind is FaultKind.NO_BORROW:
                self._stop_lending(exchange, fault)
                return
            last = _last_fill(exchange, fault.symbols)
            if last is None:
                return
            if fault.table.kind is FaultKind.BUST:
                exchange.bust(last.execution_id)
            else:
                price = round(last.price * (1 + fault.table.percent / 100), _PRICE_DIGITS)
                exchange.reprice(last.execution_id, price)
            fault.hits += 1

    def end(self, fault: Fault, _: int) -> None:
        """Lend again what no other fault keeps back. A correction stays."""
        if fault not in self._unlent:
            return
        self._unlent.remove(fault)
        kept = {symbol for other in self._unlent for symbol in self._of(other)}
        with self._venue.trading() as exchange:
            for symbol in sorted(self._of(fault) - kept):
                exchange.resume_borrow(symbol)

    def _stop_lending(self, exchange: Exchange, fault: Fault) -> None:
        self._unlent.append(fault)
        for symbol in sorted(self._of(fault)):
            exchange.stop_borrow(symbol)
            fault.hits += 1

    def _of(self, fault: Fault) -> frozenset[str]:
        return fault.symbols or self._listed


def _last_fill(exchange: Exchange, symbols: frozenset[str]) -> Execution | None:
    fills = [
        fill
        for fill in standing(exchange.executions_from(0))
        if fill.qty and (not symbols or fill.symbol in symbols)
    ]
    return fills[-1] if fills else None
