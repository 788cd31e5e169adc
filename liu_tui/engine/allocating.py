"""The desk's portfolios: opened from the books at the start, and told to the consumers as they change."""

from __future__ import annotations

from liu_tui.engine.desklinks import Consumers
from liu_tui.engine.messages import Boot
from liu_tui.store.pots import open_pots
from liu_tui.store.store import Store
from liu_tui.trading.desk import Desk
from liu_tui.trading.effects import Effect


class Allocating:
    """Joins the books' portfolios, the desk's rules and the consumers."""

    def __init__(self, boot: Boot, desk: Desk, store: Store, consumers: Consumers) -> None:
        self._boot, self._desk, self._store, self._consumers = boot, desk, store, consumers

    async def open(self, account_id: str) -> list[Effect]:
        """Set the plan's portfolios up for this account, before anything is traded.

        Returns what the batch's fills have moved so far: a crash may have come before it was stored. Stored
        again it changes nothing.
        """
        boot = self._boot
        # The local market begins each batch with the same cash: so do the portfolios there.
        scope = boot.batch_id if boot.plan.market is not None else account_id
        pots = await open_pots(self._store, boot.plan, boot.batch_id, scope)
        return self._desk.open_portfolios(pots, self._consumers.fills)

    def tell(self, now_ns: int) -> None:
        """Tell the consumers what has changed, if it is time. now_ns: session time."""
        self._consumers.tell_shares(self._desk.allocations.news(now_ns))
