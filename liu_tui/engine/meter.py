"""What a consumer measures: lag, cost of calls, and who is being called right now.

The name of the strategy under way stands in a small shared file, so that the supervisor can read it when the
consumer hangs and cannot answer any more.
"""

from __future__ import annotations

import mmap
from collections import deque
from math import inf
from pathlib import Path
from time import perf_counter_ns

FACE_BYTES = 128
LAGS_KEPT = 512


class Face:
    """The shared file: strategy, a tab, symbol; padded with zeros, empty between calls.

    map: its bytes. The first one is zero between calls
    """

    def __init__(self, path: Path) -> None:
        path.write_bytes(b"\0" * FACE_BYTES)
        path.chmod(0o600)
        with path.open("r+b") as file:
            self.map = mmap.mmap(file.fileno(), FACE_BYTES)

    def show(self, strategy: str, symbol: str) -> None:
        """Say who is being called."""
        self.map[:] = card_of(strategy, symbol)

    def clear(self) -> None:
        """Nobody is being called."""
        self.map[0] = 0

    def close(self) -> None:
        """Let the file go."""
        self.map.close()


def card_of(strategy: str, symbol: str) -> bytes:
    """What a face shows while this call is under way."""
    return f"{strategy}\t{symbol}".encode()[:FACE_BYTES].ljust(FACE_BYTES, b"\0")


def read_face(path: Path) -> tuple[str, str]:
    """Who a consumer was calling last: (strategy, symbol), both empty if nobody."""
    try:
        raw = path.read_bytes()
    except OSError:
        return "", ""
    if not raw or not raw[0]:
        return "", ""
    strategy, _, symbol = raw.rstrip(b"\0").decode(errors="replace").partition("\t")
    return strategy, symbol


class _Tally:
    """One strategy's calls.

    cards:      what the face shows, by symbol
    dearest_ns: of the calls since slowest() was asked last
    watch_ns:   a call that takes longer has something to say: it is the dearest, or over budget
    """

    __slots__ = ("budget_ns", "calls", "cards", "dearest_ns", "slow", "watch_ns")

    def __init__(self, budget_ns: float) -> None:
        self.budget_ns = budget_ns
        self.cards: dict[str, bytes] = {}
        self.calls = self.slow = 0
        self.forget()

    def forget(self) -> None:
        """Look for the dearest call anew."""
        self.dearest_ns = 0
        self.watch_ns: float = 0


class CallMeter:
    """Times each call into user code. budgets: strategy -> ms; slow calls are counted, and the dearest kept.

    taken() returns the calls that were over budget since it was asked last, one per strategy.
    """

    def __init__(self, face: Face, budgets: dict[str, float]) -> None:
        self._face = face.map  # written here in place: a call costs more than what it does
        self._tallies = {name: _Tally(ms * 1e6) for name, ms in budgets.items()}
        self._tally = _Tally(inf)
        self._strategy = self._symbol = ""
        self._since = 0
        self._slow_now: dict[str, tuple[str, float]] = {}
        self.dearest: tuple[str, float] = ("", 0.0)

    @property
    def calls(self) -> dict[str, int]:
        """Strategy -> calls so far."""
        return {name: tally.calls for name, tally in self._tallies.items()}

    @property
    def slow(self) -> dict[str, int]:
        """Strategy -> calls over budget so far."""
        return {name: tally.slow for name, tally in self._tallies.items()}

    def enter(self, strategy: str, symbol: str) -> None:
        """A call begins."""
        if strategy != self._strategy:
            self._strategy = strategy
            self._tally = self._tallies.get(strategy) or self._tallies.setdefault(strategy, _Tally(inf))
        self._symbol = symbol
        self._face[:] = self._tally.cards.get(symbol) or self._new_card(symbol)
        self._since = perf_counter_ns()

    def leave(self) -> None:
        """The call has ended."""
        took = perf_counter_ns() - self._since
        self._since = 0
        self._face[0] = 0
        tally = self._tally
        tally.calls += 1
        if took > tally.watch_ns:
            self._note(tally, took)

    def _new_card(self, symbol: str) -> bytes:
        card = self._tally.cards[symbol] = card_of(self._strategy, symbol)
        return card

    def _note(self, tally: _Tally, took: int) -> None:
        if took > tally.dearest_ns:
            tally.dearest_ns = took
            tally.watch_ns = min(took, tally.budget_ns)
        if took > tally.budget_ns:
            tally.slow += 1
            self._slow_now.setdefault(self._strategy, (self._symbol, took / 1e6))

    def under_way_s(self) -> float:
        """Wall seconds that the call under way has lasted; 0 between calls."""
        return (perf_counter_ns() - self._since) / 1e9 if self._since else 0.0

    def taken(self) -> dict[str, tuple[str, float]]:
        """Strategy -> (symbol, ms) of the first slow call since the last time; forgets them."""
        slow, self._slow_now = self._slow_now, {}
        return slow

    def slowest(self) -> tuple[str, float]:
        """The strategy with the dearest call since the last time, and its ms.

        What it said then if there was no call; ("", 0) if there never was one.
        """
        name, worst = max(self._tallies.items(), key=lambda row: row[1].dearest_ns, default=("", _Tally(inf)))
        if worst.dearest_ns:
            self.dearest = (name, worst.dearest_ns / 1e6)
            for tally in self._tallies.values():
                tally.forget()
        return self.dearest


class LagMeter:
    """Lag of the last few hundred sampled events, in wall milliseconds."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=LAGS_KEPT)

    def add(self, lag_ms: float) -> None:
        """Sample one event."""
        self._last.append(lag_ms if lag_ms > 0 else 0.0)

    def percentiles(self) -> tuple[float, float]:
        """(p50, p99), 0 if nothing was sampled."""
        if not self._last:
            return 0.0, 0.0
        ordered = sorted(self._last)
        last = len(ordered) - 1
        return ordered[last // 2], ordered[round(last * 0.99)]
