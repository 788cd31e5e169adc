"""Reading what the probe strategies wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.kit import probe

PROBE = Path(probe.__file__)
Longs = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


class Words:
    """One consumer's file, while the strategy goes on writing into it."""

    def __init__(self, path: Path) -> None:
        self._words = np.memmap(path, np.int64, "r")
        self._from = 0

    @property
    def calls(self) -> int:
        """Calls, of the ancestor's strategy."""
        return int(self._words[4])

    def seen(self) -> Longs:
        """Quotes, trades, shares of these and bars that the strategy was called for."""
        return self._words[1:5].copy()

    def quotes(self) -> Longs:
        """The venue's time of the newest quote, by the symbol's number; 0 before the first."""
        return self._words[probe.QUOTES :].copy()

    def forget(self) -> None:
        """Count lags from here on."""
        self._from = int(self._words[0])

    def lags_ns(self) -> Longs:
        """The lags since forget(), as many of them as the ring has kept."""
        end = int(self._words[0])
        places = np.arange(max(self._from, end - probe.RING + 1), end) % probe.RING
        return self._words[probe.HEAD + places]
