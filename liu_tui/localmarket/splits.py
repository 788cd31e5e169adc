"""Splits that are made: a source whose names trade in new shares from a moment on, and the fault that asks.

From the opening of the session on prices are divided and sizes multiplied, in what is played and in what
history tells of that time. All before it stays in old shares: that is what unadjusted history is.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import date, timedelta

from msgspec.structs import replace

from liu_tui.localmarket.faultform import moment
from liu_tui.localmarket.faults import Fault
from liu_tui.market.calendar import first_session
from liu_tui.market.source import Batch, Source
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import (
    DAY_NS,
    Asset,
    Bar,
    CorporateAction,
    PriceBand,
    Quote,
    TapeEvent,
    Trade,
    TradeCancel,
    TradeCorrection,
)
from liu_tui.plan.schema import FaultKind, FaultTable


class SplitSource(Source):
    """Another source, as it is if its names split at a moment. hours: of the session played."""

    def __init__(self, source: Source, hours: SessionHours) -> None:
        self._source, self._hours = source, hours
        self.complete = source.complete
        self._splits: set[FaultTable] = set()
        self._ratios: dict[str, float] = {}
        self._ahead: dict[int, list[TapeEvent]] = {}  # the last step of each who plays, for it may wait still

    def split(self, table: FaultTable) -> None:
        """Split its symbols at the opening of the session; the same one twice changes nothing."""
        if table in self._splits:
            return
        self._splits.add(table)
        for symbol in table.symbols or [asset.symbol for asset in self.assets()]:
            self._ratios[symbol] = self._ratios.get(symbol, 1.0) * table.ratio
        # A tape looks one step ahead: that one left here before we knew.
        for events in self._ahead.values():
            events[:] = [self._split(event, table.ratio, table.symbols) for event in events]

    def assets(self) -> list[Asset]:
        """Return every name, sorted by symbol."""
        return self._source.assets()

    def days(self) -> list[str]:
        """Return the New York dates that can be played."""
        return self._source.days()

    def steps(self, day: str, start_ns: int = 0, wanted: Set[str] | None = None) -> Iterator[Batch]:
        """Yield the day's steps; each is a list of its own."""
        steps = self._source.steps(day, start_ns, wanted)
        me = id(steps)
        try:
            for t_ns, events in steps:
                own = self._ahead[me] = self._split_all(events) if self._ratios else list(events)
                yield t_ns, own
        finally:
            self._ahead.pop(me, None)

    def expands(self, symbol: str, day: str) -> bool:
        """Say whether the day's trades and quotes of a symbol are made of its minute bars."""
        return self._source.expands(symbol, day)

    def bars(
        self, symbol: str, span_ns: int, start_ns: int, end_ns: int, now_ns: int | None = None
    ) -> list[Bar]:
        """Return bars: in new shares those that steps() yields so, and the day's own."""
        bars = self._source.bars(symbol, span_ns, start_ns, end_ns, now_ns)
        ratio = self._ratios.get(symbol, 1.0)
        return bars if ratio == 1.0 else [split_bar(bar, ratio) if self._new(bar) else bar for bar in bars]

    def untold(self, day: str) -> list[Bar]:
        """Return the day's minute bars that bars() has and steps() never yields."""
        bars = self._source.untold(day)
        return [split_bar(b, self._ratios.get(b.symbol, 1.0)) if self._new(b) else b for b in bars]

    def previous_daily(self, symbol: str, day: str) -> Bar | None:
        """Return the last daily bar before this date, in old shares."""
        return self._source.previous_daily(symbol, day)

    def previous_close(self, symbol: str, day: str) -> float | None:
        """Return the last regular close before this date, in old shares."""
        return self._source.previous_close(symbol, day)

    def _split_all(self, events: Iterable[TapeEvent]) -> list[TapeEvent]:
        return [self._split(event, self._ratios.get(event.symbol, 1.0)) for event in events]

    def _split(self, event: TapeEvent, ratio: float, symbols: Sequence[str] = ()) -> TapeEvent:
        if ratio == 1.0 or (symbols and event.symbol not in symbols) or not self._new(event):
            return event
        return split_event(event, ratio)

    def _new(self, event: TapeEvent) -> bool:
        if isinstance(event, Bar) and event.span_ns == DAY_NS:
            return event.t_ns > self._hours.open_ns - DAY_NS // 2
        return event.t_ns >= self._hours.open_ns


class Splits:
    """The fault that makes names split. actions: the venue's list of what happened to names."""

    def __init__(self, source: SplitSource, hours: SessionHours, actions: list[CorporateAction]) -> None:
        self._source, self._hours, self._actions = source, hours, actions

    def begin(self, fault: Fault, _: int) -> None:
        """Announce it for the next opening; if that is this session's, split."""
        table, day = fault.table, self._hours.day
        if fault.at_ns <= self._hours.open_ns:
            self._source.split(table)
        else:
            day = first_session(date.fromisoformat(day) + timedelta(days=1)).day
        symbols = table.symbols or [asset.symbol for asset in self._source.assets()]
        fault.hits += len(symbols)
        self._actions += [
            CorporateAction(kind="split", symbol=symbol, day=day, ratio=table.ratio) for symbol in symbols
        ]

    def end(self, _: Fault, __: int) -> None:
        """What has split stays so."""


def splits_of(faults: Iterable[FaultTable], hours: SessionHours, start_ns: int) -> list[FaultTable]:
    """Those of a plan's faults with which this session opens. start_ns: the moment that no `at` means."""
    made = [table for table in faults if table.kind is FaultKind.SPLIT]
    return [t for t in made if (moment(t.at, hours) if t.at else start_ns) <= hours.open_ns]


def split_event(event: TapeEvent, ratio: float) -> TapeEvent:
    """What the tape says, in new shares: prices divided to the tick, sizes multiplied."""
    match event:
        case Trade():
            return replace(event, price=_price(event.price, ratio), size=_size(event.size, ratio))
        case Quote():
            return replace(
                event,
                bid=_price(event.bid, ratio),
                bid_size=_size(event.bid_size, ratio),
                ask=_price(event.ask, ratio),
                ask_size=_size(event.ask_size, ratio),
            )
        case Bar():
            return split_bar(event, ratio)
        case PriceBand():
            return replace(event, lower=_price(event.lower, ratio), upper=_price(event.upper, ratio))
        case TradeCorrection():
            return replace(
                event,
                price=_price(event.price, ratio),
                size=_size(event.size, ratio),
                new_price=_price(event.new_price, ratio),
                new_size=_size(event.new_size, ratio),
            )
        case TradeCancel():
            return replace(event, price=_price(event.price, ratio), size=_size(event.size, ratio))
        case _:
            return event


def split_bar(bar: Bar, ratio: float) -> Bar:
    """A bar in new shares."""
    if ratio == 1.0:
        return bar
    return replace(
        bar,
        open=_price(bar.open, ratio),
        high=_price(bar.high, ratio),
        low=_price(bar.low, ratio),
        close=_price(bar.close, ratio),
        volume=_size(bar.volume, ratio),
        vwap=round(bar.vwap / ratio, 6),
    )


def _price(price: float, ratio: float) -> float:
    new = price / ratio
    return round(new, 2 if new >= 1 else 4)


def _size(size: float, ratio: float) -> float:
    return float(round(size * ratio))
