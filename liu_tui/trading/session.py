"""What one consumer knows and decides. No sockets, no clock, no database: facts in, requests out.

The way of a market event through `on_events`:
 1. the symbol's series takes it, and a trade may close a second bar;
 2. for each strategy that declared such events, in the plan's order, the Seat says whether it may run now
    (quarantine, lookback, veto, window; the market's hours were asked before);
 3. the Caller awaits the strategy between two marks of the meter; what it raises quarantines it, and no more;
 4. `_obey` turns each action into a request, or drops it with words.

The live consumer and the backtest both turn this crank, one call after the other: nothing here may be called
while an earlier call is awaited.
"""

from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any

from liu_tui.market.bars import SecondBars
from liu_tui.market.series import Series
from liu_tui.model.account import Position
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS, Bar, MarketEvent, Quote, Trade
from liu_tui.model.orders import Fill, OrderNews
from liu_tui.strategy import State
from liu_tui.trading.caller import Caller, Meter
from liu_tui.trading.context import House
from liu_tui.trading.holding import Holding
from liu_tui.trading.requests import (
    KeySet,
    Request,
    Said,
    StrategyFault,
    UnsubscribeRequest,
    VetoRequest,
)
from liu_tui.trading.runner import Runner, Seat, Slot
from liu_tui.trading.track import Track
from liu_tui.trading.vetoes import FOR_GOOD

__all__ = [
    "KeySet",
    "Meter",
    "Request",
    "Said",
    "Session",
    "Slot",
    "StrategyFault",
    "UnsubscribeRequest",
    "VetoRequest",
]


_EVER_NS = 2**63


