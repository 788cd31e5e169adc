"""What a plan may say. One declaration serves reading, defaults, documentation and the checks.

Tables of scanners, strategies and miners carry the user's own parameters beside the house's keys; `load`
splits them and checks the parameters against the class's annotations.
"""

from enum import StrEnum
from typing import Annotated, Any

import msgspec

from liu_tui.model.market import Event
from liu_tui.model.window import Window

Positive = Annotated[float, msgspec.Meta(gt=0)]
PositiveInt = Annotated[int, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Fraction = Annotated[float, msgspec.Meta(gt=0, le=1)]


class Environment(StrEnum):
    """Whose money it is."""

    PAPER = "PAPER"
    PROD = "PROD"
    BACKTEST = "BACKTEST"


class OnLoss(StrEnum):
    """What the desk does when its supervisor is gone."""

    HALT = "halt"
    FLATTEN = "flatten"


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the plan: unknown keys are faults."""


class Limits(_Table, frozen=True, kw_only=True):
    """[limits]: what the desk refuses. None is no limit. No limit ever refuses an exit.

    Dollars are of absolute value; max_daily_loss is positive: realised and open loss since the open.
    """

    max_open_positions: PositiveInt | None = None
    max_order_value: Positive | None = None
    max_position_value: Positive | None = None
    max_daily_loss: Positive | None = None
    max_orders_per_minute: PositiveInt | None = None


class FaultKind(StrEnum):
    """What the local market can be told to do wrong."""

    DROP = "drop"  # cut every data connection
    SILENCE = "silence"  # stay connected, send nothing
    DELAY = "delay"  # send everything `seconds` late
    DUPLICATE = "duplicate"  # send events twice
    REORDER = "reorder"  # send the events of a moment in another order
    CORRUPT = "corrupt"  # break the bytes of frames
    WRONG_TYPES = "wrong_types"  # well-formed frames whose fields have other types
    REFUSE = "refuse"  # answer logins (402, 404, 406), subscriptions (405) or data (407) with error `code`
    SLOW = "slow"  # send a few bytes at a time
    SKEW = "skew"  # the venue's clock says `seconds` more than it is
    HALT = "halt"  # stop trading in `symbols`, with the tape's own messages
    SPLIT = "split"  # `symbols` split `ratio` for 1 at the next opening of a session
    BAD_PRINT = "bad_print"  # one print `percent` away from the market
    CORRECT = "correct"  # a print, and its correction a moment later
    CANCEL = "cancel"  # a print, and its cancellation a moment later


class FaultTable(_Table, frozen=True, kw_only=True, rename={"for_s": "for"}):
    """[[market.faults]]: one fault, at a moment of the session.

    at:      New York time, "10:05" or "10:05:30"
    for_s:   key `for`: session seconds it lasts; faults of a moment (drop, split, prints) ignore it
    symbols: whose events it hits; all if empty
    share:   fraction of the frames or events hit, by the market's seed
    code:    of `refuse`; seconds: of `delay` and `skew`; ratio: of `split`; percent: of `bad_print`
    """

    kind: FaultKind
    at: str = ""
    for_s: NotNegative = 0.0
    symbols: tuple[str, ...] = ()
    share: Fraction = 1.0
    code: int = 406
    seconds: float = 2.0
    ratio: Positive = 2.0
    percent: float = 10.0


class MarketTable(_Table, frozen=True, kw_only=True):
    """[market]: the local market. Without this table the plan trades at Alpaca.

    source:  "simulated", or a file or folder of recorded data, relative to the workspace
    date:    the recorded day to play (ISO), or the simulated day; the source's last day, or today, if empty
    start:   New York time at which the session clock starts, "09:25"; the open if empty
    speed:   session seconds per wall second, or "max" for lock-step
    seed:    of the simulation and of partial fills
    symbols: how many names the simulation has, 10 to 2,000
    cash:    dollars in the account at the start
    port:    on loopback; 0 takes a free one
    symbol_limit: (channel, symbol) pairs of trades and quotes that one data connection may have; any number
             if None. Alpaca's free plan has 30
    faults:  what it shall do wrong, and when; for rehearsals
    """

    source: str = "simulated"
    date: str = ""
    start: str = ""
    speed: Positive | str = 1.0
    seed: int = 1
    symbols: Annotated[int, msgspec.Meta(ge=2, le=2000)] = 100
    cash: Positive = 100_000.0
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    partial_fills: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.1
    symbol_limit: PositiveInt | None = None
    faults: tuple[FaultTable, ...] = ()


class DataVendor(StrEnum):
    """Who tells the market data; orders go to Alpaca or the local market whoever it is."""

    ALPACA = "alpaca"
    POLYGON = "polygon"


class AlpacaTable(_Table, frozen=True, kw_only=True):
    """[alpaca]: which of Alpaca's feeds. Keys come from the environment, never from a plan."""

    feed: str = "iex"


class PolygonTable(_Table, frozen=True, kw_only=True):
    """[polygon]: which of Polygon's (Massive's) feeds: "realtime", or "delayed" by 15 minutes."""

    feed: str = "realtime"


class ScannerTable(_Table, frozen=True, kw_only=True):
    """[scanners.NAME]: the class `NAME` in `filename`. All other keys are the scanner's own parameters.

    recurrence: minutes between two runs; without it the class's own, else it runs once
    target_strategy_name: the only strategy to get its picks; all of them if empty
    max_symbols: the most picks that are taken of one run
    """

    filename: str
    recurrence: Positive | None = None
    target_strategy_name: str = ""
    max_symbols: PositiveInt | None = None
    params: dict[str, Any] = {}


class StrategyTable(_Table, frozen=True, kw_only=True):
    """[strategies.NAME]: the class `NAME` in `filename`. All other keys are the strategy's own parameters.

    schedule: when it may open positions; always, if there is none
    budget_ms: how long one call may take before it is named on the console
    """

    filename: str
    schedule: tuple[Window, ...] = ()
    budget_ms: Positive = 50.0
    params: dict[str, Any] = {}


class MinerTable(_Table, frozen=True, kw_only=True):
    """[miners.NAME]: the class `NAME` in `filename`; all other keys are its parameters."""

    filename: str
    params: dict[str, Any] = {}


class TradePlan(_Table, frozen=True, kw_only=True):
    """A whole plan.

    risk:    fraction of portfolio_value that one trade may lose
    max_symbols: the most symbols subscribed at one time
    events:  streams to subscribe whatever the strategies declare; what they declare, if empty
    consumers: how many; by CPUs and symbols if 0
    late_after_s: age at which a trade or quote is discarded when its consumer takes it
    market_liquidation_end_time_minutes: day trades are liquidated so long before the close
    bypass_market_schedule: call strategies outside regular hours too
    test_scanners: run the scanners and trade nothing
    on_supervisor_loss: what the desk does when the supervisor is gone
    data:    the vendor of market data
    producers: data connections to spread the symbols over, where the vendor allows more than one
    record:  keep all market data of the session in the workspace's recordings
    """

    environment: Environment = Environment.PAPER
    portfolio_value: Positive = 100_000.0
    risk: Fraction = 0.001
    max_symbols: PositiveInt = 100
    events: tuple[Event, ...] = ()
    consumers: Annotated[int, msgspec.Meta(ge=0, le=26)] = 0
    late_after_s: Positive = 5.0
    market_liquidation_end_time_minutes: NotNegative = 15.0
    bypass_market_schedule: bool = False
    test_scanners: bool = False
    on_supervisor_loss: OnLoss = OnLoss.HALT
    data: DataVendor = DataVendor.ALPACA
    producers: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    record: bool = False
    market: MarketTable | None = None
    alpaca: AlpacaTable = AlpacaTable()
    polygon: PolygonTable = PolygonTable()
    limits: Limits = Limits()
    scanners: dict[str, ScannerTable] = {}
    strategies: dict[str, StrategyTable] = {}
    miners: dict[str, MinerTable] = {}

    @property
    def lockstep(self) -> bool:
        """Whether the market waits for everybody at each step."""
        return self.market is not None and self.market.speed == "max"
