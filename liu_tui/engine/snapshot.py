"""The picture a screen draws: rows of plain values, folded by the supervisor a few times a second.

Nothing here computes; everything a pane shows stands in a field. Times are UTC nanoseconds, money dollars.
"""

import msgspec

from liu_tui.model.clock import Anchor, SessionHours


class Row(msgspec.Struct, frozen=True, array_like=True, kw_only=True, gc=False):
    """Base of the rows of a picture."""


class StreamRow(Row, frozen=True, kw_only=True):
    """One producer's connection. state: as FeedRow's."""

    name: str
    state: str
    words: str
    age_s: float  # wall seconds since its last event
    rate: float
    symbols: int


class FeedRow(Row, frozen=True, kw_only=True):
    """The market data connections together.

    state: of the worst of the streams: waiting (not started yet), connecting, live, silent (connected, but
           quieter than is usual for it), lost, refused
    stale: how many symbols are older than their own usual gap explains
    duplicates, disordered, held_back, refused: events recognised as such since the start; held_back were too
           far from the market, refused could not be read
    amended: prints that the tape corrected or took back
    gaps:  how often something may have been missed and was fetched again
    left_out: symbols that the vendor's allowance had no room for
    recording: the file that all this is recorded to, "" if none
    """

    state: str = "waiting"
    words: str = ""
    age_s: float = 0.0  # wall seconds since the last event
    rate: float = 0.0  # events a second
    received: int = 0
    symbols: int = 0
    stale: int = 0
    duplicates: int = 0
    disordered: int = 0
    held_back: int = 0
    refused: int = 0
    slow: int = 0
    gaps: int = 0
    amended: int = 0
    left_out: tuple[str, ...] = ()
    recording: str = ""
    streams: tuple[StreamRow, ...] = ()


class BrokerRow(Row, frozen=True, kw_only=True):
    """The broker. state: away, reconciling, ready.

    compared_ns: session time at which the books were last compared with the broker and agreed, 0 if never
    asking:      orders whose fate is unknown and asked for
    suspended:   the account's own lock on new orders is set
    """

    state: str = "away"
    words: str = ""
    compared_ns: int = 0
    asking: int = 0
    suspended: bool = False


class DifferenceRow(Row, frozen=True, kw_only=True):
    """Books and broker do not agree on a symbol. choice: what a person decided, "" while nobody has."""

    symbol: str
    ours: float
    theirs: float
    words: str
    since_ns: int
    choice: str = ""


class FlattenRow(Row, frozen=True, kw_only=True):
    """A flatten that is not done. symbol "" is everything.

    begun:   how many positions it had to close; left: how many are not flat yet; working: orders not ended
    stuck:   (symbol, signed shares, why) of those that cannot be closed now
    """

    symbol: str
    by: str
    reason: str
    since_ns: int
    begun: int
    left: int
    working: int
    stuck: tuple[tuple[str, float, str], ...] = ()


class MoneyRow(Row, frozen=True, kw_only=True):
    """The batch's money. exposure: gross market value of all positions.

    result: dollars of the account's day, fees in; peak: its best; fees: of this batch
    """

    realized: float = 0.0
    unrealized: float = 0.0
    equity: float = 0.0
    cash: float = 0.0
    buying_power: float = 0.0
    exposure: float = 0.0
    max_daily_loss: float | None = None
    fees: float = 0.0
    result: float = 0.0
    peak: float = 0.0
    max_drawdown: float | None = None
    multiplier: float = 1.0


class HitRow(Row, frozen=True, kw_only=True):
    """One symbol that a scanner picked.

    values: what made it a hit, as "gap 4.2  rvol 3.1"; times: how often it was picked
    state:  "watched", "rejected", "unsubscribed", "over limit" (max_symbols)
    change_pct: against yesterday's close
    """

    symbol: str
    scanner: str
    strategy: str  # target_strategy_name, "" for all
    consumer: str
    first_ns: int
    last_ns: int
    times: int
    values: str
    price: float
    change_pct: float
    volume: float
    state: str
    age_s: float = -1.0  # wall seconds since its last event, -1 if none has come
    usual_s: float = 0.0  # its own usual gap, 0 if not known yet
    stale: bool = False  # older than that gap explains
    halted: bool = False


class ConsumerRow(Row, frozen=True, kw_only=True):
    """One consumer process: A, B, ...

    queue: bytes waiting in its link plus events held back by the producer; lag in milliseconds of wall time
    slowest: the strategy with the dearest call, and its cost in ms
    """

    name: str
    state: str
    pid: int
    symbols: int
    queue: int
    lag_p50_ms: float
    lag_p99_ms: float
    discarded: int
    merged: int
    rate: float
    dispatched: int
    slowest: str
    slowest_ms: float
    restarts: int


class PositionRow(Row, frozen=True, kw_only=True):
    """One strategy's holding. r: open profit in R, None if no stop was given."""

    strategy: str
    symbol: str
    qty: float
    avg_price: float
    price: float
    unrealized: float
    realized: float
    stop: float | None
    target: float | None
    r: float | None
    opened_ns: int


