"""Volume-weighted average price: of a session, from an anchor, and the spread around it.

All arrays are (n,), oldest first. The typical price of a bar is (high + low + close) / 3, as in the ancestor
and in most charting programs; a value at i uses the bars up to and including i.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def typical_price(high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike) -> Floats:
    """Return (high + low + close) / 3 of each bar, dollars."""
    total: Floats = np.asarray(high, np.float64) + np.asarray(low, np.float64) + np.asarray(close, np.float64)
    return total / 3


def session_vwap(price: npt.ArrayLike, volume: npt.ArrayLike, session: npt.ArrayLike | None = None) -> Floats:
    """Return the VWAP so far at each bar; it starts anew where `session` changes.

    price:   dollars, the typical price or a vendor's own VWAP of the bar
    volume:  shares; zeros allowed
    session: one label a bar, equal within a session (a day's number, say); None: all bars are one session
    returns: dollars; NaN until the session's first share

    Raises ValueError naming the lengths if they differ.
    """
    prices, volumes = _pair(price, volume)
    starts = _starts(len(prices), session)
    return _ratio(_sums(prices * volumes, starts), _sums(volumes, starts))


def anchored_vwap(price: npt.ArrayLike, volume: npt.ArrayLike, anchor: int) -> Floats:
    """Return the VWAP since the bar at index `anchor`; NaN before it. A negative anchor counts from the end.

    Raises ValueError if the lengths differ, IndexError if there is no such bar.
    """
    prices, volumes = _pair(price, volume)
    first = range(len(prices))[anchor]
    out = np.full(len(prices), np.nan)
    out[first:] = session_vwap(prices[first:], volumes[first:])
    return out


def vwap_deviation(
    price: npt.ArrayLike, volume: npt.ArrayLike, session: npt.ArrayLike | None = None
) -> Floats:
    """Return the volume-weighted standard deviation of price around the VWAP so far, dollars.

    Arguments, NaN and errors as in session_vwap. VWAP +/- 2 of these are the usual bands.
    Source: population variance with volumes as weights, E[p^2] - E[p]^2, taken around the session's first
    price so that it does not drown in rounding.
    """
    prices, volumes = _pair(price, volume)
    starts = _starts(len(prices), session)
    offset = prices - prices[starts] if len(prices) else prices
    weight = _sums(volumes, starts)
    mean = _ratio(_sums(offset * volumes, starts), weight)
    square = _ratio(_sums(offset * offset * volumes, starts), weight)
    out: Floats = np.sqrt(np.maximum(square - mean * mean, 0.0))
    return out


def _pair(price: npt.ArrayLike, volume: npt.ArrayLike) -> tuple[Floats, Floats]:
    prices, volumes = np.asarray(price, np.float64), np.asarray(volume, np.float64)
    if prices.shape != volumes.shape:
        raise ValueError(f"price has {len(prices)} bars, volume {len(volumes)}")
    return prices, volumes


def _starts(n: int, session: npt.ArrayLike | None) -> npt.NDArray[np.int64]:
    # For each bar the index of its session's first bar.
    index = np.arange(n)
    if session is None:
        return np.zeros(n, np.int64)
    labels = np.asarray(session)
    if len(labels) != n:
        raise ValueError(f"price has {n} bars, session {len(labels)}")
    new = np.ones(n, np.bool_)
    new[1:] = labels[1:] != labels[:-1]
    return np.maximum.accumulate(np.where(new, index, 0))


def _sums(values: Floats, starts: npt.NDArray[np.int64]) -> Floats:
    total = np.concatenate(([0.0], np.cumsum(values)))
    out: Floats = total[1:] - total[starts]
    return out


def _ratio(above: Floats, below: Floats) -> Floats:
    out: Floats = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return out
