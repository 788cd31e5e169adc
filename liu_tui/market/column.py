"""One column of a symbol's bars: a numpy array that grows, read like a Python sequence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

from liu_tui.errors import DataMissing

if TYPE_CHECKING:
    from liu_tui.market.series import Series

Value = TypeVar("Value", float, int, bool)


class Column(Generic[Value]):
    """The values of one field, oldest first. Indices and slices are Python's; a slice is a read-only view.

    An index before the first value raises DataMissing where the series has a declared lookback, IndexError
    otherwise. A slice is cut to what exists, as any slice is.
    """

    __slots__ = ("_owner", "_shown", "name", "rows")

    def __init__(self, owner: Series, name: str, capacity: int, dtype: npt.DTypeLike) -> None:
        self._owner = owner
        self.name = name
        self.adopt(np.zeros(capacity, dtype))

    def adopt(self, rows: npt.NDArray[Any]) -> None:
        """Take this array as the storage; the house's own, no user calls it."""
        self.rows = rows
        self._shown = rows.view()
        self._shown.flags.writeable = False

    @overload
    def __getitem__(self, key: int) -> Value: ...
    @overload
    def __getitem__(self, key: slice) -> npt.NDArray[Any]: ...
    def __getitem__(self, key: int | slice) -> Value | npt.NDArray[Any]:
        n = self._owner.length
        if isinstance(key, slice):
            return self._shown[:n][key]
        at = key + n if key < 0 else key
        if 0 <= at < n:
            value: Value = self.rows.item(at)
            return value
        raise self._missing(key, n)

    def __len__(self) -> int:
        return self._owner.length

    def __iter__(self) -> Iterator[Value]:
        return iter(self._shown[: self._owner.length].tolist())

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        view = self._shown[: self._owner.length]
        return view.astype(dtype, copy=bool(copy)) if dtype is not None or copy else view

    def __repr__(self) -> str:
        return f"<{self._owner.symbol} {self.name}: {self[-3:].tolist()}, {len(self)} bars>"

    def _missing(self, key: int, n: int) -> DataMissing | IndexError:
        where, what = f"series {self._owner.symbol}", f"{self.name}[{key}] was asked for, {n} bars are there"
        if key >= 0 or self._owner.lookback is None:
            return IndexError(f"{where}: {what}")
        return DataMissing(what, where=where, mend=f"Declare lookback = {-key} in the strategy's class.")
