"""A small intraday chart in lines of text: price as a line, VWAP, fills, volume, two axes. Pure.

Unicode terminals get braille dots, two columns and four rows in a cell; the others get one sign a cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from liu_tui.engine.snapshot import Detail, DetailBar
from liu_tui.tui.format import Span, compact, minute, price
from liu_tui.tui.signs import Signs

AXIS_WIDTH = 10
VOLUME_LINES = 3
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_MINUTE_NS = 60_000_000_000

Row = tuple[Span, ...]
Scale = Callable[[float], int]


@dataclass(frozen=True)
class Bucket:
    """Some minutes that share one column of dots. vwap: of the session up to its end, 0 if unknown."""

    t_ns: int
    low: float
    high: float
    close: float
    volume: float
    vwap: float


class Canvas:
    """Cells that dots are set in; each cell has the tone of the last dot."""

    def __init__(self, width: int, height: int, signs: Signs) -> None:
        self.width, self.height, self._signs = width, height, signs
        self._bits: dict[tuple[int, int], int] = {}
        self._tones: dict[tuple[int, int], str] = {}
        self._marks: dict[tuple[int, int], Span] = {}

    def dot(self, x: int, y: int, tone: str) -> None:
        """Set a dot; x counts half cells from the left, y quarter cells from the top."""
        cell = (x // 2, y // 4)
        if 0 <= cell[0] < self.width and 0 <= cell[1] < self.height:
            self._bits[cell] = self._bits.get(cell, 0) | _DOTS[y % 4][x % 2]
            self._tones[cell] = tone

    def mark(self, x: int, y: int, sign: str, tone: str) -> None:
        """Put a sign over a cell; in the coordinates of dots."""
        self._marks[min(x // 2, self.width - 1), min(max(y // 4, 0), self.height - 1)] = (sign, tone)

    def row(self, y: int) -> list[Span]:
        """Give one line of cells."""
        return _joined([self._cell(x, y) for x in range(self.width)])

    def _cell(self, x: int, y: int) -> Span:
        if mark := self._marks.get((x, y)):
            return mark
        bits = self._bits.get((x, y), 0)
        if not bits:
            return " ", "text"
        tone = self._tones[x, y]
        if self._signs.ascii:
            return ("." if tone == "vwap" else "*"), tone
        return chr(0x2800 + bits), tone


def chart(detail: Detail, width: int, height: int, signs: Signs) -> list[Row]:
    """Draw a symbol's day into so many cells. Needs at least one bar, 30 cells and 8 lines."""
    plot = width - AXIS_WIDTH
    buckets = gather(detail.bars, plot * 2)
    price_lines = height - VOLUME_LINES - 1
    low, high = _range(buckets, detail)
    canvas = Canvas(plot, price_lines, signs)
    steps = price_lines * 4 - 1

    def y_of(value: float) -> int:
        return round((high - value) / (high - low) * steps)

    _draw_vwap(canvas, buckets, y_of)
    _draw_price(canvas, buckets, y_of, "up" if buckets[-1].close >= buckets[0].close else "down")
    for t_ns, qty, at in detail.fills:
        if low <= at <= high:
            sign, tone = (signs.bought, "good") if qty > 0 else (signs.sold, "warn")
            canvas.mark(_x_of(buckets, t_ns), y_of(at), sign, tone)
    rows = [(*canvas.row(y), _price_label(y, price_lines, low, high)) for y in range(price_lines)]
    return [*rows, *_volume(buckets, plot, signs), _times(buckets, plot)]


