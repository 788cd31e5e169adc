"""What is told of what happened: the faults that strike events, between the market and its data streams.

    prints of our own, true prints told wrong ─▶ delay ─▶ twice ─▶ another order ─▶ silence

The exchange, the account and history have the truth; only those who subscribed hear what stands here.
"""

from collections.abc import Iterable, Sequence

from liu_tui.localmarket.faultform import LATER_NS
from liu_tui.localmarket.faults import Fault
from liu_tui.localmarket.prints import as_wrong, cancellation, correction, stray
from liu_tui.localmarket.waiting import Waiting, shuffled
from liu_tui.market.tape import Tape
from liu_tui.model.market import SECOND_NS, Bar, TapeEvent, Trade
from liu_tui.plan.schema import FaultKind

KINDS = (
    FaultKind.SILENCE,
    FaultKind.DELAY,
    FaultKind.DUPLICATE,
    FaultKind.REORDER,
    FaultKind.BAD_PRINT,
    FaultKind.CORRECT,
    FaultKind.CANCEL,
)


class Telling:
    """One market's telling. It is asked for nothing while it is not `busy`."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._active: dict[FaultKind, list[Fault]] = {kind: [] for kind in KINDS}
        # Prints, corrections and notes that the market itself would not tell.
        self._ours = Waiting[TapeEvent]()
        self._late = Waiting[TapeEvent]()
        self._corrected: set[tuple[str, str]] = set()
        self._told_ns = 0

    @property
    def busy(self) -> bool:
        """Whether anything is to be told otherwise than it happened, or waits to be told."""
        return bool(self._ours or self._late or any(self._active.values()))

    def begin(self, fault: Fault, t_ns: int) -> None:
        """Strike events from now on; faults of a print make it."""
        self._told_ns = t_ns
        self._active[fault.table.kind].append(fault)
        if fault.table.kind is FaultKind.BAD_PRINT:
            for trade in self._strays(fault, 1 + fault.table.percent / 100, t_ns):
                self.say(trade)
        elif fault.table.kind is FaultKind.CANCEL:
            for trade in self._strays(fault, None, t_ns):
                self.say(trade)
                self._ours.put(t_ns + LATER_NS, cancellation(trade, t_ns + LATER_NS))

    def end(self, fault: Fault, _: int) -> None:
        """Strike no more. What is late still comes, what was swallowed never does."""
        self._active[fault.table.kind].remove(fault)

    def say(self, event: TapeEvent) -> None:
        """Tell something beside what the tape holds, before its next events."""
        self._ours.put(0, event)

    def release(self) -> None:
        """The day is over: let nothing wait any longer."""
        self._ours.hurry()
        self._late.hurry()

    def tell(self, events: Sequence[TapeEvent], now_ns: int) -> list[TapeEvent]:
        """What the streams are told when these have happened, and it is now_ns."""
        told = self._ours.due(now_ns) + self._misprint(events)
        told += self._ours.due(now_ns)  # corrections that are due already, if this was a long stretch
        told = self._hold(told, now_ns)
        told = self._late.due(now_ns) + told
        for fault in self._active[FaultKind.DUPLICATE]:
            told = [copy for event in told for copy in (event,) * (1 + fault.strikes(event.symbol))]
        for fault in self._active[FaultKind.REORDER]:
            places = [place for place, event in enumerate(told) if fault.strikes(event.symbol)]
            told = shuffled(told, places, fault.random)
        for fault in self._active[FaultKind.SILENCE]:
            told = [event for event in told if not fault.strikes(event.symbol)]
        return told

    def _hold(self, events: list[TapeEvent], now_ns: int) -> list[TapeEvent]:
        for fault in self._active[FaultKind.DELAY]:
            delay_ns = int(fault.table.seconds * SECOND_NS)
            passed: list[TapeEvent] = []
            for event in events:
                if fault.strikes(event.symbol):
                    self._late.put(self._moment(event, now_ns) + delay_ns, event)
                else:
                    passed.append(event)
            events = passed
        self._told_ns = now_ns
        return events

    def _moment(self, event: TapeEvent, now_ns: int) -> int:
        """When it happened, as far as can be known: it bears a time, but it may have come late."""
        said_ns = event.end_ns if isinstance(event, Bar) else event.t_ns
        return min(max(said_ns, self._told_ns), now_ns)

    def _misprint(self, events: Iterable[TapeEvent]) -> list[TapeEvent]:
        """Tell the first print of each symbol wrong, and put its correction down for later."""
        told = list(events)
        for fault in self._active[FaultKind.CORRECT]:
            for place, event in enumerate(told):
                key = (fault.id, event.symbol)
                if isinstance(event, Trade) and key not in self._corrected and fault.strikes(event.symbol):
                    self._corrected.add(key)
                    wrong = told[place] = as_wrong(event, fault.id)
                    later_ns = event.t_ns + LATER_NS
                    self._ours.put(later_ns, correction(wrong, event, later_ns))
        return told

    def _strays(self, fault: Fault, factor: float | None, t_ns: int) -> list[Trade]:
        symbols = sorted(fault.symbols) or [asset.symbol for asset in self._tape.assets]
        made = (stray(self._tape, symbol, factor, t_ns, fault.id) for symbol in symbols)
        return [trade for trade in made if trade is not None and fault.strikes(trade.symbol)]
