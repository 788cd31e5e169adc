"""The panes about the house itself: consumers, strategies and scanners, commands, processes."""

from __future__ import annotations

from dataclasses import dataclass

from liu_tui.engine.snapshot import ConsumerRow, Picture, ProcessRow
from liu_tui.tui.format import NOTHING, SECOND_NS, Span, clock, compact, countdown, millis
from liu_tui.tui.panes.cells import gain, word
from liu_tui.tui.panes.columns import Column, Scene
from liu_tui.tui.panes.rows import TablePane, of_picture
from liu_tui.tui.view import ActivityRow, View

LAG_WARN_MS, LAG_ERROR_MS = 500.0, 5000.0
"""From 5 s on events are late and discarded; a tenth of it is worth a look."""
SLOW_CALL_MS = 50.0

_STATE_TONES = {
    "running": "good", "ready": "good", "done": "good", "starting": "accent", "waiting": "dim",
    "reloading": "accent",
    "dead": "error", "failed": "error", "quarantined": "error", "refused": "warn", "unknown": "warn",
    "PENDING": "caution",
}  # fmt: skip


def _state(state: str) -> Span:
    return word(state, _STATE_TONES.get(state, "text"))


def _count(value: int, tone: str) -> Span:
    """A count that should stay at nought."""
    return (compact(value), tone if value else "faint")


# ── 4 Consumers ──


def _lag(value: float) -> Span:
    tone = "error" if value >= LAG_ERROR_MS else "warn" if value >= LAG_WARN_MS else "text"
    return millis(value), tone


def _slowest(row: ConsumerRow) -> Span:
    return (millis(row.slowest_ms), "warn" if row.slowest_ms >= SLOW_CALL_MS else "text")


def _behind(picture: Picture) -> tuple[Span, ...]:
    late = sum(row.lag_p99_ms >= LAG_WARN_MS for row in picture.consumers)
    return ((f"!{late} behind", "warn"),) if late else ()


CONSUMERS = TablePane[ConsumerRow](
    name="consumers", number=4, title="Consumers",
    columns=(
        Column("name", "", 2, lambda r, s: word(r.name, "bold"), "name", rank=0),
        Column("state", "STATE", 8, lambda r, s: _state(r.state), "state", rank=7),
        Column("queue", "QUEUE", 5, lambda r, s: (compact(r.queue), "text"), "queue", right=True, rank=1),
        Column("p50", "P50", 5, lambda r, s: _lag(r.lag_p50_ms), "lag_p50_ms", right=True, rank=2),
        Column("p99", "P99", 5, lambda r, s: _lag(r.lag_p99_ms), "lag_p99_ms", right=True, rank=1),
        Column("late", "LATE", 5, lambda r, s: _count(r.discarded, "error"), "discarded", right=True,
               rank=3),
        Column("merged", "MERGD", 5, lambda r, s: _count(r.merged, "warn"), "merged", right=True, rank=4),
        Column("rate", "EV/S", 5, lambda r, s: (compact(r.rate), "text"), "rate", right=True, rank=2),
        Column("symbols", "SYM", 4, lambda r, s: (compact(r.symbols), "dim"), "symbols", right=True,
               rank=8),
        Column("restarts", "RST", 3, lambda r, s: _count(r.restarts, "warn"), "restarts", right=True,
               rank=5),
        Column("cost", "SLOW", 5, lambda r, s: _slowest(r), "slowest_ms", right=True, rank=6),
        Column("slowest", "SLOWEST CALL", 12, lambda r, s: word(r.slowest, "dim"), "slowest", rank=9,
               grow=True),
    ),
    key=lambda r: r.name,
    rows=of_picture(lambda p: p.consumers),
    empty=lambda p: "no consumer yet: the session is starting",
    info=lambda p, s: _behind(p),
)  # fmt: skip


# ── 6 Strategies (and the scanners under them) ──


@dataclass(frozen=True)
class PartRow:
    """A strategy or a scanner. runs: calls of a strategy, looks of a scanner; gain None for a scanner."""

    kind: str
    name: str
    state: str
    words: str
    positions: int | None
    trips: int | None
    realized: float | None
    unrealized: float | None
    runs: int
    slow: int
    hits: int | None
    next_ns: int


def _parts(view: View) -> tuple[PartRow, ...]:
    if view.picture is None:
        return ()
    strategies = (
        PartRow("strategy", r.name, r.state, r.words, r.positions, r.trips, r.realized, r.unrealized, r.calls,
                r.slow_calls, None, 0)
        for r in view.picture.strategies
    )  # fmt: skip
    scanners = (
        PartRow("scanner", r.name, r.state, r.words, None, None, None, None, r.runs, 0, r.hits, r.next_ns)
        for r in view.picture.scanners
    )
    return (*strategies, *scanners)


