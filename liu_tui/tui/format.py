"""Values as a trader reads them: text of a known form, and the tone it is drawn in. Pure.

Money and prices are dollars, times UTC nanoseconds shown in New York, ages and waits seconds.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rich.cells import cell_len, set_cell_size

NEW_YORK = ZoneInfo("America/New_York")
SECOND_NS = 1_000_000_000
NOTHING = "-"

Span = tuple[str, str]
"""Text and tone. Tones are the names that `palette` has styles for."""


def price(value: float | None) -> str:
    """Dollars: two decimals, four below one dollar; a dash where there is none."""
    if not value:
        return NOTHING
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4f}"


def money(value: float) -> str:
    """Dollars won or lost, always signed: +1,234.50."""
    return f"{value + 0.0:+,.2f}" if abs(value) >= 0.005 else "0.00"


def compact(value: float) -> str:
    """A count in at most five signs: 950, 48.2k, 157k, 5.5M, 2.1B."""
    size = abs(value)
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= limit * 0.9995:
            scaled = value / limit
            return f"{scaled:.0f}{unit}" if abs(scaled) >= 99.95 else f"{scaled:.1f}{unit}"
    return f"{value:.0f}"


def percent(value: float) -> str:
    """Percent, signed: +4.11%."""
    return f"{value:+.2f}%" if abs(value) >= 0.005 else "0.00%"


def shares(value: float) -> str:
    """A quantity, with a sign only if short, and decimals only if there are any."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4f}".rstrip("0")


def r_units(value: float | None) -> str:
    """Profit in R: +0.8."""
    return NOTHING if value is None else f"{value:+.1f}"


def millis(value: float) -> str:
    """A lag or a cost: 0.4ms, 34ms, 2.9s."""
    if value >= 1000:
        return f"{value / 1000:.1f}s"
    return f"{value:.0f}ms" if value >= 10 or value == 0 else f"{value:.1f}ms"


def age(seconds: float) -> str:
    """How long ago: 0.2s, 7s, 3m, 2h05."""
    if seconds < 0.95:
        return f"{max(seconds, 0.0):.1f}s"
    if seconds < 60:
        return f"{seconds:.0f}s"
    if seconds < 3600:
        return f"{seconds // 60:.0f}m"
    return f"{seconds // 3600:.0f}h{seconds % 3600 // 60:02.0f}"


def countdown(seconds: float) -> str:
    """How long until: 12:31 (minutes and seconds), 1:12:31."""
    left = max(0, int(seconds))
    hours, minutes, rest = left // 3600, left % 3600 // 60, left % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def clock(t_ns: int) -> str:
    """The time of day in New York, 10:32:07; a dash for 0."""
    if not t_ns:
        return NOTHING
    minute, second = divmod(t_ns // SECOND_NS, 60)
    return f"{_minute(minute)}:{second:02}"


def minute(t_ns: int) -> str:
    """The time of day in New York, 10:32."""
    return _minute(t_ns // SECOND_NS // 60) if t_ns else NOTHING


@lru_cache(maxsize=4096)
def _minute(minutes: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    return f"{moment.astimezone(NEW_YORK):%H:%M}"


def tone_of(value: float) -> str:
    """How a gain or a loss is drawn: up, down or text."""
    return "up" if value >= 0.005 else "down" if value <= -0.005 else "text"


@lru_cache(maxsize=8192)
def clean(text: str) -> str:
    """Take out what would move a terminal's cursor: control signs, escapes, line ends; one space each.

    Everything that comes from a session passes here before it is drawn.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)


def plain(text: str) -> str:
    """Write a text in ASCII, for terminals that know no more."""
    return text if text.isascii() else text.encode("ascii", "replace").decode()


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Pad or cut a text to exactly so many cells. What is cut on the right ends in a tilde."""
    have = len(text) if text.isascii() else cell_len(text)
    if have == width:
        return text
    if have < width:
        space = " " * (width - have)
        return space + text if right else text + space
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1) + "~"


def folded(spans: tuple[Span, ...], width: int) -> list[tuple[Span, ...]]:
    """Break spans between words into lines of at most so many cells; each word keeps its tone."""
    if sum(width_of(text) for text, _ in spans) <= width:
        return [spans]
    lines: list[list[Span]] = [[]]
    used = 0
    for text, tone in spans:
        for word in text.rstrip().split(" "):
            if used + width_of(word) > width and used:
                lines.append([])
                used = 0
            lines[-1].append((f"{word} ", tone))
            used += width_of(word) + 1
    return [tuple(line) for line in lines]


def width_of(text: str) -> int:
    """Tell the cells that a text takes."""
    return len(text) if text.isascii() else cell_len(text)
