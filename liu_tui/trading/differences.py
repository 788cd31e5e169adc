"""Where the books and the broker do not agree, and what a person decides about it.

A difference is what no order and no fill explains. It is said, shown and stored, and never mended in silence:

    adopt    the books take the broker's figure: shares that nobody here bought or sold go to EXTERNAL, and
             where a strategy's own shares are gone its position is reduced by a fill marked as adopted
    flatten  adopt, then close all of the symbol
    ignore   nothing is said again until the figures change; entries in the symbol stay refused

While the desk trades, a difference must be seen in two comparisons in a row before it is said: a fill may
have come between the broker's answers.
"""

from collections.abc import Iterable, Mapping

import msgspec

from liu_tui.model.account import Position
from liu_tui.model.orders import Execution, Operation, OrderState, OrderType, Side
from liu_tui.trading.asking import Cancels
from liu_tui.trading.book import ADOPTED, Book, Key
from liu_tui.trading.effects import Differs
from liu_tui.trading.orders import ENTRY, EXIT, PROTECTIVE, OrderRecord
from liu_tui.trading.positions import EXTERNAL

ADOPT, FLATTEN, IGNORE = "adopt", "flatten", "ignore"
CHOICES = (ADOPT, FLATTEN, IGNORE)

MEND = "Decide: adopt, flatten or ignore"


class Found(msgspec.Struct, frozen=True):
    """What one comparison says of one symbol.

    ours, theirs: as in Differs; gap: signed shares that the account has more than the books
    """

    ours: float
    theirs: float
    words: str
    gap: float


