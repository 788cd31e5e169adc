"""What a fill costs beside its price. The desk and the exchange reckon with the same function.

Each part is rounded to the cent by itself: the broker's commission to the nearest (a half goes up), what is
owed on sales up, as brokers pass on the SEC's fee and FINRA's trading activity fee. Brokers round once for a
day's trades together; here every fill is rounded, so many small fills cost a little more.
"""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from liu_tui.model.orders import Side
from liu_tui.plan.schema import FeesTable

_CENT = Decimal("0.01")
_MILLION = 1_000_000


def fee_of(table: FeesTable, side: Side, qty: float, price: float, *, first: bool) -> float:
    """Say what one fill costs, dollars in whole cents. qty: positive shares; first: of its order."""
    shares, value = _exact(qty), _exact(qty) * _exact(price)
    commission = _exact(table.per_share) * shares + (_exact(table.per_order) if first else 0)
    fee = commission.quantize(_CENT, ROUND_HALF_UP)
    if side is Side.SELL:
        by_share = _exact(table.sell_per_share) * shares
        if table.sell_cap:
            by_share = min(by_share, _exact(table.sell_cap))
        by_value = _exact(table.sell_per_million) * value / _MILLION
        fee += by_value.quantize(_CENT, ROUND_CEILING) + by_share.quantize(_CENT, ROUND_CEILING)
    return float(fee)


def _exact(number: float) -> Decimal:
    return Decimal(repr(float(number)))
