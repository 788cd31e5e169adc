"""The late rule: a trade or quote that waited too long is discarded, and the backlog is cleaned in one go.

Waited is (session now - event time - the feed's declared delay) / speed, in wall seconds, when the consumer
takes the event. Bars are never late. In lock-step nothing is.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import msgspec

from liu_tui.engine.messages import OnMarketLink
from liu_tui.model.market import SECOND_NS, Quote, Trade

TELL_EVERY_NS = SECOND_NS
_when = attrgetter("t_ns")


class Cleaned(msgspec.Struct, frozen=True):
    """A backlog after cleaning.

    keep:    bars, steps and the like, and events that are not late, in order
    absorb:  the newest late quote and trade of each symbol: they update the series and call nobody
    worst:   (symbol, waited in seconds) of the latest one
    counts:  symbol -> how many were discarded
    """

    keep: list[OnMarketLink]
    absorb: list[Trade | Quote]
    worst: tuple[str, float]
    counts: dict[str, int]


def cutoff_ns(now_ns: int, late_after_s: float, speed: float, delay_ns: int = 0) -> int:
    """Events before this moment are late."""
    return now_ns - delay_ns - int(late_after_s * SECOND_NS * speed)


def has_late(events: Sequence[OnMarketLink], cutoff: int) -> bool:
    """Whether any trade or quote is late. Paid for every event of every batch: first a look at the oldest."""
    try:
        if min(map(_when, events), default=cutoff) >= cutoff:
            return False
    except AttributeError:  # something without a time is among them
        pass
    return any(type(event) in (Trade, Quote) and event.t_ns < cutoff for event in events)  # type: ignore[union-attr]


def clean(
    events: Sequence[OnMarketLink], cutoff: int, now_ns: int, speed: float, delay_ns: int = 0
) -> Cleaned:
    """Discard what is late of a whole backlog. speed, delay_ns: as for the cutoff."""
    keep: list[OnMarketLink] = []
    newest: dict[tuple[type, str], Trade | Quote] = {}
    counts: dict[str, int] = {}
    worst = ("", 0.0)
    for event in events:
        if not isinstance(event, Trade | Quote) or event.t_ns >= cutoff:
            keep.append(event)
            continue
        newest[type(event), event.symbol] = event
        counts[event.symbol] = counts.get(event.symbol, 0) + 1
        waited = (now_ns - delay_ns - event.t_ns) / SECOND_NS / speed
        if waited > worst[1]:
            worst = (event.symbol, waited)
    return Cleaned(keep, list(newest.values()), worst, counts)


class LateLines:
    """When the log hears of lateness: at once, and then once a second of the worst since.

    A feed that stays behind is late with every batch; a line for each would hide all others.
    """

    def __init__(self) -> None:
        self._told_ns = -TELL_EVERY_NS
        self._worst = ("", 0.0)

    def note(self, symbol: str, waited_s: float) -> None:
        """A backlog was cleaned; this was the latest event of it."""
        if waited_s > self._worst[1]:
            self._worst = (symbol, waited_s)

    def due(self, wall_ns: int) -> tuple[str, float] | None:
        """Return the worst that was not told yet, if it may be told now. wall_ns: any clock of the wall."""
        if not self._worst[0] or wall_ns - self._told_ns < TELL_EVERY_NS:
            return None
        worst, self._worst, self._told_ns = self._worst, ("", 0.0), wall_ns
        return worst


def words_of(consumer: str, symbol: str, waited_s: float) -> str:
    """The log line of a cleaning, as traders know it."""
    seconds, ms = divmod(round(waited_s * 1000), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"consumer {consumer} {symbol} out of sync w {hours}:{minutes:02d}:{seconds:02d}.{ms:03d}"
