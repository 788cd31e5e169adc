"""The class a miner file extends: a job for when the market is closed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from liu_tui.market.history import DataAPI
    from liu_tui.model.clock import Clock
    from liu_tui.model.market import Bar


class MineSite(Protocol):
    """What a miner works with."""

    data: DataAPI
    clock: Clock

    async def save_daily(self, bars: Iterable[Bar]) -> int:
        """Store daily bars in stock_ohlc, replacing the same symbol and day; returns how many."""

    async def save_ticker(self, symbol: str, **facts: str | float) -> None:
        """Store what is known of a symbol in ticker_data."""

    def log(self, words: str) -> None:
        """Say something."""


class Miner:
    """Gather what a trading day will need. Annotated class attributes with a default are parameters."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def run(self, site: MineSite) -> int:
        """Do the work; return how many records were stored. Raise to say that it failed."""
        raise NotImplementedError(f"{type(self).__name__} must define run()")
