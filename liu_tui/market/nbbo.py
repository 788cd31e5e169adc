"""Quotes of single exchanges into the best bid and offer of all. Arrays in, arrays out."""

from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]


def best(columns: dict[str, Column]) -> dict[str, Column]:
    """Return the best bid and ask after each quote, without the rows that change neither.

    columns: t_ns, bid, bid_size, ask, ask_size, exchange; one symbol's, in time order; a side of 0 is empty
    returns: the same without exchange. Sizes are those of all exchanges at the best price.

    A moment at which the best bid is above the best ask is left out: an exchange was slow to take its quote
    away, and nobody could have traded so.
    """
    exchange = columns["exchange"]
    venues = [_latest(exchange == name) for name in np.unique(exchange)]
    bid, bid_size = _side(venues, columns["bid"], columns["bid_size"], highest=True)
    ask, ask_size = _side(venues, columns["ask"], columns["ask_size"], highest=False)
    changed = np.zeros(exchange.size, bool)
    for column in (bid, bid_size, ask, ask_size):
        changed |= np.append(True, np.diff(column) != 0)
    kept = changed & ~((bid > ask) & (ask > 0))
    sides = {"bid": bid, "bid_size": bid_size, "ask": ask, "ask_size": ask_size}
    return {"t_ns": columns["t_ns"][kept], **{name: column[kept] for name, column in sides.items()}}


def _latest(own: Column) -> Column:
    """Return for each row the row of this exchange's latest quote, -1 before its first."""
    return np.maximum.accumulate(np.where(own, np.arange(own.size), -1))


def _side(venues: list[Column], price: Column, size: Column, *, highest: bool) -> tuple[Column, Column]:
    worst = 0.0 if highest else np.inf
    best_price = np.full(price.size, worst)
    best_size = np.zeros(price.size)
    for latest in venues:
        quoted = (latest >= 0) & (price[latest] > 0)
        own = np.where(quoted, price[latest], worst)
        better = own > best_price if highest else own < best_price
        shares = np.where(quoted, size[latest], 0.0)
        best_size = np.where(better, shares, best_size + shares * (own == best_price))
        best_price = np.where(better, own, best_price)
    return np.where(np.isfinite(best_price), best_price, 0.0), best_size
