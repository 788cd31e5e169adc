"""The first line of every pane: number, name, counts and hints."""

from __future__ import annotations

from liu_tui.tui.format import Span, width_of
from liu_tui.tui.widgets.board import Line


def title_line(left: list[Span], right: list[Span], width: int, *, focused: bool, live: bool = False) -> Line:
    """Put spans to the left and right of a title. Where room is short the right ones go first.

    live: the account is real, and the title that has the keys says so
    """
    if live and focused:
        right = [*right, (" LIVE ", "live")]
    room = width - sum(width_of(text) for text, _ in left)
    kept: list[Span] = []
    for text, tone in reversed(right):
        room -= width_of(text) + 1
        if room < 1:
            break
        kept[:0] = [(text, tone), (" ", "text")]
    space = width - sum(width_of(text) for text, _ in (*left, *kept))
    ground = "title_on" if focused else "title"
    return Line((*left, (" " * max(space, 0), "text"), *kept), ground)
