"""A small intraday chart in lines of text: price as a line, VWAP, fills, volume, two axes. Pure.

Unicode terminals get quarter blocks, two by two dots in a cell (every font has them, unlike braille); the
others get one sign a cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from liu_tui.engine.snapshot import Detail, DetailBar
from liu_tui.tui.format import Span, compact, minute, price
from liu_tui.tui.signs import Signs

AXIS_WIDTH = 10
VOLUME_LINES = 3
MOST_STRETCHED = 4
"""Dots that one minute may take early in the day."""
_BLOCKS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
"""By the sum of their dots: 1 upper left, 2 upper right, 4 lower left, 8 lower right."""
DOTS = 2
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
        self.width, self.height, self.signs = width, height, signs
        self._bits: dict[tuple[int, int], int] = {}
        self._tones: dict[tuple[int, int], str] = {}
        self._marks: dict[tuple[int, int], Span] = {}
        self._under: dict[tuple[int, int], Span] = {}

    def dot(self, x: int, y: int, tone: str) -> None:
        """Set a dot; x and y count half cells from the upper left."""
        cell = (x // DOTS, y // DOTS)
        if 0 <= cell[0] < self.width and 0 <= cell[1] < self.height:
            self._bits[cell] = self._bits.get(cell, 0) | 1 << (x % DOTS + DOTS * (y % DOTS))
            self._tones[cell] = tone

    def mark(self, x: int, y: int, sign: str, tone: str) -> None:
        """Put a sign over a cell; in the coordinates of dots."""
        self._marks[min(x // DOTS, self.width - 1), min(max(y // DOTS, 0), self.height - 1)] = (sign, tone)

    def under(self, x: int, y: int, sign: str, tone: str) -> None:
        """Put a sign where no dot comes; in the coordinates of dots."""
        self._under[x // DOTS, y // DOTS] = (sign, tone)

    def row(self, y: int) -> list[Span]:
        """Give one line of cells."""
        return _joined([self._cell(x, y) for x in range(self.width)])

    def _cell(self, x: int, y: int) -> Span:
        if mark := self._marks.get((x, y)):
            return mark
        bits = self._bits.get((x, y), 0)
        if not bits:
            return self._under.get((x, y), (" ", "text"))
        tone = self._tones[x, y]
        if self.signs.ascii:
            return "*", tone
        return _BLOCKS[bits], tone


def chart(detail: Detail, width: int, height: int, signs: Signs) -> list[Row]:
    """Draw a symbol's day into so many cells. Needs at least one bar, 30 cells and 8 lines."""
    plot = width - AXIS_WIDTH
    buckets = gather(detail.bars, plot * 2)
    price_lines = height - VOLUME_LINES - 1
    low, high = _range(buckets, detail)
    canvas = Canvas(plot, price_lines, signs)
    step = min(MOST_STRETCHED, max(1, plot * 2 // len(buckets)))
    steps = price_lines * DOTS - 1

    def y_of(value: float) -> int:
        return round((high - value) / (high - low) * steps)

    _draw_vwap(canvas, buckets, step, y_of)
    _draw_price(canvas, buckets, step, y_of)
    for t_ns, qty, at in detail.fills:
        if low <= at <= high:
            sign, tone = (signs.bought, "key") if qty > 0 else (signs.sold, "warn")
            canvas.mark(_x_of(buckets, t_ns) * step, y_of(at), sign, tone)
    rows = [(*canvas.row(y), _price_label(y, price_lines, low, high)) for y in range(price_lines)]
    return [*rows, *_volume(buckets, plot, step, signs), _times(buckets, plot, step)]


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


def _draw_price(canvas: Canvas, buckets: list[Bucket], step: int, y_of: Scale) -> None:
    """Join the closes: from each to the next every dot between them is set."""
    tone = "up" if buckets[-1].close >= buckets[0].close else "down"
    before = y_of(buckets[0].close)
    for index, bucket in enumerate(buckets):
        here = y_of(bucket.close)
        for y in range(min(before, here), max(before, here) + 1):
            canvas.dot(index * step, y, tone)
        for x in range(index * step, (index + 1) * step):
            canvas.dot(x, here, tone)
        before = here


def _draw_vwap(canvas: Canvas, buckets: list[Bucket], step: int, y_of: Scale) -> None:
    for x in range(0, len(buckets) * step, DOTS):
        if value := buckets[x // step].vwap:
            canvas.under(x, y_of(value), canvas.signs.rule, "vwap")


def _x_of(buckets: list[Bucket], t_ns: int) -> int:
    """The column of a moment: the last bucket that began before it."""
    return max(sum(bucket.t_ns <= t_ns for bucket in buckets) - 1, 0)


def _price_label(y: int, lines: int, low: float, high: float) -> Span:
    every = max(2, lines // 5)
    if y % every and y != lines - 1:
        return " " * AXIS_WIDTH, "faint"
    value = high - (high - low) * (y * DOTS + 0.5) / (lines * DOTS - 1)
    return f" {price(value):<{AXIS_WIDTH - 1}}", "dim"


def _volume(buckets: list[Bucket], plot: int, step: int, signs: Signs) -> list[Row]:
    """Bars of volume from below, two columns of dots a cell."""
    cells = [_volume_at(buckets, x, step) for x in range(0, len(buckets) * step, 2)]
    top = max(cells) or 1.0
    eighths = [round(cell / top * VOLUME_LINES * 8) for cell in cells]
    rows: list[Row] = []
    for line in range(VOLUME_LINES):
        floor = (VOLUME_LINES - 1 - line) * 8
        text = "".join(_block(high - floor, signs) for high in eighths)[:plot]
        label = f" {compact(top)}" if line == 0 else ""
        rows.append(((text.ljust(plot), "volume"), (label.ljust(AXIS_WIDTH), "faint")))
    return rows


def _volume_at(buckets: list[Bucket], x: int, step: int) -> float:
    """What was traded in the cell that begins at dot x: two buckets, or the one that is stretched over it."""
    return sum(bucket.volume for bucket in buckets[x : x + 2]) if step == 1 else buckets[x // step].volume


def _block(eighths: int, signs: Signs) -> str:
    return signs.eighths[min(eighths, 8) - 1] if eighths > 0 else " "


def _times(buckets: list[Bucket], plot: int, step: int) -> Row:
    """Times under the plot, as many as fit with room between them."""
    text = ""
    for cell in range(0, min(len(buckets) * step // 2, plot - 5), 15):
        text = text.ljust(cell) + minute(buckets[cell * 2 // step].t_ns)
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
