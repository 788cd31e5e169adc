"""Portfolios at the desk: money that the plan sets aside, and what its strategies may have at work of it.

The cash of a portfolio is what it began with and what its fills paid, took and cost; its worth is that and
its shares at the last prices. All of its strategies together may have its worth and its credit at work.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from liu_tui.model.market import SECOND_NS
from liu_tui.model.orders import Fill
from liu_tui.plan.schema import TradePlan
from liu_tui.trading.book import Book
from liu_tui.trading.effects import Booked, Effect, Moved
from liu_tui.trading.orders import ENTRY, OrderRecord
from liu_tui.trading.positions import EXTERNAL

TELL_FRAC = 0.001
"""A worth that has changed by less than this fraction is not told again."""


class Share(msgspec.Struct, frozen=True):
    """What a strategy has to reckon with, dollars.

    worth: of its portfolio, all strategies of it together; free: of that, what is not at work
    """

    strategy: str
    worth: float
    free: float


class Pot:
    """One portfolio.

    id:      its name in the books
    cash:    dollars; negative where it owes. credit: dollars that it may owe
    members: the strategies that trade from it
    carried: symbol -> (signed shares, last price) of batches before this one
    """

    def __init__(
        self,
        id_: str,
        *,
        cash: float,
        credit: float = 0.0,
        members: Iterable[str] = (),
        carried: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        self.id, self.cash, self.credit = id_, cash, credit
        self.members = frozenset(members)
        self.carried = dict(carried or {})
        self._closed: dict[str, float] = {}  # execution id -> what it closed of the carried shares

    def book(self, fill: Fill) -> Moved | None:
        """Take a fill into account; returns what it moved here, None if it has nothing to do with us."""
        if fill.strategy in self.members:
            return self._move(fill, fill.qty, fill.fee)
        qty = self._closes(fill) if fill.strategy == EXTERNAL else 0.0
        return self._move(fill, qty, 0.0) if qty else None

    def _move(self, fill: Fill, qty: float, fee: float) -> Moved:
        amount = -qty * fill.price - fee
        self.cash += amount
        return Moved(
            self.id, fill.execution_id, fill.strategy, fill.symbol, qty, fill.price, amount, fill.t_ns
        )

    def _closes(self, fill: Fill) -> float:
        """Signed shares by which another's fill closes what an earlier batch left, or takes that back."""
        held, price = self.carried.get(fill.symbol, (0.0, 0.0))
        if fill.amends:
            qty = -self._closed.pop(fill.amends, 0.0)
        elif held * fill.qty < 0:
            qty = min(abs(held), abs(fill.qty)) * (1 if fill.qty > 0 else -1)
            self._closed[fill.execution_id] = qty
        else:
            return 0.0
        self.carried[fill.symbol] = (round(held + qty, 9) + 0.0, price)
        return qty


class Allocations(Mapping[str, float]):
    """Strategy -> dollars that it may have at work now, of those that have a portfolio.

    It looks at the books each time that it is asked: what the others of the portfolio have at work is not
    there for this one.
    """

    def __init__(self, book: Book, pots: Sequence[Pot]) -> None:
        self._book, self._pots = book, pots
        self._of = {strategy: pot for pot in pots for strategy in sorted(pot.members)}
        self._told: dict[str, tuple[float, float]] = {}
        self._told_ns = 0

    def __getitem__(self, strategy: str) -> float:
        """Return the dollars. Raises KeyError for a strategy without a portfolio."""
        pot = self._of[strategy]
        return self.worth(pot) + pot.credit - self._at_work(pot, but=strategy)

    def __iter__(self) -> Iterator[str]:
        """Name the strategies."""
        return iter(self._of)

    def __len__(self) -> int:
        """Count them."""
        return len(self._of)

    def open(self, fills: Iterable[Fill]) -> list[Moved]:
        """Take the batch's fills so far, in the order of booking; returns what they moved."""
        return [moved for fill in fills for moved in self._book_fill(fill)]

    def hear(self, effect: Effect) -> None:
        """Book what a fill moves, and say so right behind it."""
        if isinstance(effect, Booked):
            for moved in self._book_fill(effect.fill):
                self._book.emit(moved)

    def worth(self, pot: Pot) -> float:
        """Dollars: the cash, and the shares at the last prices."""
        held = (p for key, p in self._book.positions.items() if key[0] in pot.members and p.qty)
        value = sum(p.qty * (self._book.prices.get(p.symbol) or p.avg_price) for p in held)
        return pot.cash + value + sum(qty * price for qty, price in self._carried(pot))

    def shares(self) -> list[Share]:
        """Tell every strategy's share."""
        return [Share(name, *self._figures(pot)) for name, pot in self._of.items()]

    def news(self, now_ns: int) -> list[Share]:
        """Tell the shares that have changed since they were told; nothing twice in a second."""
        if now_ns // SECOND_NS == self._told_ns // SECOND_NS:
            return []
        changed = [pot for pot in self._pots if self._has_changed(pot)]
        if not changed:
            return []
        self._told_ns = now_ns
        self._told |= {pot.id: self._figures(pot) for pot in changed}
        return [Share(name, *self._told[pot.id]) for name, pot in self._of.items() if pot in changed]

    def _book_fill(self, fill: Fill) -> list[Moved]:
        """A member's fill is one pot's; what closes carried shares closes those of the first that has any."""
        for pot in self._pots:
            moved = pot.book(fill)
            if moved is not None:
                return [moved]
        return []

    def _has_changed(self, pot: Pot) -> bool:
        told = self._told.get(pot.id)
        if told is None:
            return True
        least = TELL_FRAC * max(abs(told[0]), 1.0)
        return any(abs(now - was) > least for now, was in zip(self._figures(pot), told, strict=True))

    def _figures(self, pot: Pot) -> tuple[float, float]:
        worth = self.worth(pot)
        return worth, max(worth - self._at_work(pot), 0.0)

    def _at_work(self, pot: Pot, *, but: str = "") -> float:
        """Dollars that the strategies have at work, without one of them, and what is left of before."""
        working = [r for r in self._book.all_live() if r.role == ENTRY and r.strategy in pot.members]
        names = pot.members - {but}
        mine = sum(at_work(self._book, name, working) for name in sorted(names))
        return mine + sum(abs(qty) * price for qty, price in self._carried(pot))

    def _carried(self, pot: Pot) -> Iterator[tuple[float, float]]:
        for symbol, (qty, price) in pot.carried.items():
            yield qty, self._book.prices.get(symbol) or price


def first_shares(plan: TradePlan) -> list[Share]:
    """What strategies reckon with until the desk has told them."""
    sizes = {name: table.size for name, table in plan.portfolios.items()}
    named = ((name, sizes.get(table.portfolio_id)) for name, table in plan.strategies.items())
    return [Share(name, size, size) for name, size in named if size is not None]


def at_work(book: Book, strategy: str, working: Iterable[OrderRecord]) -> float:
    """Dollars that one strategy has at work: what it holds, long or short, and its working entries."""
    held = (p for key, p in book.positions.items() if key[0] == strategy and p.qty)
    value = sum(abs(p.qty) * (book.prices.get(p.symbol) or p.avg_price) for p in held)
    return value + sum(entry_worth(r) for r in working if r.strategy == strategy)


def entry_worth(record: OrderRecord) -> float:
    """Dollars that a working entry may still cost; one in dollars has no quantity of its own."""
    return record.remaining * record.price if record.qty else record.notional or 0.0
