"""Fills that the broker takes back or puts right, after they were booked.

A row of the books never changes. What is taken back gets a row of its own: the same shares the other way
round, named for the execution that did not happen. The position is then the sum of the fills that stand, in
the order in which they were booked; a corrected fill stands where the wrong one stood. What that changes in
dollars already won or lost is booked on the row, so that the sum of the rows is the truth at any time.
"""

import msgspec

from liu_tui.model.account import Position
from liu_tui.model.orders import BrokerOrder
from liu_tui.trading.lifecycle import next_state
from liu_tui.trading.orders import OrderRecord
from liu_tui.trading.positions import filled

Key = tuple[str, str]

_BUST, _NOW = ":bust", ":now:"


def row_id(corrects: str, heir: str = "") -> str:
    """Name the row that takes an execution back; heir: the execution that stands in its place, if any."""
    return f"{corrects}{_NOW}{heir}" if heir else f"{corrects}{_BUST}"


def heir_of(execution_id: str, corrects: str) -> str:
    """Read from such a row's name which execution takes the place; "" if none does."""
    head = f"{corrects}{_NOW}"
    return execution_id.removeprefix(head) if execution_id.startswith(head) else ""


class Line(msgspec.Struct, frozen=True):
    """One fill that stands. qty: signed; stop, target: dollars, of an entry."""

    execution_id: str
    cid: str
    key: Key
    qty: float
    price: float
    t_ns: int
    stop: float | None
    target: float | None


class Ledger:
    """The fills that stand, and those that were taken back."""

    def __init__(self) -> None:
        self._lines: dict[Key, dict[str, Line | None]] = {}  # None keeps the place of one that was corrected
        self._keys: dict[str, Key] = {}
        self._places: dict[str, str] = {}  # an heir's id -> whose place it takes
        self._back: set[str] = set()

    def add(self, line: Line) -> bool:
        """Take a fill in; returns whether it went into the place of another, not to the end."""
        lines = self._lines.setdefault(line.key, {})
        place = self._places.pop(line.execution_id, "")
        self._keys[line.execution_id] = line.key
        if place not in lines:
            lines[line.execution_id] = line
            return False
        self._lines[line.key] = {
            (line.execution_id if name == place else name): (line if name == place else kept)
            for name, kept in lines.items()
        }
        return True

    def line(self, execution_id: str) -> Line | None:
        """Find a fill that stands."""
        return self._lines.get(self._keys.get(execution_id, ("", "")), {}).get(execution_id)

    def lines(self, key: Key) -> list[Line]:
        """List the fills that stand, in their order."""
        return [line for line in self._lines.get(key, {}).values() if line is not None]

    def makers(self, key: Key) -> set[str]:
        """Name the orders, by our id, whose fills were booked since the position was last flat."""
        held, cids = 0.0, set[str]()
        for line in self.lines(key):
            before, held = held, round(held + line.qty, 9)
            if before * held <= 0:
                cids.clear()
            if held:
                cids.add(line.cid)
        return cids

    def taken_back(self, execution_id: str) -> bool:
        """Whether the broker has said that this execution did not happen."""
        return execution_id in self._back

    def take_back(self, execution_id: str, heir: str = "") -> Line | None:
        """Let a fill stand no more; returns it, None if it was never heard of (then it never will be)."""
        self._back.add(execution_id)
        line = self.line(execution_id)
        if line is None:
            return None
        if heir:
            self._places[heir] = execution_id
            self._lines[line.key][execution_id] = None
        else:
            del self._lines[line.key][execution_id]
        return line

    def position(self, key: Key, before: Position) -> Position:
        """Add up what stands. before: what is held so far; a stop that was moved since stays moved."""
        after = Position(strategy=key[0], symbol=key[1], qty=0.0, avg_price=0.0)
        for line in self.lines(key):
            after, _ = filled(after, line.qty, line.price, line.t_ns, stop=line.stop, target=line.target)
        if after.qty * before.qty > 0:
            return msgspec.structs.replace(after, stop=before.stop, target=before.target)
        return after


def without(record: OrderRecord, line: Line) -> OrderRecord:
    """Take one execution out of what the order has filled."""
    qty = abs(line.qty)
    left = round(record.filled_qty - qty, 9)
    average = (record.filled_qty * record.avg_price - qty * line.price) / left if left > 0 else 0.0
    return msgspec.structs.replace(record, filled_qty=max(left, 0.0), avg_price=average)


def told_after(record: OrderRecord, order: BrokerOrder) -> OrderRecord:
    """Take the broker's word on an order of which an execution was taken back or put right."""
    return msgspec.structs.replace(
        record,
        state=next_state(record.state, order.status, amended=True),
        broker_filled=max(order.filled_qty, record.filled_qty),
    )
