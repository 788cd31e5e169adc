"""The index of recordings: what a first reading finds, so that a day can be played without looking for it.

A Part is what one opening of a file recorded; its places say which blocks play when. Bars are taken out
whole, of all other events only the symbol and the time.
"""

import heapq
import logging
from collections.abc import Iterator
from datetime import date
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from liu_tui.errors import FeedError
from liu_tui.market.calendar import day_of, midnight_ns
from liu_tui.market.framing import EVENTS, HEADER, Block, Damage, block_at, blocks, check_header, system_said
from liu_tui.market.recording import About, Frame, Item, Missed, Prior, Subscribed, unpacked
from liu_tui.market.streaming import FeedStatus, Unreadable
from liu_tui.market.toldbars import ToldBars
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar, TapeEvent

log = logging.getLogger(__name__)

Moment = tuple[int, TapeEvent | None]
"""When an event is played; None where symbols were subscribed, and nothing need have come."""

_HOUR_NS: Final = 60 * MINUTE_NS
_HAPPENINGS: Final = (FeedStatus, Unreadable, Missed)


class Place(NamedTuple):
    """A block of events. first_ns to last_ns: when it is played; base_ns: the moment that came before it."""

    offset: int
    end: int
    base_ns: int
    first_ns: int
    last_ns: int


class Part:
    """What one opening of a file recorded."""

    def __init__(self, path: Path, about: About) -> None:
        self.path, self.about = path, about
        self.places: list[Place] = []
        self.now_ns = 0  # how far it has been read

    def today_ns(self) -> int:
        """When the day began that is being recorded."""
        if self.now_ns or not self.about.day:
            return midnight_ns(day_of(self.now_ns))
        return midnight_ns(date.fromisoformat(self.about.day))

    def lies_in(self, begin_ns: int, end_ns: int) -> bool:
        """Say whether anything of it is played between two moments."""
        return any(place.last_ns >= begin_ns and place.first_ns < end_ns for place in self.places)

    def moments(self, start_ns: int, end_ns: int) -> Iterator[Moment]:
        """Yield its events from one moment up to another, in the order in which they are played."""
        for moment, event in self._played(start_ns, end_ns):
            if start_ns <= moment < end_ns:
                yield moment, event

    def _played(self, start_ns: int, end_ns: int) -> Iterator[Moment]:
        early: list[tuple[int, int, TapeEvent]] = []  # came before it was over, by a clock that was behind
        number = 0
        for now_ns, items in self._frames(start_ns, end_ns):
            while early and early[0][0] <= now_ns:
                moment, _, event = heapq.heappop(early)
                yield moment, event
            if items is None:
                yield now_ns, None
            for item in items or ():
                if isinstance(item, _HAPPENINGS):
                    continue
                over_ns = item.t_ns if type(item) is not Bar else _over_ns(item)
                if over_ns <= now_ns:
                    yield now_ns, item
                else:
                    number += 1
                    heapq.heappush(early, (over_ns, number, item))
        for moment, _, event in sorted(early, key=itemgetter(0, 1)):
            yield moment, event

    def _frames(self, start_ns: int, end_ns: int) -> Iterator[tuple[int, list[Item] | None]]:
        with self.path.open("rb") as file:
            for place in self.places:
                if place.last_ns < start_ns or place.first_ns >= end_ns:
                    continue
                block = block_at(file, place.offset, place.end)
                if not isinstance(block, Block):
                    raise FeedError(block, where=str(self.path), mend="It has changed while it is played.")
                now_ns = place.base_ns
                for record in unpacked(block):
                    if isinstance(record, Frame | Subscribed):
                        now_ns = max(now_ns, record.at_ns - self.about.delay_ns)
                        yield now_ns, record.items if isinstance(record, Frame) else None


