"""One day of a backtest: the live house's lock-step, in one process.

The way of a step (t_ns, events), the same as that of market, producer, desk, consumers and scanners together:
 1. `Venue.play` the exchange matches the events, then takes the time                     (venue.py)
 2. `_hear`      the desk learns the last prices, then what its orders did since the last step, then the time;
                 the session hears of fills and orders as the desk books them
 3. `_call`      the session takes each event at its own time, then the time of the step
 4. `_decide`    the desk decides the step's intents by event time, strategy, symbol
 5. `_obey`      what strategies rejected or want no more of takes effect
 6. `_look`      scanners that are due look; what they pick is served from the next step on
What an order does at the exchange after 4 is heard in the next step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from liu_tui.backtest.admission import Admission
from liu_tui.backtest.crew import Crew, load_scouts
from liu_tui.backtest.data import PlayedData
from liu_tui.backtest.house import House
from liu_tui.backtest.venue import Venue
from liu_tui.market.lookback import daily_start, history_start
from liu_tui.market.marks import Mark, Marker
from liu_tui.market.tape import Tape
from liu_tui.market.view import VenueView
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar, Quote, TapeEvent, Trade
from liu_tui.model.orders import Fill, Intent, OrderNews
from liu_tui.trading.notes import take_note
from liu_tui.trading.replay import acted_on_ns
from liu_tui.trading.requests import (
    KeySet,
    Request,
    Said,
    StrategyFault,
    UnsubscribeRequest,
    VetoRequest,
)
from liu_tui.trading.session import Session
from liu_tui.trading.watchlist import Watchlist, events_of

AFTER_CLOSE_NS = MINUTE_NS
"""The live house ends so long after the close; what comes later is not played."""
BY = "session"


class Day:
    """Plays one day.

    crew:    the day's own; every day begins with new objects, as every live session does
    watched: filled here with what scanners pick; the tape looks into it to know whose ticks are needed
    """

    def __init__(self, house: House, crew: Crew, tape: Tape, watched: set[str], start_ns: int) -> None:
        plan, hours = house.plan, tape.hours
        self._house, self._crew, self._tape, self._hours = house, crew, tape, hours
        self._start_ns = start_ns
        self._clock, self._desk, self._exchange = house.clock, house.desk, house.exchange
        self._session = Session(
            crew.slots,
            batch_id=house.batch_id,
            hours=hours,
            portfolio_value=plan.portfolio_value,
            risk=plan.risk,
            bypass_schedule=plan.bypass_market_schedule,
            keys=house.keys,
        )
        for share in house.desk.allocations.shares():
            self._session.allocate(share.strategy, share.worth, share.free)
        self._venue = Venue(tape, house.exchange, start_ns)
        self._data = PlayedData(tape)
        self._view = VenueView(self._data, house.clock, hours)
        self._scouts = load_scouts(plan, house.root, hours)
        self._watchlist = Watchlist(plan.max_symbols)
        self._watched = watched
        self._admission = Admission(lambda words: house.record.say("warn", words, source="feed"))
        self._marks = Marker()
        self._intents: list[Intent] = []
        self._asked: list[VetoRequest | UnsubscribeRequest] = []
        self._left_out: set[str] = set()
        self._saved_min = 0

    async def play(self) -> None:
        """Play it to its end: a minute after the close, or where the data end, but never before the close."""
        await self._open()
        while (step := self._tape.next_step()) is not None:
            await self._step(*step)
            if step[0] >= self._hours.close_ns + AFTER_CLOSE_NS:
                break
        else:
            # As at the local market: wherever the tape ends, one step more closes the day.
            await self._step(max(self._hours.close_ns, self._tape.now_ns), [])
        await self._close()

    # ---- what the desk tells (the audience of its hands)

    async def on_fill(self, fill: Fill) -> None:
        """Hear of a fill that is booked."""
        self._put(await self._session.on_fill(fill))

    async def on_news(self, news: OrderNews) -> None:
        """Hear that an order has changed."""
        self._put(await self._session.on_news(news))

    # ---- the ends of the day

    async def _open(self) -> None:
        self._clock.at_ns = self._start_ns
        self._exchange.set_hours(self._hours)
        self._exchange.on_time(self._start_ns)
        await self._house.hands.carry(self._desk.open_day(self._hours), self)
        await self._hear(self._start_ns, ())
        held = [position for position in self._desk.positions.values() if position.qty]
        self._session.restore(held, self._desk.live_news(), self._house.states, ())
        await self._watch([(position.symbol, position.strategy) for position in held])
        self._put(await self._session.start(self._start_ns))

    async def _close(self) -> None:
        """Withdraw entries that still work, and value what is held at the exchange's prices."""
        now = self._clock.now_ns()
        await self._house.hands.carry(self._desk.cancel(now, by=BY), self)
        for update in self._exchange.drain():
            await self._house.hands.carry(self._desk.on_update(update, now), self)
        self._put(await self._session.stop(now))
        self._save_states()
        for position in self._exchange.positions():
            self._desk.on_price(position.symbol, position.price)

    # ---- one step

    async def _step(self, t_ns: int, events: Sequence[TapeEvent]) -> None:
        self._clock.at_ns = t_ns
        self._house.bars += sum(1 for event in events if type(event) is Bar)
        told = self._venue.play(t_ns, events, self._watched)
        admitted = self._admission.admit(told)
        for event in admitted:
            self._marks.note(event)
        await self._hear(t_ns, self._marks.take())
        await self._call(t_ns, admitted)
        await self._decide(t_ns)
        self._obey()
        await self._look(t_ns)
        self._save_each_minute(t_ns)

    async def _hear(self, t_ns: int, marks: Sequence[Mark]) -> None:
        desk, carry = self._desk, self._house.hands.carry
        for mark in marks:
            desk.on_price(mark.symbol, mark.price, mark.t_ns, mark.bid, mark.ask)
        updates = self._exchange.drain()
        for update in updates:
            await carry(desk.on_update(update, t_ns), self)
        if updates or desk.venue.account is None:
            desk.learn_account(self._exchange.account())
        await carry(desk.on_time(t_ns), self)
        for share in desk.allocations.news(t_ns):
            self._session.allocate(share.strategy, share.worth, share.free)

    async def _call(self, t_ns: int, events: Sequence[TapeEvent]) -> None:
        on_event = self._session.on_event
        for event in events:
            if not isinstance(event, Trade | Quote | Bar):
                if event.symbol in self._session.symbols:
                    take_note(self._session.series(event.symbol), event)
                continue
            self._house.events += 1
            if requests := await on_event(event, acted_on_ns(event, t_ns)):
                self._put(requests)
        self._put(await self._session.on_time(t_ns))

    async def _decide(self, t_ns: int) -> None:
        intents, self._intents = self._intents, []
        intents.sort(key=lambda intent: (intent.event_ns, intent.strategy, intent.symbol, intent.ordinal))
        self._house.record.intents += intents
        for intent in intents:
            await self._house.hands.carry(self._desk.on_intent(intent, t_ns), self)

    def _obey(self) -> None:
        asked, self._asked = self._asked, []
        for request in asked:
            symbol = request.symbol
            if isinstance(request, VetoRequest):
                self._desk.veto(symbol, request.strategy, request.by, request.reason, request.until_ns)
                self._session.veto(symbol, request.strategy, request.until_ns)
                self._say(f"{symbol} rejected: {request.reason}".rstrip(": "), source=request.by)
            elif self._holds(symbol):
                self._say(f"{symbol} is held or worked in: not unsubscribed", source=request.strategy)
            elif self._watchlist.drop(symbol):
                self._session.drop_symbol(symbol)
                self._watched.discard(symbol)
                self._say(f"{symbol} is unsubscribed for the day", source=request.strategy)

    def _holds(self, symbol: str) -> bool:
        held = any(p.qty for (_, name), p in self._desk.positions.items() if name == symbol)
        return held or any(news.symbol == symbol for news in self._desk.live_news())

    # ---- scanners and symbols

    async def _look(self, t_ns: int) -> None:
        for scout in self._scouts:
            if scout.timetable.due(t_ns):
                hits = await scout.look(self._view, t_ns, self._house.record)
                outcome = await self._watch([(hit.symbol, scout.target) for hit in hits], scout.events)
                self._say_picks(scout.name, outcome)

    async def _watch(
        self, picks: Iterable[tuple[str, str]], events: frozenset[str] = frozenset()
    ) -> dict[str, str]:
        outcome = {symbol: self._watchlist.pick(symbol, target, events) for symbol, target in picks}
        for symbol in (symbol for symbol, what in outcome.items() if what == "new"):
            self._watched.add(symbol)
            self._house.symbols.add(symbol)
            self._venue.begin(symbol)
        changed = [symbol for symbol, what in outcome.items() if what in ("new", "wider")]
        for symbol in changed:
            if (watched := self._watchlist.get(symbol)) is not None:
                plan_events = self._house.plan.events
                self._admission.subscribe(symbol, events_of(watched, self._crew.events, plan_events))
        await self._serve(changed)
        return outcome

    async def _serve(self, symbols: Sequence[str]) -> None:
        """Hand symbols to the session with the history that the strategies declared."""
        now, crew = self._clock.now_ns(), self._crew
        minutes = await self._data.bars(symbols, history_start(now, crew.lookback), now)
        daily: dict[str, list[Bar]] = {}
        if days := crew.lookback_days:
            daily = await self._data.bars(symbols, daily_start(now, days), now, span_ns=DAY_NS)
        every = frozenset(slot.name for slot in crew.slots)
        for symbol in symbols:
            watched = self._watchlist.get(symbol)
            names = every & (watched.strategies() or every) if watched is not None else every
            if names:
                history, finished = minutes.get(symbol, []), daily.get(symbol, [])
                self._session.add_symbol(symbol, strategies=names, history=history, daily=finished)

    def _say_picks(self, scanner: str, outcome: dict[str, str]) -> None:
        if fresh := [symbol for symbol, what in outcome.items() if what == "new"]:
            self._say(f"{len(fresh)} new: {' '.join(fresh)}", source=scanner)
        if full := {symbol for symbol, what in outcome.items() if what == "full"} - self._left_out:
            self._left_out |= full
            words = (
                f"max_symbols = {self._house.plan.max_symbols} are watched: {' '.join(sorted(full))} left out"
            )
            self._house.record.say("warn", words, source=scanner)

    # ---- what strategies asked for

    def _put(self, requests: Iterable[Request]) -> None:
        for request in requests:
            match request:
                case Intent():
                    self._intents.append(request)
                case VetoRequest() | UnsubscribeRequest():
                    self._asked.append(request)
                case Said(strategy=strategy, symbol=symbol, words=words):
                    self._say(f"{symbol} {words}".lstrip(), source=strategy)
                case KeySet(strategy=strategy, key=key, value=value):
                    self._house.keys.setdefault(strategy, {})[key] = value
                case StrategyFault(strategy=strategy, symbol=symbol, words=words):
                    self._house.record.fault(f"quarantined: {symbol} {words}", source=strategy)

    def _save_each_minute(self, t_ns: int) -> None:
        # Live it is done every second; a state that cannot be kept must not stay unheard of here either.
        if t_ns // MINUTE_NS != self._saved_min:
            self._saved_min = t_ns // MINUTE_NS
            self._save_states()

    def _save_states(self) -> None:
        for strategy, symbol, state in self._session.changed_state():
            if strategy in self._crew.swing:
                self._house.states.setdefault(strategy, {})[symbol] = state

    def _say(self, words: str, *, source: str) -> None:
        self._house.record.say("info", words, source=source)
