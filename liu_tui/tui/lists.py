"""The three lists that dialogs show: vetoes, differences, flattens. Their rows, and what keys do there."""

from __future__ import annotations

from functools import partial

from liu_tui.engine.snapshot import DifferenceRow, FlattenRow, VetoRow
from liu_tui.tui import standing, symbols
from liu_tui.tui.format import Span, clean, clock, fit
from liu_tui.tui.panes.cells import until_words
from liu_tui.tui.screens.listing import Item, ListKind
from liu_tui.tui.view import View


def _cell(text: str, width: int) -> str:
    return f"{fit(text, width - 1)} "


def _vetoes(view: View) -> list[Item]:
    return [_veto(view, row) for row in view.picture.vetoes] if view.picture else []


def _veto(view: View, row: VetoRow) -> Item:
    allow = partial(symbols.allow, view, row)
    spans: tuple[Span, ...] = (
        (_cell(clean(row.symbol), 8), "bold"),
        (_cell(until_words(row, view.picture.hours if view.picture else None), 13), "warn"),
        (_cell(clean(row.strategy) or "all strategies", 18), "text"),
        (_cell(clean(row.by), 10), "dim"),
        (_cell(clean(row.reason) or "-", 24), "text"),
    )
    return Item(f"{row.symbol}/{row.strategy}", spans, {"x": allow})


def _differences(view: View) -> list[Item]:
    return [_difference(view, row) for row in view.picture.differences] if view.picture else []


def _difference(view: View, row: DifferenceRow) -> Item:
    doings = {
        key: partial(standing.resolve, view, row.symbol, choice)
        for choice, (key, _word, _does) in standing.RESOLVES.items()
    }
    spans: tuple[Span, ...] = (
        (_cell(clean(row.symbol), 8), "bold"),
        (fit(standing.signed(row.ours), 9, right=True), "text"),
        (fit(standing.signed(row.theirs), 9, right=True), "warn"),
        (f"  {clock(row.since_ns)}  ", "dim"),
        (_cell(clean(row.choice) or "waits for you", 14), "accent" if row.choice else "warn"),
        (_cell(clean(row.words), 26), "dim"),
    )
    return Item(row.symbol, spans, dict(doings))


def _flattens(view: View) -> list[Item]:
    return [_flatten(view, row) for row in view.picture.flattens] if view.picture else []


def _flatten(view: View, row: FlattenRow) -> Item:
    spans: tuple[Span, ...] = (
        (_cell(clean(row.symbol) or "everything", 11), "bold"),
        (_cell(clean(row.by), 9), "text"),
        (f"{clock(row.since_ns)}  ", "dim"),
        (_cell(standing.progress_words(row), 36), "warn"),
        (_cell(standing.stuck_words(row) or clean(row.reason), 30), "text"),
    )
    return Item(row.symbol or "*", spans, {"R": partial(standing.release, view, row.symbol)})


VETOES = ListKind(
    "reject",
    "Rejected symbols", f"{'SYMBOL':<8}{'UNTIL':<13}{'FOR':<18}{'BY':<10}WHY", _vetoes,
    "none is rejected; x rejects the one under the cursor, X asks for how long",
    "x allows the symbol again, esc closes",
)  # fmt: skip
DIFFERENCES = ListKind(
    "resolve",
    "Books and broker differ",
    f"{'SYMBOL':<8}{'BOOKS':>9}{'BROKER':>9}  {'SINCE':<10}{'DECIDED':<14}WHY", _differences,
    "books and broker agree",
    "a adopt, F flatten, i ignore; entries wait until you decide; esc closes",
)  # fmt: skip
FLATTENS = ListKind(
    "release",
    "Flattens in force", f"{'SCOPE':<11}{'BY':<9}{'SINCE':<10}{'DONE':<36}STUCK, OR WHY", _flattens,
    "no flatten is in force", "R releases the one under the cursor, esc closes",
)  # fmt: skip
