"""The one question before every limit: whether an order increases exposure.

`increases_exposure` is that predicate; `entries_only` puts it before a guard, so that no guard can ever
refuse an exit. The guards themselves are in `guard_states`, `guard_orders` and `guard_money`, and
in their order in `guards`.
"""

from collections.abc import Callable

import msgspec

from liu_tui.model.orders import Operation, TimeInForce
from liu_tui.plan.schema import Limits
from liu_tui.trading.codes import Refusal


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """The order that is asked for, prices rounded.

    price:    dollars, what a share of it is valued at
    event_ns: time of the event that the strategy answered
    replaces: client order id of the working entry whose place it shall take, which is not counted beside it
    """

    strategy: str
    symbol: str
    operation: Operation
    qty: float
    price: float
    limit: float | None = None
    trigger: float | None = None
    stop: float | None = None
    target: float | None = None
    tif: TimeInForce = TimeInForce.DAY
    event_ns: int = 0
    replaces: str = ""

    @property
    def signed(self) -> float:
        """Shares with the sign of the side."""
        return self.qty * self.operation.side.sign

    @property
    def value(self) -> float:
        """Dollars that it is valued at."""
        return self.qty * self.price


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the guards look at. Minutes and seconds are of session time.

    position:      signed shares of the strategy that asks
    others:        signed shares that others hold or are opening in the symbol; holder: one of them
    symbol_value:  dollars held or being opened in the symbol already; gross_value: in all symbols
    open_positions: how many are open or being opened; opens: this order would add one
    closing:       why the symbol is being closed, "" if it is not
    entry_qty:     shares that this strategy has working entries for; entry_state: of the first of them
    exiting:       an exit of this strategy is on its way
    closing_soon:  day trades are being liquidated; liquidate_min: minutes before the close
    sent_today:    orders sent today, exits too
    unreconciled:  how the books and the broker differ on the symbol, "" if they agree
    result:        dollars of the account's day, realised and open, fees in; peak: its best so far
    veto:          (by, reason) or None
    offered:       dollars, what the order's side would trade at by the last quote; 0 if not known
    last:          dollars, the last price; 0 if not known
    price_age_s:   seconds since the market said anything of the symbol
    same_age_s:    seconds since the same order was sent last, None if it never was
    symbol_rest_min: minutes for which nobody opens anything in the symbol; symbol_loss: dollars lost there
    strategy_rest_min: minutes for which the strategy opens nothing; losses_in_row: the trades that it lost
    buying_power:  dollars that may be spent yet, None where the account is not known
    allocation:    dollars that the strategy may have at work, None for no bound; allocated: that it has
    """

    limits: Limits
    state: str = "ACTIVE"
    state_by: str = ""
    state_reason: str = ""
    ready: bool = True
    unreconciled: str = ""
    position: float = 0.0
    others: float = 0.0
    holder: str = ""
    entry_qty: float = 0.0
    entry_state: str = ""
    exiting: bool = False
    closing: str = ""
    closing_soon: bool = False
    liquidate_min: float = 0.0
    veto: tuple[str, str] | None = None
    symbol_value: float = 0.0
    gross_value: float = 0.0
    open_positions: int = 0
    opens: bool = True
    sent_last_minute: int = 0
    sent_today: int = 0
    result: float = 0.0
    peak: float = 0.0
    offered: float = 0.0
    last: float = 0.0
    price_age_s: float = 0.0
    same_age_s: float | None = None
    symbol_rest_min: float = 0.0
    symbol_loss: float = 0.0
    strategy_rest_min: float = 0.0
    losses_in_row: int = 0
    buying_power: float | None = None
    allocation: float | None = None
    allocated: float = 0.0


def increases_exposure(operation: Operation, qty: float, position: float) -> bool:
    """Say whether an order opens, enlarges or turns round the strategy's position.

    qty: positive shares; position: signed. A Sell or a Cover is cut to what is held before it is sent, so
    neither ever does. Buying back part of a short does not; buying more than the short does.
    """
    if not operation.enters:
        return False
    if not qty > 0:
        return True  # malformed: the guards see it, and refuse it
    after = position + operation.side.sign * qty
    return not (abs(after) < abs(position) and after * position >= 0)


Guard = Callable[[Ask, Facts], Refusal | None]


def entries_only(guard: Guard) -> Guard:
    """Show the guard only orders that increase exposure."""

    def asked(ask: Ask, facts: Facts) -> Refusal | None:
        if not increases_exposure(ask.operation, ask.qty, facts.position):
            return None
        return guard(ask, facts)

    asked.__name__ = guard.__name__
    return asked
