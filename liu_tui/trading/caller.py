"""Calling user code, and doing what it asks: the only place of a session where a strategy's mistakes surface.

Whatever a strategy raises or returns wrongly becomes a StrategyFault and ends its calls until it is replaced;
its positions stay with the desk. An action that may not be done now is dropped with words, which are not said
again until they change. Exits always pass.
"""

import sys
import traceback
from collections.abc import Callable, Coroutine, Iterable, Sequence
from os.path import basename
from typing import Any, Protocol

from liu_tui.market.calendar import to_datetime
from liu_tui.model.actions import Action, Buy, Reject, Replace, Short, Unsubscribe
from liu_tui.model.market import MINUTE_NS, Bar, MarketEvent, normal_symbol
from liu_tui.trading.context import House
from liu_tui.trading.intents import OrderAction, read_actions, read_intent, read_minutes
from liu_tui.trading.requests import Said, StrategyFault, UnsubscribeRequest, VetoRequest
from liu_tui.trading.runner import Runner, Seat


class Meter(Protocol):
    """Hears of every call into user code: to time it, and to name it if it never returns."""

    def enter(self, strategy: str, symbol: str) -> None:
        """Begin a call; symbol "" for run_all, on_start and on_stop."""

    def leave(self) -> None:
        """End it, well or not."""


class NoMeter:
    """Measures nothing."""

    def enter(self, strategy: str, symbol: str) -> None:
        """Begin a call."""

    def leave(self) -> None:
        """End it."""


