"""What the books say of a session: the batch, its log lines, its round trips.

They stand here because two rooms that do not know each other use them: `analysis` makes them, `store` keeps
them. Times are UTC nanoseconds, money dollars, quantities signed where no direction stands beside them.
"""

import uuid
from datetime import UTC, datetime

import msgspec


def batch_id_at(wall_ns: int) -> str:
    """Make an id that sorts by time and is short enough to type: 20261122-153001-9f3c."""
    moment = datetime.fromtimestamp(wall_ns / 1e9, UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One session or one backtest: everything else in the books hangs on its id.

    plan, plan_text: the plan's file, and what stood in it
    environment:     PAPER, BACKTEST or PROD
    venue:           where it trades: "local market", "alpaca"
    day:             the trading day, ISO, in New York; "" where a backtest spans several
    start_ns, end_ns: by this machine's clock (a simulated day has its own); end_ns None while it runs
    state:           of trading: ACTIVE, REDUCING or HALTED, with who set it, why and when
    """

    batch_id: str
    plan: str
    plan_text: str
    environment: str
    venue: str
    account_id: str
    code_version: str
    day: str
    start_ns: int
    end_ns: int | None = None
    end_reason: str = ""
    state: str = "ACTIVE"
    state_by: str = ""
    state_reason: str = ""
    state_ns: int = 0


class SessionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the session's log, as the log pane and the digest show it.

    n:     counts from 1 within the batch, without gaps
    level: info, good, warn, error
    kind:  "fill", "refusal", "feed", "restart", or ""
    """

    n: int
    t_ns: int
    wall_ns: int
    level: str
    source: str
    words: str
    kind: str = ""


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """One round trip of one strategy in one symbol: from flat to flat.

    n:            1, 2, ... within the strategy and symbol
    direction:    +1 long, -1 short
    qty:          the most shares held, positive
    entry_price, exit_price: dollars; averages over all entries and all exits
    cost:         dollars that all its entries came to, positive
    gross:        dollars won (+) or lost (-), fees not in
    fees:         dollars, positive
    stop, target: dollars; of the first fill that gave one, None where none did
    r_units:      net over the risk first taken; None where no stop was given or it risked nothing
    mae, mfe:     dollars a share, positive: the furthest that the market went against and for the trip, from
                  its average entry; None where no bars were given
    """

    strategy: str
    symbol: str
    n: int
    direction: int
    qty: float
    start_ns: int
    end_ns: int
    entry_price: float
    exit_price: float
    cost: float
    gross: float
    fees: float
    fills: int
    stop: float | None = None
    target: float | None = None
    r_units: float | None = None
    mae: float | None = None
    mfe: float | None = None
    entry_reason: str = ""
    exit_reason: str = ""

    @property
    def net(self) -> float:
        """Dollars won or lost after fees."""
        return self.gross - self.fees

    @property
    def gain_percentage(self) -> float:
        """Net in percent of the cost; 0 if that is 0."""
        return 100 * self.net / self.cost if self.cost else 0.0


class GainLoss(msgspec.Struct, frozen=True, kw_only=True):
    """What one strategy earned in one symbol in one batch; only what is realised.

    gain_value:      dollars, after the fees of all fills
    gain_percentage: of what the shares that were closed had cost; 0 if none were
    open_qty, open_avg_price: what is still held: signed shares, average entry; its profit is in no sum
    """

    strategy: str
    symbol: str
    gain_value: float
    gain_percentage: float
    fees: float
    trips: int
    open_qty: float = 0.0
    open_avg_price: float = 0.0
