"""Order updates as they are told: the faults that stand between the ledger and the trade-updates stream.

    stored ─▶ lost ─▶ late ─▶ twice ─▶ another order ─▶ told        and of the stream itself: silent, cut

The ledger and every answer over REST have the truth; a client that missed something can ask.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from liu_tui.localmarket.faults import Fault
from liu_tui.localmarket.tradestream import TradeClient, TradeStream
from liu_tui.localmarket.waiting import Waiting, shuffled
from liu_tui.model.market import SECOND_NS
from liu_tui.plan.schema import FaultKind

KINDS = (
    FaultKind.UPDATES_LOST,
    FaultKind.UPDATES_TWICE,
    FaultKind.UPDATES_LATE,
    FaultKind.UPDATES_DISORDERED,
    FaultKind.UPDATES_SILENT,
    FaultKind.UPDATES_CUT,
)
Update = Mapping[str, Any]


class UpdateFaults:
    """One market's telling of order updates. It is asked for nothing while it is not `busy`."""

    def __init__(self, trades: TradeStream) -> None:
        self._trades = trades
        self._active: dict[FaultKind, list[Fault]] = {kind: [] for kind in KINDS}
        self._silent: dict[str, list[TradeClient]] = {}
        self._late = Waiting[Update]()

    @property
    def busy(self) -> bool:
        """Whether anything is to be told otherwise than it happened, or waits to be told."""
        return bool(self._late or any(self._active.values()))

    def begin(self, fault: Fault, _: int) -> None:
        """Strike updates from now on; faults of the stream strike those who are connected."""
        if fault.table.kind is FaultKind.UPDATES_CUT:
            fault.hits += self._trades.cut()
            return
        self._active[fault.table.kind].append(fault)
        if fault.table.kind is FaultKind.UPDATES_SILENT:
            struck = self._silent[fault.id] = [c for c in self._trades.clients if not c.silent]
            fault.hits += len(struck)
            for client in struck:
                client.fall_silent()

    def end(self, fault: Fault, _: int) -> None:
        """Strike no more. What is late still comes, what was lost never does."""
        if fault.table.kind is FaultKind.UPDATES_CUT:
            return
        self._active[fault.table.kind].remove(fault)
        for client in self._silent.pop(fault.id, ()):
            client.end_silence()

    def release(self) -> None:
        """The day is over: let nothing wait any longer."""
        self._late.hurry()

    def tell(self, updates: Sequence[Update], now_ns: int) -> list[Update]:
        """What the stream is told when these have happened, and it is now_ns."""
        told = list(updates)
        for fault in self._active[FaultKind.UPDATES_LOST]:
            told = [update for update in told if not _strikes(fault, update)]
        told = self._late.due(now_ns) + self._hold(told, now_ns)
        for fault in self._active[FaultKind.UPDATES_TWICE]:
            told = [copy for update in told for copy in (update,) * (1 + _strikes(fault, update))]
        for fault in self._active[FaultKind.UPDATES_DISORDERED]:
            told = _disordered(told, fault)
        return told

    def _hold(self, updates: list[Update], now_ns: int) -> list[Update]:
        for fault in self._active[FaultKind.UPDATES_LATE]:
            due_ns = now_ns + int(fault.table.seconds * SECOND_NS)
            passed: list[Update] = []
            for update in updates:
                if _strikes(fault, update):
                    self._late.put(due_ns, update)
                else:
                    passed.append(update)
            updates = passed
        return updates


def _strikes(fault: Fault, update: Update) -> bool:
    return _meant(fault, update) and fault.hit_on(_name(update))


def _meant(fault: Fault, update: Update) -> bool:
    return not fault.symbols or update["order"]["symbol"] in fault.symbols


def _name(update: Update) -> str:
    return f"{update['order']['client_order_id']}:{update['event']}:{update.get('execution_id', '')}"


def _disordered(told: list[Update], fault: Fault) -> list[Update]:
    """Tell those of one moment in another order; one alone has none."""
    places = [place for place, update in enumerate(told) if _meant(fault, update)]
    moment = " ".join(_name(told[place]) for place in places)
    if len(places) < 2 or not fault.hit_on(moment):
        return told
    return shuffled(told, places, fault.draw(moment))
