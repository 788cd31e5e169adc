"""The desk's side of the orders links: which consumer hears of what, and bringing a new one up to date."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable

import msgspec

from liu_tui.engine.links import Link
from liu_tui.engine.messages import (
    Allocated,
    Attach,
    NumberedFill,
    OnOrdersLink,
    Standing,
    StepDone,
    StepUpdates,
    StrategyProfile,
)
from liu_tui.engine.shards import shard_of
from liu_tui.model.orders import Fill, Intent, OrderNews
from liu_tui.trading.allocation import Share
from liu_tui.trading.desk import Desk

_DECODER: msgspec.msgpack.Decoder[list[OnOrdersLink]] = msgspec.msgpack.Decoder(list[OnOrdersLink])


class Consumers:
    """The consumers as the desk sees them. fills: all of the batch, in the order of booking.

    Number n is fills[n-1].
    """

    def __init__(self, names: tuple[str, ...], desk: Desk, wake: Callable[[], None]) -> None:
        self._names, self._desk, self._wake = names, desk, wake
        self._links: dict[str, Link[OnOrdersLink]] = {}
        self._homes: dict[str, int] = {}
        self._steps: dict[str, int] = {}
        self._owed: dict[str, list[object]] = {}
        self._step = 0
        self.fills: list[Fill] = []

    def know(self, profiles: Iterable[StrategyProfile]) -> None:
        """Learn which strategies live in one home consumer."""
        for profile in profiles:
            if profile.run_all:
                self._homes[profile.name] = shard_of(profile.name, len(self._names))

    def take_link(self, name: str, sock: socket.socket) -> None:
        """A consumer has been (re)started and this is its link."""
        if old := self._links.pop(name, None):
            old.close()
        self._links[name] = Link(sock, _DECODER, self._wake)

    def hear(self) -> list[Intent]:
        """Take what the consumers said; returns their intents in the order of arrival."""
        intents: list[Intent] = []
        for name, link in list(self._links.items()):
            for message in link.take():
                match message:
                    case Attach(after_fill=after, untold=untold):
                        self._bring_up(name, after, untold)
                    case Intent():
                        intents.append(message)
                    case StepDone(n=n):
                        self._steps[name] = n
            if link.closed:
                link.close()
                del self._links[name]
        return intents

    def tell_fill(self, fill: Fill) -> None:
        """Number a stored fill and tell its consumer, at the next flush."""
        self.fills.append(fill)
        self._send(fill.strategy, fill.symbol, NumberedFill(n=len(self.fills), fill=fill))

    def tell_news(self, news: OrderNews) -> None:
        """Tell a strategy's consumer of its order, at the next flush."""
        self._send(news.strategy, news.symbol, news)

    def tell_shares(self, shares: Iterable[Share]) -> None:
        """Tell every consumer what strategies have to reckon with: each may live in all of them."""
        for share in shares:
            for link in self._links.values():
                link.send(_allocated(share))

    def flush(self) -> None:
        """Send what was told: all of a consumer's at once, for each send is a system call and a wake-up."""
        owed, self._owed = self._owed, {}
        for name, messages in owed.items():
            if link := self._links.get(name):
                link.send(*messages)

    def open_step(self, n: int) -> None:
        """Lock-step: all updates of step n have been told."""
        self.flush()
        self._step = n
        for link in self._links.values():
            link.send(StepUpdates(n=n))

    def finished(self, n: int) -> bool:
        """Lock-step: every consumer that lives has finished step n, and there is one."""
        return bool(self._links) and all(self._steps.get(name, 0) >= n for name in self._links)

    def _bring_up(self, name: str, after: int, untold: Iterable[int]) -> None:
        self.flush()
        link = self._links[name]
        # A consumer that comes in the middle of a step begins with the next one.
        self._steps[name] = self._step
        for n in (*untold, *range(after + 1, len(self.fills) + 1)):
            fill = self.fills[n - 1]
            if self._owner(fill.strategy, fill.symbol) == name:
                link.send(NumberedFill(n=n, fill=fill))
        positions = [p for p in self._desk.positions.values() if self._owner(p.strategy, p.symbol) == name]
        orders = [news for news in self._desk.live_news() if self._owner(news.strategy, news.symbol) == name]
        link.send(Standing(positions=tuple(positions), orders=tuple(orders)))
        link.send(*map(_allocated, self._desk.allocations.shares()))

    def _owner(self, strategy: str, symbol: str) -> str:
        return self._names[self._homes.get(strategy, shard_of(symbol, len(self._names)))]

    def _send(self, strategy: str, symbol: str, message: object) -> None:
        self._owed.setdefault(self._owner(strategy, symbol), []).append(message)


def _allocated(share: Share) -> Allocated:
    return Allocated(strategy=share.strategy, worth=share.worth, free=share.free)
