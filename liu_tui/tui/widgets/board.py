"""A widget that is told lines and repaints only what differs from what stands there.

Subclasses say what each line holds, in `draw`; the frame clock calls `flush`, and nothing else paints.
A dirty line is repainted from its start to its last changed cell: the driver writes from the start anyway.
"""

from __future__ import annotations

from typing import NamedTuple

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from liu_tui.tui.format import Span, plain, width_of
from liu_tui.tui.palette import Palette, palettes
from liu_tui.tui.signs import UNICODE, Signs


class Line(NamedTuple):
    """One line of the screen: spans of (text, tone) on a ground, padded or cut to the width."""

    spans: tuple[Span, ...] = ()
    ground: str = "row"


class Look:
    """How everything is drawn; one object that all boards of an app share. live: the account is real."""

    def __init__(self, signs: Signs = UNICODE, theme: str = "liu-dark") -> None:
        self.palettes = palettes()
        self._real = {name: palette.in_live() for name, palette in self.palettes.items()}
        self.signs = signs
        self.live = False
        self.palette: Palette = self.palettes[theme]

    def use(self, theme: str) -> None:
        """Draw in another palette from now on; the caller has all boards repaint."""
        self.palette = (self._real if self.live else self.palettes)[theme]

    def be_live(self, live: bool) -> None:
        """Draw the frame of a real account from now on, or the usual one."""
        self.live = live
        self.use(self.palette.theme.name)


class Board(Widget):
    """A region of lines.

    stale: everything but titles is drawn faint, for it may no longer be so
    active: keys go to it. Not Textual's focus, which restyles the whole screen at each move
    """

    can_focus = False

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.look = look
        self.stale = self.active = False
        self._lines: list[Line] = []
        self._strips: dict[int, Strip] = {}
        self._drawn: tuple[int, int] = (0, 0)

    def draw(self, width: int, height: int) -> list[Line]:
        """Say what the lines are; may be fewer than height."""
        raise NotImplementedError

    def flush(self) -> int:
        """Draw, and repaint the lines that changed; returns how many did."""
        size = (self.size.width, self.size.height)
        if not all(size):
            return 0
        lines = self.draw(*size)[: size[1]]
        lines += [Line()] * (size[1] - len(lines))
        if size != self._drawn:
            self._drawn, self._lines = size, lines
            self._strips.clear()
            self.refresh()
            return len(lines)
        return self._repaint(lines, size[0])

    def repaint(self) -> None:
        """Paint everything anew: colours or signs have changed."""
        self._drawn = (0, 0)
        self.flush()

    def _repaint(self, lines: list[Line], width: int) -> int:
        old, self._lines = self._lines, lines
        dirty = []
        for y, line in enumerate(lines):
            if line != old[y]:
                self._strips.pop(y, None)
                dirty.append(Region(0, y, min(width, _last_difference(old[y], line, width)), 1))
        if dirty:
            self.refresh(*dirty)
        return len(dirty)

    def render_line(self, y: int) -> Strip:
        """Give Textual a line; drawn once, kept until it changes."""
        width = self.size.width
        if (width, self.size.height) != self._drawn:
            self.flush()
        strip = self._strips.get(y)
        if strip is None:
            line = self._lines[y] if y < len(self._lines) else Line()
            strip = self._strips[y] = self._strip(line, width)
        return strip

    def _strip(self, line: Line, width: int) -> Strip:
        palette, ground = self.look.palette, line.ground
        faint = self.stale and ground in ("row", "cursor", "cursor_off", "header")
        ascii_only = self.look.signs.ascii
        segments = [
            Segment(plain(text) if ascii_only else text, palette.style("faint" if faint else tone, ground))
            for text, tone in line.spans
            if text
        ]
        have = sum(width_of(segment.text) for segment in segments)
        if have < width:
            segments.append(Segment(" " * (width - have), palette.style("text", ground)))
        strip = Strip(segments, max(have, width))
        return strip if have <= width else strip.crop(0, width)


def _last_difference(old: Line, new: Line, width: int) -> int:
    """The cell after the last one that may differ: lines of one form usually end alike."""
    if old.ground != new.ground:
        return width
    same = 0
    for (before, tone), (after, other) in zip(reversed(old.spans), reversed(new.spans), strict=False):
        if before != after or tone != other:
            break
        same += width_of(after)
    length = sum(width_of(text) for text, _ in new.spans)
    shorter = sum(width_of(text) for text, _ in old.spans) != length
    return width if shorter else max(1, length - same)
