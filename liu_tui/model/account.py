"""Money: what the broker says of the account, and what we hold."""

import msgspec


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's account, dollars throughout.

    id: the broker's account number: what the one-session lock is named for
    multiplier: how often the equity may be invested: 1 is a cash account
    cash_only:  what may be bought without margin, settled or not as the venue counts; 0 if not said
    initial_margin, maintenance_margin: dollars that the open positions bind
    last_equity:  of the last close; accrued_fees: not yet taken from the cash
    trading_blocked: by the broker; suspended: by its owner, the lock that the kill switch sets
    """

    id: str
    cash: float
    equity: float
    buying_power: float
    multiplier: float = 1.0
    shorting_enabled: bool = True
    trading_blocked: bool = False
    suspended: bool = False
    cash_only: float = 0.0
    initial_margin: float = 0.0
    maintenance_margin: float = 0.0
    last_equity: float = 0.0
    accrued_fees: float = 0.0


class BrokerPosition(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker holds for us. qty is signed, negative if short."""

    symbol: str
    qty: float
    avg_price: float
    price: float = 0.0
    unrealized: float = 0.0


class Position(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One strategy's holding in one symbol.

    qty:       shares, negative if short
    avg_price: dollars; the average entry, 0 when flat
    realized:  dollars earned in this symbol by this strategy in this batch
    stop, target: dollars; of the entry that opened it, None where none was given
    risk:      dollars a share between entry and stop when it was opened (one R), 0 if no stop
    """

    strategy: str
    symbol: str
    qty: float
    avg_price: float
    realized: float = 0.0
    stop: float | None = None
    target: float | None = None
    risk: float = 0.0
    opened_ns: int = 0

    def unrealized(self, price: float) -> float:
        """Dollars won or lost if closed at `price`; 0 for a price of 0 (unknown)."""
        return (price - self.avg_price) * self.qty if price > 0 else 0.0

    def r_multiple(self, price: float) -> float | None:
        """Open profit in units of the risk first taken; None if no stop was given."""
        if not self.risk or not self.qty or price <= 0:
            return None
        sign = 1 if self.qty > 0 else -1
        return sign * (price - self.avg_price) / self.risk
