"""Minutes that are wrong or did not come: found, fetched from history again, and put right.

Nobody waits for it, for nothing says when it will be done; the series and the console do. Three things find
such minutes: trades that no bar followed, a correction of a print in a minute that is closed, and, once a
minute, the vendor's own history of what is settled. The last is the net under all that the stream may lose
without anybody noticing. A replay in lock-step asks nothing: the answer would depend on anybody's pace.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

import numpy as np

from liu_tui.engine.backfill import Backfill, Loaded
from liu_tui.engine.child import Child
from liu_tui.engine.waitingroom import WaitingRoom
from liu_tui.market.series import Series
from liu_tui.market.sieve import PAUSE_NS
from liu_tui.market.wicks import cut
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Bar, MarketNote
from liu_tui.plan.schema import DataVendor
from liu_tui.trading.notes import take_note
from liu_tui.trading.session import Session

LOOK_S = 1.0
BAR_GRACE_S = 5.0
GRACE_WALL_S = 2.0
"""So long after its minute a vendor's bar may come; then it is fetched. The longer of so many seconds of the
session and of the wall."""
AMENDED_NS = 30 * MINUTE_NS
"""So far before a correction the print may lie that it corrects: the tape does not say when that was."""
AUDIT_S = {DataVendor.ALPACA: 60.0, DataVendor.POLYGON: 300.0}
"""Wall seconds between two comparisons with history. Polygon takes a question for each symbol."""
SETTLED_NS = 90 * SECOND_NS
"""A minute that ended so long ago is what it is: vendors count late prints in for half a minute."""


class Mending:
    """Keeps one consumer's series equal to the vendor's history.

    mended: minutes that were put right since the start
    """

    def __init__(self, child: Child, session: Session, backfill: Backfill) -> None:
        self._child, self._session, self._backfill = child, session, backfill
        self._looked_at = 0
        self._audited_at = monotonic_ns()
        self._audited_ns = child.clock.now_ns()
        self.mended = 0

    def note(self, note: MarketNote) -> None:
        """Give a note of the tape to its series; what that cannot mend by itself is fetched again."""
        if note.symbol not in self._session.symbols:
            return
        mended = take_note(self._session.series(note.symbol), note)
        if not mended and not self._child.anchor.anchor.lockstep:
            words = f"{note.symbol}: an earlier print was taken back or corrected"
            self._backfill.refetch([note.symbol], note.t_ns - AMENDED_NS, words)

    def look(self, busy: WaitingRoom) -> None:
        """Look for what is missing, once a second. busy: symbols whose history is on its way already."""
        now = monotonic_ns()
        if now - self._looked_at < LOOK_S * SECOND_NS:
            return
        self._looked_at = now
        symbols = [symbol for symbol in self._session.symbols if symbol not in busy]
        tape_ns = self._child.clock.now_ns() - self._child.boot.venue.delay_ns
        self._ask_for_missing(symbols, tape_ns)
        if now - self._audited_at >= AUDIT_S[self._child.boot.venue.vendor] * SECOND_NS:
            self._audited_at = now
            self._audit(symbols, tape_ns - SETTLED_NS)

    def take(self, loaded: Loaded) -> None:
        """Put right what differs from the history that has come, and say so."""
        found: dict[str, int] = {}
        for task, history, _daily in loaded.symbols:
            if task.symbol not in self._session.symbols:
                continue
            series = self._session.series(task.symbol)
            wrong = [bar for bar in sifted(series, history) if differs(series, bar)]
            for bar in wrong:
                self._session.absorb(bar)
            if wrong:
                found[task.symbol] = len(wrong)
        count = sum(found.values())
        self.mended += count
        if count:
            words = f"{loaded.words}: {count} minutes of {_named(list(found))} put right from history"
            self._child.say("warn", words, source="feed", kind="feed")

    def _ask_for_missing(self, symbols: list[str], tape_ns: int) -> None:
        """A minute that had trades and got no bar: its bar was lost on the way."""
        speed = self._child.anchor.anchor.speed
        grace = int(max(BAR_GRACE_S, GRACE_WALL_S * speed) * SECOND_NS)
        lost = {
            symbol: starts
            for symbol in symbols
            if (starts := self._session.series(symbol).missing(tape_ns, grace))
        }
        if lost:
            words = f"{sum(map(len, lost.values()))} minute bars did not come"
            self._backfill.refetch(sorted(lost), min(min(starts) for starts in lost.values()), words)

    def _audit(self, symbols: list[str], settled_ns: int) -> None:
        """Compare what has settled since the last time with the vendor's history."""
        from_ns, self._audited_ns = self._audited_ns, max(self._audited_ns, settled_ns)
        if symbols and settled_ns - from_ns >= MINUTE_NS:
            self._backfill.refetch(symbols, from_ns - MINUTE_NS, "history differs", until_ns=settled_ns)


def sifted(series: Series, history: Iterable[Bar]) -> list[Bar]:
    """Cut the wicks that the sieve cuts; history has them still. What our own minute reached, passes."""
    kept: list[Bar] = []
    for bar in history:
        before = kept[-1] if kept and bar.t_ns - kept[-1].end_ns < PAUSE_NS else None
        ours = _row(series, bar.t_ns)
        low, high = (ours[2], ours[1]) if ours is not None else (inf, -inf)
        kept.append(cut(bar, before, 0.0, low, high))
    return kept


def differs(series: Series, bar: Bar) -> bool:
    """Say whether a series has not this minute, or has it otherwise."""
    return _row(series, bar.t_ns) != (bar.open, bar.high, bar.low, bar.close, bar.volume)


def _row(series: Series, t_ns: int) -> tuple[float, float, float, float, float] | None:
    at = int(np.searchsorted(series.t_ns[:], t_ns))
    if at == len(series) or series.t_ns[at] != t_ns:
        return None
    return series.open[at], series.high[at], series.low[at], series.close[at], series.volume[at]


def _named(symbols: list[str]) -> str:
    shown = ", ".join(symbols[:5])
    return f"{shown} and {len(symbols) - 5} more" if len(symbols) > 5 else shown