class Caller:
    """Calls the strategies of one session. Answers go to the house's outbox.

    veto: told (symbol, strategy or "", until_ns) when a strategy rejects a symbol
    """

    def __init__(
        self, house: House, batch_id: str, meter: Meter | None, veto: Callable[[str, str, int], None]
    ) -> None:
        self._house, self._batch_id, self._veto = house, batch_id, veto
        self._meter: Meter = meter if meter is not None else NoMeter()
        self._now_ns, self._now = 0, to_datetime(0)

    async def run(self, calls: Iterable[tuple[Sequence[Seat], MarketEvent]], now_ns: int) -> None:
        """Show each event to every seat of its that may run, in order, and do what they ask.

        Paid for every event and strategy, so it does in place what `_call` does.
        """
        if now_ns != self._now_ns:
            self._now_ns, self._now = now_ns, to_datetime(now_ns)
        now, meter = self._now, self._meter
        for seats, event in calls:
            for seat in seats:
                if not seat.may_run(now_ns):
                    continue
                runner, symbol, context = seat.runner, seat.symbol, seat.context.at(now_ns, event)
                runner.calls += 1
                meter.enter(runner.name, symbol)
                try:
                    answer = await runner.strategy.run(symbol, now, seat.series, seat.holding.view, context)
                except (Exception, SystemExit, KeyboardInterrupt) as e:  # noqa: BLE001 - as in _call
                    self._raised(runner, symbol, e)
                    continue
                finally:
                    meter.leave()
                if answer is not None:
                    moment = event.end_ns if isinstance(event, Bar) else event.t_ns
                    self._answer(runner, seat, answer, moment, now_ns)

    async def run_all(self, runner: Runner, moment: int, now_ns: int) -> None:
        """Show a strategy its collection, if it may open positions or holds any, and do what it asks.

        moment: the timer's; it stands in the intents' ids, so that a late call makes the same ones
        """
        engaged = any(seat.holding.engaged for seat in runner.seats.values())
        if runner.fault or not (engaged or runner.windows.open_at(now_ns)):
            return
        seats = [
            runner.seats[symbol]
            for symbol in sorted(runner.seats)
            if runner.seats[symbol].has_lookback()
            and (now_ns >= runner.seats[symbol].vetoed_ns or runner.seats[symbol].holding.qty)
        ]
        runner.context.at(now_ns, None)
        call = runner.strategy.run_all(
            to_datetime(now_ns),
            {seat.symbol: seat.series for seat in seats},
            {seat.symbol: seat.holding.view for seat in seats},
            runner.context,
        )
        answer = await self._call(runner, "", call)
        if answer is not None:
            self._answer(runner, None, answer, moment, now_ns)

    async def tell(self, runner: Runner, symbol: str, method: str, call: Coroutine[Any, Any, object]) -> None:
        """Call a method that only listens."""
        answer = await self._call(runner, symbol, call)
        if answer is not None:
            words = f"{method}() returned {answer!r}: only run() and run_all() can ask for orders"
            self.fault(runner, symbol, words)

    def fault(self, runner: Runner, symbol: str, words: str, story: str = "") -> None:
        """Quarantine a strategy."""
        runner.fault = words
        self._house.outbox.append(StrategyFault(runner.name, symbol, words, story))

    async def _call(self, runner: Runner, symbol: str, call: Coroutine[Any, Any, object]) -> object:
        runner.calls += 1
        self._meter.enter(runner.name, symbol)
        try:
            return await call
        except (Exception, SystemExit, KeyboardInterrupt) as e:  # noqa: BLE001 - the last two would end us
            self._raised(runner, symbol, e)
            return None
        finally:
            self._meter.leave()

    def _raised(self, runner: Runner, symbol: str, e: BaseException) -> None:
        frames = traceback.extract_tb(e.__traceback__)
        file = getattr(sys.modules.get(type(runner.strategy).__module__), "__file__", None)
        theirs = [frame for frame in frames if frame.filename == file] or frames
        place = f" ({basename(theirs[-1].filename)}:{theirs[-1].lineno})" if theirs else ""
        story = "".join(traceback.format_exception(e))
        self.fault(runner, symbol, f"{type(e).__name__}: {e}{place}", story)

    # ---- what was asked for

    def _answer(self, runner: Runner, seat: Seat | None, answer: object, event_ns: int, now_ns: int) -> None:
        symbol = seat.symbol if seat is not None else ""
        try:
            actions = read_actions(answer, "run" if seat is not None else "run_all")
            placed = [(self._place(runner, seat, action), action) for action in actions]
            entered: set[str] = set()
            for at, action in placed:
                if at is not None:
                    self._obey(at, action, event_ns, now_ns, entered)
        except TypeError as e:
            self.fault(runner, symbol, str(e), traceback.format_exc())
        except (Exception, SystemExit) as e:  # noqa: BLE001 - the answer may be a generator of the user's
            self._raised(runner, symbol, e)

    def _place(self, runner: Runner, seat: Seat | None, action: Action) -> Seat | None:
        if seat is not None:
            if action.symbol and normal_symbol(action.symbol) != seat.symbol:
                raise TypeError(
                    f"run() was called for {seat.symbol} and returned {action!r} of another symbol"
                )
            return seat
        if not action.symbol:
            raise TypeError(f"run_all() returned {action!r}, which names no symbol")
        found = runner.seats.get(normal_symbol(action.symbol))
        if found is None:
            words = f"{type(action).__name__} dropped: {action.symbol} is not in the collection"
            self._house.outbox.append(Said(runner.name, action.symbol, words))
        return found

    def _obey(self, seat: Seat, action: Action, event_ns: int, now_ns: int, entered: set[str]) -> None:
        name, symbol = seat.runner.name, seat.symbol
        if isinstance(action, Reject):
            self._reject(seat, action, now_ns)
        elif isinstance(action, Unsubscribe):
            self._house.outbox.append(UnsubscribeRequest(symbol, name, str(action.reason)))
        elif isinstance(action, Buy | Short):
            self._enter(seat, action, event_ns, now_ns, entered)
        elif isinstance(action, Replace) and (why := self._why_no_entry(seat, now_ns)):
            self._say_once(seat, f"Replace dropped: {why}")
        else:
            self._order(seat, action, event_ns)

    def _enter(self, seat: Seat, action: Buy | Short, event_ns: int, now_ns: int, entered: set[str]) -> None:
        if seat.symbol in entered:
            self._say_once(seat, f"{type(action).__name__} dropped: one entry at a time")
        elif seat.holding.entering:
            return  # the desk has not finished with the one before; the strategy sees it as pending
        elif why := self._why_no_entry(seat, now_ns):
            self._say_once(seat, f"{type(action).__name__} dropped: {why}")
        else:
            entered.add(seat.symbol)
            self._order(seat, action, event_ns)

    def _reject(self, seat: Seat, action: Reject, now_ns: int) -> None:
        name, symbol = seat.runner.name, seat.symbol
        whose = "" if action.scope == "all" else name
        until_ns = self._house.hours.post_ns
        try:
            minutes = read_minutes(action)
        except ValueError as e:
            self._say_once(seat, str(e))
            return
        if minutes is not None:
            until_ns = now_ns + round(minutes * MINUTE_NS)
        self._veto(symbol, whose, until_ns)
        self._house.outbox.append(VetoRequest(symbol, whose, name, str(action.reason), until_ns))

    def _why_no_entry(self, seat: Seat, now_ns: int) -> str:
        if now_ns < seat.vetoed_ns:
            return "the symbol is rejected"
        windows = seat.runner.windows
        return "" if windows.open_at(now_ns) else f"outside the schedule, {windows.words(now_ns)}"

    def _order(self, seat: Seat, action: OrderAction, event_ns: int) -> None:
        ordinal = seat.next_ordinal(event_ns)
        name, symbol = seat.runner.name, seat.symbol
        try:
            intent = read_intent(
                action,
                id=f"{self._batch_id}:{name}:{symbol}:{event_ns}:{ordinal}",
                strategy=name,
                symbol=symbol,
                event_ns=event_ns,
                ordinal=ordinal,
                price=seat.series.price,
            )
        except ValueError as e:
            self._say_once(seat, str(e))
            return
        if intent.operation.enters:
            seat.refusal = ""
        seat.holding.asked(intent)
        self._house.outbox.append(intent)

    def _say_once(self, seat: Seat, words: str) -> None:
        if seat.refusal != words:
            seat.refusal = words
            self._house.outbox.append(Said(seat.runner.name, seat.symbol, words))
