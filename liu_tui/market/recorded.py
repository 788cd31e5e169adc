"""RecordedSource: recorded days, played again.

A symbol's day is played as it was recorded: where there are trades they are played, and the minute bars are
made of them; where there are only bars, these are expanded (see expansion); recorded quotes take the place of
made-up ones. The records stay in memory as columns; events are made minute by minute.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from liu_tui.errors import FeedError
from liu_tui.market.calendar import hours, midnight_ns
from liu_tui.market.expansion import expand
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

    def steps(self, day: str, start_ns: int = 0) -> Iterator[Batch]:
        """Yield the day's steps. See Source.steps."""
        if day not in self._days:
            known = (
                f"It has {self._days[0]} to {self._days[-1]}." if self._days else "It has daily bars only."
            )
            raise FeedError(f"there is no recorded day {day}", where=self._where, mend=known)
        return _Playing(self._records.values(), date.fromisoformat(day)).steps(start_ns)

    def bars(self, symbol: str, span_ns: int, start_ns: int, end_ns: int) -> list[Bar]:
        """Return minute or daily bars. See Source.bars."""
        record = self._records.get(symbol)
        if record is None:
            return []
        return record.daily(start_ns, end_ns) if span_ns == DAY_NS else record.minutes(start_ns, end_ns)


class _Playing:
    """One day of the records, in the order that Source promises."""

    def __init__(self, records: Iterable[Record], day: date) -> None:
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
            yield from _ready(waiting, minute + MINUTE_NS, start_ns)
        yield from _ready(waiting, max(waiting, default=0) + 1, start_ns)

    def _fill(self, waiting: dict[int, list[_Entry]], minute: int) -> None:
        # A symbol's quotes go in before its trades: what one moment holds keeps that order.
        for rank, record in self._ticked.items():
            span = (minute, minute + MINUTE_NS)
            ticks: list[MarketEvent] = [*record.quotes(*span), *record.trades(*span)]
            for event in ticks:
                moment = event.t_ns
                entries = waiting.setdefault(moment, [])
                entries.append((rank, len(entries), event))
        for rank, bar in self._bars.get(minute, ()):
            for moment, event in self._expanded(rank, bar):
                entries = waiting.setdefault(moment, [])
                entries.append((-1 if event is bar else rank, len(entries), event))

    def _expanded(self, rank: int, bar: Bar) -> list[tuple[int, MarketEvent]]:
        if rank in self._traded:
            return [(bar.end_ns, bar)]
        events = expand(bar)
        if rank in self._quoted:
            return [(moment, event) for moment, event in events if not isinstance(event, Quote)]
        return events


def _ready(waiting: dict[int, list[_Entry]], before_ns: int, start_ns: int) -> Iterator[Batch]:
    """Take the moments before `before_ns` out and yield those from start_ns on, in order."""
    for moment in sorted(moment for moment in waiting if moment < before_ns):
        entries = sorted(waiting.pop(moment))
        if moment >= start_ns:
            yield moment, [event for _, _, event in entries]
