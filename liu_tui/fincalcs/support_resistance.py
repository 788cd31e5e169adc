"""Support and resistance: prices at which the market turned before.

All arrays are (n,), oldest first. A turning point is known only once the market has left it, so it is
reported at the bar that confirms it, `span` bars later: a value at i never changes when later bars come.

Source: local extremes as in the ancestor (LiuAlgoTrader, fincalcs/support_resistance.py), which marked them
on the turning bar itself and so looked one bar ahead.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def peaks(values: npt.ArrayLike, span: int = 1) -> Floats:
    """Return at each bar the local maximum that it confirms, NaN where it confirms none.

    A value is one if it is higher than the `span` values before it and not lower than the `span` after it.
    Raises ValueError if span is less than 1.
    """
    if span < 1:
        raise ValueError(f"span was {span}: it counts bars and must be at least 1")
    data = np.asarray(values, np.float64)
    out = np.full(len(data), np.nan)
    if len(data) <= 2 * span:
        return out
    windows = np.lib.stride_tricks.sliding_window_view(data, 2 * span + 1)
    middle = windows[:, span]
    found = (middle > windows[:, :span].max(axis=1)) & (middle >= windows[:, span + 1 :].max(axis=1))
    out[2 * span :][found] = middle[found]
    return out


def troughs(values: npt.ArrayLike, span: int = 1) -> Floats:
    """Return at each bar the local minimum that it confirms, NaN where it confirms none. See peaks."""
    return -peaks(-np.asarray(values, np.float64), span)


def nearest_resistance(
    high: npt.ArrayLike, close: npt.ArrayLike, *, span: int = 5, window: int = 390
) -> Floats:
    """Return at each bar the lowest confirmed peak of the last `window` bars that is not below its close.

    NaN where there is none: nothing in memory stands in the way. Raises ValueError if the lengths differ.
    """
    prices = np.asarray(close, np.float64)
    levels = _levels(peaks(high, span), prices, window)
    return _least(np.where(levels >= prices[:, None], levels, np.inf))


def nearest_support(low: npt.ArrayLike, close: npt.ArrayLike, *, span: int = 5, window: int = 390) -> Floats:
    """Return at each bar the highest confirmed trough of the last `window` bars that is not above its close.

    NaN where there is none. Raises ValueError if the lengths differ.
    """
    prices = np.asarray(close, np.float64)
    levels = _levels(troughs(low, span), prices, window)
    return -_least(np.where(levels <= prices[:, None], -levels, np.inf))


def cluster(levels: npt.ArrayLike, margin_frac: float = 0.02) -> Floats:
    """Melt levels that lie close together into their means, ascending.

    A level joins the group below it if it is at most `margin_frac` above the group's lowest; NaN are left
    out.
    """
    values = np.sort(np.asarray(levels, np.float64))
    groups: list[list[float]] = []
    for value in values[~np.isnan(values)].tolist():
        if groups and value <= groups[-1][0] * (1 + margin_frac):
            groups[-1].append(value)
        else:
            groups.append([value])
    return np.array([sum(group) / len(group) for group in groups])


def _levels(confirmed: Floats, prices: Floats, window: int) -> Floats:
    # (n, window): for each bar the levels confirmed in the window that ends with it.
    if len(confirmed) != len(prices):
        raise ValueError(f"{len(confirmed)} bars of extremes, {len(prices)} of closes")
    if not len(prices):
        return np.empty((0, window))
    padded = np.concatenate((np.full(window - 1, np.nan), confirmed))
    return np.lib.stride_tricks.sliding_window_view(padded, window)


def _least(values: Floats) -> Floats:
    # NaN compares false, so np.where has made infinity of it already.
    least = values.min(axis=1, initial=np.inf)
    return np.where(np.isinf(least), np.nan, least)
