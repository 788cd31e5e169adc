"""What a local market is told when it starts."""

from pathlib import Path
from typing import Literal

import msgspec

from liu_tui.plan.schema import ExchangeTable, FaultTable, FeesTable

Speed = float | Literal["max"]


class MarketOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that makes one local market; the command line and the supervisor fill it in.

    source:  "simulated", or a file or folder of recorded data, relative to `base`
    base:    what a relative source is relative to
    date:    the day to play (ISO). Empty: where the ledger stopped, else the source's last day (recorded) or
             the present or next session day (simulated)
    start:   New York time at which the session clock starts, "09:25"; the open if empty
    speed:   session seconds per wall second; "max" is lock-step
    seed:    of the simulation and of partial fills
    symbols: how many names the simulation has
    cash:    dollars in a new account; an existing ledger keeps its own
    partial_fills: the fraction of eligible orders that fill in parts, 0 to 1
    port:    on loopback; 0 takes a free one
    ledger:  the account's file; None keeps it in a temporary one that goes with the process
    key, secret: the only pair that is let in; any non-empty pair if empty
    idle_exit_s: wall seconds without any client after which the market ends by itself; None never

    symbol_limit:   (channel, symbol) pairs of trades and quotes that one connection may have; None: no limit.
                    Alpaca's free plan has 30
    rate_limit:     REST requests a minute before 429; 0 never refuses. Alpaca has 200
    buffer_bytes:   how much may wait for one slow websocket client before it is cut off with 407
    faults:         what it shall do wrong, and when; without a moment, from the start
    exchange:       how much harder than Alpaca's paper trading its exchange is; fees: what it takes
    """

    source: str = "simulated"
    base: Path = Path()
    date: str = ""
    start: str = ""
    speed: Speed = 1.0
    seed: int = 1
    symbols: int = 100
    cash: float = 100_000.0
    partial_fills: float = 0.1
    port: int = 0
    ledger: Path | None = None
    key: str = ""
    secret: str = ""
    idle_exit_s: float | None = None
    symbol_limit: int | None = None
    one_connection: bool = False
    rate_limit: int = 0
    buffer_bytes: int = 8 * 1024 * 1024
    faults: tuple[FaultTable, ...] = ()
    exchange: ExchangeTable = ExchangeTable()
    fees: FeesTable = FeesTable()
