"""What people say to a desk: pause, cancel, flatten, kill, release, reject, and their opposites."""

from liu_tui.trading.deskrooms import Rooms
from liu_tui.trading.effects import Effect
from liu_tui.trading.orders import ENTRY
from liu_tui.trading.standing import HALTED
from liu_tui.trading.vetoes import FOR_GOOD, Veto


class Commanded(Rooms):
    """A desk that obeys. Every call returns the effects to carry out, in their order."""

    def pause(self, by: str, reason: str, now_ns: int) -> list[Effect]:
        """Refuse entries from now on; exits and protection go on."""
        self._standing.pause(by, reason)
        return self._book.take()

    def resume(self, by: str, reason: str, now_ns: int) -> list[Effect]:
        """Allow entries again, unless the daily loss stands or a flatten is not done."""
        if not self.resume_refused():
            self._lock.lift(f"resumed by {by}")
        self._standing.resume(by, reason, self.limits)
        return self._book.take()

    def resume_refused(self) -> str:
        """Say why resume would be refused now; "" if it would not."""
        return self._standing.resume_refused(self.limits)

    def cancel(
        self, now_ns: int, *, symbol: str = "", strategy: str = "", client_order_id: str = "", by: str = ""
    ) -> list[Effect]:
        """Withdraw working entry orders: all, of one symbol or strategy, or one.

        Protective orders and exits stay.
        """
        chosen = [
            r
            for r in self._book.all_live()
            if r.role == ENTRY
            and symbol in ("", r.symbol)
            and strategy in ("", r.strategy)
            and (not client_order_id or r.client_order_id == client_order_id)
        ]
        self._cancels.withdraw(chosen, f"canceled by {by or 'the desk'}", now_ns)
        self._book.notice("info", f"cancel by {by or 'the desk'}: {len(chosen)} entry orders", symbol=symbol)
        return self._book.take()

    def flatten(self, now_ns: int, *, symbol: str = "", by: str = "", reason: str = "") -> list[Effect]:
        """Cancel what works and close what is held, of all or of one symbol; goes on until it is flat."""
        self._latch(symbol, by or "the desk", reason, now_ns)
        return self._book.take()

    def release(self, now_ns: int, *, symbol: str = "", by: str = "") -> list[Effect]:
        """Let go a flatten that is not done: closing orders are withdrawn, what is held is protected again.

        symbol: as it was said when it began, "" for everything. Where there is none nothing changes
        """
        state = next((one for one in self.flattens(now_ns) if one.symbol == symbol), None)
        if state is not None:
            self._latches.end(symbol, f"released by {by or 'the desk'}", now_ns)
            words = f"the flatten of {symbol or 'everything'} is released by {by or 'the desk'}"
            self._book.notice("warn", f"{words}: {self.held_words(symbol)}", symbol=symbol)
            self._closer.drop(symbol, words, now_ns)
            self._progress.everything(now_ns)
        return self._book.take()

    def held_words(self, symbol: str = "") -> str:
        """Say what is held, of all or of one symbol: "held are MSFT +100, TSLA -50"."""
        held: dict[str, float] = {}
        for key in self._book.active(symbol):
            if qty := self._book.held(key):
                held[key[1]] = held.get(key[1], 0.0) + qty
        named = ", ".join(f"{name} {qty:+g}" for name, qty in sorted(held.items()))
        return f"held are {named}" if named else "nothing is held"

    def kill(self, now_ns: int, *, by: str, reason: str) -> list[Effect]:
        """Halt: no entries, everything canceled, everything closed, then the account's own lock is set."""
        # The latch is stored before the state: a crash between the two leaves a flatten that goes on.
        self._latches.set("", by, reason or "kill", now_ns)
        self._standing.change(HALTED, by, reason)
        self._latch("", by, reason or "kill", now_ns)
        return self._book.take()

    def veto(
        self, symbol: str, strategy: str, by: str, reason: str, until_ns: int = FOR_GOOD
    ) -> list[Effect]:
        """Refuse entries in the symbol, of one strategy or ("") of all; exits and protection go on."""
        self._vetoes.set(symbol, strategy, Veto(by, reason, until_ns))
        return self._book.take()

    def allow(self, symbol: str, strategy: str) -> list[Effect]:
        """Take a veto back; without a strategy every one of the symbol."""
        self._vetoes.clear(symbol, strategy)
        return self._book.take()

    def _latch(self, symbol: str, by: str, reason: str, now_ns: int) -> None:
        latch = self._latches.set(symbol, by, reason, now_ns)
        self._lock.lift(f"{latch.words}: closing orders are new orders too")
        self._flattens.begin(symbol, latch, now_ns)
        if not self._book.active(symbol):
            self._flattens.look(now_ns)
        for key in self._book.active(symbol):
            self._progress.advance(key, now_ns)
