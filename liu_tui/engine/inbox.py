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
        """Take the whole steps that have come and whose updates the desk has told.

        It is one step but for a restart of the desk: a step that the old one did not tell is taken with the
        next, and one that came before the new one has spoken waits for it.

        told: the last step told
        """
        gathered = self._gathered
        gathered += self.take()
        for place in range(len(gathered) - 1, -1, -1):  # a mark is the last of its step
            event = gathered[place]
            if type(event) is Step and event.n <= told:
                self._gathered = gathered[place + 1 :]
                return gathered[: place + 1]
        return []

    def close(self) -> None:
        """Hang up."""
        self._link.close()
