"""Trader: the port to a broker."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

import msgspec

from liu_tui.model.account import Account, BrokerPosition
from liu_tui.model.market import Asset, Step
from liu_tui.model.orders import BrokerOrder, Execution, OrderRequest, OrderUpdate, ReplaceRequest


class BrokerStatus(msgspec.Struct, frozen=True, array_like=True, tag="broker", gc=False):
    """The trade-updates connection came (connected=True) or went. After each coming, reconcile."""

    connected: bool
    words: str = ""


class Trader(ABC):
    """One account at one broker. Unless it says otherwise a method may raise BrokerAway: nothing was sent."""

    @abstractmethod
    async def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send an order. Raises OrderRefused (a definite no) or OrderUnknown (the answer was lost)."""

    @abstractmethod
    async def replace(self, request: ReplaceRequest) -> BrokerOrder:
        """Put a new order in a working one's place; returns the new one, which names the old in `replaces`.

        Raises OrderRefused (a definite no: the old one works on, or has ended) or OrderUnknown (answer lost:
        look the new one up by its client id).
        """

    @abstractmethod
    async def cancel(self, order_id: str) -> None:
        """Ask for a cancel; the update tells how it ended. Raises OrderRefused if it is too late for that."""

    @abstractmethod
    async def order_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """Look up an order by our id; None if the broker has never seen it."""

    @abstractmethod
    async def orders(self, *, open_only: bool = False, after_ns: int = 0) -> list[BrokerOrder]:
        """Orders submitted after after_ns, oldest first, legs nested."""

    @abstractmethod
    async def executions(self, after_ns: int) -> list[Execution]:
        """Fills after after_ns, oldest first."""

    @abstractmethod
    async def positions(self) -> list[BrokerPosition]:
        """What the account holds."""

    @abstractmethod
    async def account(self) -> Account:
        """Cash, equity, buying power."""

    @abstractmethod
    async def assets(self) -> list[Asset]:
        """What the broker lists: what may be traded, sold short, and bought in fractions."""

    @abstractmethod
    async def suspend(self, on: bool) -> None:
        """Set or lift the account's own lock on new orders. Cancels always pass it.

        Raises TraderError where the account knows no such lock.
        """

    @abstractmethod
    def updates(self) -> AsyncIterator[OrderUpdate | BrokerStatus | Step]:
        """Yield order updates until close(); reconnects by itself. Connects at the first step.

        With a lock-step market a Step comes after all updates of that step.
        """

    @abstractmethod
    async def close(self) -> None:
        """End updates() and let the connections go. May be called twice."""
