"""One order with all its terms and its life, as far as it is known here. Goes on while it is open."""

from __future__ import annotations

from textual import events

from liu_tui.engine.snapshot import OrderRow
from liu_tui.tui.format import Span, clean, clock, price, shares
from liu_tui.tui.lives import Step
from liu_tui.tui.panes.cells import SAY
from liu_tui.tui.panes.orders import ORDER_TONES, order_type, reason_of, state_words
from liu_tui.tui.screens.dialog import Dialog
from liu_tui.tui.view import View
from liu_tui.tui.widgets.board import Line, Look

CHAIN_MOST = 20


class OrderSheet(Dialog[str]):
    """Gives "cancel" or "open" for what was asked of the order, or None."""

    def __init__(self, order_id: str, view: View, look: Look) -> None:
        super().__init__(look)
        self._order_id, self._view = order_id, view
        self._seen = -1

    def lines(self, width: int, height: int) -> list[Line]:
        """Terms, chain, life, keys."""
        rows = {row.client_order_id: row for row in self._view.picture.orders} if self._view.picture else {}
        row = rows.get(self._order_id)
        hint = Line(((" C cancels it, enter shows the symbol, esc closes", "faint"),), "dialog")
        if row is None:
            return [_line((f" {self._order_id} is not in the picture any more", "warn")), hint]
        body = [*_terms(row), *_chain(row, rows), *_life(row, self._view.lives.of(self._order_id))]
        asked = f"{SAY.get(row.operation, row.operation)} {shares(row.qty)}, {row.role}"
        head = _line((f" {clean(row.symbol)} ", "bold"), (asked, "text"))
        return [head, Line((), "dialog"), *body[: height - 4], Line((), "dialog"), hint]

    def frame(self) -> None:
        """Show what the session has told since the last time."""
        if self._seen != self._view.version:
            self._seen = self._view.version
            self.show()

    def pressed(self, event: events.Key) -> None:
        """Cancel it, go to its symbol, or close."""
        asked = {"C": "cancel", "enter": "open"}.get(event.character or "") or {"enter": "open"}.get(
            event.key
        )
        self.close(asked)


def _terms(row: OrderRow) -> list[Line]:
    state, tone = state_words(row), ORDER_TONES.get(row.state, "accent")
    limit, stop = price(row.limit_price), price(row.stop_price)
    lines = [
        _fact("state", (state, tone), (f"  {clean(row.code)}" if row.code else "", "warn")),
        _fact("type", (f"{order_type(row)}, {clean(row.tif)}", "text"),
              (", extended hours" if row.extended_hours else "", "warn")),
        _fact("prices", (f"limit {limit}  stop {stop}", "text"),
              ("  the stop follows the price" if row.order_type == "trailing_stop" else "", "dim")),
        _fact("filled", (f"{shares(row.filled_qty)} of {shares(row.qty)}", "text"),
              (f" at {price(row.avg_price)}" if row.filled_qty else "", "text")),
        _fact("strategy", (clean(row.strategy), "text")),
        _fact("id", (clean(row.client_order_id), "dim")),
    ]  # fmt: skip
    return [*lines, _fact("why", (reason_of(row), "warn"))] if row.words else lines


def _chain(row: OrderRow, rows: dict[str, OrderRow]) -> list[Line]:
    """The orders whose place it took, newest first, and the one that took its own."""
    lines = [
        _fact("replaced", (f"by {clean(other.client_order_id)}, {state_words(other)}", "text"))
        for other in rows.values()
        if other.replaces == row.client_order_id
    ]
    before = row.replaces
    while before and len(lines) < CHAIN_MOST:
        old = rows.get(before)
        at = f" at {price(old.limit_price or old.stop_price)}, {state_words(old)}" if old else ""
        lines.append(_fact("replaces", (f"{clean(before)}{at}", "text")))
        before = old.replaces if old else ""
    return lines


def _life(row: OrderRow, steps: list[Step]) -> list[Line]:
    """Step by step. What was before this console opened is known by its beginning only."""
    lines = [Line((), "dialog"), _fact("life", (f"{clock(row.created_ns)}  ", "dim"), ("asked for", "text"))]
    for step in steps:
        said = clean(step.words) if step.words else ""
        filled = f"  {shares(step.filled_qty)} filled" if step.filled_qty else ""
        state: Span = (f"{SAY.get(step.state, step.state):<10}", ORDER_TONES.get(step.state, "accent"))
        words: Span = (f"  {said}" if said else "", "dim")
        lines.append(_fact("", (f"{clock(step.t_ns)}  ", "dim"), state, (filled, "text"), words))
    return lines


def _fact(name: str, *spans: Span) -> Line:
    return _line((f"  {name:<10}", "dim"), *spans)


def _line(*spans: Span) -> Line:
    return Line(spans, "dialog")
