"""The pane about the market data: each connection, and what was wrong with what came over it."""

from __future__ import annotations

from dataclasses import dataclass

from liu_tui.engine.snapshot import FeedRow, Picture
from liu_tui.tui.format import NOTHING, Span, age, clean, compact
from liu_tui.tui.panes.cells import word
from liu_tui.tui.panes.columns import Column, Scene
from liu_tui.tui.panes.rows import TablePane
from liu_tui.tui.view import View

STREAM_TONES = {
    "live": "good", "connecting": "accent", "waiting": "dim", "silent": "error", "lost": "error",
    "refused": "error",
}  # fmt: skip


@dataclass(frozen=True)
class DataRow:
    """A connection, or one thing that is counted. count: None for a connection."""

    kind: str
    name: str
    state: str
    age_s: float | None
    rate: float | None
    symbols: int | None
    count: int | None
    words: str


def _rows(view: View) -> tuple[DataRow, ...]:
    if view.picture is None:
        return ()
    feed = view.picture.feed
    streams = (
        DataRow("stream", r.name, r.state, r.age_s, r.rate, r.symbols, None, r.words) for r in feed.streams
    )
    return (*streams, *_counts(feed))


def _counts(feed: FeedRow) -> tuple[DataRow, ...]:
    """What went wrong so far, and what is wrong now; all of it should be nought."""
    said = (
        ("stale", feed.stale, "symbols older than is usual for them"),
        ("gaps", feed.gaps, "in the feed, fetched again"),
        ("unreadable", feed.refused, "messages"),
        ("held back", feed.held_back, "prints and quotes too far off"),
        ("amended", feed.amended, "prints, by the tape"),
        ("came twice", feed.duplicates, "events"),
        ("disordered", feed.disordered, "events"),
        ("slow", feed.slow, "said the vendor of our reading"),
        ("left out", len(feed.left_out), _left_out(feed)),
    )
    return tuple(DataRow("count", name, "", None, None, None, count, words) for name, count, words in said)


def _left_out(feed: FeedRow) -> str:
    return " ".join(feed.left_out) if feed.left_out else "symbols, by the allowance"


def _state(row: DataRow) -> Span:
    if row.count is not None:
        return compact(row.count), "warn" if row.count else "faint"
    return word(row.state, STREAM_TONES.get(row.state, "text"))


def _maybe(value: float | None) -> Span:
    return ("", "faint") if value is None else (compact(value), "text")


def _age(row: DataRow) -> Span:
    return ("", "faint") if row.age_s is None else (age(row.age_s), "text")


def _recording(picture: Picture) -> tuple[Span, ...]:
    path = picture.feed.recording
    return ((f"recording to {clean(path.rsplit('/', 1)[-1])}", "accent"),) if path else ()


def _news(row: DataRow, _scene: Scene) -> Span:
    quiet = row.count == 0 or row.state == "live"
    return word(row.words or NOTHING, "dim" if quiet else "warn")


DATA = TablePane[DataRow](
    name="data", number=9, title="Data",
    columns=(
        Column("name", "NAME", 11, lambda r, s: word(r.name, "bold"), "name", rank=0),
        Column("state", "STATE", 9, lambda r, s: _state(r), "state", rank=1),
        Column("age", "AGE", 5, lambda r, s: _age(r), "age_s", right=True, rank=2),
        Column("rate", "EV/S", 5, lambda r, s: _maybe(r.rate), "rate", right=True, rank=3),
        Column("symbols", "SYM", 4, lambda r, s: _maybe(r.symbols), "symbols", right=True, rank=5),
        Column("words", "WHAT", 16, _news, "words", rank=4, grow=True),
    ),
    key=lambda r: f"{r.kind}/{r.name}",
    rows=_rows,
    empty=lambda p: "no connection yet: the session is starting",
    info=lambda p, s: _recording(p),
)  # fmt: skip
