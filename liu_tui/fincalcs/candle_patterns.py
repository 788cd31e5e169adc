"""Candle patterns: which bars show one.

Each function takes the open, high, low and close of the bars, (n,) in dollars, oldest first and always in
this order, and returns (n,) booleans. A pattern of two bars is marked on the second. Prices are compared in
whole ticks of a cent, so that 10.1 + 0.2 is 10.3.

Source: the ancestor's thresholds (LiuAlgoTrader, fincalcs/candle_patterns.py); engulfing after Nison,
Japanese Candlestick Charting Techniques, ch. 4: the second body covers the first and has the other colour.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Ticks = npt.NDArray[np.int64]
TICK = 0.01


class _Candle(NamedTuple):
    """Bars in ticks. body, upper and lower shadow are never negative."""

    open: Ticks
    close: Ticks
    body: Ticks
    upper: Ticks
    lower: Ticks


def doji(open: npt.ArrayLike, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike) -> Flags:
    """Mark bars that closed where they opened, with a shadow on both sides: nobody won."""
    c = _candles(open, high, low, close)
    shows: Flags = (c.body == 0) & (c.upper >= 1) & (c.lower >= 1)
    return shows


def four_price_doji(
    open: npt.ArrayLike, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike
) -> Flags:
    """Mark bars with a single price."""
    c = _candles(open, high, low, close)
    shows: Flags = (c.body == 0) & (c.upper == 0) & (c.lower == 0)
    return shows


def gravestone(open: npt.ArrayLike, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike) -> Flags:
    """Mark a body of under 2 cents at the bottom of a long upper shadow: buyers gave up."""
    c = _candles(open, high, low, close)
    return (c.body < 2) & (c.upper > 2) & (c.lower * 2 < c.upper) & (c.upper > 2 * c.body)


def dragonfly(open: npt.ArrayLike, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike) -> Flags:
    """Mark a body of under 2 cents at the top of a long lower shadow: sellers gave up."""
    c = _candles(open, high, low, close)
    return (c.body < 2) & (c.lower > 2) & (c.upper * 2 < c.lower) & (c.lower > 2 * c.body)


def spinning_top(open: npt.ArrayLike, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike) -> Flags:
    """Mark a small body between shadows of about the same length, each over 2 cents and twice the body."""
    c = _candles(open, high, low, close)
    long = (np.minimum(c.upper, c.lower) > 2) & (np.minimum(c.upper, c.lower) >= 2 * c.body)
    alike = (c.upper * 10 >= c.lower * 8) & (c.upper * 10 <= c.lower * 12)
    return long & alike & (c.body > 0)


def bullish(open: npt.ArrayLike, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike) -> Flags:
    """Mark a rising body of over 2 cents that outweighs both shadows by a fifth."""
    c = _candles(open, high, low, close)
    return (c.close > c.open + 2) & (10 * c.body > 12 * (c.upper + c.lower))


def bearish(open: npt.ArrayLike, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike) -> Flags:
    """Mark a falling body of over 2 cents that outweighs both shadows by a fifth."""
    c = _candles(open, high, low, close)
    return (c.close < c.open - 2) & (10 * c.body > 12 * (c.upper + c.lower))


def bullish_engulfing(
    open: npt.ArrayLike, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike
) -> Flags:
    """Mark a rising body that covers the falling body before it and is longer."""
    c = _candles(open, high, low, close)
    out = np.zeros(len(c.open), np.bool_)
    falling, rising = c.close[:-1] < c.open[:-1], c.close[1:] > c.open[1:]
    covers = (c.open[1:] <= c.close[:-1]) & (c.close[1:] >= c.open[:-1])
    out[1:] = falling & rising & covers & (c.body[1:] > c.body[:-1])
    return out


def bearish_engulfing(
    open: npt.ArrayLike, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike
) -> Flags:
    """Mark a falling body that covers the rising body before it and is longer."""
    c = _candles(open, high, low, close)
    out = np.zeros(len(c.open), np.bool_)
    rising, falling = c.close[:-1] > c.open[:-1], c.close[1:] < c.open[1:]
    covers = (c.open[1:] >= c.close[:-1]) & (c.close[1:] <= c.open[:-1])
    out[1:] = rising & falling & covers & (c.body[1:] > c.body[:-1])
    return out


def _candles(open: npt.ArrayLike, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike) -> _Candle:
    opens, highs, lows, closes = (_ticks(prices) for prices in (open, high, low, close))
    top, bottom = np.maximum(opens, closes), np.minimum(opens, closes)
    return _Candle(opens, closes, top - bottom, np.maximum(highs - top, 0), np.maximum(bottom - lows, 0))


def _ticks(prices: npt.ArrayLike) -> Ticks:
    return np.rint(np.asarray(prices, np.float64) / TICK).astype(np.int64)
