"""The market data connections as the console shows them: each producer's, and all of them as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from liu_tui.engine.kids import Kid
from liu_tui.engine.messages import Freshness, SymbolHealth
from liu_tui.engine.rate import Rate
from liu_tui.engine.snapshot import Detail, FeedRow, HitRow, StreamRow
from liu_tui.market.streaming import FeedState, FeedStatus
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS

SILENT = "silent"
COUNTS = ("duplicates", "disordered", "held_back", "refused", "slow", "gaps", "amended")
"""What is counted of the data's faults: fields of Alive and of FeedRow."""
replace = msgspec.structs.replace
_WORST = ("refused", "lost", SILENT, "connecting", "waiting", "live")
"""States of a stream, the worst first."""


class _Stream:
    """What one producer said of its connection."""

    def __init__(self) -> None:
        self.state, self.words = "waiting", ""
        self.silent_s = 0.0
        self.rate = Rate()

    @property
    def shown(self) -> tuple[str, str]:
        """Its state and words; a line that is up and quiet is no live one."""
        if self.silent_s and self.state == FeedState.LIVE:
            return SILENT, f"connected, but no event for {self.silent_s:.0f} s"
        return self.state, self.words


class Feeds:
    """All producers' connections, and how fresh each symbol is.

    lost_ns:   producer -> session time at which it died, for the gap that its successor tells
    recording: the file that is recorded to, "" if none
    """

    def __init__(self, producers: Iterable[str], recording: str = "") -> None:
        self._streams = {name: _Stream() for name in producers}
        self._health: dict[str, SymbolHealth] = {}
        self._of: dict[str, tuple[str, ...]] = {}  # producer -> the symbols that it told of last
        self.lost_ns: dict[str, int] = {}
        self.recording = recording

    @property
    def live(self) -> bool:
        """Every connection is up."""
        return all(stream.state == FeedState.LIVE for stream in self._streams.values())

    def said(self, producer: str, status: FeedStatus) -> None:
        """A connection changed."""
        stream = self._streams[producer]
        stream.state, stream.words = status.state.value, status.words
        if status.state is not FeedState.LIVE:
            stream.silent_s = 0.0

    def died(self, producer: str, now_ns: int) -> None:
        """A producer is gone, and its connection with it."""
        self.said(producer, FeedStatus(FeedState.LOST, "its process ended"))
        self.lost_ns[producer] = now_ns

    def fresh(self, producer: str, said: Freshness) -> bool:
        """A producer told how fresh its symbols are; returns whether its stream has just fallen silent."""
        stream = self._streams[producer]
        silent_s = said.silent_s if stream.state == FeedState.LIVE else 0.0
        fell = bool(silent_s) and not stream.silent_s
        stream.silent_s = silent_s
        for symbol in self._of.get(producer, ()):
            self._health.pop(symbol, None)
        self._of[producer] = tuple(row.symbol for row in said.rows)
        self._health.update((row.symbol, row) for row in said.rows)
        return fell

    def row(self, producers: Sequence[Kid]) -> FeedRow:
        """All connections as one, and each by itself."""
        streams = tuple(self._stream_row(kid) for kid in producers)
        worst = min(streams, key=lambda row: _WORST.index(row.state))
        return FeedRow(
            state=worst.state,
            words=worst.words,
            age_s=min(row.age_s for row in streams),
            rate=sum(row.rate for row in streams),
            received=sum(kid.total("received") for kid in producers),
            symbols=sum(row.symbols for row in streams),
            stale=sum(health.stale for health in self._health.values()),
            recording=self.recording,
            left_out=tuple(sorted({symbol for kid in producers for symbol in kid.alive.left_out})),
            streams=streams,
            **{name: sum(kid.total(name) for kid in producers) for name in COUNTS},
        )

    def dress(self, row: HitRow) -> HitRow:
        """Add to a pick how fresh its symbol is, and what traded of it today."""
        health = self._health.get(row.symbol)
        if health is None:
            return row
        return replace(
            row,
            age_s=health.age_s,
            usual_s=health.usual_s,
            stale=health.stale,
            halted=health.halted,
            volume=health.volume or row.volume,
        )

    def describe(self, detail: Detail) -> Detail:
        """Add the same to a symbol's detail."""
        health = self._health.get(detail.symbol)
        if health is None:
            return detail
        return replace(
            detail,
            age_s=health.age_s,
            usual_s=health.usual_s,
            stale=health.stale,
            halted=health.halted,
            held_back=health.held_back,
        )

    def _stream_row(self, kid: Kid) -> StreamRow:
        stream = self._streams[kid.name]
        state, words = stream.shown
        last_ns = kid.alive.last_event_ns
        age_s = (monotonic_ns() - last_ns) / SECOND_NS if last_ns else 0.0
        return StreamRow(
            name=kid.name,
            state=state,
            words=words,
            age_s=max(age_s, 0.0),
            rate=stream.rate.tell(kid.total("received")),
            symbols=kid.alive.symbols,
        )
