"""Tending the children: burying the dead, ending the hanging, starting again those whose time has come."""

from __future__ import annotations

import asyncio
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from liu_tui.engine.kids import Kid
from liu_tui.engine.marketkeeper import MarketKeeper
from liu_tui.engine.meter import read_face
from liu_tui.errors import LiuError
from liu_tui.model.clock import monotonic_ns

if TYPE_CHECKING:
    from liu_tui.engine.supervisor import Supervisor

SILENT_S = 8.0
"""A child that was not heard for so long hangs; heartbeats come four times a second."""
STARTING_S = 45.0
"""The same for one that loads users' files and has not said Ready: they may import large libraries."""


class Tending:
    """Looks after a supervisor's children. faces: the folder where consumers show whom they call."""

    def __init__(self, house: Supervisor, faces: Path) -> None:
        self._house, self._faces = house, faces
        self._revival: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Look at everybody once."""
        house = self._house
        for kid in house.staff:
            if kid.is_dead():
                self._bury(kid)
            elif kid.silent_s() > _patience_s(kid):
                self._end_hanging(kid)
            elif kid.state == "dead" and monotonic_ns() >= kid.next_start_ns and self._venue_is_up:
                kid.restarts += 1
                await house.staff.start(kid)
                house.boot_if_known(kid)
        if house.market is not None:
            self._look_at(house.market)

    @property
    def _venue_is_up(self) -> bool:
        return self._house.market_up and self._revival is None

    def _look_at(self, market: MarketKeeper) -> None:
        """Start a dead market again, beside the turn: it takes seconds, and commands must not wait for it."""
        house = self._house
        if self._revival is None:
            if market.is_dead():
                words = "the local market died: starting it again with its ledger"
                house.log.say("error", words, kind="restart")
                self._revival = asyncio.create_task(market.restart())
            return
        if not self._revival.done():
            return
        fault, self._revival = self._revival.exception(), None
        if isinstance(fault, LiuError):
            house.log.say("error", str(fault))
        elif fault is not None:
            raise fault
        house.note(market_pid=market.pid)

    def _bury(self, kid: Kid) -> None:
        house = self._house
        words = f"{_called(kid)} died ({kid.bury()}): starting it again"
        house.log.say("error", words, source=kid.name, kind="restart")
        if kid is house.staff.desk:
            house.desk_ready = False
            house.commands.desk_lost()
            house.gate.hold("desk")
        elif kid.role == "producer":
            house.feeds.died(kid.name, house.clock.now_ns())
        elif kid is house.staff.scanners:
            house.gate.hold("scanners")

    def _end_hanging(self, kid: Kid) -> None:
        blame = ""
        if kid.role == "consumer":
            strategy, symbol = read_face(self._faces / f"{self._house.batch_id}.{kid.name}.face")
            if strategy:
                blame = f" in strategy {strategy}"
                self._house.quarantine(strategy, f"hung on {symbol}: quarantined until its file is saved")
        words = f"{_called(kid)} was silent for {kid.silent_s():.0f} s{blame}: ending it"
        self._house.log.say("error", words, source=kid.name)
        kid.kill()


def _patience_s(kid: Kid) -> float:
    if kid.running:
        return SILENT_S
    return STARTING_S if kid.state == "starting" and kid.booted else inf


def _called(kid: Kid) -> str:
    return f"consumer {kid.name}" if kid.role == "consumer" else f"the {kid.name}"
