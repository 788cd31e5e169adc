"""The supervisor: starts, watches and restarts the other processes, and folds what they say into one picture.

No user code and no vendor code runs here. A session in seven steps:
 1. `run_session`   go on with the batch that an earlier supervisor left, or begin one     (session.py)
 2. `_open_market`  start or adopt the local market, if the plan trades there              (marketkeeper.py)
 3. `_start_all`    start all children; the producer boots first and asks the venue for its hours and time
 4. `_boot`         boot each child with what is known of the venue and of its earlier life
 5. `kid_ready`     make the links between those that are ready, and hand the ends over     (staff.py)
 6. `turn`          hear : hearing.py, tending.py, symbols.py, steps.py, picture.py
 7. `Ending`        the ladder down: scanners, consumers, desk, producer, market            (ending.py)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from liu_tui.engine.bookkeeping import Bookkeeping
from liu_tui.engine.client import Farewell
from liu_tui.engine.commands import Commands
from liu_tui.engine.daylog import DayLog
from liu_tui.engine.ending import Ending
from liu_tui.engine.feeds import Feeds
from liu_tui.engine.fold import Fold
from liu_tui.engine.frontdoor import FrontDoor
from liu_tui.engine.hearing import Hearing
from liu_tui.engine.kids import Kid
from liu_tui.engine.marketkeeper import MarketKeeper
from liu_tui.engine.messages import Boot, Reconnect, Reload, SetAnchor, StepAck, StrategyState, VenueSaid
from liu_tui.engine.picture import picture_of, processes_of
from liu_tui.engine.records import Records
from liu_tui.engine.registry import Registry, SessionRecord, is_ours
from liu_tui.engine.shards import consumer_names, producer_names
from liu_tui.engine.snapshot import FlattenRow
from liu_tui.engine.staff import Staff
from liu_tui.engine.steps import StepGate
from liu_tui.engine.summary import summary_of
from liu_tui.engine.symbols import Symbols
from liu_tui.engine.tending import Tending
from liu_tui.engine.userwatch import watch
from liu_tui.errors import PlanError, RefusedError
from liu_tui.model.clock import SessionClock, SessionHours, monotonic_ns
from liu_tui.model.market import MINUTE_NS, SECOND_NS
from liu_tui.plan.diff import diff
from liu_tui.plan.load import load_plan
from liu_tui.plan.schema import TradePlan
from liu_tui.settings import Workspace
from liu_tui.store.store import Store
from liu_tui.wiring.venue import Venue, venue_of

TURN_S = 0.05
NAP_S = 0.01
AFTER_CLOSE_NS = MINUTE_NS
OLD_DESK_S = 5.0
_PHASES = {
    "waiting": "before the open: waiting",
    "trading": "the market is open",
    "closing": "the market has closed",
}


class Supervisor:
    """One session. See session.py for its start and its end in the books.

    recording: the file to record all market data to; by the plan's `record` if ""
    live:      the account whose real money a person has allowed, by its number
    venue:     a stand-in for the plan's own
    refused:   why this session cannot be, as a child has said
    ready: everybody runs, the feed is live, the desk and the broker agree
    phase: starting, waiting (for the open), trading, closing, ended
    """

    def __init__(
        self,
        *,
        plan: TradePlan,
        plan_file: str,
        record: SessionRecord,
        workspace: Workspace,
        registry: Registry,
        store: Store,
        build: str,
        recording: str = "",
        live: str = "",
        venue: Venue | None = None,
    ) -> None:
        self.plan, self.plan_file, self.build = plan, plan_file, build
        self.record, self.batch_id = record, record.batch_id
        self._workspace, self._registry, self._store = workspace, registry, store
        self._live, self._stand_in = live, venue
        self.refused: RefusedError | None = None
        self.clock = SessionClock()
        self.hours: SessionHours | None = None
        self.books = Bookkeeping(self.batch_id)
        self.log = DayLog(self.clock, self.books.line)
        self.fold = Fold(plan)
        self.wake = asyncio.Event()
        self.market: MarketKeeper | None = None
        self.staff = Staff(
            producer_names(plan.producers),
            consumer_names(plan.consumers, plan.max_symbols),
            scanners=bool(plan.scanners),
            log=workspace.logs_dir / f"{self.batch_id}.log",
            wake=self.wake.set,
        )
        kept = str(workspace.recordings_dir / f"{self.batch_id}.liu") if plan.record else ""
        self.recording = recording or kept
        self.feeds = Feeds((kid.name for kid in self.staff.producers), self.recording)
        self.gate = StepGate()
        self.symbols = Symbols(self)
        self.commands = Commands(self)
        self.door = FrontDoor(
            workspace.socket_path(self.batch_id), self.commands.take, self.symbols.ask_detail
        )
        self._hearing = Hearing(self)
        self._tending = Tending(self, workspace.sessions_dir)
        self.quarantined: dict[str, str] = {}
        self.plan_changed = ""
        self.phase = "starting"
        self.desk_ready = False
        self._venue: VenueSaid | None = None
        self.ready = asyncio.Event()
        self._seq = 0
        self._stop_reason = ""
        self._flatten = False
        self._deadline_ns = 0
        self.records: Records | None = None
        self._unwatch = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None

    # ── life ──

    async def run(self, for_s: float = 0.0) -> dict[str, Any]:
        """Run the session to its end; returns its summary.

        for_s: wall seconds from ready, 0 for the whole day

        Raises LiuError if it cannot start.
        """
        self.records = Records(self._store, lambda words: self.log.say("error", f"the books: {words}"))
        try:
            await self._restore(self.records)
            await self.door.open()
            await self._open_market()
            await self._start_all()
            self._watcher = asyncio.create_task(self._watch())
            while not self._over(for_s):
                await self.turn()
                if self.refused is not None:
                    raise self.refused
            return await Ending(self, self._stop_reason, flatten=self._flatten).run()
        finally:
            await self._leave_nothing_behind()

    def ask_stop(self, reason: str, *, flatten: bool = False) -> None:
        """End the session in order, soon."""
        self._stop_reason = self._stop_reason or reason
        self._flatten = self._flatten or flatten
        self.wake.set()

    def reconnect(self, words: str) -> tuple[bool, str]:
        """Have every data connection cut and made anew; what was refused is asked for again."""
        running = [producer for producer in self.staff.producers if producer.running]
        for producer in running:
            producer.tell(Reconnect(words=words))
        return (True, "reconnecting the data") if running else (False, "no producer runs at this moment")

    def _over(self, for_s: float) -> bool:
        if for_s and self.ready.is_set() and not self._deadline_ns:
            self._deadline_ns = monotonic_ns() + int(for_s * SECOND_NS)
        if self._deadline_ns and monotonic_ns() >= self._deadline_ns:
            self.ask_stop(f"ran for {for_s:g} s")
        hours = self.hours
        if hours is not None and self.clock.now_ns() >= hours.close_ns + AFTER_CLOSE_NS:
            self.ask_stop("market close")
        return bool(self._stop_reason)

    async def _restore(self, records: Records) -> None:
        """Remember what an earlier life of this batch had: fills, picks, vetoes, the log's last number."""
        await self.books.load(self._store, self.plan, records)
        self.log.start_after(await self._store.session_events.last(self.batch_id))
        for fill in await self._store.new_trades.load(self.batch_id):
            self.fold.book(fill)
        for pick in self.books.picks:
            if pick.symbol not in self.books.dropped:
                self.symbols.watching.list.pick(pick.symbol, pick.strategy)
        for symbol in self.books.dropped:
            self.symbols.watching.list.ban(symbol)
        self.symbols.watching.know(self.books.profiles.values())
        self.symbols.show_vetoes()
        if self.record.desk_pid:
            words = "the last supervisor of this batch died: going on with the same batch"
            self.log.say("warn", words, kind="restart")

    async def _open_market(self) -> None:
        if self.plan.market is None:
            return
        market = self.market = MarketKeeper(self.plan.market, self._workspace, self.batch_id, self.plan.fees)
        old = self.record
        if not await market.adopt(old.market_pid, old.market_url, old.market_port or self.plan.market.port):
            await market.start()
        self.note(
            market_pid=market.pid, market_url=market.url, market_port=market.port, ledger=str(market.ledger)
        )

    async def _start_all(self) -> None:
        await self._dismiss_old_desk()
        for kid in self.staff:
            await self.staff.start(kid)
        for producer in self.staff.producers:
            self._boot(producer)

    async def _dismiss_old_desk(self) -> None:
        """The desk of a dead supervisor has been waiting for us: it lets go, and ours reads its journal."""
        pid = self.record.desk_pid
        if not is_ours(pid):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = monotonic_ns() + int(OLD_DESK_S * SECOND_NS)
        while is_ours(pid) and monotonic_ns() < deadline:
            await self.nap()

    async def _leave_nothing_behind(self) -> None:
        """Whatever happened: no child stays, and what was heard is written."""
        self._unwatch.set()
        if self._watcher is not None:
            await self._watcher
        for kid in self.staff:
            if kid.state not in ("off", "dead"):
                await kid.stop("the supervisor ends")
            kid.close()
        if self.market is not None and self.phase != "ended":
            await self.market.stop()
        await self.door.close(Farewell(str(self.refused or "the session has ended")))
        if self.records is not None:
            await self.records.close()

    # ── one turn ──

    async def turn(self) -> None:
        """Do everything once, as soon as there is something to do."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TURN_S):
                await self.wake.wait()
        self.wake.clear()
        self.hear()
        if self.hours is not None:  # before that, the session's time is not known
            self.symbols.look(self.clock.now_ns())
        await self._tending.look()
        self._step()
        self._set_phase()
        if self.door.watched():
            self._seq += 1
            self.door.show(picture_of(self, self._seq), self.log.after)

    def hear(self) -> None:
        """Take what the children have said."""
        for kid in self.staff:
            for message in kid.hear():
                self._hearing.take(kid, message)

    async def nap(self) -> None:
        """Let the children speak."""
        await asyncio.sleep(NAP_S)

    def expect(self, command_id: str) -> Callable[[], bool]:
        """Return what tells whether the desk has answered this command."""
        return self._hearing.expect(command_id)

    def _step(self) -> None:
        if not self.plan.lockstep or not self.ready.is_set():
            return
        roles = ("desk",) if self.staff.scanners is None else ("desk", "scanners")
        self._hearing.release()
        n = self.gate.to_acknowledge(roles if self.gate.n else ())
        if n is not None:
            for producer in self.staff.producers:
                producer.tell(StepAck(n=n))

    def _set_phase(self) -> None:
        if not self.ready.is_set():
            if not (self.staff.all_running and self.desk_ready and self.feeds.live):
                return
            self.ready.set()
            words = f"ready: batch {self.batch_id}, {len(self.staff.consumers)} consumers"
            self.log.say("good", words)
        hours, now = self.hours, self.clock.now_ns()
        if hours is None:
            return
        phase = "waiting" if now < hours.open_ns else "trading" if now < hours.close_ns else "closing"
        if phase != self.phase:
            self.log.say("info", _PHASES[phase])
            self.phase = phase

    # ── the children's beginning ──

    def boot_if_known(self, kid: Kid) -> None:
        """Boot a child that was started again, if the venue's hours are known; the producer asks for them."""
        if kid is self.staff.scanners:
            self._boot_scanners()
        elif self.hours is not None or kid.role == "producer":
            self._boot(kid)

    def venue_said(self, said: VenueSaid) -> None:
        """A producer has asked the venue: the others may boot."""
        if self.hours is not None:
            return
        self.hours, self._venue = said.hours, said
        for kid in (self.staff.desk, *self.staff.consumers):
            self._boot(kid)

    def kid_ready(self, kid: Kid) -> None:
        """A child has booted: introduce it, and tell it what its predecessor knew."""
        kid.state = "running"
        self.staff.introduce(kid)
        kid.tell(SetAnchor(anchor=self.clock.anchor))
        if kid.role == "consumer":
            self.symbols.tell_consumer(self.staff.place_of(kid))
            self._boot_scanners()
        elif kid is self.staff.scanners:
            self.gate.excuse("scanners")
        elif kid.role == "producer":
            if self.gate.acked >= 0:  # lock-step: the last word to its predecessor may have died with it
                kid.tell(StepAck(n=self.gate.acked))
            if self.symbols.names:
                self.symbols.tell_producer(self.staff.place_of(kid))

    def _boot_scanners(self) -> None:
        """Picks are handed out by what the consumers said of their strategies: so these come first."""
        scanners = self.staff.scanners
        everybody = all(consumer.running for consumer in self.staff.consumers)
        if scanners is not None and everybody and not scanners.booted:
            self._boot(scanners)

    def _boot(self, kid: Kid) -> None:
        staff, books = self.staff, self.books
        serves = kid.role == "consumer"
        kid.tell(
            Boot(
                role=kid.role,
                name=kid.name,
                build=self.build,
                batch_id=self.batch_id,
                plan=self.plan,
                plan_file=self.plan_file,
                venue=self._stand_in or venue_of(self.plan, self.market.url if self.market else ""),
                hours=self.hours or SessionHours("", 0, 0, 0, 0),
                anchor=self.clock.anchor,
                consumers=tuple(consumer.name for consumer in staff.consumers),
                index=staff.place_of(kid),
                workspace=str(self._workspace.root),
                home=str(self._workspace.home),
                after_fill=books.after_fill.get(kid.name, 0),
                untold=books.untold.get(kid.name, ()),
                states=books.states_rows() if serves else (),
                keys=tuple(books.keys.values()) if serves else (),
                vetoes=tuple(books.vetoes.values()),
                profiles=tuple(self.symbols.watching.profiles.values()),
                lost_ns=self.feeds.lost_ns.get(kid.name, 0),
                quarantined=tuple(self.quarantined.items()),
                producers=tuple(producer.name for producer in staff.producers),
                recording=self.recording if kid.role == "producer" else "",
                calendar=self._venue.calendar if self._venue else (),
                closed=self._venue.closed if self._venue else (),
                live=self._live,
            )
        )
        if kid is staff.desk:
            self.note(desk_pid=kid.pid)

    # ── users' files ──

    def quarantine(self, strategy: str, words: str) -> None:
        """A strategy hung its consumer: the next one does not call it."""
        self.quarantined[strategy] = words
        self.fold.strategy(StrategyState(name=strategy, state="quarantined", words=words))

    async def _watch(self) -> None:
        try:
            await watch(self._user_files(), self._saved, self._unwatch)
        except OSError as e:
            self.log.say("error", f"saved files are not noticed: {e}; restart to load them", source="files")

    def _user_files(self) -> list[Path]:
        names = [table.filename for table in self.plan.strategies.values()]
        names += [table.filename for table in self.plan.scanners.values()]
        return [Path(self.plan_file), *(self._workspace.root / name for name in names)]

    def _saved(self, path: Path) -> None:
        """A user's file was saved: whoever runs it loads it anew; a plan is only compared."""
        if path == Path(self.plan_file):
            self._compare_plan(path)
            return
        filename = os.path.relpath(path, os.path.realpath(self._workspace.root))
        for kid in self.staff:
            if kid.role in ("consumer", "scanners"):
                kid.tell(Reload(filename=filename))

    def _compare_plan(self, path: Path) -> None:
        try:
            changes = diff(self.plan, load_plan(path, base=self._workspace.root))
        except PlanError as e:
            self.log.say("error", f"the saved plan has faults and changes nothing: {e}", source="plan")
            return
        self.plan_changed = "\n".join(changes)
        for line in changes:
            self.log.say("info", f"{line} (applies at the next start)", source="plan")

    # ── telling ──

    @property
    def market_up(self) -> bool:
        """There is a venue to connect to."""
        return self.market is None or not self.market.is_dead()

    def summary(self) -> dict[str, Any]:
        """The session in numbers, as they stand."""
        return summary_of(
            batch_id=self.batch_id,
            environment=self.plan.environment.value,
            fold=self.fold,
            feed=self.feeds.row(self.staff.producers),
            producers=self.staff.producers,
            consumers=self.staff.consumers,
            kids=list(self.staff),
            market=self.market,
            symbols=self.symbols.names,
            end_reason=self._stop_reason,
        )

    def status(self) -> dict[str, Any]:
        """The summary, and how everything stands; the answer to `ctl status`."""
        facts = self.fold.desk
        return {
            **self.summary(),
            "phase": self.phase,
            "state": facts.state if facts else "ACTIVE",
            "state_by": facts.by if facts else "",
            "state_reason": facts.reason if facts else "",
            "processes": [_named(row) for row in processes_of(self)],
            "vetoes": [_named(row) for row in self.fold.vetoes.values()],
            "flattens": [_flatten(row) for row in facts.flattens] if facts else [],
            "differences": [_named(row) for row in facts.differences] if facts else [],
            "account": _named(facts.account) if facts and facts.account else None,
        }

    def note(self, **changes: Any) -> None:
        """Write down what the next start needs to know."""
        self.record = msgspec.structs.replace(self.record, **changes)
        self._registry.save(self.record)


def _named(row: msgspec.Struct) -> dict[str, Any]:
    """A row of a picture by the names of its fields; on the wire it is an array."""
    return {name: getattr(row, name) for name in row.__struct_fields__}


def _flatten(row: FlattenRow) -> dict[str, Any]:
    stuck = [{"symbol": symbol, "qty": qty, "why": why} for symbol, qty, why in row.stuck]
    return {**_named(row), "stuck": stuck}
