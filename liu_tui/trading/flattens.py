"""How far flattens have come: what is closed, what cannot be and why, and when each is done.

Done is what the books and the broker both call flat: where the driver can ask the broker for its positions
(`proves`), a flatten is not let go before the broker has named none. Each real step is said once.
"""

from collections.abc import Sequence

import msgspec

from liu_tui.model.account import BrokerPosition
from liu_tui.model.market import SECOND_NS
from liu_tui.model.stuck import stuck_words
from liu_tui.trading.book import Book
from liu_tui.trading.closing import Closer
from liu_tui.trading.latches import Latch, Latches
from liu_tui.trading.obstacles import OUTSIDE_HOURS, Obstacles


class FlattenState(msgspec.Struct, frozen=True, kw_only=True):
    """A flatten that is not done. symbol "" is everything.

    begun:   how many positions it had to close; left: how many are not flat yet; working: orders not ended
    stuck:   (symbol, signed shares, why) of those that cannot be closed now
    proving: the books are flat, and the broker is being asked
    """

    symbol: str
    by: str
    reason: str
    since_ns: int
    begun: int
    left: int
    working: int
    stuck: tuple[tuple[str, float, str], ...] = ()
    proving: bool = False


class Flattens:
    """Watches the latches. proves: whether the driver asks the broker for its positions."""

    def __init__(self, book: Book, latches: Latches, closer: Closer, obstacles: Obstacles) -> None:
        self._book, self._latches, self._closer, self._obstacles = book, latches, closer, obstacles
        self.proves = False
        self._theirs: dict[str, float] = {}  # held by the broker's word, and not by the books
        self._told: frozenset[str] = frozenset()  # such symbols, when it was asked last
        self._proved: set[str] = set()
        self._said: dict[str, tuple[int, int, bool, tuple[tuple[str, float, str], ...]]] = {}

    @property
    def unproved(self) -> bool:
        """Whether the broker is to be asked: something is flat by the books alone."""
        return self.proves and any(
            symbol not in self._proved and not self._book.active(symbol) for symbol in self._latches.all
        )

    def begin(self, symbol: str, latch: Latch, now_ns: int) -> None:
        """Say what is to be done."""
        self._proved.discard(symbol)
        held = [key for key in self._book.active(symbol) if self._book.held(key)]
        waits = any(self._obstacles.why(key, now_ns) == OUTSIDE_HOURS for key in held)
        wait = "; the market is closed: positions are closed when it opens" if waits else ""
        counts = f"{_count(len(held), 'position')}, {_count(self._working(symbol), 'working order')}"
        why = f" ({latch.reason})" if latch.reason else ""
        self._say("warn", symbol, f"flatten {_scope(symbol)} by {latch.by}{why}: {counts}{wait}")

    def states(self, now_ns: int) -> tuple[FlattenState, ...]:
        """Tell how far each has come."""
        return tuple(self._state(symbol, latch, now_ns) for symbol, latch in self._latches.all.items())

    def look(self, now_ns: int) -> None:
        """Say what has changed, and let go what is done; none is before books and broker agree."""
        for symbol, latch in list(self._latches.all.items()):
            done = not self._book.active(symbol) and (not self.proves or symbol in self._proved)
            if done and self._closer.ready:
                self._latches.end(symbol, "flat", now_ns)
                self._said.pop(symbol, None)
                took = span((now_ns - latch.since_ns) // SECOND_NS)
                self._say("good", symbol, f"{_scope(symbol)} is flat ({took})")
                continue
            state = self._state(symbol, latch, now_ns)
            seen = state.begun, state.left, state.proving, state.stuck
            if seen != self._said.get(symbol, (latch.begun, latch.begun, False, ())):
                self._said[symbol] = seen
                self._say("warn" if state.stuck else "info", symbol, _words(state))

    def broker_said(self, positions: Sequence[BrokerPosition]) -> None:
        """Take the account's positions as the broker has just told them.

        What it holds and the books do not counts when it is told twice: a fill may have come between.
        """
        theirs = {p.symbol: p.qty for p in positions if p.qty and not self._book.active(p.symbol)}
        self._theirs = {symbol: qty for symbol, qty in theirs.items() if symbol in self._told}
        self._told = frozenset(theirs)
        for symbol in self._latches.all:
            if self._book.active(symbol) or any(symbol in ("", name) for name in theirs):
                self._proved.discard(symbol)
            else:
                self._proved.add(symbol)

    def _state(self, symbol: str, latch: Latch, now_ns: int) -> FlattenState:
        keys = [key for key in self._book.active(symbol) if self._book.held(key)]
        stuck: dict[str, tuple[float, str]] = {}
        for key in keys:
            if why := self._obstacles.why(key, now_ns):
                qty, first = stuck.get(key[1], (0.0, why))
                stuck[key[1]] = qty + self._book.held(key), first
        flat = not self._book.active(symbol)
        if flat and self.proves:
            words = "held at the broker, and not by the books"
            stuck.update({name: (qty, words) for name, qty in self._theirs.items() if symbol in ("", name)})
        return FlattenState(
            symbol=symbol,
            by=latch.by,
            reason=latch.reason,
            since_ns=latch.since_ns,
            begun=max(latch.begun, len(keys)),
            left=len(keys),
            working=self._working(symbol),
            stuck=tuple((name, qty, why) for name, (qty, why) in sorted(stuck.items())),
            proving=flat and self.proves,
        )

    def _working(self, symbol: str) -> int:
        return sum(1 for record in self._book.all_live() if symbol in ("", record.symbol))

    def _say(self, level: str, symbol: str, words: str) -> None:
        self._book.notice(level, words, symbol=symbol)


def span(seconds: int) -> str:
    """Write a span of time as a person reads it: "45 s", "2 min 03 s", "1 h 05 min"."""
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"


def _words(state: FlattenState) -> str:
    count = f"{state.begun - state.left} of {state.begun} closed" if state.begun else "nothing to close"
    words = f"flatten {_scope(state.symbol)}: {count}"
    if state.stuck:
        outside = all(why == OUTSIDE_HOURS for _, _, why in state.stuck)
        then = "waiting for the open" if outside else "trying again"
        return f"{words}; {stuck_words(state.stuck)}: {then}"
    return f"{words}; asking the broker" if state.proving else words


def _scope(symbol: str) -> str:
    return symbol or "everything"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
