"""Lock-step: the market takes its next step when everybody who joined has finished the last.

A client joins with `lockstep`, leaves by closing its connection in order, and is waited for if the connection
broke: whoever joins next takes its place. Nobody there means nobody ready: the market stands.
"""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from liu_tui.localmarket.dataclient import DataClient


class LockStep:
    """Who has joined, and how far each has come.

    n:    the last step taken; 0 before the first
    t_ns: its time
    """

    def __init__(self, n: int, t_ns: int) -> None:
        self.n, self.t_ns = n, t_ns
        self._acked: dict[DataClient, int] = {}
        self._missing = 0
        self._changed = asyncio.Event()

    @property
    def clients(self) -> Iterable["DataClient"]:
        """Who takes part."""
        return self._acked

    @property
    def missing(self) -> int:
        """How many broke off and are waited for."""
        return self._missing

    @property
    def ready(self) -> bool:
        """Whether the next step may be taken."""
        return bool(self._acked) and not self._missing and min(self._acked.values()) >= self.n

    def join(self, client: "DataClient") -> None:
        """Take part from now on; the step under way waits for it too. Joining twice changes nothing."""
        if client in self._acked:
            return
        self._acked[client] = -1
        self._missing = max(0, self._missing - 1)

    def leave(self, client: "DataClient", *, broken: bool) -> None:
        """The client is gone; broken: without a word, so that it is waited for."""
        if self._acked.pop(client, None) is None:
            return
        self._missing += broken
        self._changed.set()

    def acknowledge(self, client: "DataClient", n: int) -> None:
        """The client has finished step n. An old or foreign number changes nothing."""
        if client in self._acked and n == self.n:
            self._acked[client] = n
            self._changed.set()

    def forget_missing(self) -> None:
        """Wait no longer for those who broke off: they will not come back."""
        self._missing = 0
        self._changed.set()

    def advance(self, t_ns: int) -> int:
        """A step was taken; returns its number."""
        self.n, self.t_ns = self.n + 1, t_ns
        return self.n

    def nudge(self) -> None:
        """Wake whoever waits, to look around again (the clock has changed)."""
        self._changed.set()

    async def changed(self) -> None:
        """Wait until somebody acknowledged, left, or nudged."""
        await self._changed.wait()
        self._changed.clear()
