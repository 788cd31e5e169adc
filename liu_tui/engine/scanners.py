"""The scanners' process: their timetable, and what they see of the market.

It owns no money and no order; when it dies it is started again and nothing else notices.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from pathlib import Path
from time import perf_counter

from liu_tui import userfiles
from liu_tui.engine.child import Child
from liu_tui.engine.messages import Alive, HitFound, Reload, Scanned, StepBegin, StepDone
from liu_tui.errors import LiuError, UserFileError
from liu_tui.market.history import DataAPI
from liu_tui.market.view import VenueView
from liu_tui.model.market import Event, Snapshot
from liu_tui.plan.schema import ScannerTable
from liu_tui.scanner import Hit, Scanner, check_events, hits_of
from liu_tui.settings import Workspace
from liu_tui.trading.timetable import Timetable
from liu_tui.wiring.venue import keys_for, open_cached_data

_log = logging.getLogger(__name__)

TICK_S = 0.1
RUN_TIMEOUT_S = 60.0


class Job:
    """One scanner of the plan with its timetable; scanner is None while its file cannot be loaded."""

    def __init__(self, name: str, table: ScannerTable, scanner: Scanner, timetable: Timetable) -> None:
        self.name, self.table, self.scanner, self.timetable = name, table, scanner, timetable


class Scanners:
    """Runs what is due, one after the other."""

    def __init__(self, child: Child) -> None:
        boot = child.boot
        self._child = child
        self._data: DataAPI = open_cached_data(
            boot.venue, keys_for(boot.venue), Workspace(Path(boot.workspace), Path(boot.home))
        )
        self._view = VenueView(self._data, child.clock, boot.hours)
        self._jobs: dict[str, Job] = {}
        self._runs = 0
        for name in boot.plan.scanners:
            self._load(name)

    async def run(self) -> None:
        """Serve until the supervisor says stop or is gone."""
        child = self._child
        beat = asyncio.create_task(child.beat(lambda: Alive(dispatched=self._runs)))
        try:
            while not child.stopping and not child.orphaned:
                child.wake_in(TICK_S)
                await child.wake.wait()
                child.wake.clear()
                for message, _sock in child.orders():
                    match message:
                        case StepBegin(n=n, t_ns=t_ns):
                            child.anchor.step_to(t_ns)
                            await self._turns()
                            child.tell(StepDone(n=n, t_ns=t_ns))
                        case Reload(filename=filename):
                            self._reload(filename)
                if not child.boot.venue.lockstep:
                    await self._turns()
        finally:
            beat.cancel()
            await self._data.close()

    def _load(self, name: str) -> bool:
        boot = self._child.boot
        table = boot.plan.scanners[name]
        try:
            cls = userfiles.load(Path(boot.workspace) / table.filename, name, Scanner)
            scanner = userfiles.build(cls, name, table.params)
            check_events(scanner)
        except UserFileError as e:
            self._child.say("error", str(e), source=name)
            self._child.tell(
                Scanned(
                    scanner=name,
                    target=table.target_strategy_name,
                    t_ns=self._child.clock.now_ns(),
                    words=str(e),
                )
            )
            return False
        old = self._jobs.get(name)
        timetable = old.timetable if old else timetable_of(scanner, table, self._child)
        self._jobs[name] = Job(name, table, scanner, timetable)
        return True

    def _reload(self, filename: str) -> None:
        for name, table in self._child.boot.plan.scanners.items():
            if table.filename == filename and self._load(name):
                self._child.say("good", f"reloaded from {filename}", source=name)

    async def _turns(self) -> None:
        now = self._child.clock.now_ns()
        for job in self._jobs.values():
            if job.timetable.due(now):
                await self._turn(job)

    async def _turn(self, job: Job) -> None:
        began = perf_counter()
        now = self._child.clock.now_ns()
        words = ""
        hits: list[Hit] = []
        try:
            async with asyncio.timeout(RUN_TIMEOUT_S):
                hits = hits_of(await job.scanner.run(self._view), job.table.max_symbols)
        except Exception as e:  # noqa: BLE001 - user code and the vendor behind it: named, called again
            words = str(e) if isinstance(e, LiuError) else _last_line(e)
            _log.warning("scanner %s failed\n%s", job.name, traceback.format_exc())
            self._child.say(
                "error", f"failed, will be called again at its next turn: {words}", source=job.name
            )
        job.timetable.ran(now)
        self._runs += 1
        self._child.tell(
            Scanned(
                scanner=job.name,
                target=job.table.target_strategy_name,
                t_ns=now,
                hits=tuple(await self._describe(hits)),
                words=words,
                next_ns=job.timetable.next_ns,
                took_ms=(perf_counter() - began) * 1000,
                events=tuple(sorted(map(Event, job.scanner.events))),
            )
        )

    async def _describe(self, hits: list[Hit]) -> list[HitFound]:
        """Add to each pick what the console shows of it."""
        shots: dict[str, Snapshot] = {}
        if hits:
            try:
                shots = dict(await self._view.snapshots([hit.symbol for hit in hits]))
            except LiuError as e:
                self._child.say("warn", f"no snapshots of the picks: {e}")
        return [_found(hit, shots.get(hit.symbol)) for hit in hits]


def timetable_of(scanner: Scanner, table: ScannerTable, child: Child) -> Timetable:
    """The plan's recurrence comes before the class's own."""
    return Timetable(
        child.boot.hours,
        recurrence=table.recurrence if table.recurrence is not None else scanner.recurrence,
        from_market_open=scanner.from_market_open,
    )


def _found(hit: Hit, shot: Snapshot | None) -> HitFound:
    if shot is None:
        return HitFound(symbol=hit.symbol, values=hit.values)
    before = shot.previous_daily_bar.close if shot.previous_daily_bar else 0.0
    return HitFound(
        symbol=hit.symbol,
        values=hit.values,
        price=shot.price,
        change_pct=100 * (shot.price / before - 1) if before else 0.0,
        volume=shot.daily_bar.volume if shot.daily_bar else 0.0,
    )


def _last_line(e: Exception) -> str:
    return traceback.format_exception_only(e)[-1].strip()


async def run(child: Child) -> None:
    """Be the scanners."""
    scanners = Scanners(child)
    child.ready()
    await scanners.run()
