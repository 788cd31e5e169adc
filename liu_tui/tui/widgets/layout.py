"""Where the panes lie, for every size of terminal. `places` is pure; `PaneLayout` tells Textual.

Below 60x15 nothing can be shown well. From there on one pane and a shared one; from 110x34 five panes; from
170x44 all nine. A pane's number never changes with the size.
"""

from __future__ import annotations

from collections.abc import Callable

from textual.geometry import Offset, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

ORDER = (
    *("hits", "positions", "orders", "consumers", "log"),
    *("strategies", "activity", "processes", "data"),
)
UNPLACED = ("strategies", "activity", "processes", "data")
"""Panes that share the log's area at the middle size."""
LEAST = (60, 12)
"""Cells of the body; the terminal has three lines more."""
MEDIUM, LARGE = (110, 31), (170, 41)

Places = dict[str, Region]


def places(width: int, height: int, *, shared: str, zoom: str = "", alerts: int = 0) -> Places:
    """Give each visible pane its region. shared: the pane in the shared area; zoom: the only one shown.

    alerts: lines of the strip above. They are taken from the panes at the upper edge: all others stay.
    """
    wanted = _panes(width, height, shared, zoom)
    if not alerts or "notice" in wanted:
        return wanted
    lowered = {
        name: region if region.y else Region(region.x, alerts, region.width, region.height - alerts)
        for name, region in wanted.items()
    }
    return {"alerts": Region(0, 0, width, alerts), **lowered}


def _panes(width: int, height: int, shared: str, zoom: str) -> Places:
    if width < LEAST[0] or height < LEAST[1]:
        return {"notice": Region(0, 0, width, height)}
    if zoom:
        return {zoom: Region(0, 0, width, height)}
    if width >= LARGE[0] and height >= LARGE[1]:
        return _large(width, height)
    if width >= MEDIUM[0] and height >= MEDIUM[1]:
        return _medium(width, height, shared)
    top = (height + 1) * 11 // 20
    return {"hits": Region(0, 0, width, top), shared: Region(0, top, width, height - top)}


def sharing(width: int, height: int, shared: str) -> str:
    """Name the pane that lies in the shared area; "" where every pane has its own."""
    if width >= LARGE[0] and height >= LARGE[1]:
        return ""
    medium = width >= MEDIUM[0] and height >= MEDIUM[1]
    return "log" if medium and shared not in UNPLACED else shared


def _medium(width: int, height: int, shared: str) -> Places:
    left = width // 2
    right, low = width - left - 1, max(9, height // 4)
    top = height - low
    first, third = top * 2 // 5, 6 + (top - 26) // 5
    second = top - first - third
    x = left + 1
    return {
        "hits": Region(0, 0, left, top),
        "positions": Region(x, 0, right, first),
        "orders": Region(x, first, right, second),
        "consumers": Region(x, first + second, right, third),
        sharing(width, height, shared): Region(0, top, width, low),
    }


def _large(width: int, height: int) -> Places:
    left, right = width * 33 // 100, width * 265 // 1000
    middle = width - left - right - 2
    low = max(11, height // 4)
    top = height - low
    x, xx = left + 1, left + middle + 2
    consumers, processes = 8, 11
    log = (xx - 1) * 62 // 100
    return {
        "hits": Region(0, 0, left, top),
        "positions": Region(x, 0, middle, top // 2),
        "orders": Region(x, top // 2, middle, top - top // 2),
        "consumers": Region(xx, 0, right, consumers),
        "strategies": Region(xx, consumers, right, top - consumers - processes),
        "processes": Region(xx, top - processes, right, processes),
        "log": Region(0, top, log, low),
        "data": Region(log + 1, top, xx - log - 2, low),
        "activity": Region(xx, top, right, low),
    }


class PaneLayout(Layout):
    """Textual's way to ask for places. wanted: tells the places for a width and a height."""

    name = "panes"

    def __init__(self, wanted: Callable[[int, int], Places]) -> None:
        self._wanted = wanted

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        """Place the children that are named; those without a place get no cell."""
        wanted = self._wanted(size.width, size.height)
        return [
            WidgetPlacement(region, Offset(), Spacing(), child)
            for child in children
            if (region := wanted.get(child.id or ""))
        ]


class Body(Widget):
    """The region of the panes, laid out by `wanted`."""

    def __init__(self, wanted: Callable[[int, int], Places]) -> None:
        super().__init__(id="body")
        self._wanted = PaneLayout(wanted)

    @property
    def layout(self) -> Layout:
        """Textual knows its own layouts by name only; this one is handed over as it is."""
        return self._wanted

    def lay_out(self) -> None:
        """Ask for the places anew. A child must ask: a widget keeps its own arrangement until then."""
        for child in self.children[:1]:
            child.refresh(layout=True)
