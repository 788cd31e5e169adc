"""Trading halts: of the recorded day, and made. A symbol that stands still fills nothing.

The exchange is told that both sides of the quote are empty, and hears nothing of the symbol until trading
resumes; then it is shown the quote as it stands. Orders are taken and cancelled meanwhile.
"""

from collections.abc import Callable, Iterable, Sequence

from liu_tui.localmarket.faults import Fault
from liu_tui.market.tape import Tape
from liu_tui.model.market import Halt, Quote, TapeEvent, Trade
from liu_tui.trading.matching.exchange import Exchange

HALTED_WORDS = "Trading Halt: News Pending"
RESUMED_WORDS = "Trading Resumption"


class Halts:
    """Which symbols of one market stand still.

    still: the exchange hears nothing of them
    muted: those of them whose trades and quotes do not happen, for a fault or their price bands stopped them
    """

    def __init__(self, tape: Tape, exchange: Exchange, say: Callable[[TapeEvent], None]) -> None:
        self._tape, self._exchange, self._say = tape, exchange, say
        self._made: dict[str, frozenset[str]] = {}  # by the fault's id
        self._paused: set[str] = set()  # by their price bands
        self.still: set[str] = set()
        self.muted: frozenset[str] = frozenset()

    def note(self, halt: Halt) -> None:
        """Hear of a halt or its end, from the tape or from us."""
        if halt.halted:
            self.still.add(halt.symbol)
            self._exchange.on_event(Quote(halt.symbol, halt.t_ns, 0.0, 0.0, 0.0, 0.0))
        elif halt.symbol in self.still and halt.symbol not in self.muted:
            self.still.discard(halt.symbol)
            event = self._tape.quote(halt.symbol) or self._tape.trade(halt.symbol)
            if event is not None:
                # The quote may be older than the halt's end; what fills at it fills now.
                self._exchange.on_time(halt.t_ns)
                self._exchange.on_event(event)

    def without(self, events: Iterable[TapeEvent]) -> Sequence[TapeEvent]:
        """What is left of the tape: bars are history's, and stay."""
        return [e for e in events if e.symbol not in self.muted or not isinstance(e, Trade | Quote)]

    def begin(self, fault: Fault, t_ns: int) -> None:
        """Stop its symbols, and say so on the tape."""
        symbols = fault.symbols or frozenset(asset.symbol for asset in self._tape.assets)
        self._made[fault.id] = symbols
        fault.hits += len(symbols)
        self._switch(t_ns)

    def end(self, fault: Fault, t_ns: int) -> None:
        """Let its symbols trade again, but for those that another fault stops."""
        del self._made[fault.id]
        self._switch(t_ns)

    def pause(self, halts: Iterable[Halt]) -> None:
        """Stop what left its price bands, and let it trade again, as the exchange says; tell it on."""
        for halt in halts:
            if halt.halted:
                self._paused.add(halt.symbol)
            else:
                self._paused.discard(halt.symbol)
            self._switch(halt.t_ns, halt.words)

    def _switch(self, t_ns: int, words: str = "") -> None:
        before, self.muted = self.muted, frozenset[str]().union(self._paused, *self._made.values())
        for symbol in sorted(before ^ self.muted):
            halted = symbol in self.muted
            usual = HALTED_WORDS if halted else RESUMED_WORDS
            halt = Halt(symbol, t_ns, halted, words or usual)
            self.note(halt)
            self._say(halt)
