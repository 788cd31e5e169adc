"""What nobody may miss: halts, flattens that are not done, differences. Lies over the panes' upper edge."""

from __future__ import annotations

from textwrap import wrap

from liu_tui.engine.snapshot import DifferenceRow, FlattenRow, Picture
from liu_tui.tui.format import clean, width_of
from liu_tui.tui.spoken import counted
from liu_tui.tui.standing import how_long, progress_words, signed, stuck_words
from liu_tui.tui.view import View
from liu_tui.tui.widgets.board import Board, Line, Look

MOST, MOST_SMALL = 5, 3
"""Lines that alerts may take, of bodies that are high and of those that are not."""
HIGH = 31


class Alerts(Board):
    """The strip. Its height follows from `wanted`; the console lays it out."""

    def __init__(self, view: View, look: Look) -> None:
        super().__init__(look, id="alerts")
        self.view = view

    def wanted(self, width: int, height: int) -> int:
        """How many lines it needs in a body of so many cells."""
        picture = self.view.picture
        quiet = picture is None or not (picture.flattens or picture.differences or picture.state == "HALTED")
        if quiet:
            return 0
        return min(len(self._lines_of(width)), MOST if height >= HIGH else MOST_SMALL)

    def draw(self, width: int, height: int) -> list[Line]:
        """As many as there is room for; the last one says how many more there are."""
        lines = self._lines_of(width)
        if len(lines) <= height:
            return lines
        more = f" and {counted(len(lines) - height + 1, 'line')} more: R flattens, D differences"
        return [*lines[: height - 1], _ends(more, "", width, "heed")]

    def _lines_of(self, width: int) -> list[Line]:
        picture = self.view.picture
        if picture is None:
            return []
        now = self.view.now_ns()
        everything = [row for row in picture.flattens if not row.symbol]
        symbols = [row for row in picture.flattens if row.symbol]
        return [
            *(line for row in everything for line in _flatten(row, now, width)),
            *_halted(picture, width),
            *(line for row in symbols for line in _flatten(row, now, width)),
            *_differences(picture.differences, width),
        ]


def _flatten(row: FlattenRow, now_ns: int, width: int) -> list[Line]:
    """One line if it fits, else the stuck ones have lines of their own."""
    who = f" FLATTEN {clean(row.symbol) or 'everything'} by {clean(row.by)}: {progress_words(row)}"
    since = f" {how_long(row.since_ns, now_ns)}  R releases "
    stuck = f"stuck {stuck_words(row)}; trying again" if row.stuck else ""
    whole = f"{who}; {stuck}" if stuck else who
    if width_of(whole) + width_of(since) <= width:
        return [_ends(whole, since, width, "danger")]
    first = since if width_of(who) + width_of(since) <= width else "  R releases "
    rest = [_ends(f"   {part}", "", width, "danger") for part in wrap(stuck, max(width - 4, 1))]
    return [_ends(who, first, width, "danger"), *rest]


def _halted(picture: Picture, width: int) -> list[Line]:
    if picture.state != "HALTED":
        return []
    who = f" by {clean(picture.state_by)}" if picture.state_by else ""
    why = f": {clean(picture.state_reason)}" if picture.state_reason else ""
    said = f" HALTED{who}{why}. Only cancels and exits pass"
    return [_ends(said, "  P resumes ", width, "danger")]


def _differences(rows: tuple[DifferenceRow, ...], width: int) -> list[Line]:
    """One in full; of several how many, and the first ones in short."""
    if not rows:
        return []
    if len(rows) == 1:
        row = rows[0]
        said = f" DIFFERENCE {clean(row.symbol)}: books {signed(row.ours)}, broker {signed(row.theirs)}"
        said += f"; {clean(row.choice)}: being done" if row.choice else "; entries wait"
    else:
        each = ", ".join(f"{clean(row.symbol)} {signed(row.ours)}/{signed(row.theirs)}" for row in rows)
        said = f" {len(rows)} DIFFERENCES, entries wait (books/broker): {each}"
    return [
        _ends(said, "  D decides: adopt, flatten, ignore " if width >= 100 else "  D decides ", width, "heed")
    ]


def _ends(left: str, right: str, width: int, ground: str) -> Line:
    """Words at both ends; the left ones are cut if they must be."""
    room = width - width_of(right)
    if width_of(left) > room:
        left = left[: max(room - 1, 0)] + "~"
    return Line(((left, "text"), (" " * (room - width_of(left)), "text"), (right, "text")), ground)
