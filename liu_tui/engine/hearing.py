"""What the supervisor does with each thing that a child says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from liu_tui.engine.kids import Kid
from liu_tui.engine.messages import (
    Assigned,
    DeskDone,
    DeskFacts,
    DeskProfiles,
    DeskReady,
    FeedSaid,
    Freshness,
    FromChild,
    Profiles,
    Ready,
    Routed,
    Said,
    Scanned,
    SeriesDetail,
    SessionOver,
    SessionRefused,
    SetAnchor,
    StatesSaved,
    StepBegin,
    StepDone,
    StrategyProfile,
    StrategyState,
    UnsubscribeAsked,
    VenueSaid,
    VetoAsked,
    VetoSet,
)
from liu_tui.engine.records import Write
from liu_tui.errors import RefusedError
from liu_tui.market.streaming import FeedState
from liu_tui.model.clock import wall_ns

if TYPE_CHECKING:
    from liu_tui.engine.supervisor import Supervisor

_OUTCOMES = {
    "new": "watched",
    "wider": "watched",
    "known": "watched",
    "full": "over limit",
    "dropped": "unsubscribed",
}
_CHANGES = Scanned | VetoAsked | UnsubscribeAsked
"""What changes who is served."""
_FEED_LEVELS = {FeedState.LIVE: "good", FeedState.CONNECTING: "info"}


class Hearing:
    """Dispatches messages. In lock-step, what changes who is served waits until the desk has done the step.

    So a scanner that is quicker than a consumer does not slip a symbol into a step that is under way, and a
    replay serves each symbol from the same step on, as the backtest does.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._house = supervisor
        self._expected: dict[str, bool] = {}
        self._over_limit: set[str] = set()
        self._waiting: list[tuple[Kid, FromChild]] = []

    def expect(self, command_id: str) -> Callable[[], bool]:
        """Return what tells whether the desk has answered this command."""
        self._expected[command_id] = False
        return lambda: self._expected[command_id]

    def take(self, kid: Kid, message: FromChild) -> None:
        """One message of one child."""
        if isinstance(message, _CHANGES) and self._house.plan.lockstep and not self._house.gate.over("desk"):
            self._waiting.append((kid, message))
            return
        if kid.role == "producer":
            self._from_producer(kid, message)
        elif kid.role == "desk":
            self._from_desk(message)
        elif kid.role == "consumer":
            self._from_consumer(kid, message)
        else:
            self._from_scanners(message)
        match message:
            case Ready():
                self._house.kid_ready(kid)
            case SessionRefused(what=what, where=where, mend=mend):
                self._house.refused = RefusedError(what, where=where, mend=mend)
            case Said(level=level, source=source, words=words, t_ns=t_ns, kind=kind):
                self._house.log.say(level, words, source=source, kind=kind, t_ns=t_ns)

    def release(self) -> None:
        """Do what has waited for the end of the step: what strategies asked for, then what scanners found."""
        if self._waiting and self._house.gate.over("desk"):
            waiting, self._waiting = self._waiting, []
            for kid, message in sorted(waiting, key=lambda item: item[0].role == "scanners"):
                self.take(kid, message)

    def _from_producer(self, kid: Kid, message: FromChild) -> None:
        house = self._house
        match message:
            case VenueSaid(hours=hours, anchor=anchor):
                house.clock.set(anchor)
                house.venue_said(message)
                self._put(lambda store: store.batches.set_day(house.batch_id, hours.day))
            case SetAnchor(anchor=anchor):
                house.clock.set(anchor)
                for other in house.staff:
                    if other is not kid:
                        other.tell(message)
            case Routed(n=n, words=words):
                house.gate.settled(f"routes {house.staff.place_of(kid)} {n}")
                if words:
                    house.log.say("error", words, source=self._feed_of(kid), kind="feed")
            case FeedSaid() | Freshness():
                self._from_feed(kid, message)
            case StepBegin(n=n, t_ns=t_ns):
                house.clock.step_to(t_ns)
                house.gate.begin(n)
                house.staff.tell_scanners(message)
            case SessionOver():
                house.ask_stop("market close")

    def _from_feed(self, kid: Kid, said: FeedSaid | Freshness) -> None:
        """How a connection stands, and how fresh what comes over it is."""
        feeds, level, words = self._house.feeds, "warn", ""
        if isinstance(said, FeedSaid):
            feeds.said(kid.name, said.status)
            level = _FEED_LEVELS.get(said.status.state, "error")
            words = f"{said.status.state.value}: {said.status.words}".rstrip(": ")
        elif feeds.fresh(kid.name, said):
            words = f"silent: connected, but no event for {said.silent_s:.0f} s"
        if words:
            kind = "" if level == "info" else "feed"
            self._house.log.say(level, words, source=self._feed_of(kid), kind=kind)

    def _feed_of(self, kid: Kid) -> str:
        """What the log calls a connection; with several it must say which."""
        return "feed" if len(self._house.staff.producers) == 1 else f"feed of {kid.name}"

    def _from_desk(self, message: FromChild) -> None:
        house = self._house
        match message:
            case DeskReady(account=account):
                house.desk_ready = True
                house.gate.excuse("desk")
                self._account_known(account.id)
            case DeskFacts():
                house.fold.desk_said(message)
            case DeskDone(id=command_id, ok=ok, words=words):
                if command_id in self._expected:
                    self._expected[command_id] = True
                else:
                    house.commands.done(command_id, ok, words)
            case StepDone(n=n):
                house.gate.done("desk", n)

    def _from_consumer(self, kid: Kid, message: FromChild) -> None:
        house = self._house
        match message:
            case Profiles(profiles=profiles):
                self._learn(profiles)
            case StrategyState(name=name, state=state):
                house.fold.strategy(message)
                if state == "running":
                    house.quarantined.pop(name, None)
            case Assigned(n=n):
                house.gate.settled(f"assign {house.staff.place_of(kid)} {n}")
            case StatesSaved():
                house.books.save_states(kid.name, message, house.clock.now_ns())
            case SeriesDetail(detail=detail):
                house.symbols.detail_came(detail)
            case VetoAsked():
                self._veto_asked(message)
            case UnsubscribeAsked(symbol=symbol, by=by, reason=reason):
                ok, words = house.symbols.unsubscribe(symbol)
                house.log.say("info" if ok else "warn", f"{words} ({reason})", source=by)

    def _learn(self, profiles: tuple[StrategyProfile, ...]) -> None:
        """A consumer has loaded the strategies, or some of them anew."""
        house = self._house
        if house.symbols.watching.know(profiles):
            house.symbols.tell_everybody()
        for profile in profiles:
            if not profile.fault:
                house.books.save_profile(profile)
        # A file that does not load declares nothing: what the desk knew of its strategy stays true.
        house.staff.desk.tell(DeskProfiles(profiles=tuple(row for row in profiles if not row.fault)))
        for profile in profiles:
            if profile.fault:
                state = StrategyState(name=profile.name, state="quarantined", words=profile.fault)
                house.fold.strategy(state)
                house.log.say("error", f"does not load: {profile.fault}", source=profile.name)

    def _veto_asked(self, said: VetoAsked) -> None:
        veto = VetoSet(
            symbol=said.symbol,
            strategy=said.strategy,
            on=True,
            by=said.by,
            reason=said.reason,
            since_ns=wall_ns(),
            until_ns=said.until_ns,
        )
        self._house.symbols.set_veto(veto)
        self._house.log.say("info", f"{said.symbol} rejected: {said.reason}".rstrip(": "), source=said.by)

    def _account_known(self, account_id: str) -> None:
        self._put(lambda store: store.batches.set_account(self._house.batch_id, account_id))

    def _put(self, write: Write) -> None:
        if self._house.records is not None:
            self._house.records.put(write)

    def _from_scanners(self, message: FromChild) -> None:
        match message:
            case Scanned():
                self._scanned(message)
            case StepDone(n=n):
                self._house.gate.done("scanners", n)

    def _scanned(self, said: Scanned) -> None:
        house = self._house
        house.fold.scanned(said)
        house.books.hits(said)
        outcome = house.symbols.pick([(found.symbol, said.target) for found in said.hits], said.events)
        fresh = [symbol for symbol, what in outcome.items() if what == "new"]
        for found in said.hits:
            state = _OUTCOMES[outcome[found.symbol]]
            if house.books.rejected(found.symbol):
                state = "rejected"
            place = house.symbols.watching.owner(found.symbol)
            house.fold.hit(said, found, house.staff.consumers[place].name, state)
        full = {symbol for symbol, what in outcome.items() if what == "full"} - self._over_limit
        self._over_limit |= full
        if fresh:
            house.log.say("info", f"{len(fresh)} new: {' '.join(fresh)}", source=said.scanner)
        if full:
            words = f"max_symbols = {house.plan.max_symbols} are watched: {' '.join(sorted(full))} left out"
            house.log.say("warn", words, source=said.scanner)
