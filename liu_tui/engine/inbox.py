"""What has come from the market, handed over when it may be acted on."""

from __future__ import annotations

from liu_tui.engine.links import Link
from liu_tui.engine.messages import OnMarketLink
from liu_tui.model.market import Step


class MarketInbox:
    """One market link's events. Live, they may be taken as they come.

    In lock-step a step is taken whole, and only after the desk has told all updates of that step, whichever
    link was faster. It is gathered here meanwhile: were it left in the link, a step larger than the link's
    bound would never end.
    """

    def __init__(self, link: Link[OnMarketLink]) -> None:
        self._link = link
        self._gathered: list[OnMarketLink] = []

    def __len__(self) -> int:
        return len(self._link.inbox) + len(self._gathered)

    def take(self) -> list[OnMarketLink]:
        """Take what has come."""
        return self._link.take() if self._link.inbox else []

    def take_step(self, told: int) -> list[OnMarketLink]:
        """Take a whole step, if it has come and the desk has told its updates.

        `told` is the last step told.
        """
        self._gathered += self.take()
        step = next((event for event in self._gathered if type(event) is Step), None)
        if step is None or told < step.n:
            return []
        ready, self._gathered = self._gathered, []
        return ready

    def close(self) -> None:
        """Hang up."""
        self._link.close()
