"""Block: many bars of one symbol as one 2-D array, for what is read by columns. No Bar objects inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from liu_tui.model.market import Bar

FIELDS: Final = ("open", "high", "low", "close", "volume", "vwap", "count")

Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Block:
    """Bars in time order, none twice. Read-only, so that views of it may be given to anybody.

    t_ns:   (n,) their starts
    values: (7, n), a row for each of FIELDS: a field lies in one piece, and pandas can take all as it is
    """

    __slots__ = ("t_ns", "values")

    def __init__(self, t_ns: Times, values: Floats) -> None:
        self.t_ns, self.values = t_ns, values

    def __len__(self) -> int:
        return self.t_ns.size

    def __getitem__(self, part: slice) -> Block:
        """Return the bars of a slice of positions; no value is copied."""
        return Block(self.t_ns[part], self.values[:, part])


def block_of(bars: Sequence[Bar]) -> Block:
    """Return bars in time order; of two with one start the later in the sequence."""
    t_ns = np.array([bar.t_ns for bar in bars], np.int64)
    values = np.array([[getattr(bar, field) for bar in bars] for field in FIELDS], np.float64)
    return _in_order(t_ns, values)


def joined(old: Block, new: Block) -> Block:
    """Return the bars of both; where both have a start, the new one's."""
    if not len(old):
        return new
    return _in_order(np.concatenate((old.t_ns, new.t_ns)), np.concatenate((old.values, new.values), axis=1))


def bars_of(symbol: str, block: Block, span_ns: int) -> list[Bar]:
    """Return the bars as objects, oldest first."""
    rows = zip(block.t_ns.tolist(), *block.values.tolist(), strict=True)
    return [
        Bar(symbol, t_ns, open_, high, low, close, volume, vwap, int(count), span_ns)
        for t_ns, open_, high, low, close, volume, vwap, count in rows
    ]


def frozen(t_ns: Times, values: Floats) -> Block:
    """Return arrays that are in order already as a block."""
    t_ns.flags.writeable = values.flags.writeable = False
    return Block(t_ns, values)


EMPTY: Final = frozen(np.zeros(0, np.int64), np.zeros((len(FIELDS), 0)))


def _in_order(t_ns: Times, values: Floats) -> Block:
    if (np.diff(t_ns) <= 0).any():
        order = np.argsort(t_ns, kind="stable")
        order = order[np.append(np.diff(t_ns[order]) > 0, True)]  # the last of those with one start
        t_ns, values = t_ns[order], values[:, order]
    return frozen(t_ns, values)
