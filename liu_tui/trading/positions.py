"""Positions: what a fill does to one, and what all of them are worth."""

from collections.abc import Iterable, Mapping

import msgspec

from liu_tui.model.account import Position

EXTERNAL = "EXTERNAL"
"""The strategy under which everything is booked that this batch did not ask for."""


class Money(msgspec.Struct, frozen=True):
    """Dollars of the batch. exposure: gross market value; open_positions: those not flat.

    realized and unrealized are without fees; fees: positive, of all fills
    """

    realized: float = 0.0
    unrealized: float = 0.0
    exposure: float = 0.0
    open_positions: int = 0
    fees: float = 0.0

    @property
    def total(self) -> float:
        """Realised and open profit together, fees in."""
        return self.realized + self.unrealized - self.fees


def filled(
    position: Position,
    qty: float,
    price: float,
    t_ns: int,
    *,
    stop: float | None = None,
    target: float | None = None,
) -> tuple[Position, float]:
    """Apply one fill at average cost; returns the new position and the dollars that it realised.

    qty: signed. What closes is realised against the average entry; what goes through zero opens afresh.
    stop, target: dollars; of the entry, kept if the position has none yet
    """
    held = position.qty
    after = round(held + qty, 9) + 0.0  # a sum of fractions ends at zero, and never at minus zero
    closed = min(abs(held), abs(qty)) if held * qty < 0 else 0.0
    realized = closed * (price - position.avg_price) * (1 if held > 0 else -1) if closed else 0.0
    total = position.realized + realized
    if not after:
        return Position(
            strategy=position.strategy, symbol=position.symbol, qty=0.0, avg_price=0.0, realized=total
        ), realized
    if held * after <= 0:
        risk = abs(price - stop) if stop is not None else 0.0
        return (
            Position(
                strategy=position.strategy, symbol=position.symbol, qty=after, avg_price=price,
                realized=total, stop=stop, target=target, risk=risk, opened_ns=t_ns,
            ),
            realized,
        )  # fmt: skip
    if closed:
        return msgspec.structs.replace(position, qty=after, realized=total), realized
    average = (held * position.avg_price + qty * price) / after
    return (
        msgspec.structs.replace(
            position,
            qty=after,
            avg_price=average,
            stop=position.stop if position.stop is not None else stop,
            target=position.target if position.target is not None else target,
        ),
        realized,
    )


def won(positions: Iterable[Position]) -> float:
    """Sum up what the batch's own positions have realised; EXTERNAL ones are not its doing."""
    return sum(position.realized for position in positions if position.strategy != EXTERNAL)


def money(held: Iterable[Position], prices: Mapping[str, float], *, realized: float, fees: float) -> Money:
    """Sum up the batch's own positions. held: those that are not flat; EXTERNAL ones are left out."""
    unrealized = exposure = 0.0
    count = 0
    for position in held:
        if position.strategy == EXTERNAL:
            continue
        price = prices.get(position.symbol, 0.0)
        unrealized += position.unrealized(price)
        exposure += abs(position.qty) * (price or position.avg_price)
        count += 1
    return Money(realized, unrealized, exposure, count, fees)
