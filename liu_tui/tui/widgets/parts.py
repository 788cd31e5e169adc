"""A line of parts that shorten themselves where room is short: the least important ones first. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from liu_tui.tui.format import Span, width_of
from liu_tui.tui.signs import Signs
from liu_tui.tui.widgets.board import Line

Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Part:
    """One part of a bar, from its longest form to its shortest; rank: who is shortened last."""

    forms: tuple[Spans, ...]
    rank: int


def width_spans(spans: Spans) -> int:
    """Tell the cells that spans take."""
    return sum(width_of(text) for text, _ in spans)


def fit_parts(parts: list[Part], width: int, gap: int) -> list[Spans]:
    """Choose a form of each part so that all fit: the least important are shortened first."""
    chosen = [0] * len(parts)

    def total() -> int:
        used = [width_spans(part.forms[at]) for part, at in zip(parts, chosen, strict=True)]
        return sum(used) + gap * (sum(1 for cells in used if cells) - 1)

    for index in sorted(range(len(parts)), key=lambda i: -parts[i].rank):
        while total() > width and chosen[index] < len(parts[index].forms) - 1:
            chosen[index] += 1
    return [part.forms[at] for part, at in zip(parts, chosen, strict=True)]


def joined(parts: list[Part], width: int, signs: Signs) -> Line:
    """Join parts to a bar, with a sign between them."""
    sep: Span = (f" {signs.sep} ", "faint")
    spans: list[Span] = [(" ", "text")]
    for index, form in enumerate(form for form in fit_parts(parts, width - 2, 3) if form):
        spans += [sep, *form] if index else form
    return Line(tuple(spans), "bar")