def gather(bars: tuple[DetailBar, ...], columns: int) -> list[Bucket]:
    """Put bars together so that no more than `columns` buckets remain, each of as many minutes."""
    span = max(1, (bars[-1].t_ns - bars[0].t_ns) // _MINUTE_NS + 1)
    minutes = -(-span // max(columns, 1))
    grouped: dict[int, list[DetailBar]] = {}
    for bar in bars:
        grouped.setdefault((bar.t_ns - bars[0].t_ns) // _MINUTE_NS // minutes, []).append(bar)
    value = volume = 0.0
    buckets = []
    for group in grouped.values():
        value += sum((bar.high + bar.low + bar.close) / 3 * bar.volume for bar in group)
        volume += sum(bar.volume for bar in group)
        buckets.append(
            Bucket(
                group[0].t_ns,
                min(bar.low for bar in group),
                max(bar.high for bar in group),
                group[-1].close,
                sum(bar.volume for bar in group),
                value / volume if volume else 0.0,
            )
        )
    return buckets


def _range(buckets: list[Bucket], detail: Detail) -> tuple[float, float]:
    low, high = min(b.low for b in buckets), max(b.high for b in buckets)
    if detail.last:
        low, high = min(low, detail.last), max(high, detail.last)
    spare = (high - low) * 0.04 or max(high * 0.001, 0.01)
    return low - spare, high + spare


def _draw_price(canvas: Canvas, buckets: list[Bucket], y_of: Scale, tone: str) -> None:
    """Join the closes: from each to the next every dot between them is set."""
    before = y_of(buckets[0].close)
    for x, bucket in enumerate(buckets):
        here = y_of(bucket.close)
        for y in range(min(before, here), max(before, here) + 1):
            canvas.dot(x, y, tone)
        before = here


def _draw_vwap(canvas: Canvas, buckets: list[Bucket], y_of: Scale) -> None:
    for x, bucket in enumerate(buckets):
        if bucket.vwap and x % 3:
            canvas.dot(x, y_of(bucket.vwap), "vwap")


def _x_of(buckets: list[Bucket], t_ns: int) -> int:
    """The column of a moment: the last bucket that began before it."""
    return max(sum(bucket.t_ns <= t_ns for bucket in buckets) - 1, 0)


def _price_label(y: int, lines: int, low: float, high: float) -> Span:
    every = max(2, lines // 5)
    if y % every and y != lines - 1:
        return " " * AXIS_WIDTH, "faint"
    value = high - (high - low) * (y * 4 + 1.5) / (lines * 4 - 1)
    return f" {price(value):<{AXIS_WIDTH - 1}}", "dim"


def _volume(buckets: list[Bucket], plot: int, signs: Signs) -> list[Row]:
    """Bars of volume from below, two buckets a cell."""
    cells = [sum(b.volume for b in buckets[x : x + 2]) for x in range(0, len(buckets), 2)]
    top = max(cells) or 1.0
    eighths = [round(cell / top * VOLUME_LINES * 8) for cell in cells]
    rows: list[Row] = []
    for line in range(VOLUME_LINES):
        floor = (VOLUME_LINES - 1 - line) * 8
        text = "".join(_block(high - floor, signs) for high in eighths)
        label = f" {compact(top)}" if line == 0 else ""
        rows.append(((text.ljust(plot), "volume"), (label.ljust(AXIS_WIDTH), "faint")))
    return rows


def _block(eighths: int, signs: Signs) -> str:
    return signs.eighths[min(eighths, 8) - 1] if eighths > 0 else " "


def _times(buckets: list[Bucket], plot: int) -> Row:
    """Times under the plot, as many as fit with room between them."""
    text = ""
    for x in range(0, len(buckets), 2):
        if x // 2 >= len(text) and (x // 2) % 15 == 0 and x // 2 + 5 <= plot:
            text = text.ljust(x // 2) + minute(buckets[x].t_ns)
    return ((text.ljust(plot + AXIS_WIDTH), "faint"),)


def _joined(cells: list[Span]) -> list[Span]:
    """Put neighbours of one tone together."""
    spans: list[Span] = []
    for text, tone in cells:
        if spans and spans[-1][1] == tone:
            spans[-1] = (spans[-1][0] + text, tone)
        else:
            spans.append((text, tone))
    return spans
