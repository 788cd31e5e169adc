"""What is in force: the desk's state, the vetoes, and the flattens that are not done."""

from collections.abc import Iterable

import msgspec

from liu_tui.plan.schema import Limits
from liu_tui.trading.book import Book
from liu_tui.trading.effects import Changed
from liu_tui.trading.risk import Refusal, refusal

ACTIVE, REDUCING, HALTED = "ACTIVE", "REDUCING", "HALTED"
BY_LIMITS = "limits"


class Latch(msgspec.Struct, frozen=True):
    """A flatten that goes on until all of it is flat."""

    by: str
    reason: str
    since_ns: int

    @property
    def words(self) -> str:
        """Why orders in its scope are sent or refused."""
        return f"flatten by {self.by}: {self.reason}" if self.reason else f"flatten by {self.by}"


class Veto(msgspec.Struct, frozen=True):
    """Entries in a symbol are refused."""

    by: str
    reason: str


class Standing:
    """Who or what set it, and why.

    vetoes:  (symbol, strategy), strategy "" for all of them
    latches: symbol, "" for everything
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self.state, self.by, self.reason = ACTIVE, "", ""
        self.vetoes: dict[tuple[str, str], Veto] = {}
        self.latches: dict[str, Latch] = {}
        self._at_open = 0.0

    @property
    def result(self) -> float:
        """Dollars won (+) or lost (-) since the day began, closed and open trades together."""
        return self._book.money().total - self._at_open

    def open_day(self) -> None:
        """Begin another day: its loss counts from here; neither yesterday's nor a veto is carried over."""
        self._at_open = self._book.money().total
        self.vetoes.clear()
        if self.state == REDUCING and self.by == BY_LIMITS:
            self.change(ACTIVE, BY_LIMITS, "another day")

    def change(self, state: str, by: str, reason: str) -> None:
        """Set the state, and say so."""
        self.state, self.by, self.reason = state, by, reason
        self._book.emit(Changed(state, by, reason))
        said = f": {reason}" if reason else ""
        self._book.notice("good" if state == ACTIVE else "warn", f"{state} by {by}{said}")

    def pause(self, by: str, reason: str) -> None:
        """Refuse entries, unless that or more is in force already."""
        if self.state == ACTIVE:
            self.change(REDUCING, by, reason)
        else:
            self._book.notice("info", f"already {self.state} by {self.by}: {self.reason}")

    def resume(self, by: str, reason: str, limits: Limits) -> None:
        """Allow entries again, where nothing stands against it."""
        if why := self.resume_refused(limits):
            self._book.notice("warn", f"resume refused: {why}", kind="refusal")
        elif self.state != ACTIVE:
            self.change(ACTIVE, by, reason)

    def resume_refused(self, limits: Limits) -> str:
        """Say why resume would be refused now; "" if it would not."""
        if loss := self.loss(limits):
            return loss.words
        latch = self.latches.get("")
        return f"{latch.words} is not done" if latch is not None else ""

    def watch_loss(self, limits: Limits) -> None:
        """Refuse entries once the daily loss is reached; only a person takes that back."""
        if self.state == ACTIVE and (loss := self.loss(limits)):
            self.change(REDUCING, BY_LIMITS, loss.words)

    def loss(self, limits: Limits) -> Refusal | None:
        """Say that the daily loss is reached; None if it is not."""
        limit = limits.max_daily_loss
        if limit is None or (result := self.result) > -limit:
            return None
        return refusal("DAILY_LOSS_REACHED", loss=-result, limit=limit)

    def veto(self, symbol: str, strategy: str, by: str, reason: str) -> None:
        """Refuse entries in the symbol."""
        self.vetoes[symbol, strategy] = Veto(by, reason)
        said = f": {reason}" if reason else ""
        whom = strategy or "all strategies"
        self._book.notice("info", f"{symbol} rejected for {whom} by {by}{said}", symbol=symbol)

    def allow(self, symbol: str, strategy: str) -> None:
        """Take a veto back."""
        if self.vetoes.pop((symbol, strategy), None) is not None:
            whom = strategy or "all strategies"
            self._book.notice("info", f"{symbol} allowed again for {whom}", symbol=symbol)

    def veto_on(self, symbol: str, strategy: str) -> tuple[str, str] | None:
        """Say by whom and why the strategy may not open the symbol; None if it may."""
        veto = self.vetoes.get((symbol, "")) or self.vetoes.get((symbol, strategy))
        return (veto.by, veto.reason) if veto else None

    def latch_on(self, symbol: str) -> Latch | None:
        """Find the flatten that the symbol is in."""
        return self.latches.get("") or self.latches.get(symbol)

    def release(self) -> None:
        """Let the flattens go that are done."""
        for symbol, latch in list(self.latches.items()):
            if not self._book.active(symbol):
                del self.latches[symbol]
                self._book.notice("good", f"{symbol or 'everything'} is flat ({latch.words})", symbol=symbol)

    def restore(
        self, state: str, by: str, reason: str, vetoes: Iterable[tuple[str, str, str, str]], now_ns: int
    ) -> None:
        """Take over what was in force; a halted desk goes on closing everything."""
        self.state, self.by, self.reason = state, by, reason
        self.vetoes = {(symbol, strategy): Veto(who, why) for symbol, strategy, who, why in vetoes}
        if state == HALTED:
            self.latches[""] = Latch(by, reason, now_ns)
