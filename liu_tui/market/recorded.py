"""RecordedSource: recorded days, played again.

A symbol's day is played as it was recorded: where there are trades they are played, and the minute bars are
made of them; where there are only bars, these are expanded (see expansion); recorded quotes take the place of
made-up ones. The records stay in memory as columns; events are made minute by minute.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from datetime import date, timedelta

from liu_tui.errors import FeedError
from liu_tui.market.calendar import hours, midnight_ns
from liu_tui.market.expansion import MOMENTS, expand
from liu_tui.market.record import Record
from liu_tui.market.source import Batch, Source
from liu_tui.model.market import DAY_NS, MINUTE_NS, Asset, Bar, MarketEvent, Quote

_Entry = tuple[int, int, MarketEvent]  # rank of the symbol (bars before all others), number, event


class RecordedSource(Source):
    """The days of these records. where: what the errors call it, e.g. the folder."""

    def __init__(self, records: Iterable[Record], *, where: str) -> None:
        self._records = {record.symbol: record for record in sorted(records, key=lambda r: r.symbol)}
        self._where = where
        ordinals = {n for record in self._records.values() for n in record.days}
        days = [date.fromordinal(n) for n in sorted(ordinals)]
        self._days = [day.isoformat() for day in days if hours(day) is not None]

    def assets(self) -> list[Asset]:
        """Return every name. A recording does not say where it was listed; Nasdaq stands for any."""
        return [Asset(symbol=symbol, exchange="NASDAQ") for symbol in self._records]

    def days(self) -> list[str]:
        """Return the sessions with minutes or ticks; daily bars alone cannot be played."""
        return list(self._days)

    def steps(self, day: str, start_ns: int = 0, wanted: Set[str] | None = None) -> Iterator[Batch]:
        """Yield the day's steps. See Source.steps."""
        if day not in self._days:
            known = (
                f"It has {self._days[0]} to {self._days[-1]}." if self._days else "It has daily bars only."
            )
            raise FeedError(f"there is no recorded day {day}", where=self._where, mend=known)
        return _Playing(self._records.values(), date.fromisoformat(day), wanted).steps(start_ns)

    def expands(self, symbol: str, day: str) -> bool:
        """Say whether only minute bars were recorded, all of them stamped with whole minutes."""
        record, ordinal = self._records.get(symbol), date.fromisoformat(day).toordinal()
        return (
            record is not None
            and ordinal not in record.trade_days | record.quote_days
            and record.whole_minutes
        )

    def bars(
        self, symbol: str, span_ns: int, start_ns: int, end_ns: int, now_ns: int | None = None
    ) -> list[Bar]:
        """Return minute or daily bars; each is known when it ends. See Source.bars."""
        record = self._records.get(symbol)
        if record is None:
            return []
        return record.daily(start_ns, end_ns) if span_ns == DAY_NS else record.minutes(start_ns, end_ns)


class _Playing:
    """One day of the records, in the order that Source promises."""

    def __init__(self, records: Iterable[Record], day: date, wanted: Set[str] | None) -> None:
        self._wanted = wanted
        self._skipped: dict[str, tuple[int, Bar]] = {}  # this minute's bars that nobody wants expanded, yet
        begin, end = midnight_ns(day), midnight_ns(day + timedelta(days=1))
        ordinal = day.toordinal()
        self._bars: dict[int, list[tuple[int, Bar]]] = defaultdict(list)
        self._ticked: dict[int, Record] = {}
        self._traded: set[int] = set()
        self._quoted: set[int] = set()
        self._minutes: set[int] = set()
        for rank, record in enumerate(r for r in records if ordinal in r.days):
            for bar in record.minutes(begin, end):
                self._bars[bar.t_ns - bar.t_ns % MINUTE_NS].append((rank, bar))
            if ordinal in record.trade_days | record.quote_days:
                self._ticked[rank] = record
                self._minutes |= record.tick_minutes(begin, end)
            if ordinal in record.trade_days:
                self._traded.add(rank)
            if ordinal in record.quote_days:
                self._quoted.add(rank)
        self._minutes |= set(self._bars)

    def steps(self, start_ns: int) -> Iterator[Batch]:
        waiting: dict[int, list[_Entry]] = {}
        for minute in sorted(self._minutes):
            # A minute's bars come at its end, a bar stamped within a minute even later.
            if minute + 2 * MINUTE_NS < start_ns:
                continue
            self._fill(waiting, minute)
            yield from self._ready(waiting, minute + MINUTE_NS, start_ns)
        yield from self._ready(waiting, max(waiting, default=0) + 1, start_ns)

    def _fill(self, waiting: dict[int, list[_Entry]], minute: int) -> None:
        # A symbol's quotes go in before its trades: what one moment holds keeps that order.
        for rank, record in self._ticked.items():
            span = (minute, minute + MINUTE_NS)
            ticks: list[MarketEvent] = [*record.quotes(*span), *record.trades(*span)]
            for event in ticks:
                moment = event.t_ns
                entries = waiting.setdefault(moment, [])
                entries.append((rank, len(entries), event))
        self._skipped.clear()
        for rank, bar in self._bars.get(minute, ()):
            if self._skips(rank, bar):
                self._skipped[bar.symbol] = rank, bar
                entries = waiting.setdefault(bar.end_ns, [])
                entries.append((-1, len(entries), bar))
                continue
            for moment, event in self._expanded(rank, bar):
                entries = waiting.setdefault(moment, [])
                entries.append((-1 if event is bar else rank, len(entries), event))

        if self._skipped:
            for after in MOMENTS:
                waiting.setdefault(minute + after, [])

    def _skips(self, rank: int, bar: Bar) -> bool:
        if self._wanted is None or bar.symbol in self._wanted or bar.t_ns % MINUTE_NS:
            return False
        return rank not in self._ticked

    def _expanded(self, rank: int, bar: Bar) -> list[tuple[int, MarketEvent]]:
        if rank in self._traded:
            return [(bar.end_ns, bar)]
        events = expand(bar)
        if rank in self._quoted:
            return [(moment, event) for moment, event in events if not isinstance(event, Quote)]
        return events

    def _ready(self, waiting: dict[int, list[_Entry]], before_ns: int, start_ns: int) -> Iterator[Batch]:
        """Take the moments before `before_ns` out and yield those from start_ns on, in order."""
        for moment in sorted(moment for moment in waiting if moment < before_ns):
            entries = sorted(waiting.pop(moment))
            if moment >= start_ns:
                yield moment, [event for _, _, event in entries]
                if self._skipped and not (self._wanted or set()).isdisjoint(self._skipped):
                    self._expand_late(waiting, moment)

    def _expand_late(self, waiting: dict[int, list[_Entry]], after_ns: int) -> None:
        """Play the rest of the minute of symbols that have become wanted in the middle of it."""
        for symbol in [symbol for symbol in self._skipped if symbol in (self._wanted or ())]:
            rank, bar = self._skipped.pop(symbol)
            for moment, event in expand(bar)[:-1]:
                if moment > after_ns:
                    entries = waiting.setdefault(moment, [])
                    entries.append((rank, len(entries), event))