class Differences:
    """Those that stand. all: symbol -> the difference."""

    def __init__(self, book: Book, cancels: Cancels) -> None:
        self._book, self._cancels = book, cancels
        self.all: dict[str, Differs] = {}
        self.holds_up = False  # nothing may be opened at all: those of the start are not decided
        self._unsaid: set[str] = set()  # taken over from before a restart, by nobody decided
        self.averages: dict[str, float] = {}  # client order id -> the broker's average price of its fills
        self._suspected: dict[str, Found] = {}
        self._gaps: dict[str, float] = {}

    @property
    def undecided(self) -> list[Differs]:
        """Those about which nobody has said anything."""
        return [difference for difference in self.all.values() if not difference.choice]

    @property
    def suspected(self) -> bool:
        """Whether something was seen once and should be looked at again soon."""
        return bool(self._suspected)

    def on(self, symbol: str) -> str:
        """Say why nothing may be opened in the symbol; "" if the books and the broker agree on it."""
        difference = self.all.get(symbol)
        return difference.words if difference is not None else ""

    def restore(self, stored: Iterable[Differs]) -> None:
        """Take over what stood when the desk ended; the first comparison says whether it still does."""
        self.all = {difference.symbol: difference for difference in stored}
        self._unsaid = {difference.symbol for difference in self.undecided}

    def compared(
        self, found: Mapping[str, Found], moving: frozenset[str], now_ns: int, *, at_once: bool
    ) -> None:
        """Take what a comparison says of all symbols.

        moving:  symbols that nobody can judge at this moment, for an order or a fill is on its way
        at_once: say what is seen for the first time too
        """
        for symbol, seen in found.items():
            self._gaps[symbol] = seen.gap
            known = self.all.get(symbol)
            if known is not None and (known.ours, known.theirs) == (seen.ours, seen.theirs):
                self._suspected.pop(symbol, None)
                if symbol in self._unsaid:
                    self._say(known)
            elif at_once or _same(self._suspected.get(symbol), seen):
                self._suspected.pop(symbol, None)
                self._begin(symbol, seen, now_ns)
            else:
                self._suspected[symbol] = seen
        for symbol in [*self._suspected]:
            if symbol not in found and symbol not in moving:
                del self._suspected[symbol]
        for symbol in [*self.all]:
            if symbol not in found and symbol not in moving:
                self._end(symbol, now_ns, "the books and the broker agree again")

    def watch(self, now_ns: int) -> None:
        """Say at once where strangers trade against strategies: the books alone show it, nobody is asked."""
        for symbol in self._book.crossed():
            if symbol not in self.all:
                self._gaps[symbol] = 0.0
                self._begin(symbol, crossing(self._book, symbol), now_ns)

    def refused(self, symbol: str, choice: str) -> str:
        """Say why this cannot be decided; "" if it can."""
        if choice not in CHOICES:
            return f"{choice!r} is no choice; there are {', '.join(CHOICES)}"
        if symbol not in self.all:
            return f"the books and the broker do not differ on {symbol or 'a symbol without a name'}"
        if symbol not in self._gaps:
            return f"{symbol} has not been compared with the broker since the start; ask again in a moment"
        return ""

    def decide(self, symbol: str, choice: str, by: str, now_ns: int) -> list[Key]:
        """Do what a person has decided; returns whose positions have changed. Ask `refused` first."""
        difference = msgspec.structs.replace(self.all[symbol], choice=choice, by=by)
        self._book.notice("info", f"{symbol}: {choice} by {by} ({difference.words})", symbol=symbol)
        self.all[symbol] = difference
        self._book.emit(difference)
        if choice == IGNORE:
            return []
        changed = self._adopt(difference, now_ns)
        self._end(symbol, now_ns, f"the books have the broker's figure since {by} said {choice}")
        return changed

    # inside

    def _begin(self, symbol: str, seen: Found, now_ns: int) -> None:
        known = self.all.get(symbol)
        since_ns = now_ns
        if known is not None and known.choice:  # what was decided was decided of other figures
            since_ns = max(now_ns, known.since_ns + 1)
            self._book.emit(msgspec.structs.replace(known, ended_ns=now_ns))
        elif known is not None:
            since_ns = known.since_ns
        difference = Differs(
            symbol=symbol, since_ns=since_ns, ours=seen.ours, theirs=seen.theirs, words=seen.words
        )
        self.all[symbol] = difference
        self._book.emit(difference)
        self._say(difference)
        for key in self._book.holders(symbol):  # a stop for shares that are gone would open a position
            if self._book.there(key) != self._book.held(key):
                self._resize(key, now_ns)

    def _say(self, difference: Differs) -> None:
        self._unsaid.discard(difference.symbol)
        words = f"books and broker do not agree: {difference.words}. {MEND}"
        self._book.notice("error", words, symbol=difference.symbol)

    def _end(self, symbol: str, now_ns: int, words: str) -> None:
        difference = self.all.pop(symbol)
        self._gaps.pop(symbol, None)
        self._book.emit(msgspec.structs.replace(difference, ended_ns=now_ns))
        self._book.notice("good", f"{symbol}: {words}", symbol=symbol)

    def _adopt(self, difference: Differs, now_ns: int) -> list[Key]:
        """Bring the books to the account's shares: missed fills first, then strangers', then strategies'.

        Whoever traded elsewhere traded EXTERNAL's shares. Only where those would stand against what
        strategies hold, which no account can, it was the strategies' shares that went.
        """
        symbol, by = difference.symbol, difference.by
        gap = self._gaps[symbol] - self._book_missing(symbol, now_ns)
        external = EXTERNAL, symbol
        owners = [key for key in self._book.holders(symbol) if key[0] != EXTERNAL]
        ours = sum(self._book.held(key) for key in owners)
        theirs = self._book.held(external) + gap
        gone = min(abs(ours), abs(theirs)) if ours * theirs < 0 else 0.0  # as `Shelf.there` has it
        changed = [external]
        left = gone
        for key in owners:
            held = self._book.held(key)
            part = min(left, abs(held)) if held * ours > 0 else 0.0
            if part > 0:
                self._fill(key, -part if held > 0 else part, by, now_ns)
                self._resize(key, now_ns)
                changed.append(key)
                left = round(left - part, 9)
        self._fill(external, round(gap + (gone if ours > 0 else -gone), 9), by, now_ns)
        return changed

    def _book_missing(self, symbol: str, now_ns: int) -> float:
        """Book what the broker filled of our orders and nobody has told; returns signed shares."""
        total = 0.0
        for record in self._book.behind():
            if record.symbol != symbol:
                continue
            cid, missing = record.client_order_id, record.broker_filled - record.filled_qty
            spent = self.averages.get(cid, 0.0) * record.broker_filled - record.avg_price * record.filled_qty
            price = spent / missing if spent > 0 else self._price(record.key) or record.price
            name = f"{ADOPTED}{cid}-{record.broker_filled:g}"
            execution = _execution(
                name, record.order_id, record.operation.side, symbol, missing, price, now_ns
            )
            words = "adopted: the broker has filled it, and its history does not say how"
            self._book.book_alone(record, execution, now_ns, event="adopted", words=words)
            total += record.operation.side.sign * missing
        return round(total, 9)

    def _fill(self, key: Key, qty: float, by: str, now_ns: int) -> None:
        if not qty:
            return
        strategy, symbol = key
        held = self._book.held(key)
        name, n = f"{ADOPTED}{symbol}-{strategy}-{now_ns}", 1
        while self._book.has_booked(name):
            name, n = f"{ADOPTED}{symbol}-{strategy}-{now_ns}-{n}", n + 1
        price = self._price(key)
        operation = _operation(held, qty)
        record = OrderRecord(
            client_order_id=name,
            intent_id="",
            strategy=strategy,
            symbol=symbol,
            operation=operation,
            role=ENTRY if operation.enters else EXIT,
            order_type=OrderType.MARKET,
            qty=abs(qty),
            state=OrderState.SUBMITTED,
            created_ns=now_ns,
            updated_ns=now_ns,
            order_id=name,
            price=price,
            reason=f"adopted by {by}",
        )
        execution = _execution(name, name, operation.side, symbol, abs(qty), price, now_ns)
        words = f"adopted by {by}: the broker's figure"
        self._book.book_alone(record, execution, now_ns, event="adopted", words=words)

    def _resize(self, key: Key, now_ns: int) -> None:
        """Take protection for shares that are gone away; what is left is protected again."""
        resting = [record for record in self._book.live(key) if record.role in PROTECTIVE]
        self._cancels.withdraw(resting, "made for shares that are gone", now_ns)

    def _price(self, key: Key) -> float:
        position = self._book.positions.get(key) or Position(
            strategy=key[0], symbol=key[1], qty=0.0, avg_price=0.0
        )
        return self._book.prices.get(key[1]) or position.avg_price


def crossing(book: Book, symbol: str) -> Found:
    """Tell of a symbol in which strangers have traded against what strategies hold."""
    external, own = book.sides(symbol)
    net = book.net(symbol)
    words = (
        f"strategies hold {own:+g} {symbol}, {external:+g} were traded elsewhere: the account has {net:+g}"
    )
    return Found(own, net, words, 0.0)


def _same(before: Found | None, now: Found) -> bool:
    return before is not None and (before.ours, before.theirs) == (now.ours, now.theirs)


def _operation(held: float, qty: float) -> Operation:
    if qty > 0:
        return Operation.COVER if held < 0 else Operation.BUY
    return Operation.SELL if held > 0 else Operation.SHORT


def _execution(
    name: str, order_id: str, side: Side, symbol: str, qty: float, price: float, now_ns: int
) -> Execution:
    return Execution(
        execution_id=name, order_id=order_id, symbol=symbol, side=side, qty=qty, price=price, t_ns=now_ns
    )
