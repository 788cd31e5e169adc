"""What the supervisor does with each thing that a child says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liu_tui.engine.kids import Kid
from liu_tui.engine.messages import (
    Assigned,
    DeskDone,
    DeskFacts,
    DeskProfiles,
    DeskReady,
    FeedSaid,
    FromChild,
    Profiles,
    Ready,
    Routed,
    Said,
    Scanned,
    SeriesDetail,
    SessionOver,
    SetAnchor,
    StatesSaved,
    StepBegin,
    StepDone,
    StrategyState,
    UnsubscribeAsked,
    VenueSaid,
    VetoAsked,
    VetoSet,
)
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
_FEED_LEVELS = {FeedState.LIVE: "good", FeedState.CONNECTING: "info"}


class Hearing:
    """Dispatches messages; holds nothing but which endings the desk has reported."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._house = supervisor
        self._expected: dict[str, bool] = {}
        self._over_limit: set[str] = set()

    def expect(self, command_id: str) -> None:
        """The desk's answer to this command will be asked for with came()."""
        self._expected[command_id] = False

    def came(self, command_id: str) -> bool:
        """Whether the answer has come."""
        return self._expected[command_id]

    def quarantine(self, strategy: str, words: str) -> None:
        """Show a strategy as quarantined."""
        self._house.fold.strategy(StrategyState(name=strategy, state="quarantined", words=words))

    def take(self, kid: Kid, message: FromChild) -> None:
        """One message of one child."""
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
            case Said(level=level, source=source, words=words, t_ns=t_ns, kind=kind):
                self._house.log.say(level, words, source=source, kind=kind, t_ns=t_ns)

    def _from_producer(self, kid: Kid, message: FromChild) -> None:
        house = self._house
        match message:
            case VenueSaid(hours=hours, anchor=anchor):
                house.clock.set(anchor)
                house.venue_said(hours)
            case SetAnchor(anchor=anchor):
                house.clock.set(anchor)
                for other in house.staff:
                    if other is not kid:
                        other.tell(message)
            case FeedSaid(status=status):
                house.fold.feed_said(status)
                house.feed_live = status.state is FeedState.LIVE
                level = _FEED_LEVELS.get(status.state, "error")
                words = f"feed {status.state.value}: {status.words}".rstrip(": ")
                house.log.say(level, words, source="feed", kind="" if level == "info" else "feed")
            case Routed(n=n, words=words):
                house.gate.settled(f"routes {n}")
                if words:
                    house.log.say("error", words, source="feed", kind="feed")
            case StepBegin(n=n, t_ns=t_ns):
                house.clock.step_to(t_ns)
                house.gate.begin(n)
                if house.staff.scanners is not None:
                    house.staff.scanners.tell(message)
            case SessionOver():
                house.ask_stop("market close")

    def _from_desk(self, message: FromChild) -> None:
        house = self._house
        match message:
            case DeskReady(account=account):
                house.desk_ready = True
                house.account_known(account.id)
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
                house.watching.know(profiles)
                house.desk.tell(DeskProfiles(profiles=profiles))
                for profile in profiles:
                    if profile.fault:
                        self.quarantine(profile.name, profile.fault)
            case StrategyState(name=name, state=state):
                house.fold.strategy(message)
                if state == "running":
                    house.quarantined.pop(name, None)
            case Assigned(n=n):
                house.gate.settled(f"assign {house.staff.place_of(kid)} {n}")
            case StatesSaved():
                house.books.save_states(kid.name, message, house.clock.now_ns())
            case SeriesDetail(detail=detail):
                house.detail_came(detail)
            case VetoAsked(symbol=symbol, strategy=strategy, by=by, reason=reason):
                veto = VetoSet(
                    symbol=symbol, strategy=strategy, on=True, by=by, reason=reason, since_ns=wall_ns()
                )
                house.set_veto(veto)
                house.log.say("info", f"{symbol} rejected: {reason}".rstrip(": "), source=by)
            case UnsubscribeAsked(symbol=symbol, by=by, reason=reason):
                ok, words = house.unsubscribe(symbol)
                house.log.say("info" if ok else "warn", f"{words} ({reason})", source=by)

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
        outcome = house.watch([(found.symbol, said.target) for found in said.hits])
        fresh = [symbol for symbol, what in outcome.items() if what == "new"]
        for found in said.hits:
            state = _OUTCOMES[outcome[found.symbol]]
            if house.books.rejected(found.symbol):
                state = "rejected"
            place = house.watching.owner(found.symbol)
            house.fold.hit(said, found, house.staff.consumers[place].name, state)
        full = {symbol for symbol, what in outcome.items() if what == "full"} - self._over_limit
        self._over_limit |= full
        if fresh:
            house.log.say("info", f"{len(fresh)} new: {' '.join(fresh)}", source=said.scanner)
        if full:
            words = f"max_symbols = {house.plan.max_symbols} are watched: {' '.join(sorted(full))} left out"
            house.log.say("warn", words, source=said.scanner)
