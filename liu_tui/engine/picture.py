"""Making a Picture of a supervisor's house."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from liu_tui.engine.snapshot import ConsumerRow, Picture, ProcessRow
from liu_tui.plan.schema import DataVendor, TradePlan

if TYPE_CHECKING:
    from liu_tui.engine.supervisor import Supervisor


def picture_of(house: Supervisor, seq: int) -> Picture:
    """Everything a screen needs, as it stands now. The log lines are added for each screen by itself."""
    fold = house.fold
    facts = fold.desk
    return Picture(
        seq=seq,
        batch_id=house.batch_id,
        plan=house.plan_file,
        environment=house.plan.environment.value,
        venue=_venue(house.plan),
        build=house.build,
        anchor=house.clock.anchor,
        hours=house.hours,
        phase=house.phase,
        state=facts.state if facts else "ACTIVE",
        state_by=facts.by if facts else "",
        state_reason=facts.reason if facts else "",
        feed=house.feeds.row(house.staff.producers),
        broker=fold.broker(),
        money=fold.money(),
        hits=tuple(map(house.feeds.dress, fold.hits())),
        consumers=_consumers(house),
        positions=fold.positions(),
        orders=fold.order_rows(),
        vetoes=tuple(fold.vetoes.values()),
        strategies=fold.strategies(),
        scanners=fold.scanners(),
        processes=processes_of(house),
        commands=tuple(fold.commands.values()),
        differences=facts.differences if facts else (),
        flattens=facts.flattens if facts else (),
        plan_changed=house.plan_changed,
    )


def _venue(plan: TradePlan) -> str:
    if plan.market is not None:
        return "local market"
    return "Alpaca paper, data Polygon" if plan.data is DataVendor.POLYGON else "Alpaca paper"


def processes_of(house: Supervisor) -> tuple[ProcessRow, ...]:
    """All processes of the session, the supervisor first."""
    rows = [ProcessRow(role="supervisor", name="supervisor", pid=os.getpid(), state="running", restarts=0)]
    rows += [
        ProcessRow(role=kid.role, name=kid.name, pid=kid.pid, state=kid.state, restarts=kid.restarts)
        for kid in house.staff
    ]
    if house.market is not None:
        state = "dead" if house.market.is_dead() else "running"
        rows.append(
            ProcessRow(
                role="market",
                name="market",
                pid=house.market.pid,
                state=state,
                restarts=house.market.restarts,
            )
        )
    return tuple(rows)


def _consumers(house: Supervisor) -> tuple[ConsumerRow, ...]:
    kept = [row for producer in house.staff.producers for row in producer.alive.by_consumer]
    rows = []
    for kid in house.staff.consumers:
        merged = sum(count for name, count, _queued in kept if name == kid.name)
        queued = sum(count for name, _merged, count in kept if name == kid.name)
        house.fold.calls(kid.name, kid.alive)
        totals = {"dispatched": kid.total("dispatched"), "discarded": kid.total("discarded")}
        rows.append(
            house.fold.consumer(kid.name, kid.pid, kid.state, kid.restarts, kid.alive, totals, queued, merged)
        )
    return tuple(rows)