class Session:
    """The strategies of one consumer, the symbols that they trade, and what they hold in them.

    batch_id:        opens every intent's id
    portfolio_value: dollars; risk: fraction of it that one trade may lose
    bypass_schedule: call strategies outside regular hours and outside their windows too
    keys:            strategy -> key -> value: the key/value store as it was
    """

    def __init__(
        self,
        slots: Sequence[Slot],
        *,
        batch_id: str,
        hours: SessionHours,
        portfolio_value: float,
        risk: float,
        bypass_schedule: bool = False,
        keys: Mapping[str, Mapping[str, str]] | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._bypass, self._keys = bypass_schedule, keys or {}
        self._house = House(hours, portfolio_value, risk)
        self._lay_hours(hours)
        self._caller = Caller(self._house, batch_id, meter, self.veto)
        self._runners: dict[str, Runner] = {}
        self._tracks: dict[str, Track] = {}
        self._holdings: dict[tuple[str, str], Holding] = {}
        self._vetoes: dict[tuple[str, str], int] = {}  # until when
        self._heard_fills: set[str] = set()
        self._untold: dict[tuple[str, str], list[Fill]] = {}  # of symbols that are not served yet
        self._seconds = SecondBars()
        self._changed: list[tuple[str, str, State]] = []
        for slot in slots:
            self._employ(slot)

    # ---- what it serves

    @property
    def symbols(self) -> Sequence[str]:
        """Return the symbols it has series of, in the order in which they came."""
        return tuple(self._tracks)

    def series(self, symbol: str) -> Series:
        """Return a symbol's series. Raises KeyError if it is not served."""
        return self._tracks[symbol].series

    @property
    def quarantined(self) -> dict[str, str]:
        """Strategy -> why it is not called."""
        return {runner.name: runner.fault for runner in self._runners.values() if runner.fault}

    @property
    def calls(self) -> dict[str, int]:
        """Strategy -> calls into user code."""
        return {runner.name: runner.calls for runner in self._runners.values()}

    def add_symbol(
        self,
        symbol: str,
        *,
        strategies: frozenset[str] = frozenset(),
        history: Iterable[Bar] = (),
        daily: Iterable[Bar] = (),
    ) -> None:
        """Serve a symbol to these strategies, to all if none are named. Called again it only widens.

        history: minute bars; calls nobody. Bars that are there already are replaced
        daily:   finished daily bars, oldest first, in place of the old ones; none keeps those
        """
        track = self._tracks.get(symbol)
        if track is None:
            track = self._tracks[symbol] = Track(Series(symbol, lookback=self._lookback()))
        track.names |= strategies
        track.for_all = track.for_all or not strategies
        for bar in history:
            track.series.append(bar)
        if days := list(daily):
            track.series.daily = days
        self._seat(track)

    def drop_symbol(self, symbol: str) -> None:
        """Serve a symbol no more. What is held in it stays known; its state is kept for a return."""
        if self._tracks.pop(symbol, None) is not None:
            for runner in self._runners.values():
                self._flush(runner)
                runner.leave(symbol)

    # ---- facts of the market

    def on_event(self, event: MarketEvent, now_ns: int) -> Coroutine[Any, Any, list[Request]]:
        """Take one event and call the strategies that declared it. now_ns: the venue's time."""
        return self.on_events((event,), now_ns)

    async def on_events(self, events: Iterable[MarketEvent], now_ns: int) -> list[Request]:
        """Take events that are known at one moment, in their order, until one leads to a request.

        events: given as an iterator, what was not taken yet stays in it. An empty answer means all were taken
        """
        calls = self._calls(events)
        if self._from_ns <= now_ns < self._until_ns:
            await self._caller.run(calls, now_ns)
        else:
            for _nobody in calls:
                pass
        return self._house.take() if self._house.outbox else []

    def absorb(self, event: MarketEvent) -> None:
        """Take an event that came too late to act on: the series knows it, nobody is called."""
        track = self._tracks.get(event.symbol)
        if track is None:
            return
        if isinstance(event, Quote):
            track.series.on_quote(event)
        elif isinstance(event, Trade):
            track.series.on_trade(event)
        elif event.span_ns == MINUTE_NS:
            track.series.append(event)

    async def on_time(self, now_ns: int) -> list[Request]:
        """Do what is due: second bars whose second is over, and run_all timers."""
        if (bars := self._seconds.flush(now_ns)) and self._in_hours(now_ns):
            served = ((self._tracks[bar.symbol].second, bar) for bar in bars if bar.symbol in self._tracks)
            await self._caller.run(served, now_ns)
        for runner in self._runners.values():
            runner.arm(now_ns)
            moment = runner.due(now_ns)
            if moment is not None and self._in_hours(now_ns):
                await self._caller.run_all(runner, moment, now_ns)
        return self._house.take()

    # ---- facts of the desk

    async def on_fill(self, fill: Fill) -> list[Request]:
        """Book a fill, then tell the strategy whose order it was; once, however often it is heard."""
        if fill.execution_id in self._heard_fills:
            return self._house.take()
        self._heard_fills.add(fill.execution_id)
        self._holding(fill.strategy, fill.symbol).on_fill(fill)
        if fill.strategy in self._runners:
            self._untold.setdefault((fill.strategy, fill.symbol), []).append(fill)
        return await self.tell_untold()

    @property
    def untold(self) -> frozenset[str]:
        """Execution ids of the fills that are booked and that their strategy has not heard of yet."""
        return frozenset(fill.execution_id for fills in self._untold.values() for fill in fills)

    async def tell_untold(self) -> list[Request]:
        """Tell strategies of fills that came before their symbol was served, as after a restart."""
        for key in list(self._untold):
            seat = self._seat_of(*key)
            if seat is None:
                continue
            for fill in self._untold.pop(key):
                call = seat.runner.strategy.on_fill(fill, seat.context.at(fill.t_ns, None))
                await self._caller.tell(seat.runner, fill.symbol, "on_fill", call)
        return self._house.take()

    async def on_news(self, news: OrderNews) -> list[Request]:
        """Note how an order stands, then tell the strategy whose order it is."""
        self._holding(news.strategy, news.symbol).on_news(news)
        seat = self._seat_of(news.strategy, news.symbol)
        if seat is not None:
            call = seat.runner.strategy.on_order(news, seat.context.at(news.t_ns, None))
            await self._caller.tell(seat.runner, news.symbol, "on_order", call)
        return self._house.take()

    def restore(
        self,
        positions: Iterable[Position],
        live: Iterable[OrderNews],
        state: Mapping[str, Mapping[str, State]],
        vetoes: Iterable[tuple[str, str, int]],
    ) -> None:
        """Take the books' word after a start, or the desk's after it came back. Calls nobody.

        positions, live: all there are. What is not named is flat and has no order, but for entries that the
                         desk has not answered yet: those are on their way to it
        state:           strategy -> symbol -> declared state
        vetoes:          (symbol, strategy, until_ns) as `veto` takes them; added to those there are
        """
        held = {(position.strategy, position.symbol): position for position in positions}
        orders: dict[tuple[str, str], list[OrderNews]] = {}
        for news in live:
            orders.setdefault((news.strategy, news.symbol), []).append(news)
        for key in {**held, **orders, **self._holdings}:
            self._holding(*key).restore(held.get(key), orders.get(key, ()))
        for name, states in state.items():
            if name in self._runners:
                self._runners[name].restore_states(states)
        for symbol, strategy, until_ns in vetoes:
            self.veto(symbol, strategy, until_ns)

    # ---- commands

    async def start(self, now_ns: int) -> list[Request]:
        """Begin: on_start of every strategy that this session calls."""
        for runner in self._runners.values():
            await self._start(runner, now_ns)
        return self._house.take()

    async def stop(self, now_ns: int) -> list[Request]:
        """End in order: on_stop of every strategy that this session calls."""
        for runner in self._runners.values():
            if runner.active and not runner.fault:
                call = runner.strategy.on_stop(runner.context.at(now_ns, None))
                await self._caller.tell(runner, "", "on_stop", call)
        return self._house.take()

    async def replace(self, slot: Slot, now_ns: int) -> list[Request]:
        """Put a reloaded strategy in its slot, or one that could not be loaded before in a new slot.

        State, positions, orders and vetoes stay; a quarantine is lifted; on_start is called.
        """
        runner = self._runners.get(slot.name)
        if runner is None:
            runner = self._employ(slot)
        else:
            self._flush(runner)
            runner.take(slot)
        for track in self._tracks.values():
            track.series.lookback = max(track.series.lookback or 0, slot.strategy.lookback)
            self._seat(track)
        await self._start(runner, now_ns)
        return self._house.take()

    def open_day(self, hours: SessionHours) -> None:
        """Begin another day: windows and timers follow it."""
        self._house.hours = hours
        self._lay_hours(hours)
        for runner in self._runners.values():
            runner.open_day(hours)

    def allocate(self, strategy: str, worth: float, free: float) -> None:
        """Know what a strategy's portfolio is worth and what of it is not at work, dollars."""
        self._house.shares[strategy] = worth, free

    def quarantine(self, name: str, words: str) -> None:
        """Call a strategy no more until it is replaced. Unknown names are ignored."""
        if name in self._runners:
            self._runners[name].fault = words

    def veto(self, symbol: str, strategy: str = "", until_ns: int = FOR_GOOD) -> None:
        """Reject a symbol for one strategy or ("") for all, until a moment of session time or for good.

        Of two vetoes for the same the one that lasts longer stands.
        """
        until_ns = _EVER_NS if until_ns == FOR_GOOD else until_ns
        self._vetoes[symbol, strategy] = max(self._vetoes.get((symbol, strategy), 0), until_ns)
        self._mark_vetoes(symbol)

    def allow(self, symbol: str, strategy: str = "") -> None:
        """Take the veto of one strategy back, or without a name every veto of the symbol."""
        for row in [row for row in self._vetoes if row[0] == symbol and strategy in ("", row[1])]:
            del self._vetoes[row]
        self._mark_vetoes(symbol)

    def changed_state(self) -> list[tuple[str, str, State]]:
        """Return (strategy, symbol or "", a copy of the state) of what changed since this was asked last.

        A state that JSON cannot hold quarantines its strategy; the fault leaves with the next answer.
        """
        for runner in self._runners.values():
            self._flush(runner)
        changed, self._changed = self._changed, []
        return changed

    # ---- the turns of the crank

    def _calls(self, events: Iterable[MarketEvent]) -> Iterator[tuple[list[Seat], MarketEvent]]:
        """Take each event, and say who is called for what, before the next is taken.

        A generator, so that a whole batch costs one coroutine; this and `Caller.run` are the hot path.
        """
        tracks, seconds = self._tracks, self._seconds
        house = self._house
        for event in events:
            track = tracks.get(event.symbol)
            if track is None:
                continue
            kind = type(event)
            if kind is Trade:
                trade: Trade = event  # type: ignore[assignment] # mypy does not narrow by type()
                if track.second and not track.has_seconds and (bar := seconds.add(trade)) is not None:
                    yield track.second, bar
                track.series.on_trade(trade)
                if not track.trade:
                    continue
                yield track.trade, event
            elif kind is Quote:
                track.series.on_quote(event)  # type: ignore[arg-type] # as above
                if not track.quote:
                    continue
                yield track.quote, event
            else:
                yield track.on_bar(event), event  # type: ignore[arg-type] # as above
            if house.outbox:
                return

    async def _start(self, runner: Runner, now_ns: int) -> None:
        if runner.active and not runner.fault:
            runner.arm(now_ns)
            call = runner.strategy.on_start(runner.context.at(now_ns, None))
            await self._caller.tell(runner, "", "on_start", call)

    def _in_hours(self, now_ns: int) -> bool:
        return self._from_ns <= now_ns < self._until_ns

    def _lay_hours(self, hours: SessionHours) -> None:
        """Say when strategies are called at all."""
        self._from_ns, self._until_ns = (
            (-_EVER_NS, _EVER_NS) if self._bypass else (hours.open_ns, hours.close_ns)
        )

    # ---- seats

    def _employ(self, slot: Slot) -> Runner:
        keys = self._keys.get(slot.name, {})
        runner = Runner(slot, self._house, keys, bypass=self._bypass)
        self._runners[slot.name] = runner
        return runner

    def _lookback(self) -> int:
        return max((runner.strategy.lookback for runner in self._runners.values()), default=0)

    def _seat(self, track: Track) -> None:
        symbol = track.series.symbol
        called = []
        for runner in self._runners.values():
            if not runner.active or not (track.for_all or runner.name in track.names):
                runner.leave(symbol)
                continue
            seat = runner.seat(track.series, self._holding(runner.name, symbol))
            if not runner.runs_all:
                called.append(seat)
        track.call(called)
        self._mark_vetoes(symbol)

    def _seat_of(self, strategy: str, symbol: str) -> Seat | None:
        runner = self._runners.get(strategy)
        return None if runner is None or runner.fault else runner.seats.get(symbol)

    def _holding(self, strategy: str, symbol: str) -> Holding:
        holding = self._holdings.get((strategy, symbol))
        if holding is None:
            holding = self._holdings[strategy, symbol] = Holding()
        return holding

    def _mark_vetoes(self, symbol: str) -> None:
        for runner in self._runners.values():
            if (seat := runner.seats.get(symbol)) is not None:
                both = (symbol, ""), (symbol, runner.name)
                seat.vetoed_ns = max(self._vetoes.get(row, 0) for row in both)

    def _flush(self, runner: Runner) -> None:
        for symbol, context in runner.contexts():
            try:
                changed = context.changed_state()
            except TypeError as e:
                self._caller.fault(runner, symbol, str(e))
                continue
            if changed is not None:
                self._changed.append((runner.name, symbol, changed))
        runner.keep_states()
