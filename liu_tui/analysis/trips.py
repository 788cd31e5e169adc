"""Fills to round trips, by strategy and symbol: long and short, scaled in and out, turned over.

A trip goes from flat to flat. Shares are closed at the average entry, as the desk does: the dollars of all
trips, with those of what is still open, are the dollars that the desk booked. A fill that goes through zero
ends one trip and begins the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from liu_tui.model.books import Trip
from liu_tui.model.market import Bar
from liu_tui.model.orders import Fill

_SHARE_DUST = 1e-6
"""Shares: quantities nearer than this are one. Brokers count to nine places; sums of floats do not."""

Bars = Mapping[str, Sequence[Bar]]


class OpenTrip(msgspec.Struct, frozen=True, kw_only=True):
    """A trip that has not ended.

    qty:         signed shares still held; avg_price: their average entry
    realized:    dollars of what was closed on the way, fees not in
    closed_cost: dollars that the closed shares had cost
    """

    strategy: str
    symbol: str
    qty: float
    avg_price: float
    start_ns: int
    realized: float
    closed_cost: float
    fees: float
    stop: float | None
    target: float | None


class RoundTrips(msgspec.Struct, frozen=True):
    """What the fills amount to. closed: in the order in which they ended; open: by strategy and symbol."""

    closed: tuple[Trip, ...]
    open: tuple[OpenTrip, ...]


def round_trips(fills: Iterable[Fill], bars: Bars | None = None) -> RoundTrips:
    """Put fills together.

    fills: in the order in which they were booked
    bars:  symbol -> bars that cover the trips, for mae and mfe; without them these are None
    """
    open_: dict[tuple[str, str], _Walk] = {}
    count: dict[tuple[str, str], int] = {}
    closed: list[Trip] = []
    for fill in fills:
        if not fill.qty:  # a fill that was taken back before it was ever booked
            continue
        key = fill.strategy, fill.symbol
        walk = _at_this_position(open_.get(key), fill)
        for qty in _cut_at_zero(walk.qty if walk else 0.0, fill.qty):
            walk = walk or _Walk(fill, fill.reason)
            walk.take(fill, qty)
            if not walk.qty:
                count[key] = count.get(key, 0) + 1
                closed.append(walk.ended(count[key], fill, (bars or {}).get(fill.symbol)))
                walk = None
        if walk:
            open_[key] = walk
        else:
            open_.pop(key, None)
    return RoundTrips(tuple(closed), tuple(open_[key].standing() for key in sorted(open_)))


@dataclass
class _Walk:
    """A trip under way. Quantities are positive but for `qty`."""

    first: Fill
    reason: str
    qty: float = 0.0
    average: float = 0.0
    most: float = 0.0
    entered: float = 0.0
    paid: float = 0.0
    exited: float = 0.0
    received: float = 0.0
    realized: float = 0.0
    closed_cost: float = 0.0
    fees: float = 0.0
    fills: int = 0
    stop: float | None = None
    target: float | None = None
    low: float = float("inf")
    high: float = float("-inf")

    def take(self, fill: Fill, qty: float) -> None:
        """Add a fill, or the part of it that lies on this side of zero."""
        entering = self.qty * qty >= 0
        self.fees += fill.fee * abs(qty / fill.qty)
        self.fills += 1
        self.low, self.high = min(self.low, fill.price), max(self.high, fill.price)
        if entering:
            self.enter(qty, fill.price)
            self.stop = fill.stop if self.stop is None else self.stop
            self.target = fill.target if self.target is None else self.target
        else:
            self._exit(qty, fill.price)

    def enter(self, qty: float, price: float) -> None:
        """Hold more, at a new average."""
        after = round(self.qty + qty, 9)
        self.average = (self.qty * self.average + qty * price) / after
        self.qty, self.most = after, max(self.most, abs(after))
        self.entered += abs(qty)
        self.paid += abs(qty) * price

    def _exit(self, qty: float, price: float) -> None:
        shares = abs(qty)
        self.realized += shares * (price - self.average) * self._direction
        self.closed_cost += shares * self.average
        self.exited += shares
        self.received += shares * price
        left = round(self.qty + qty, 9)
        self.qty = left if abs(left) >= _SHARE_DUST else 0.0

    @property
    def _direction(self) -> int:
        return 1 if self.qty > 0 else -1

    def ended(self, n: int, last: Fill, bars: Sequence[Bar] | None) -> Trip:
        """Say what it was, once flat."""
        direction = -1 if last.qty > 0 else 1
        entry = self.paid / self.entered
        mae, mfe = self._excursions(direction, entry, last.t_ns, bars)
        return Trip(
            strategy=last.strategy,
            symbol=last.symbol,
            n=n,
            direction=direction,
            qty=self.most,
            start_ns=self.first.t_ns,
            end_ns=last.t_ns,
            entry_price=entry,
            exit_price=self.received / self.exited,
            cost=self.paid,
            gross=self.realized,
            fees=self.fees,
            fills=self.fills,
            stop=self.stop,
            target=self.target,
            r_units=_r_units(self.realized - self.fees, entry, self.stop, self.most),
            mae=mae,
            mfe=mfe,
            entry_reason=self.reason,
            exit_reason=last.reason,
        )

    def standing(self) -> OpenTrip:
        """Say what it is so far."""
        return OpenTrip(
            strategy=self.first.strategy,
            symbol=self.first.symbol,
            qty=self.qty,
            avg_price=self.average,
            start_ns=self.first.t_ns,
            realized=self.realized,
            closed_cost=self.closed_cost,
            fees=self.fees,
            stop=self.stop,
            target=self.target,
        )

    def _excursions(
        self, direction: int, entry: float, end_ns: int, bars: Sequence[Bar] | None
    ) -> tuple[float | None, float | None]:
        if bars is None:
            return None, None
        # Bars that reach beyond the trip are left out: their extremes may lie before it or after it.
        inside = [bar for bar in bars if bar.t_ns >= self.first.t_ns and bar.end_ns <= end_ns]
        low = min([self.low, *(bar.low for bar in inside)])
        high = max([self.high, *(bar.high for bar in inside)])
        down, up = max(entry - low, 0.0), max(high - entry, 0.0)
        return (down, up) if direction > 0 else (up, down)


def _cut_at_zero(held: float, qty: float) -> list[float]:
    """Split a fill into what closes and what opens."""
    if held * qty >= 0 or abs(qty) - abs(held) < _SHARE_DUST:
        return [qty]
    return [-held, round(held + qty, 9)]


def _at_this_position(walk: _Walk | None, fill: Fill) -> _Walk | None:
    """Begin from what the desk says was held, where that is not what the fills add up to.

    So it is with shares that an earlier session left: no fill of this one opened them.
    """
    before = round(fill.position - fill.qty, 9)
    held = walk.qty if walk else 0.0
    if abs(before - held) < _SHARE_DUST:
        return walk
    if abs(before) < _SHARE_DUST:
        return None
    carried = _Walk(fill, "carried over")
    carried.enter(before, _average_before(before, fill))
    return carried


def _average_before(before: float, fill: Fill) -> float:
    if before * fill.qty > 0:
        return (fill.position * fill.avg_price - fill.qty * fill.price) / before
    closed = min(abs(before), abs(fill.qty))
    return fill.price - fill.realized / closed * (1 if before > 0 else -1)


def _r_units(net: float, entry: float, stop: float | None, qty: float) -> float | None:
    # Over what the stop would have lost on the most shares held; every exit counts, at its own price.
    risk = abs(entry - stop) * qty if stop is not None else 0.0
    return net / risk if risk else None
