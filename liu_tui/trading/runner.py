"""One strategy of a session, and its place in each symbol that it trades."""

from collections.abc import Mapping

import msgspec

from liu_tui.market.series import Series
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS
from liu_tui.model.window import Window
from liu_tui.strategy import State, Strategy
from liu_tui.trading.context import CallContext, House, NoState, first_state
from liu_tui.trading.holding import Holding
from liu_tui.trading.windows import Windows


class Slot(msgspec.Struct, frozen=True):
    """A strategy's place in the plan. windows: when it may open positions, empty for always.

    home: whether this consumer is the one that calls its run_all; means nothing to a strategy with run()
    """

    name: str
    strategy: Strategy
    windows: tuple[Window, ...] = ()
    home: bool = True


class Seat:
    """One strategy in one symbol: what run() is called with, and what has been asked for."""

    __slots__ = (
        "_event_ns",
        "_ordinal",
        "_ready",
        "context",
        "holding",
        "refusal",
        "runner",
        "series",
        "symbol",
        "vetoed_ns",
    )

    def __init__(self, runner: "Runner", series: Series, context: CallContext, holding: Holding) -> None:
        self.runner, self.series, self.context, self.holding = runner, series, context, holding
        self.symbol = series.symbol
        self.vetoed_ns = 0  # rejected until then
        self.refusal = ""  # the last one said, so that it is not said again at every event
        self._ready = False
        self._event_ns = self._ordinal = -1

    def has_lookback(self) -> bool:
        """Say whether the declared bars are there."""
        if not self._ready:
            self._ready = self.series.length >= self.runner.strategy.lookback
        return self._ready

    def may_run(self, now_ns: int) -> bool:
        """Say whether run() is called now; the market's hours are the session's affair."""
        runner, holding = self.runner, self.holding
        if runner.fault or not (self._ready or self.has_lookback()):
            return False
        if now_ns < self.vetoed_ns:
            return holding.qty != 0
        windows = runner.windows
        # The first test spares nearly every event a call.
        return windows.from_ns <= now_ns < windows.until_ns or holding.engaged or windows.open_at(now_ns)

    def next_ordinal(self, event_ns: int) -> int:
        """Count the intents of one moment: two events may carry the same time, and no two intents one id."""
        self._ordinal = self._ordinal + 1 if event_ns == self._event_ns else 0
        self._event_ns = event_ns
        return self._ordinal

    def renew(self, context: CallContext) -> None:
        """Go on with a reloaded strategy: its lookback may be another, and it may say its refusals again."""
        self.context = context
        self._ready = False
        self.refusal = ""


class Runner:
    """One strategy: its schedule, its seats, its health.

    fault:  why it is in quarantine, "" if it is not
    calls:  how often user code was called
    """

    def __init__(self, slot: Slot, house: House, keys: Mapping[str, str], *, bypass: bool) -> None:
        self.name = slot.name
        self.calls = 0
        self.seats: dict[str, Seat] = {}
        self.saved: dict[str, State] = {}
        self._due_ns: int | None = None
        self._house, self._bypass, self._keys = house, bypass, dict(keys)
        self.take(slot)

    def take(self, slot: Slot) -> None:
        """Take this strategy and schedule; positions and keys stay."""
        self.strategy, self._schedule, self._home = slot.strategy, slot.windows, slot.home
        self.fault = ""
        self.runs_all = type(slot.strategy).run_all is not Strategy.run_all
        self.context = self._context("")
        for seat in self.seats.values():
            seat.renew(self._context_of(seat.symbol))
        self.open_day(self._house.hours)

    @property
    def active(self) -> bool:
        """Whether this session calls it at all: a run_all strategy is called at home only."""
        return self._home or not self.runs_all

    def open_day(self, hours: SessionHours) -> None:
        """Lay the schedule on another day."""
        self.windows = Windows(self._schedule, hours, always=self._bypass)
        self._due_ns = None

    def seat(self, series: Series, holding: Holding) -> Seat:
        """Take a seat in a symbol, or return the one that is there."""
        seat = self.seats.get(series.symbol)
        if seat is None:
            seat = Seat(self, series, self._context_of(series.symbol), holding)
            self.seats[series.symbol] = seat
        return seat

    def leave(self, symbol: str) -> None:
        """Give a seat up, if there is one."""
        self.seats.pop(symbol, None)

    def contexts(self) -> list[tuple[str, CallContext]]:
        """List the contexts that hold declared state: (symbol, context); the symbol of run_all is ""."""
        if self.runs_all:
            return [("", self.context)]
        return [(symbol, seat.context) for symbol, seat in self.seats.items()]

    def keep_states(self) -> None:
        """Put all present states where later contexts take theirs from."""
        self.saved.update({symbol: context.state for symbol, context in self.contexts()})

    def restore_states(self, states: Mapping[str, State]) -> None:
        """Take stored states, for the seats there are and those to come."""
        self.saved.update(states)
        for symbol, context in self.contexts():
            if symbol in states:
                context.hold(first_state(self.strategy.initial_state, states[symbol]))

    def arm(self, now_ns: int) -> None:
        """Set the timer to the next moment of its grid, which begins at the open; once a day.

        The present moment counts; an earlier one does not: what a crash has cut short is not done twice.
        """
        if self.runs_all and self.active and self._due_ns is None:
            open_ns, step = self._house.hours.open_ns, self._step_ns
            self._due_ns = open_ns - (open_ns - now_ns) // step * step

    def due(self, now_ns: int) -> int | None:
        """Return the moment whose run_all is due, or None, and set the timer to the next."""
        if self._due_ns is None or now_ns < self._due_ns:
            return None
        open_ns, step = self._house.hours.open_ns, self._step_ns
        moment = open_ns + (now_ns - open_ns) // step * step
        self._due_ns = moment + step
        return moment

    @property
    def _step_ns(self) -> int:
        return max(round((self.strategy.every or 1.0) * MINUTE_NS), 1)

    def _context_of(self, symbol: str) -> CallContext:
        return self.context if self.runs_all else self._context(symbol)

    def _context(self, symbol: str) -> CallContext:
        state: State = NoState()
        if symbol or self.runs_all:
            state = first_state(self.strategy.initial_state, self.saved.get(symbol))
        return CallContext(self._house, self.name, symbol, self._keys, state)
