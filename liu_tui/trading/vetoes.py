"""Vetoes: symbols in which entries are refused, for one strategy or for all, until a moment or for good."""

import re
from datetime import date, datetime, time

import msgspec

from liu_tui.market.calendar import to_datetime, to_ns
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS
from liu_tui.trading.book import Book

FOR_GOOD = 0
"""until_ns of a veto that stands until a person takes it back."""

_MINUTES = re.compile(r"(\d+(?:\.\d+)?)m")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)")


class Veto(msgspec.Struct, frozen=True):
    """Entries in a symbol are refused. until_ns: session time at which it ends, or FOR_GOOD."""

    by: str
    reason: str
    until_ns: int = FOR_GOOD


class Vetoes:
    """Those in force. all: (symbol, strategy), strategy "" for every one of them -> the veto."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.all: dict[tuple[str, str], Veto] = {}

    def set(self, symbol: str, strategy: str, veto: Veto) -> None:
        """Refuse entries in the symbol. Of two vetoes for the same the one that lasts longer stands."""
        known = self.all.get((symbol, strategy))
        if known is not None and not outlasts(veto.until_ns, known.until_ns):
            return
        self.all[symbol, strategy] = veto
        said = f": {veto.reason}" if veto.reason else ""
        words = f"{symbol} rejected for {_whom(strategy)} by {veto.by}{said}"
        self._book.notice("info", words, symbol=symbol)

    def clear(self, symbol: str, strategy: str) -> None:
        """Take a veto back; without a strategy every one of the symbol."""
        for key in [key for key in self.all if key[0] == symbol and strategy in ("", key[1])]:
            del self.all[key]
            self._book.notice("info", f"{symbol} allowed again for {_whom(key[1])}", symbol=symbol)

    def on(self, symbol: str, strategy: str, now_ns: int) -> Veto | None:
        """Find the veto that keeps the strategy from opening the symbol now; None if it may."""
        for key in ((symbol, ""), (symbol, strategy)):
            veto = self.all.get(key)
            if veto is not None and stands(veto.until_ns, now_ns):
                return veto
        return None

    def end_due(self, now_ns: int) -> None:
        """Forget those whose time is over, and say so."""
        for (symbol, strategy), veto in list(self.all.items()):
            if not stands(veto.until_ns, now_ns):
                del self.all[symbol, strategy]
                words = f"{symbol} may be traded again by {_whom(strategy)}: the time of its veto is over"
                self._book.notice("info", words, symbol=symbol)


def stands(until_ns: int, now_ns: int) -> bool:
    """Say whether a veto that ends then is in force now."""
    return until_ns == FOR_GOOD or now_ns < until_ns


def outlasts(until_ns: int, other_ns: int) -> bool:
    """Say whether the first of two ends is later; no end is later than for good."""
    return other_ns != FOR_GOOD and (until_ns == FOR_GOOD or until_ns > other_ns)


def until_of(words: str, now_ns: int, hours: SessionHours | None) -> int:
    """Read when a veto ends: "day" or "" (with the session's day), "good", "30m", "14:30" (New York time).

    hours: of the session's day, None while the venue has not told them

    Raises ValueError, in words.
    """
    words = words.strip().lower()
    if words == "good":
        return FOR_GOOD
    if match := _MINUTES.fullmatch(words):
        return now_ns + max(round(float(match[1]) * MINUTE_NS), 1)
    if hours is None:
        raise ValueError("the venue has not told its day yet: say until good, or ask again in a moment")
    if words in ("", "day"):
        return hours.post_ns
    return _moment_of(words, now_ns, hours)


def until_words(until_ns: int, hours: SessionHours | None) -> str:
    """Say until when a veto stands, to be read after the word "rejected"."""
    if until_ns == FOR_GOOD:
        return "for good"
    if hours is not None and until_ns == hours.post_ns:
        return "for the day"
    return f"until {to_datetime(until_ns):%H:%M}"


def _moment_of(words: str, now_ns: int, hours: SessionHours) -> int:
    match = _CLOCK.fullmatch(words)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError(f'{words!r} is no end of a veto: say day, good, minutes as "30m", or "14:30"')
    day = date.fromisoformat(hours.day)
    moment_ns = to_ns(datetime.combine(day, time(int(match[1]), int(match[2]))))
    if moment_ns <= now_ns:
        raise ValueError(f"{words} in New York is over: it is {to_datetime(now_ns):%H:%M} there")
    return moment_ns


def _whom(strategy: str) -> str:
    return strategy or "all strategies"
