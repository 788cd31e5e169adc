"""Everything that may cross between two processes of a session, on four kinds of link.

control  supervisor ◀─▶ child     lossless; one pair per child, from its start to its end
market   producer ──▶ consumer     bounded: trades and quotes are merged when the reader is behind, the rest
                                   never lost
         producer ──▶ desk         Marks in place of trades and quotes, halts, steps
orders   consumer ◀─▶ desk         lossless: what was not answered is sent again on a new pair

Structs are arrays on the wire: append fields, never reorder. Once sent, a message belongs to nobody.
"""

import msgspec

from liu_tui.engine.client import Command
from liu_tui.engine.snapshot import Detail, DifferenceRow, FlattenRow
from liu_tui.market.marks import Mark
from liu_tui.market.streaming import FeedStatus
from liu_tui.model.account import Account, Position
from liu_tui.model.clock import Anchor, SessionHours
from liu_tui.model.market import Event, MarketEvent, MarketNote, Step
from liu_tui.model.orders import Fill, Intent, OrderNews
from liu_tui.plan.schema import TradePlan
from liu_tui.wiring.venue import Venue


class Message(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """Base of what crosses a control or orders link."""


# ── supervisor to child ──


class Boot(Message, frozen=True, tag="boot", kw_only=True):
    """The first message of a child's life: all it needs to know.

    consumers: names of all consumers, A first; index: this one's place among them
    roots:     workspace (root of user files), home (.liu)
    """

    role: str
    name: str
    build: str
    batch_id: str
    plan: TradePlan
    plan_file: str
    venue: Venue
    hours: SessionHours
    anchor: Anchor
    consumers: tuple[str, ...]
    index: int
    workspace: str
    home: str
    log_level: str = "INFO"
    after_fill: int = 0  # consumer: the last fill whose effect is in `states`
    untold: tuple[int, ...] = ()  # consumer: fills up to that one whose effect is not in them
    states: tuple["StateRow", ...] = ()
    keys: tuple["KeyRow", ...] = ()
    vetoes: tuple["VetoSet", ...] = ()
    profiles: tuple["StrategyProfile", ...] = ()  # desk: what the consumers said of their strategies
    lost_ns: int = 0  # producer: session time at which its predecessor died, 0 if it had none
    quarantined: tuple[tuple[str, str], ...] = ()  # consumer: (strategy, why) that hung its predecessor
    producers: tuple[str, ...] = ("producer",)  # names of all producers; `index` is a producer's place there
    recording: str = ""  # producer: the file to record to
    calendar: tuple[SessionHours, ...] = ()  # sessions in which the venue's calendar differs from the rules
    closed: tuple[str, ...] = ()  # dates on which the venue is closed though the rules know a session
    live: str = ""  # desk: the account whose real money a person has allowed it, by its number


class TakeLink(Message, frozen=True, tag="take", kw_only=True):
    """The file descriptor that came beside this message is your end of a link. kind: market or orders."""

    kind: str
    peer: str


class SetAnchor(Message, frozen=True, tag="set_anchor", kw_only=True):
    """The venue's time has a new anchor."""

    anchor: Anchor


class Stop(Message, frozen=True, tag="stop", kw_only=True):
    """End in order: finish what is in hand, say Bye, go."""

    reason: str


class SymbolTask(Message, frozen=True, tag="task", kw_only=True):
    """A symbol that a consumer is to serve, for these strategies (all of them if none are named)."""

    symbol: str
    strategies: tuple[str, ...] = ()


class Assign(Message, frozen=True, tag="assign", kw_only=True):
    """Consumer: serve these symbols too; answer Assigned(n) once their history is loaded."""

    n: int
    tasks: tuple[SymbolTask, ...]


class Drop(Message, frozen=True, tag="drop", kw_only=True):
    """Consumer: serve this symbol no longer."""

    symbol: str


class Route(Message, frozen=True, tag="route", kw_only=True):
    """Where one symbol's events go. events: what is subscribed; consumers: their places."""

    symbol: str
    events: tuple[str, ...]
    consumers: tuple[int, ...]


class Routes(Message, frozen=True, tag="routes", kw_only=True):
    """Producer: the whole routing table; answer Routed(n) once the vendor has confirmed."""

    n: int
    routes: tuple[Route, ...]


class Reconnect(Message, frozen=True, tag="reconnect", kw_only=True):
    """Producer: a person wants the line cut and made anew."""

    words: str


class StepAck(Message, frozen=True, tag="step_ack", kw_only=True):
    """Producer: everybody has finished step n."""

    n: int


class StepBegin(Message, frozen=True, tag="step_begin", kw_only=True):
    """Scanners: it is step n."""

    n: int
    t_ns: int


class VetoSet(Message, frozen=True, tag="veto", kw_only=True):
    """A symbol is vetoed (or allowed again) for a strategy, "" for all."""

    symbol: str
    strategy: str
    on: bool
    by: str = ""
    reason: str = ""
    since_ns: int = 0
    until_ns: int = 0  # session time at which it ends, 0 for good


class Reload(Message, frozen=True, tag="reload", kw_only=True):
    """Consumer or scanners: this user file was saved."""

    filename: str


class AskSeries(Message, frozen=True, tag="ask_series", kw_only=True):
    """Consumer: answer with a Detail of the symbol."""

    symbol: str


# ── child to supervisor ──


class Ready(Message, frozen=True, tag="ready", kw_only=True):
    """The child has booted and will take links."""

    name: str
    pid: int
    build: str


class Alive(Message, frozen=True, tag="alive", kw_only=True):
    """A child's heartbeat with its numbers since its start, about 4 a second. Unused fields stay 0."""

    received: int = 0
    dispatched: int = 0
    discarded: int = 0
    merged: int = 0
    refused: int = 0
    queue: int = 0
    lag_p50_ms: float = 0.0
    lag_p99_ms: float = 0.0
    symbols: int = 0
    slowest: str = ""
    slowest_ms: float = 0.0
    last_event_ns: int = 0  # monotonic
    by_symbol: tuple[tuple[str, int, int], ...] = ()  # symbol, discarded, merged: those that changed
    by_strategy: tuple[tuple[str, int, int], ...] = ()  # strategy, calls, slow calls
    by_consumer: tuple[tuple[str, int, int], ...] = ()  # consumer, merged, queued
    duplicates: int = 0  # producer: events that came twice
    disordered: int = 0  # producer: events older than one that came before
    held_back: int = 0  # producer: prints and quotes too far from the market
    slow: int = 0  # producer: how often the vendor said that we do not read fast enough
    gaps: int = 0  # producer: how often something may have been missed
    amended: int = 0  # producer: prints that the tape corrected or took back
    recorded: int = 0  # producer: events written to the recording
    unrecorded: int = 0  # producer: events that the disk had no time for
    left_out: tuple[str, ...] = ()  # producer: symbols that the vendor's allowance had no room for


class SymbolHealth(Message, frozen=True, tag="health", kw_only=True):
    """How fresh one symbol is, as its producer sees it.

    age_s:   wall seconds since its last event, -1 before the first; usual_s: its own usual gap, 0 if unknown
    stale:   too old by that measure, in a session that is open; halted: by the tape's word
    volume:  shares of today as the vendor counts them, 0 if it did not say
    """

    symbol: str
    age_s: float
    usual_s: float
    stale: bool
    halted: bool
    held_back: int
    volume: float


class Freshness(Message, frozen=True, tag="freshness", kw_only=True):
    """Producer, about once a second: its symbols.

    silent_s: wall seconds for which its stream has been quieter than is usual for it, 0 if it is not
    """

    silent_s: float
    rows: tuple[SymbolHealth, ...]


class VenueSaid(Message, frozen=True, tag="venue_said", kw_only=True):
    """Producer, once: the venue's session and time. The other children are booted with them.

    calendar, closed: where the venue's own calendar differs from our rules (see Boot)
    """

    hours: SessionHours
    anchor: Anchor
    calendar: tuple[SessionHours, ...] = ()
    closed: tuple[str, ...] = ()


class Bye(Message, frozen=True, tag="bye", kw_only=True):
    """The child has finished in order and exits."""


class Said(Message, frozen=True, tag="said", kw_only=True):
    """A line for the log. kind: fill, refusal, feed or "" (what a bell rings for)."""

    level: str
    source: str
    words: str
    t_ns: int
    kind: str = ""


class StrategyProfile(Message, frozen=True, tag="profile", kw_only=True):
    """What a strategy's class declares, told by the consumer that loaded it. fault.

    Why it could not be loaded.
    """

    name: str
    filename: str
    events: tuple[str, ...] = ()
    lookback: int = 0
    lookback_days: int = 0
    run_all: bool = False
    every: float = 0.0
    swing: bool = False
    fault: str = ""


class Profiles(Message, frozen=True, tag="profiles", kw_only=True):
    """All strategies of the plan, as this consumer has them."""

    profiles: tuple[StrategyProfile, ...]


class StrategyState(Message, frozen=True, tag="strategy_state", kw_only=True):
    """A strategy's condition changed: running, quarantined or reloading."""

    name: str
    state: str
    words: str = ""


class Assigned(Message, frozen=True, tag="assigned", kw_only=True):
    """Consumer: the tasks of Assign n are served."""

    n: int


class Routed(Message, frozen=True, tag="routed", kw_only=True):
    """Producer: Routes n are subscribed. words: what could not be, and why."""

    n: int
    words: str = ""


class FeedSaid(Message, frozen=True, tag="feed_said", kw_only=True):
    """Producer: the connection changed."""

    status: FeedStatus
    refused: int = 0


class SessionOver(Message, frozen=True, tag="session_over", kw_only=True):
    """Producer: the venue has no more events today."""

    t_ns: int


class HitFound(Message, frozen=True, tag="hit", kw_only=True):
    """One pick of one run."""

    symbol: str
    values: dict[str, float]
    price: float = 0.0
    change_pct: float = 0.0
    volume: float = 0.0


class Scanned(Message, frozen=True, tag="scanned", kw_only=True):
    """A scanner ran. words: how it failed, "" if it did not. next_ns.

    Session time of its next turn, 0 if none.
    """

    scanner: str
    target: str
    t_ns: int
    hits: tuple[HitFound, ...] = ()
    words: str = ""
    next_ns: int = 0
    took_ms: float = 0.0
    events: tuple[Event, ...] = ()  # data that the picks need beside what strategies declare


class StepDone(Message, frozen=True, tag="step_done", kw_only=True):
    """A child has finished step n: scanners and desk to the supervisor, a consumer to the desk."""

    n: int
    t_ns: int = 0


class VetoAsked(Message, frozen=True, tag="veto_asked", kw_only=True):
    """A strategy rejects a symbol, for itself (strategy) or for all ("")."""

    symbol: str
    strategy: str
    by: str
    reason: str
    until_ns: int = 0


class UnsubscribeAsked(Message, frozen=True, tag="unsubscribe_asked", kw_only=True):
    """A strategy wants no more data of a symbol."""

    symbol: str
    by: str
    reason: str


class StateRow(Message, frozen=True, tag="state", kw_only=True):
    """Declared state of a strategy for a symbol ("" for its own). json: an object."""

    strategy: str
    symbol: str
    json: str


class KeyRow(Message, frozen=True, tag="key", kw_only=True):
    """One entry of the key/value store."""

    strategy: str
    key: str
    value: str


class StatesSaved(Message, frozen=True, tag="states_saved", kw_only=True):
    """Consumer: store these.

    after_fill: the last fill whose effect is in them, but for those of the numbers in untold
    """

    rows: tuple[StateRow, ...]
    keys: tuple[KeyRow, ...]
    after_fill: int
    untold: tuple[int, ...] = ()


class DeskReady(Message, frozen=True, tag="desk_ready", kw_only=True):
    """The desk and the broker agree; intents are taken."""

    account: Account


class DeskFacts(Message, frozen=True, tag="desk_facts", kw_only=True):
    """Desk: what changed since the last one; positions are the whole set."""

    state: str
    by: str
    reason: str
    broker: str  # away, reconciling, ready
    broker_words: str
    account: Account | None
    realized: float
    unrealized: float
    exposure: float
    positions: tuple[Position, ...]
    prices: tuple[tuple[str, float], ...]
    orders: tuple[OrderNews, ...] = ()
    fills: tuple[Fill, ...] = ()
    fees: float = 0.0
    result: float = 0.0  # of the account's day, fees in
    peak: float = 0.0
    compared_ns: int = 0
    asking: int = 0
    differences: tuple[DifferenceRow, ...] = ()
    flattens: tuple[FlattenRow, ...] = ()


class DeskDone(Message, frozen=True, tag="desk_done", kw_only=True):
    """Desk: how a command went, or that flatten has reached flat. data: JSON."""

    id: str
    ok: bool
    words: str


class SeriesDetail(Message, frozen=True, tag="series_detail", kw_only=True):
    """Consumer: the answer to AskSeries."""

    detail: Detail


class DeskOrder(Message, frozen=True, tag="desk_order", kw_only=True):
    """Supervisor to desk: a person's command."""

    command: Command


class DeskProfiles(Message, frozen=True, tag="desk_profiles", kw_only=True):
    """Supervisor to desk: the strategies as they are now loaded."""

    profiles: tuple[StrategyProfile, ...]


ToChild = (
    Boot
    | TakeLink
    | SetAnchor
    | Stop
    | Assign
    | Drop
    | Routes
    | Reconnect
    | StepAck
    | StepBegin
    | VetoSet
    | Reload
    | AskSeries
    | DeskOrder
    | DeskProfiles
)


class SessionRefused(Message, frozen=True, tag="session_refused", kw_only=True):
    """The session cannot be, whoever starts it again: end it with these words."""

    what: str
    where: str = ""
    mend: str = ""


FromChild = (
    Ready
    | SessionRefused
    | Alive
    | Bye
    | VenueSaid
    | Said
    | Profiles
    | StrategyState
    | Assigned
    | Routed
    | FeedSaid
    | Freshness
    | SetAnchor
    | SessionOver
    | Scanned
    | StepDone
    | StepBegin
    | VetoAsked
    | UnsubscribeAsked
    | StatesSaved
    | DeskReady
    | DeskFacts
    | DeskDone
    | SeriesDetail
)


# ── market links ──


class Marks(Message, frozen=True, tag="marks", kw_only=True):
    """The last prices and quotes of symbols that traded or were quoted since the last Marks."""

    prices: tuple[Mark, ...]


class GapBegin(Message, frozen=True, tag="gap", kw_only=True):
    """Something may be missing from `from_ns` to `to_ns` of session time: fetch it before the next event.

    symbols: of these; of all that the sender serves if empty
    words:   why
    """

    from_ns: int
    to_ns: int
    symbols: tuple[str, ...] = ()
    words: str = ""


OnMarketLink = MarketEvent | MarketNote | Step | Marks | GapBegin


# ── orders links ──


class Attach(Message, frozen=True, tag="attach", kw_only=True):
    """Consumer to desk, first on each new link: the last fill that I have seen, and those missing before."""

    consumer: str
    after_fill: int
    untold: tuple[int, ...] = ()


class NumberedFill(Message, frozen=True, tag="numbered_fill", kw_only=True):
    """Desk to consumer: fill n of the batch (1, 2, ...; a consumer sees its own only)."""

    n: int
    fill: Fill


class Standing(Message, frozen=True, tag="standing", kw_only=True):
    """Desk to consumer: how your strategies stand now; sent after the fills that Attach asked for."""

    positions: tuple[Position, ...]
    orders: tuple[OrderNews, ...]


class Allocated(Message, frozen=True, tag="allocated", kw_only=True):
    """Desk to consumer: what a strategy's portfolio is worth, and what of it is not at work; dollars."""

    strategy: str
    worth: float
    free: float


class StepUpdates(Message, frozen=True, tag="step_updates", kw_only=True):
    """Desk to consumer: all updates of step n have been sent."""

    n: int


OnOrdersLink = Attach | Intent | StepDone | NumberedFill | OrderNews | Standing | StepUpdates | Allocated