def _maybe(value: int | None) -> Span:
    return (NOTHING if value is None else compact(value), "text" if value else "faint")


def _money(value: float | None, scene: Scene) -> Span:
    return gain(value, scene) if value is not None else (NOTHING, "faint")


def _news(row: PartRow, scene: Scene) -> Span:
    if row.words:
        return word(row.words, "warn")
    if row.next_ns > scene.now_ns:
        return f"next {countdown((row.next_ns - scene.now_ns) / SECOND_NS)}", "dim"
    return "", "dim"


STRATEGIES = TablePane[PartRow](
    name="strategies", number=6, title="Strategies and scanners",
    columns=(
        Column("name", "NAME", 16, lambda r, s: word(r.name, "bold"), "name", rank=0),
        Column("state", "STATE", 9, lambda r, s: _state(r.state), "state", rank=1),
        Column("pos", "POS", 3, lambda r, s: _maybe(r.positions), "positions", right=True, rank=3),
        Column("trips", "TRIPS", 5, lambda r, s: _maybe(r.trips), "trips", right=True, rank=6),
        Column("gain", "REALISED", 11, lambda r, s: _money(r.realized, s), "realized", right=True, rank=2),
        Column("open", "OPEN P&L", 11, lambda r, s: _money(r.unrealized, s), "unrealized", right=True,
               rank=5),
        Column("hits", "HITS", 4, lambda r, s: _maybe(r.hits), "hits", right=True, rank=8),
        Column("runs", "CALLS", 5, lambda r, s: (compact(r.runs), "dim"), "runs", right=True, rank=7),
        Column("slow", "SLOW", 4, lambda r, s: _count(r.slow, "warn"), "slow", right=True, rank=9),
        Column("words", "NEWS", 8, lambda r, s: _news(r, s), "words", rank=4, grow=True),
    ),
    key=lambda r: f"{r.kind}/{r.name}",
    rows=_parts,
    empty=lambda p: "this plan names no strategy",
    timed=True,
    info=lambda p, s: _quarantined(p),
)  # fmt: skip


def _quarantined(picture: Picture) -> tuple[Span, ...]:
    bad = sum(row.state == "quarantined" for row in picture.strategies)
    return ((f"!{bad} quarantined", "error"),) if bad else ()


# ── 7 Activity ──


def _took(row: ActivityRow) -> Span:
    return (millis(row.took_ms), "text") if row.took_ms is not None else ("", "text")


ACTIVITY = TablePane[ActivityRow](
    name="activity", number=7, title="Activity",
    columns=(
        Column("what", "COMMAND", 18, lambda r, s: word(f"{r.verb} {r.symbol}".strip(), "bold"), "verb",
               rank=0),
        Column("at", "AT (WALL)", 9, lambda r, s: (clock(r.wall_ns), "dim"), "wall_ns", rank=4),
        Column("by", "BY", 8, lambda r, s: word(r.by, "dim"), "by", rank=5),
        Column("state", "STATE", 7, lambda r, s: _state(r.state), "state", rank=1),
        Column("took", "TOOK", 5, lambda r, s: _took(r), "took_ms", right=True, rank=2),
        Column("words", "ANSWER", 16, lambda r, s: word(r.words, "text"), "words", rank=3, grow=True),
    ),
    key=lambda r: r.id,
    rows=lambda view: view.activity(),
    empty=lambda p: "no command yet",
    info=lambda p, s: (),
    symbol=lambda r: r.symbol,
)  # fmt: skip


# ── 8 Processes ──

PROCESSES = TablePane[ProcessRow](
    name="processes", number=8, title="Processes",
    columns=(
        Column("name", "NAME", 11, lambda r, s: word(r.name, "bold"), "name", rank=0),
        Column("role", "ROLE", 11, lambda r, s: word(r.role, "dim"), "role", rank=4),
        Column("state", "STATE", 9, lambda r, s: _state(r.state), "state", rank=1),
        Column("pid", "PID", 8, lambda r, s: (str(r.pid or NOTHING), "dim"), "pid", right=True, rank=2),
        Column("restarts", "RESTARTS", 8, lambda r, s: _count(r.restarts, "warn"), "restarts",
               right=True, rank=3),
    ),
    key=lambda r: f"{r.role}/{r.name}",
    rows=of_picture(lambda p: p.processes),
    empty=lambda p: "no process is known yet",
    info=lambda p, s: _down(p),
)  # fmt: skip


def _down(picture: Picture) -> tuple[Span, ...]:
    down = sum(row.state not in ("running", "starting", "ready") for row in picture.processes)
    return ((f"!{down} down", "error"),) if down else ()
