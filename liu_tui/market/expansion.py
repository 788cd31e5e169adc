"""The one expansion of a recorded minute into events: both the local market and the backtest play bars by it.

A minute bar says where the price went but not when. We let it go through its extremes in the order that is
likelier (the low first if the minute rose), at four fixed moments, so that every run of a day is the same.
"""

from math import floor
from typing import Final

from liu_tui.market.calendar import is_regular
from liu_tui.model.market import SECOND_NS, Bar, MarketEvent, Quote, Trade

MOMENTS: Final = (1 * SECOND_NS, 20 * SECOND_NS, 40 * SECOND_NS, 59 * SECOND_NS)
"""After the bar's start; the quote and the trade of a moment bear the same time."""

SPREAD_FRAC: Final = 0.0002
"""Two basis points: what a liquid US stock is quoted at; never less than a cent."""

_EXCHANGE: Final = "V"
_TAPE: Final = "C"
_REGULAR: Final = ("@",)
_EXTENDED: Final = ("@", "T")


def expand(bar: Bar) -> list[tuple[int, MarketEvent]]:
    """Return the events of one minute bar in time order, the bar itself last, at its end.

    The trades' volumes are whole shares and add up to the bar's; without volume there are quotes only. Every
    quote holds the price of its moment between bid and ask.
    """
    conditions = _REGULAR if is_regular(bar.t_ns) else _EXTENDED
    events: list[tuple[int, MarketEvent]] = []
    for after, price, shares in zip(MOMENTS, path(bar), _split(bar.volume), strict=True):
        t_ns = bar.t_ns + after
        events.append((t_ns, _quote(bar, t_ns, price)))
        if shares:
            events.append((t_ns, _trade(bar, t_ns, price, shares, conditions)))
    events.append((bar.end_ns, bar))
    return events


def last_ticks(bar: Bar, until_ns: int) -> tuple[Quote | None, Trade | None]:
    """Return the last quote and the last trade that `expand` makes of a bar up to and including a moment."""
    past = [n for n, after in enumerate(MOMENTS) if bar.t_ns + after <= until_ns]
    if not past:
        return None, None
    prices, sizes = path(bar), _split(bar.volume)
    n = past[-1]
    quote = _quote(bar, bar.t_ns + MOMENTS[n], prices[n])
    traded = [n for n in past if sizes[n]]
    if not traded:
        return quote, None
    n = traded[-1]
    conditions = _REGULAR if is_regular(bar.t_ns) else _EXTENDED
    return quote, _trade(bar, bar.t_ns + MOMENTS[n], prices[n], sizes[n], conditions)


def path(bar: Bar) -> tuple[float, float, float, float]:
    """Return the four prices of a minute in order: the low first if it rose, the high first if it fell."""
    if bar.close >= bar.open:
        return bar.open, bar.low, bar.high, bar.close
    return bar.open, bar.high, bar.low, bar.close


def quote_around(price: float) -> tuple[float, float]:
    """Return (bid, ask) in whole ticks with the price between them: a cent, or 1/100 cent below a dollar."""
    ticks_a_dollar = 100 if price >= 1 else 10_000
    spread = max(1, round(price * SPREAD_FRAC * ticks_a_dollar))
    # Rounding first: 170.77 * 100 is a hair below 17,077.
    bid = floor(round(price * ticks_a_dollar - spread / 2, 6))
    bid = max(bid, 1)
    ask = max(bid + spread, -floor(-round(price * ticks_a_dollar, 6)))
    return bid / ticks_a_dollar, ask / ticks_a_dollar


def _quote(bar: Bar, t_ns: int, price: float) -> Quote:
    size = max(100.0, floor(bar.volume / 1000) * 100.0)
    bid, ask = quote_around(price)
    return Quote(bar.symbol, t_ns, bid, size, ask, size)


def _trade(bar: Bar, t_ns: int, price: float, shares: float, conditions: tuple[str, ...]) -> Trade:
    return Trade(bar.symbol, t_ns, price, shares, t_ns // SECOND_NS, _EXCHANGE, conditions, _TAPE)


def _split(volume: float) -> tuple[float, float, float, float]:
    # The last trade comes first in sharing: a minute of one share prints its close.
    quarter, rest = divmod(int(volume), 4)
    first, second, third = (float(quarter + (rest > n)) for n in (1, 2, 3))
    return first, second, third, volume - first - second - third
