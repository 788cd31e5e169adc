"""A consumer's link with the desk: intents out, fills and news in; what was not answered is sent again."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterable

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
)
from liu_tui.model.market import Step
from liu_tui.model.orders import AskKind, Intent, OrderNews
from liu_tui.trading.session import Request, Session

DRAIN_S = 1.0
_DECODER: msgspec.msgpack.Decoder[list[OnOrdersLink]] = msgspec.msgpack.Decoder(list[OnOrdersLink])

Put = Callable[[list[Request]], Awaitable[None]]


class OrderSide:
    """What one consumer asks of the desk, and hears from it.

    after_fill: the last fill that the session has heard of
    told:       lock-step: the last step whose updates the desk has told
    """

    def __init__(
        self, name: str, session: Session, put: Put, *, after_fill: int, untold: Iterable[int] = ()
    ) -> None:
        self._name, self._session, self._put = name, session, put
        self._link: Link[OnOrdersLink] | None = None
        self._unanswered: dict[str, Intent] = {}
        self._cancels: dict[tuple[str, str], Intent] = {}  # a symbol's last one, while it means what it meant
        self.after_fill = after_fill
        self._missed = set(untold)  # what our predecessor had not told; the desk says it again
        self._numbers: dict[str, int] = {}  # execution id -> number, of fills that may still be untold
        self.told = 0

    @property
    def waiting(self) -> bool:
        """The desk has said something that was not heard yet."""
        return self._link is not None and bool(self._link.inbox)

    def attach(self, sock: socket.socket, wake: Callable[[], None]) -> None:
        """Take a new link to the desk, in place of an old one."""
        if self._link is not None:
            self._link.close()
        self._link = Link(sock, _DECODER, wake)
        self._link.send(Attach(consumer=self._name, after_fill=self.after_fill, untold=self.untold()))
        # The desk knows an intent by its id: what it had taken already it answers again.
        self._link.send(*self._unanswered.values(), *self._cancels.values())

    def send(self, intent: Intent) -> None:
        """Ask for an order; without a link it is sent when there is one.

        Nobody answers a Cancel, and it takes back what was asked before it: sent again after the next entry
        it would take back that.
        """
        key = intent.strategy, intent.symbol
        if intent.kind is AskKind.CANCEL:
            self._cancels[key] = intent
        else:
            self._unanswered[intent.id] = intent
            if intent.operation.enters:
                self._cancels.pop(key, None)
        if self._link is not None:
            self._link.send(intent)

    def untold(self) -> tuple[int, ...]:
        """Number the fills up to after_fill that their strategy has not heard of: it is not served yet."""
        waiting = self._session.untold
        for execution_id in self._numbers.keys() - waiting:
            del self._numbers[execution_id]
        return tuple(sorted({*self._numbers.values(), *self._missed}))

    def finish(self, step: Step) -> None:
        """Lock-step: all intents of this step have been sent."""
        if self._link is not None:
            self._link.send(StepDone(n=step.n, t_ns=step.t_ns))

    async def hear(self) -> None:
        """Take what the desk has said."""
        if self._link is None:
            return
        for message in self._link.take():
            match message:
                case NumberedFill(n=n, fill=fill):
                    self.after_fill = max(self.after_fill, n)
                    self._numbers[fill.execution_id] = n
                    self._missed.discard(n)
                    await self._put(await self._session.on_fill(fill))
                case OrderNews():
                    self._unanswered.pop(message.intent_id, None)
                    await self._put(await self._session.on_news(message))
                case Standing(positions=positions, orders=orders):
                    self._session.restore(positions, orders, {}, ())
                case Allocated(strategy=strategy, worth=worth, free=free):
                    self._session.allocate(strategy, worth, free)
                case StepUpdates(n=n):
                    self.told = n

    async def drained(self) -> None:
        """Wait until what was asked has left, but not for long."""
        if self._link is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_S):
                    await self._link.drained()
