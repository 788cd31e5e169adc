"""Cash and holdings: what fills do to the account. Average cost, exact to the last digit."""

from decimal import Decimal

import msgspec

from liu_tui.trading.matching.exact import ZERO


class Holding(msgspec.Struct):
    """Shares of one symbol. Both are signed, negative if short; cost is the dollars paid for what is held."""

    qty: Decimal = ZERO
    cost: Decimal = ZERO

    @property
    def avg_price(self) -> Decimal:
        """Dollars a share; a partial close leaves it as it was."""
        return self.cost / self.qty if self.qty else ZERO


class Funds(msgspec.Struct):
    """The account. realized: dollars won by closing, against the average cost; fees: dollars paid so far."""

    cash: Decimal
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    holdings: dict[str, Holding] = {}

    def qty(self, symbol: str) -> Decimal:
        """Signed shares held."""
        held = self.holdings.get(symbol)
        return held.qty if held is not None else ZERO

    def book(self, symbol: str, signed: Decimal, price: Decimal, fee: Decimal = ZERO) -> None:
        """Take one fill in. signed: + bought, - sold; price: dollars a share; fee: dollars."""
        self.cash -= signed * price + fee
        self.fees += fee
        held = self.holdings.setdefault(symbol, Holding())
        closing = min(abs(signed), abs(held.qty)) if held.qty * signed < 0 else ZERO
        if closing:
            self._close(held, closing.copy_sign(signed), price)
        opening = signed - closing.copy_sign(signed)
        held.qty += opening
        held.cost += opening * price
        if not held.qty:
            del self.holdings[symbol]

    def _close(self, held: Holding, signed: Decimal, price: Decimal) -> None:
        # The last share takes all cost that is left, so that no rounding of a division stays behind.
        left = held.qty + signed
        released = held.cost * -signed / held.qty if left else held.cost
        self.realized -= signed * price + released
        held.qty, held.cost = left, held.cost - released
