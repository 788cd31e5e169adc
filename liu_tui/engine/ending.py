"""The end of a session, in order: no entries, then scanners, consumers, desk, producer, and the market last.

Protective orders and positions stay, unless flat was asked for. The desk goes after the consumers, so that
nothing is asked of nobody; the local market's clock stops before the last valuation, so that the books and
its ledger speak of one moment.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import msgspec

from liu_tui.engine.client import Command, Farewell
from liu_tui.engine.messages import DeskOrder
from liu_tui.errors import LiuError
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS

if TYPE_CHECKING:
    from liu_tui.engine.supervisor import Supervisor

FLAT_S = 60.0
"""How long a stop with flatten waits for flat before it says what could not be closed."""
ENTRIES_S = 3.0
ANSWER_S = 10.0


class Ending:
    """One session's way down."""

    def __init__(self, house: Supervisor, reason: str, *, flatten: bool) -> None:
        self._house, self._reason, self._flatten = house, reason, flatten

    async def run(self) -> dict[str, Any]:
        """Go all the way; returns the summary."""
        house, staff = self._house, self._house.staff
        house.phase = "closing"
        house.log.say("info", f"closing: {self._reason}")
        if staff.scanners is not None:
            await staff.scanners.stop(self._reason)
        await self._settle_orders()
        await asyncio.gather(*(consumer.stop(self._reason) for consumer in staff.consumers))
        house.hear()
        if house.market is not None and house.market_up:
            with contextlib.suppress(LiuError):
                await house.market.admin("pause")
        await self._desk_does("settle")
        await staff.desk.stop(self._reason)
        await asyncio.gather(*(producer.stop(self._reason) for producer in staff.producers))
        house.hear()
        summary = house.summary()
        if house.market is not None:
            await house.market.stop()
        house.phase = "ended"
        house.log.say("good", f"ended: {self._reason}")
        await house.door.close(Farewell(self._reason, msgspec.json.encode(summary).decode()))
        return summary

    async def _settle_orders(self) -> None:
        """Refuse entries and withdraw entry orders; with flatten, wait until flat."""
        if not self._house.staff.desk.running:
            return
        for verb in ("pause", "cancel", "flatten") if self._flatten else ("pause", "cancel"):
            await self._desk_does(verb)
        deadline = monotonic_ns() + int((FLAT_S if self._flatten else ENTRIES_S) * SECOND_NS)
        while not self._settled():
            if monotonic_ns() >= deadline:
                self._say_unsettled()
                return
            await self._house.turn()

    def _settled(self) -> bool:
        live = [news for news in self._house.fold.orders.values() if not news.state.final]
        if self._flatten:
            facts = self._house.fold.desk
            return not (live or self._house.fold.positions() or (facts is not None and facts.flattens))
        return not any(news.role == "entry" for news in live)

    def _say_unsettled(self) -> None:
        if self._flatten:
            self._house.log.say("error", f"not flat after {FLAT_S:.0f} s: {self._left()}")
        else:
            self._house.log.say("warn", "entry orders are still being canceled at the broker")

    def _left(self) -> str:
        """Say what could not be closed, and why. Closing orders that the broker took stay with it."""
        facts = self._house.fold.desk
        whys = {row[0]: row[2] for flatten in facts.flattens for row in flatten.stuck} if facts else {}
        held: dict[str, float] = {}
        for row in self._house.fold.positions():
            held[row.symbol] = held.get(row.symbol, 0.0) + row.qty
        named = [f"{symbol} {qty:+g} {whys.get(symbol, '')}".rstrip() for symbol, qty in sorted(held.items())]
        named += [f"{symbol} {why}" for symbol, why in whys.items() if symbol not in held]
        if named:
            return ", ".join(named)
        if any(not news.state.final for news in self._house.fold.orders.values()):
            return "orders are still working"
        why = f" ({facts.broker_words})" if facts and facts.broker_words else ""
        return f"the books are flat, and the broker has not said so{why}"

    async def _desk_does(self, verb: str) -> None:
        """Have the desk do something, and hear that it did."""
        house, desk = self._house, self._house.staff.desk
        if not desk.running:
            return
        command = Command(f"end-{verb}", verb, reason=self._reason, by="session")
        answered = house.expect(command.id)
        desk.tell(DeskOrder(command=command))
        deadline = monotonic_ns() + int(ANSWER_S * SECOND_NS)
        while not answered() and monotonic_ns() < deadline and not desk.is_dead():
            await house.nap()
            house.hear()