class Index:
    """What a first reading of the files finds.

    symbols: of all that was received or fetched
    bars:    (symbol, length) -> its minute or daily bars
    """

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.symbols: set[str] = set()
        self.bars: dict[tuple[str, int], ToldBars] = {}
        self._hours: set[int] = set()

    @property
    def days(self) -> set[str]:
        """The New York dates on which something was received."""
        return {day_of(hour * _HOUR_NS).isoformat() for hour in self._hours}

    def read(self, path: Path) -> None:
        """Take one file in."""
        self.parts.append(Part(path, _NOBODY))
        try:
            with path.open("rb") as file:
                check_header(file.read(HEADER.size), path)
                for part in blocks(file):
                    self._take(part)
        except OSError as e:
            raise system_said(path, e) from e

    def _take(self, found: Block | Damage) -> None:
        part = self.parts[-1]
        if isinstance(found, Block) and found.kind == EVENTS:
            try:
                self._take_events(part, found, _records.decode(found.body()))
            except (ValueError, msgspec.DecodeError) as e:
                found = Damage(found.offset, found.end, str(e))
        elif isinstance(found, Block):
            self.parts += [Part(part.path, record) for record in unpacked(found) if isinstance(record, About)]
        if isinstance(found, Damage):
            log.warning("%s, %s", part.path, found)

    def _take_events(self, part: Part, block: Block, records: "list[_Frame | Subscribed | Prior]") -> None:
        base_ns = now_ns = part.now_ns
        first_ns = last_ns = 0
        for record in records:
            if isinstance(record, Prior):
                self._take_prior(record, part)
                continue
            now_ns = max(now_ns, record.at_ns - part.about.delay_ns)
            part.now_ns = now_ns
            first_ns = first_ns or now_ns
            if isinstance(record, Subscribed):
                self.symbols.update(record.symbols)
                last_ns = max(last_ns, now_ns)
            else:
                last_ns = max(last_ns, self._take_items(record.items, now_ns))
        part.places.append(Place(block.offset, block.end, base_ns, first_ns, last_ns))

    def _take_items(self, items: "list[_Light]", now_ns: int) -> int:
        """Take a frame's events in; return the moment by which all of them are played."""
        bars = [item for item in items if type(item) is Bar]
        named = items if not bars and _NAMED.issuperset(map(type, items)) else _named(items)
        if not (bars or named):
            return 0
        self._hours.add(now_ns // _HOUR_NS)
        self.symbols.update(map(_symbol_of, named))
        last_ns = max(now_ns, max(map(_t_ns_of, named), default=0))
        for bar in bars:
            known_ns = max(now_ns, _over_ns(bar))
            self.symbols.add(bar.symbol)
            self._bars_of(bar).add(bar, known_ns)
            last_ns = max(last_ns, known_ns)
        return last_ns

    def _take_prior(self, prior: Prior, part: Part) -> None:
        self.symbols.add(prior.symbol)
        today_ns = part.today_ns()
        for bar in prior.bars:
            if bar.span_ns != DAY_NS or bar.t_ns < today_ns:  # a vendor gives the day so far as a day
                self._bars_of(bar).add(bar, bar.end_ns, prior=True)

    def _bars_of(self, bar: Bar) -> ToldBars:
        key = bar.symbol, bar.span_ns
        told = self.bars.get(key)
        if told is None:
            told = self.bars[key] = ToldBars(*key)
        return told


class _Named(msgspec.Struct, array_like=True, gc=False):
    """As much of a tape's event as the index needs: the rest is not even made."""

    symbol: str
    t_ns: int


class _Happened(msgspec.Struct, array_like=True, gc=False):
    """What happened to the feed: no event of the tape."""


# The tags are those of the structs that were written.
class _T(_Named, tag="t"):
    pass


class _Q(_Named, tag="q"):
    pass


class _H(_Named, tag="halt"):
    pass


class _P(_Named, tag="band"):
    pass


class _C(_Named, tag="fix"):
    pass


class _X(_Named, tag="bust"):
    pass


class _F(_Happened, tag="feed"):
    pass


class _U(_Happened, tag="unreadable"):
    pass


class _M(_Happened, tag="missed"):
    pass


_Light = _T | _Q | Bar | _H | _P | _C | _X | _F | _U | _M


class _Frame(msgspec.Struct, array_like=True, tag="f", gc=False):
    at_ns: int
    wall_ns: int
    items: list[_Light]


_records: msgspec.msgpack.Decoder[list[_Frame | Subscribed | Prior]] = msgspec.msgpack.Decoder(
    list[_Frame | Subscribed | Prior]
)
_NAMED: Final = frozenset({_T, _Q, _H, _P, _C, _X})
_symbol_of: Final = attrgetter("symbol")
_t_ns_of: Final = attrgetter("t_ns")
_NOBODY: Final = About(venue="", feed="", day="", build="")
"""Who recorded what stands before the first About: its block was damaged."""


def _named(items: list[_Light]) -> list[_Light]:
    return [item for item in items if type(item) in _NAMED]


def _over_ns(event: TapeEvent) -> int:
    """When it is over: a bar at its end, but the day so far when it is told."""
    if isinstance(event, Bar):
        return 0 if event.span_ns == DAY_NS else event.end_ns
    return event.t_ns
