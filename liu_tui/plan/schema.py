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

    Dollars are of absolute value, losses positive, minutes and seconds of session time.

    max_daily_loss:   dollars, realised and open, fees in; of the account's day, over restarts too
    max_drawdown:     dollars below the day's best result
    max_gross_value:  dollars of all positions and working entries together, long and short
    max_orders_per_day: all that are sent; exits are counted and never refused
    price_collar_percent: how far what an entry pays may lie from the market, on its dear side
    duplicate_window_s: the same order of a strategy again within it is refused (symbol, side, quantity and
        prices alike)
    max_price_age_s:  an entry is refused when the symbol's last price is older
    symbol_cooldown_min: no entry of anybody in a symbol for so long after a trade that lost there
    max_losses_in_row, strategy_cooldown_min: so many losing trades of a strategy one after another, and it
        opens nothing for so long
    """

    max_open_positions: PositiveInt | None = None
    max_order_value: Positive | None = None
    max_position_value: Positive | None = None
    max_gross_value: Positive | None = None
    max_daily_loss: Positive | None = None
    max_drawdown: Positive | None = None
    max_orders_per_minute: PositiveInt | None = None
    max_orders_per_day: PositiveInt | None = None
    price_collar_percent: Positive | None = None
    duplicate_window_s: Positive | None = None
    max_price_age_s: Positive | None = None
    symbol_cooldown_min: Positive | None = None
    max_losses_in_row: PositiveInt | None = None
    strategy_cooldown_min: Positive = 30.0


class FeesTable(_Table, frozen=True, kw_only=True):
    """[fees]: what trading costs, booked with each fill; the local market takes it from the account too.

    per_order:   dollars, with an order's first fill; per_share: dollars a share, both sides
    sell_per_million: dollars a million dollars sold
    sell_per_share:   dollars a share sold, at most sell_cap for a fill; no cap if 0
    """

    per_order: NotNegative = 0.0
    per_share: NotNegative = 0.0
    sell_per_million: NotNegative = 0.0
    sell_per_share: NotNegative = 0.0
    sell_cap: NotNegative = 0.0


class PortfolioTable(_Table, frozen=True, kw_only=True):
    """[portfolios.NAME]: money set aside for the strategies whose portfolio_id is NAME.

    size:   dollars at its first start; what it has earned since is in the books
    credit: dollars that it may owe
    """

    size: Positive
    credit: NotNegative = 0.0


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

    # of orders
    LOST_ANSWER = "lost_answer"  # do what is asked, and hang up without an answer
    HTTP_ERROR = "http_error"  # answer with `code`: 429 and 500 undone, 504 done all the same
    UPDATES_LOST = "updates_lost"  # some order updates are never sent
    UPDATES_TWICE = "updates_twice"  # some are sent twice
    UPDATES_LATE = "updates_late"  # they are sent `seconds` late
    UPDATES_DISORDERED = "updates_disordered"  # those of a moment in another order
    UPDATES_SILENT = "updates_silent"  # the stream stays connected and says nothing more, pings neither
    UPDATES_CUT = "updates_cut"  # cut every order-updates connection
    BUST = "bust"  # the exchange takes the last fill back
    REPRICE = "reprice"  # the exchange corrects the last fill's price by `percent`
    NO_BORROW = "no_borrow"  # shares of `symbols` cannot be borrowed any more


class FaultTable(_Table, frozen=True, kw_only=True, rename={"for_s": "for"}):
    """[[market.faults]]: one fault, at a moment of the session.

    at:      New York time, "10:05" or "10:05:30"
    for_s:   key `for`: session seconds it lasts; faults of a moment (drop, split, prints) ignore it
    symbols: whose events it hits; all if empty
    share:   fraction of the frames or events hit, by the market's seed
    code:    of `refuse` (406 if unsaid) and `http_error` (500); seconds: of `delay`, `skew`, `updates_late`
    ratio:   of `split`; percent: of `bad_print` and `reprice`
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


class ExchangeTable(_Table, frozen=True, kw_only=True):
    """[market.exchange]: how fair an opponent the local exchange is. As it stands it fills like Alpaca's.

    displayed:  an order takes no more than the size that the quote shows, and the rest waits
    queue:      a limit order that rests is filled only after the size before it has traded at its price
    latency_ms: session milliseconds between taking an order, a cancel or a replacement and its reaching the
                book
    slippage_percent: of the price, against who takes liquidity; never through a limit
    luld:       limit up, limit down: no fill outside the bands around the five-minute average
    hard_to_borrow: fraction of the symbols (0-1) that cannot be sold short, by the market's seed
    """

    displayed: bool = False
    queue: bool = False
    latency_ms: NotNegative = 0.0
    slippage_percent: Annotated[float, msgspec.Meta(ge=0, lt=100)] = 0.0
    luld: bool = False
    hard_to_borrow: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0


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
    exchange: how it fills
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
    exchange: ExchangeTable = ExchangeTable()


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
    portfolio_id: the [portfolios.NAME] that it trades from; the plan's portfolio_value if empty
    """

    filename: str
    schedule: tuple[Window, ...] = ()
    budget_ms: Positive = 50.0
    portfolio_id: str = ""
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
    fees: FeesTable = FeesTable()
    portfolios: dict[str, PortfolioTable] = {}
    scanners: dict[str, ScannerTable] = {}
    strategies: dict[str, StrategyTable] = {}
    miners: dict[str, MinerTable] = {}

    @property
    def lockstep(self) -> bool:
        """Whether the market waits for everybody at each step."""
        return self.market is not None and self.market.speed == "max"
