"""The guards in their order: the first that refuses is the answer, and none is ever shown an exit."""

from liu_tui.trading import guard_money as money
from liu_tui.trading import guard_orders as orders
from liu_tui.trading import guard_states as states
from liu_tui.trading.codes import Refusal
from liu_tui.trading.risk import Ask, Facts, Guard

GUARDS: tuple[Guard, ...] = (
    states.ready, states.unreconciled, states.daily_loss, states.drawdown, states.state, states.vetoed,
    states.closing_soon, states.flattening, states.symbol_resting, states.strategy_resting,
    orders.quantity, orders.possible, orders.prices, orders.pending, orders.opposite, orders.duplicate,
    orders.stale, orders.collar,
    money.order_value, money.position_value, money.gross_value, money.open_positions, money.order_rate,
    money.day_orders, money.buying_power, money.allocation,
)  # fmt: skip


def refuse(ask: Ask, facts: Facts) -> Refusal | None:
    """Walk the guards; the first no is the answer, None lets the order pass."""
    for guard in GUARDS:
        if said := guard(ask, facts):
            return said
    return None
