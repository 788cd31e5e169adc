"""What a consumer measures: lag, cost of calls, and who is being called right now.

The name of the strategy under way stands in a small shared file, so that the supervisor can read it when the
consumer hangs and cannot answer any more.
"""

from __future__ import annotations

import mmap
from collections import deque
from pathlib import Path
from time import perf_counter_ns

FACE_BYTES = 128
LAGS_KEPT = 512


class Face:
    """The shared file: strategy, a tab, symbol; padded with zeros, empty between calls."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(b"\0" * FACE_BYTES)
        path.chmod(0o600)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), FACE_BYTES)

    def show(self, strategy: str, symbol: str) -> None:
        """Say who is being called."""
        words = f"{strategy}\t{symbol}".encode()[:FACE_BYTES]
        self._map[:] = words.ljust(FACE_BYTES, b"\0")

    def clear(self) -> None:
        """Nobody is being called."""
        self._map[0] = 0

    def close(self) -> None:
        """Let the file go."""
        self._map.close()


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


class CallMeter:
    """Times each call into user code. budgets: strategy -> ms; slow calls are counted, and the dearest kept.

    taken() returns the calls that were over budget since it was asked last, one per strategy.
    """

    def __init__(self, face: Face, budgets: dict[str, float]) -> None:
        self._face = face
        self._budgets_ns = {name: int(ms * 1e6) for name, ms in budgets.items()}
        self._strategy = self._symbol = ""
        self._since = 0
        self._slow_now: dict[str, tuple[str, float]] = {}
        self.calls: dict[str, int] = dict.fromkeys(budgets, 0)
        self.slow: dict[str, int] = dict.fromkeys(budgets, 0)
        self.dearest: tuple[str, float] = ("", 0.0)
        self._window: dict[str, int] = {}

    def enter(self, strategy: str, symbol: str) -> None:
        """A call begins."""
        self._strategy, self._symbol = strategy, symbol
        self._face.show(strategy, symbol)
        self._since = perf_counter_ns()

    def leave(self) -> None:
        """The call has ended."""
        took = perf_counter_ns() - self._since
        self._since = 0
        name = self._strategy
        self._face.clear()
        self.calls[name] = self.calls.get(name, 0) + 1
        if took > self._window.get(name, 0):
            self._window[name] = took
        if took > self._budgets_ns.get(name, took):
            self.slow[name] = self.slow.get(name, 0) + 1
            self._slow_now.setdefault(name, (self._symbol, took / 1e6))

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
        if not self._window:
            return self.dearest
        name, took = max(self._window.items(), key=lambda row: row[1])
        self._window.clear()
        self.dearest = (name, took / 1e6)
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