class OrderRow(Row, frozen=True, kw_only=True):
    """One order of this batch; live ones first. role: entry, exit, stop, target, liquidation."""

    client_order_id: str
    strategy: str
    symbol: str
    operation: str
    role: str
    order_type: str
    qty: float
    filled_qty: float
    limit_price: float | None
    stop_price: float | None
    avg_price: float
    state: str
    live: bool
    created_ns: int
    t_ns: int
    words: str
    code: str = ""  # of a refusal
    tif: str = "day"
    trail_price: float | None = None
    trail_percent: float | None = None
    extended_hours: bool = False
    replaces: str = ""


class VetoRow(Row, frozen=True, kw_only=True):
    """A symbol that may not be traded. strategy "" means all of them; until_ns: session time, 0 for good."""

    symbol: str
    strategy: str
    by: str
    reason: str
    since_ns: int
    until_ns: int = 0


class StrategyRow(Row, frozen=True, kw_only=True):
    """One strategy. state: running, quarantined, reloading; words: why."""

    name: str
    file: str
    state: str
    words: str
    positions: int
    trips: int
    realized: float
    unrealized: float
    calls: int
    slow_calls: int


class ScannerRow(Row, frozen=True, kw_only=True):
    """One scanner. next_ns: session time of its next run, 0 if none."""

    name: str
    state: str
    words: str
    runs: int
    hits: int
    next_ns: int


class ProcessRow(Row, frozen=True, kw_only=True):
    """One process of the session. role: supervisor, producer, consumer, scanners, desk, market."""

    role: str
    name: str
    pid: int
    state: str
    restarts: int


class LogLine(Row, frozen=True, kw_only=True):
    """One line of the log pane. level: info, good, warn, error; n counts from 1 without gaps.

    kind: what a bell may ring for: "fill", "refusal", "feed", or ""
    """

    n: int
    t_ns: int  # session time
    wall_ns: int
    level: str
    source: str
    words: str
    kind: str = ""


class CommandRow(Row, frozen=True, kw_only=True):
    """A command and how it went. state: pending, done, refused, failed."""

    id: str
    verb: str
    symbol: str
    by: str
    state: str
    words: str
    wall_ns: int


class Picture(msgspec.Struct, frozen=True, kw_only=True, tag="picture", array_like=True):
    """All that a screen needs, at one moment.

    phase: of the session: starting, waiting (for the open), trading, closing, ended
    state: ACTIVE, REDUCING or HALTED, with who set it and why
    log:   the lines since the last picture sent to this screen, oldest first
    """

    seq: int
    batch_id: str
    plan: str
    environment: str
    venue: str
    build: str
    anchor: Anchor
    hours: SessionHours | None
    phase: str
    state: str
    state_by: str
    state_reason: str
    feed: FeedRow
    broker: BrokerRow
    money: MoneyRow
    hits: tuple[HitRow, ...] = ()
    consumers: tuple[ConsumerRow, ...] = ()
    positions: tuple[PositionRow, ...] = ()
    orders: tuple[OrderRow, ...] = ()
    vetoes: tuple[VetoRow, ...] = ()
    strategies: tuple[StrategyRow, ...] = ()
    scanners: tuple[ScannerRow, ...] = ()
    processes: tuple[ProcessRow, ...] = ()
    commands: tuple[CommandRow, ...] = ()
    log: tuple[LogLine, ...] = ()
    differences: tuple[DifferenceRow, ...] = ()
    flattens: tuple[FlattenRow, ...] = ()
    plan_changed: str = ""  # a diff of the plan file against what runs; "" if it is the same


class DetailBar(Row, frozen=True, kw_only=True):
    """One minute of the symbol detail's chart."""

    t_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Detail(msgspec.Struct, frozen=True, kw_only=True, tag="detail", array_like=True):
    """The symbol detail.

    Bars of today oldest first, quote, and today's fills as (t_ns, signed qty, price).
    """

    symbol: str
    bars: tuple[DetailBar, ...] = ()
    bid: float = 0.0
    ask: float = 0.0
    bid_size: float = 0.0
    ask_size: float = 0.0
    last: float = 0.0
    previous_close: float = 0.0
    vwap: float = 0.0
    tape: tuple[tuple[int, float, float], ...] = ()  # the last trades: t_ns, price, size; newest first
    fills: tuple[tuple[int, float, float], ...] = ()
    words: str = ""  # why there is nothing to show
    backfilled: tuple[int, ...] = ()  # starts of the bars that came from history after a gap
    lower: float = 0.0  # limit down and up, 0 if the tape has not said
    upper: float = 0.0
    age_s: float = -1.0  # as HitRow's
    usual_s: float = 0.0
    stale: bool = False
    halted: bool = False
    held_back: int = 0  # prints and quotes that were too far from the market
