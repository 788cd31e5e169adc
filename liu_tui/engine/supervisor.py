"""The supervisor: starts, watches and restarts the other processes, and folds what they say into one picture.

No user code and no vendor code runs here. A session in seven steps:
 1. `enter`         go on with the batch that an earlier supervisor left, or begin one      (session.py)
 2. `_open_market`  start or adopt the local market, if the plan trades there
 3. `_start_all`    start all children; the producer boots first and asks the venue for its hours and time
 4. `_boot`         boot each child with what is known of the venue and of its earlier life
 5. `Staff.introduce`  make the links between those that are ready, and hand the ends over
 6. `_turn`         hear, bury, restart, subscribe, step, publish; until the session ends
 7. `_close`        the ladder down: scanners, consumers, desk, producer, market; then the books' last rows
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from pathlib import Path
from typing import Any

import msgspec

from liu_tui.engine.bookkeeping import Bookkeeping
from liu_tui.engine.client import Command, Farewell, Reply
from liu_tui.engine.commands import Commands
from liu_tui.engine.daylog import DayLog
from liu_tui.engine.fold import Fold
from liu_tui.engine.frontdoor import FrontDoor, Guest
from liu_tui.engine.hearing import Hearing
from liu_tui.engine.kids import Kid
from liu_tui.engine.marketkeeper import MarketKeeper
from liu_tui.engine.messages import (
    AskSeries,
    Assign,
    Boot,
    DeskOrder,
    Drop,
    Reload,
    Routes,
    SetAnchor,
    StepAck,
    VetoSet,
)
from liu_tui.engine.meter import read_face
from liu_tui.engine.picture import picture_of, processes_of
from liu_tui.engine.records import Records, Write
from liu_tui.engine.registry import Registry, SessionRecord, is_alive
from liu_tui.engine.shards import consumer_names
from liu_tui.engine.snapshot import Detail, VetoRow
from liu_tui.engine.staff import Staff
from liu_tui.engine.steps import StepGate
from liu_tui.engine.summary import summary_of
from liu_tui.engine.userwatch import watch
from liu_tui.engine.watching import Watching, split
from liu_tui.errors import LiuError, PlanError
from liu_tui.model.clock import SessionClock, SessionHours, monotonic_ns
from liu_tui.model.market import MINUTE_NS, SECOND_NS
from liu_tui.plan.diff import diff
from liu_tui.plan.load import load_plan
from liu_tui.plan.schema import TradePlan
from liu_tui.settings import Workspace
from liu_tui.store.store import Store
from liu_tui.wiring.venue import venue_of

_log = logging.getLogger(__name__)

TURN_S = 0.05
SILENT_S = 8.0
"""A child that was not heard for so long hangs; heartbeats come four times a second."""
FLAT_S = 60.0
"""How long a stop with flatten waits for flat before it says what could not be closed."""
AFTER_CLOSE_NS = MINUTE_NS
READY_S = 90.0


class Supervisor:
    """One session. See session.py for its start and its end in the books."""

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
    ) -> None:
        self.plan, self.plan_file, self.build = plan, plan_file, build
        self.record = record
        self.batch_id = record.batch_id
        self._workspace, self._registry, self._store = workspace, registry, store
        self.clock = SessionClock()
        self.hours: SessionHours | None = None
        self.books = Bookkeeping(self.batch_id)
        self.log = DayLog(self.clock, self.books.line)
        self.fold = Fold(plan)
        self.wake = asyncio.Event()
        self.market: MarketKeeper | None = None
        names = consumer_names(plan.consumers, plan.max_symbols)
        self.staff = Staff(
            names,
            scanners=bool(plan.scanners),
            log=workspace.logs_dir / f"{self.batch_id}.log",
            wake=self.wake.set,
        )
        self.watching = Watching(plan, len(names))
        self.gate = StepGate()
        self.commands = Commands(self, self._answer)
        self._hearing = Hearing(self)
        self.door = FrontDoor(workspace.socket_path(self.batch_id), self.commands.take, self.ask_detail)
        self.details: dict[str, list[Guest]] = {}
        self.quarantined: dict[str, str] = {}
        self.plan_changed = ""
        self.phase = "starting"
        self.desk_ready = self.feed_live = False
        self.ready = asyncio.Event()
        self._numbers = 0
        self._seq = 0
        self._stop_reason = ""
        self._flatten = False
        self._records: Records | None = None
        self._deadline_ns = 0
        self._unwatch = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None

    # ── life ──

    @property
    def desk(self) -> Kid:
        """The desk's process."""
        return self.staff.desk

    async def run(self, for_s: float = 0.0) -> dict[str, Any]:
        """Run the session to its end; returns its summary.

        for_s: wall seconds from ready, 0 for the whole day

        Raises LiuError if it cannot start.
        """
        self._records = Records(self._store, lambda words: self.log.say("error", f"the books: {words}"))
        try:
            await self.books.load(self._store, self.plan, self._records)
            self.log.start_after(await self._store.session_events.last(self.batch_id))
            await self._restore()
            await self.door.open()
            await self._open_market()
            await self._start_all()
            self._watcher = asyncio.create_task(watch(self.user_files(), self.saved, self._unwatch))
            while not self._over(for_s):
                await self._turn()
            return await self._close()
        finally:
            await self._abandon()

    def ask_stop(self, reason: str, *, flatten: bool = False) -> None:
        """End the session in order, soon."""
        self._stop_reason = self._stop_reason or reason
        self._flatten = self._flatten or flatten
        self.wake.set()

    def _over(self, for_s: float) -> bool:
        if for_s and self.ready.is_set() and not self._deadline_ns:
            self._deadline_ns = monotonic_ns() + int(for_s * SECOND_NS)
        if self._deadline_ns and monotonic_ns() >= self._deadline_ns:
            self.ask_stop(f"ran for {for_s:g} s")
        hours = self.hours
        if hours is not None and self.clock.now_ns() >= hours.close_ns + AFTER_CLOSE_NS:
            self.ask_stop("market close")
        return bool(self._stop_reason)

    async def _restore(self) -> None:
        """Remember what an earlier life of this batch had: fills, picks, vetoes."""
        for fill in await self._store.new_trades.load(self.batch_id):
            self.fold.book(fill)
        for pick in self.books.picks:
            self.watching.list.pick(pick.symbol, pick.strategy)
        if self.record.desk_pid:
            self.log.say("warn", "the last supervisor of this batch died: going on with the same batch", kind="restart")

    async def _open_market(self) -> None:
        if self.plan.market is None:
            return
        market = self.market = MarketKeeper(self.plan.market, self._workspace, self.batch_id)
        old = self.record
        if not await market.adopt(old.market_pid, old.market_url, old.market_port or self.plan.market.port):
            await market.start()
        self._note(
            market_pid=market.pid, market_url=market.url, market_port=market.port, ledger=str(market.ledger)
        )

    async def _start_all(self) -> None:
        await self._dismiss_old_desk()
        for kid in self.staff:
            await self.staff.start(kid)
        self._boot(self.staff.producer)

    async def _dismiss_old_desk(self) -> None:
        """The desk of a dead supervisor has been waiting for us: it lets go, and ours reads its journal."""
        pid = self.record.desk_pid
        if pid and is_alive(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 15)
            for _ in range(100):
                if not is_alive(pid):
                    break
                await asyncio.sleep(0.05)

    # ── one turn ──

    async def _turn(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TURN_S):
                await self.wake.wait()
        self.wake.clear()
        for kid in self.staff:
            for message in kid.hear():
                self._hearing.take(kid, message)
        await self._tend()
        self._step()
        self._phase()
        if self.door.watched():
            self._seq += 1
            self.door.show(picture_of(self, self._seq), self.log.after)

    async def _tend(self) -> None:
        """Bury the dead, end the hanging, start again those whose time has come."""
        for kid in self.staff:
            if kid.is_dead():
                self._bury(kid)
            elif kid.running and kid.silent_s() > SILENT_S:
                self._end_hanging(kid)
            elif kid.state == "dead" and monotonic_ns() >= kid.next_start_ns and self.market_up:
                kid.restarts += 1
                await self.staff.start(kid)
                if self.hours is not None or kid is self.staff.producer:
                    self._boot(kid)
        if self.market is not None and self.market.is_dead():
            self.log.say("error", "the local market died: starting it again with its ledger", kind="restart")
            await self.market.restart()
            self._note(market_pid=self.market.pid)

    @property
    def market_up(self) -> bool:
        """There is a venue to connect to."""
        return self.market is None or not self.market.is_dead()

    def _bury(self, kid: Kid) -> None:
        words = kid.bury()
        self.log.say("error", f"{_called(kid)} died ({words}): starting it again", source=kid.name, kind="restart")
        if kid is self.desk:
            self.desk_ready = False
            self.commands.desk_lost()
            self.gate.excuse("desk")
        elif kid is self.staff.producer:
            self.feed_live = False
        elif kid is self.staff.scanners:
            self.gate.excuse("scanners")

    def _end_hanging(self, kid: Kid) -> None:
        strategy = ""
        if kid.role == "consumer":
            strategy, symbol = read_face(self._workspace.sessions_dir / f"{self.batch_id}.{kid.name}.face")
            if strategy:
                self.quarantined[strategy] = f"hung on {symbol}: quarantined until its file is saved"
                self._hearing.quarantine(strategy, self.quarantined[strategy])
        blame = f" in strategy {strategy}" if strategy else ""
        self.log.say(
            "error",
            f"{_called(kid)} was silent for {kid.silent_s():.0f} s{blame}: ending it",
            source=kid.name,
        )
        kid.kill()

    def _boot(self, kid: Kid) -> None:
        """Send a child its first message."""
        staff = self.staff
        hours = self.hours or SessionHours("", 0, 0, 0, 0)
        kid.boot(
            Boot(
                role=kid.role,
                name=kid.name,
                build=self.build,
                batch_id=self.batch_id,
                plan=self.plan,
                plan_file=self.plan_file,
                venue=venue_of(self.plan, self.market.url if self.market else ""),
                hours=hours,
                anchor=self.clock.anchor,
                consumers=tuple(consumer.name for consumer in staff.consumers),
                index=staff.place_of(kid),
                workspace=str(self._workspace.root),
                home=str(self._workspace.home),
                after_fill=self.books.after_fill.get(kid.name, 0),
                states=self.books.states_rows() if kid.role == "consumer" else (),
                keys=tuple(self.books.keys.values()) if kid.role == "consumer" else (),
                vetoes=tuple(self.books.vetoes.values()),
                profiles=tuple(self.watching.profiles.values()),
                quarantined=tuple(self.quarantined.items()),
            )
        )
        if kid is self.desk:
            self._note(desk_pid=kid.pid)

    def venue_said(self, hours: SessionHours) -> None:
        """The producer has asked the venue: the others may boot."""
        if self.hours is not None:
            return
        self.hours = hours
        for kid in self.staff:
            if kid is not self.staff.producer:
                self._boot(kid)

    def kid_ready(self, kid: Kid) -> None:
        """A child has booted: introduce it, and tell it what its predecessor knew."""
        kid.state = "running"
        self.staff.introduce(kid)
        kid.tell(SetAnchor(anchor=self.clock.anchor))
        if kid.role == "consumer":
            place = self.staff.place_of(kid)
            if tasks := self.watching.tasks_for(place):
                kid.tell(Assign(n=self._number(f"assign {place}"), tasks=tuple(tasks)))
        elif kid is self.staff.producer and len(self.watching.list):
            self.send_routes()

    def check_ready(self) -> None:
        """The session is ready when everybody is, the feed is live and the desk agrees with the broker."""
        if self.ready.is_set() or not (self.staff.all_running and self.desk_ready and self.feed_live):
            return
        self.ready.set()
        self.log.say("good", f"ready: batch {self.batch_id}, {len(self.staff.consumers)} consumers")

    # ── watching ──

    def watch(self, picks: list[tuple[str, str]]) -> dict[str, str]:
        """Pick symbols (symbol, target) and subscribe what is new; returns symbol -> what became of it."""
        outcome = {symbol: self.watching.list.pick(symbol, target) for symbol, target in picks}
        fresh = [symbol for symbol, what in outcome.items() if what in ("new", "wider")]
        for place, tasks in split(self.watching.tasks_of(symbol) for symbol in fresh).items():
            self.staff.consumers[place].tell(Assign(n=self._number(f"assign {place}"), tasks=tasks))
        if fresh:
            self.send_routes()
        return outcome

    def subscribe(self, symbol: str) -> tuple[bool, str]:
        """A person subscribes a symbol for all strategies."""
        self.watching.list.restore(symbol)
        outcome = self.watch([(symbol, "")])[symbol]
        if outcome == "full":
            return False, f"max_symbols = {self.plan.max_symbols} are watched already: unsubscribe one first"
        self.fold.mark_hits(symbol, "watched")
        return True, f"{symbol} is subscribed"

    def unsubscribe(self, symbol: str) -> tuple[bool, str]:
        """Drop a symbol's data, unless something is held or working in it."""
        if self.holds(symbol):
            return False, f"{symbol} has a position or a working order: flatten or cancel it first"
        places = list(self.watching.tasks_of(symbol))
        if not self.watching.list.drop(symbol):
            return False, f"{symbol} is not subscribed"
        for place in places:
            self.staff.consumers[place].tell(Drop(symbol=symbol))
        self.send_routes()
        self.fold.mark_hits(symbol, "unsubscribed")
        return True, f"{symbol} is unsubscribed for the day"

    def holds(self, symbol: str) -> bool:
        """Whether anything is held or working in a symbol."""
        facts = self.fold.desk
        held = any(p.symbol == symbol and p.qty for p in facts.positions) if facts else False
        return held or any(n.symbol == symbol and not n.state.final for n in self.fold.orders.values())

    def set_veto(self, veto: VetoSet) -> None:
        """Reject or allow a symbol, everywhere."""
        self.books.set_veto(veto)
        self.fold.vetoes = {key: _veto_row(row) for key, row in self.books.vetoes.items()}
        for kid in (*self.staff.consumers, self.desk):
            kid.tell(veto)
        self.fold.mark_hits(veto.symbol, "rejected" if self.books.rejected(veto.symbol) else "watched")

    def send_routes(self) -> None:
        """Tell the producer the whole table."""
        self.staff.producer.tell(Routes(n=self._number("routes"), routes=self.watching.routes()))

    def ask_detail(self, symbol: str, guest: Guest) -> None:
        """A screen wants a symbol's detail."""
        self.details.setdefault(symbol, []).append(guest)
        self.staff.consumers[self.watching.owner(symbol)].tell(AskSeries(symbol=symbol))

    def detail_came(self, detail: Detail) -> None:
        """A consumer has described a symbol: add the batch's fills in it, and pass it on."""
        mine = [(fill.t_ns, fill.qty, fill.price) for fill in self.fold.fills if fill.symbol == detail.symbol]
        whole = msgspec.structs.replace(detail, fills=tuple(mine))
        for guest in self.details.pop(detail.symbol, ()):
            self.door.tell(guest, whole)

    def account_known(self, account_id: str) -> None:
        """The desk and the broker agree."""
        self._records_put(lambda store: store.batches.set_account(self.batch_id, account_id))

    def saved(self, path: Path) -> None:
        """A user's file was saved: whoever runs it loads it anew; a plan is only compared."""
        if path == Path(self.plan_file):
            self._compare_plan(path)
            return
        filename = os.path.relpath(path, self._workspace.root)
        for kid in self.staff:
            if kid.role in ("consumer", "scanners"):
                kid.tell(Reload(filename=filename))

    def user_files(self) -> list[Path]:
        """The plan, and every file that it names."""
        names = [table.filename for table in self.plan.strategies.values()]
        names += [table.filename for table in self.plan.scanners.values()]
        return [Path(self.plan_file), *(self._workspace.root / name for name in names)]

    def _compare_plan(self, path: Path) -> None:
        try:
            changes = diff(self.plan, load_plan(path, base=self._workspace.root))
        except PlanError as e:
            self.log.say("error", f"the saved plan has faults and changes nothing: {e}", source="plan")
            return
        self.plan_changed = "\n".join(changes)
        for line in changes:
            self.log.say("info", f"{line} (applies at the next start)", source="plan")

    def _records_put(self, write: Write) -> None:
        if self._records is not None:
            self._records.put(write)

    def _number(self, what: str) -> int:
        self._numbers += 1
        self.gate.wait_for(f"{what} {self._numbers}")
        return self._numbers

    # ── lock-step, phases ──

    def _step(self) -> None:
        if not self.plan.lockstep or not self.ready.is_set():
            return
        roles = ("desk",) if self.staff.scanners is None else ("desk", "scanners")
        n = self.gate.to_acknowledge(roles if self.gate.n else ())
        if n is not None:
            self.staff.producer.tell(StepAck(n=n))

    def _phase(self) -> None:
        self.check_ready()
        if not self.ready.is_set() or self.hours is None:
            return
        now = self.clock.now_ns()
        phase = (
            "waiting" if now < self.hours.open_ns else "trading" if now < self.hours.close_ns else "closing"
        )
        if phase != self.phase:
            words = {
                "waiting": "before the open: waiting",
                "trading": "the market is open",
                "closing": "the market has closed",
            }
            self.log.say("info", words[phase])
            self.phase = phase

    # ── the end ──

    async def _close(self) -> dict[str, Any]:
        self.phase = "closing"
        self.log.say("info", f"closing: {self._stop_reason}")
        staff = self.staff
        if staff.scanners is not None:
            await staff.scanners.stop(self._stop_reason)
        await self._settle_orders()
        await asyncio.gather(*(consumer.stop(self._stop_reason) for consumer in staff.consumers))
        await self._hear_last()
        if self.market is not None and self.market_up:
            with contextlib.suppress(LiuError):
                await self.market.admin("pause")
        await self._desk_does("settle", wait_s=10.0)
        await self._hear_last()
        await staff.desk.stop(self._stop_reason)
        await self._hear_last()
        await staff.producer.stop(self._stop_reason)
        await self._hear_last()
        summary = self.summary()
        if self.market is not None:
            await self.market.stop()
        self.phase = "ended"
        self.log.say("good", f"ended: {self._stop_reason}")
        await self.door.close(Farewell(self._stop_reason, msgspec.json.encode(summary).decode()))
        return summary

    async def _settle_orders(self) -> None:
        """Refuse entries and withdraw entry orders; with flatten, wait until flat."""
        if not self.desk.running:
            return
        await self._desk_does("pause", wait_s=5.0)
        await self._desk_does("cancel", wait_s=5.0)
        if self._flatten:
            await self._desk_does("flatten", wait_s=5.0)
        deadline = monotonic_ns() + int((FLAT_S if self._flatten else 3.0) * SECOND_NS)
        while monotonic_ns() < deadline and not self._settled():
            await self._turn()
        if self._flatten and not self._settled():
            held = ", ".join(f"{row.qty:g} {row.symbol}" for row in self.fold.positions())
            self.log.say("error", f"not flat after {FLAT_S:.0f} s: {held or 'orders are still working'}")

    def _settled(self) -> bool:
        entries = any(not n.state.final and n.role == "entry" for n in self.fold.orders.values())
        return not entries and not (self._flatten and (self.fold.positions() or self._exits()))

    def _exits(self) -> bool:
        return any(not news.state.final for news in self.fold.orders.values())

    async def _desk_does(self, verb: str, *, wait_s: float) -> None:
        """Have the desk do something at the end, and hear that it did."""
        if not self.desk.running:
            return
        command = Command(f"end-{verb}", verb, reason=self._stop_reason, by="session")
        self._hearing.expect(command.id)
        self.desk.tell(DeskOrder(command=command))
        deadline = monotonic_ns() + int(wait_s * SECOND_NS)
        while not self._hearing.came(command.id) and monotonic_ns() < deadline and not self.desk.is_dead():
            await asyncio.sleep(0.01)
            await self._hear_last()

    async def _hear_last(self) -> None:
        await asyncio.sleep(0)
        for kid in self.staff:
            for message in kid.hear():
                self._hearing.take(kid, message)

    async def _abandon(self) -> None:
        """Whatever happened: no child is left behind, and what was heard is written."""
        self._unwatch.set()
        if self._watcher is not None:
            await self._watcher
        for kid in self.staff:
            if kid.state not in ("off", "dead"):
                await kid.stop("the supervisor ends")
            kid.close()
        if self.market is not None and self.phase != "ended":
            await self.market.stop()
        await self.door.close(Farewell("the session has ended"))
        if self._records is not None:
            await self._records.close()

    # ── telling ──

    def summary(self) -> dict[str, Any]:
        """The session in numbers, as they stand."""
        return summary_of(
            batch_id=self.batch_id,
            environment=self.plan.environment.value,
            fold=self.fold,
            producer=self.staff.producer,
            consumers=self.staff.consumers,
            kids=list(self.staff),
            market=self.market,
            symbols=self.watching.list.symbols,
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
            "processes": [
                {
                    "role": row.role,
                    "name": row.name,
                    "pid": row.pid,
                    "state": row.state,
                    "restarts": row.restarts,
                }
                for row in processes_of(self)
            ],
            "vetoes": [
                {"symbol": row.symbol, "strategy": row.strategy, "by": row.by, "reason": row.reason}
                for row in self.fold.vetoes.values()
            ],
        }

    def _answer(self, guest: Guest, reply: Reply) -> None:
        self.door.tell(guest, reply)

    def _note(self, **changes: Any) -> None:
        self.record = msgspec.structs.replace(self.record, **changes)
        self._registry.save(self.record)


def _called(kid: Kid) -> str:
    return f"consumer {kid.name}" if kid.role == "consumer" else f"the {kid.role}"


def _veto_row(veto: VetoSet) -> VetoRow:
    return VetoRow(
        symbol=veto.symbol, strategy=veto.strategy, by=veto.by, reason=veto.reason, since_ns=veto.since_ns
    )
