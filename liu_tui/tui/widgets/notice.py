"""What the body says when there are no panes to show: connecting, too small, another build, the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from liu_tui.model.clock import monotonic_ns
from liu_tui.tui.format import SECOND_NS, Span, clean, compact, millis, money, shares, tone_of
from liu_tui.tui.view import View
from liu_tui.tui.widgets.board import Board, Line, Look

Row = tuple[Span, ...]


class Notice(Board):
    """Some lines in words, in the middle of the body."""

    def __init__(self, view: View, look: Look, *, batch_id: str, plan: str) -> None:
        super().__init__(look, id="notice")
        self.view, self._batch_id, self._plan = view, batch_id, plan

    def draw(self, width: int, height: int) -> list[Line]:
        """Choose the words, and centre them as one block."""
        rows = self._rows(width, height)
        block = max((sum(len(text) for text, _ in row) for row in rows), default=0)
        left = " " * max(1, (width - block) // 2)
        above = [Line()] * max(0, (height - len(rows)) // 2)
        return [*above, *(Line(((left, "text"), *row)) for row in rows)]

    def _rows(self, width: int, height: int) -> list[Row]:
        view = self.view
        if view.farewell is not None:
            return farewell_rows(view.farewell.words, view.farewell.summary)
        if view.link.state == "refused":
            return [(("This session cannot be shown.", "error"),), ((clean(view.link.words), "text"),),
                    (("q leaves; the session goes on.", "dim"),)]  # fmt: skip
        if view.picture is not None:
            return [((f"This terminal is too small: {width}x{height + 3}.", "warn"),),
                    (("The console needs 60x15; the session goes on.", "dim"),)]  # fmt: skip
        return self._connecting()

    def _connecting(self) -> list[Row]:
        link = self.view.link
        waited = (monotonic_ns() - link.since_ns) / SECOND_NS
        rows: list[Row] = [
            ((f"Connecting to session {clean(self._batch_id)}", "bold"),),
            ((f"plan {clean(Path(self._plan).name)}, waiting {waited:.0f} s", "dim"),),
        ]
        if link.words:
            left = max(0.0, (link.retry_ns - monotonic_ns()) / SECOND_NS)
            rows.append(((f"{clean(link.words)}; try {link.attempts + 1} in {left:.0f} s", "warn"),))
        return [*rows, (), (("q leaves; the session goes on.", "dim"),)]


def farewell_rows(words: str, summary: str) -> list[Row]:
    """Tell the session's end in numbers. summary: its JSON, as far as it is there."""
    told: dict[str, Any] = json.loads(summary or "{}")
    rows: list[Row] = [
        (("The session has ended", "bold"), (f": {clean(words)}" if words else "", "text")),
        (),
    ]
    rows += _numbers(told) if told else []
    return [*rows, (), (("q leaves. ", "key"), ("liu-tui report shows every trade.", "dim"))]


def _numbers(told: dict[str, Any]) -> list[Row]:
    realized, opened = told.get("realized_pnl", 0.0), told.get("unrealized_pnl", 0.0)
    events = told.get("events", {})
    orders = ", ".join(f"{count} {state}" for state, count in told.get("orders", {}).items()) or "none"
    held = (
        ", ".join(f"{shares(qty)} {clean(symbol)}" for symbol, qty in told.get("positions", {}).items())
        or "flat"
    )
    lags = ", ".join(f"{name} {millis(lag['p99'])}" for name, lag in told.get("lag_ms", {}).items())
    late, merged = events.get("discarded_late", 0), events.get("merged", 0)
    flow = f"{compact(events.get('received', 0))} received, {late} late, {merged} merged"
    rows: list[Row] = [
        _row("batch", (f"{clean(told.get('batch_id', ''))} ({clean(told.get('environment', ''))})", "text")),
        _row("result", (money(realized + opened), tone_of(realized + opened)),
             (f"  realised {money(realized)}", tone_of(realized)),
             (f"  open {money(opened)}", tone_of(opened))),
        _row("fills", (str(told.get("fills", 0)), "text")),
        _row("orders", (clean(orders), "text")),
        _row("positions", (held, "text")),
        _row("events", (flow, "text")),
        _row("lag p99", (lags or "-", "text")),
    ]  # fmt: skip
    if restarts := told.get("restarts", 0):
        rows.append(_row("restarts", (str(restarts), "warn")))
    return rows


def _row(name: str, *spans: Span) -> Row:
    return ((f"{name:<11}", "dim"), *spans)
