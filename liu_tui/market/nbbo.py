"""Quotes of single exchanges into the best bid and offer of all. Arrays in, arrays out."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]
_Side = dict[str, tuple[float, float]]  # exchange -> price, size

_FIELDS = ("t_ns", "bid", "bid_size", "ask", "ask_size")


def best(columns: dict[str, Column]) -> dict[str, Column]:
    """Return the best bid and ask after each quote, without the rows that change neither.

    columns: t_ns, bid, bid_size, ask, ask_size, exchange; one symbol's, in time order; a side of 0 is empty
    returns: the same without exchange. Sizes are those of all exchanges at the best price.

    An exchange's older quote that crosses a newer one elsewhere is taken as gone: recordings are thinned, and
    what nobody traded against was not there.
    """
    bids: _Side = {}
    asks: _Side = {}
    rows: list[tuple[int, float, float, float, float]] = []
    before: tuple[float, ...] = ()
    said = zip(*(columns[name].tolist() for name in (*_FIELDS, "exchange")), strict=True)
    for t_ns, bid, bid_size, ask, ask_size, exchange in said:
        _stand(bids, exchange, bid, bid_size)
        _stand(asks, exchange, ask, ask_size)
        if bid:
            _drop(asks, [place for place, (price, _) in asks.items() if price < bid and place != exchange])
        if ask:
            _drop(bids, [place for place, (price, _) in bids.items() if price > ask and place != exchange])
        now = (*_top(bids, max), *_top(asks, min))
        if now != before:
            rows.append((t_ns, *now))
            before = now
    table = zip(*rows, strict=True) if rows else ((),) * len(_FIELDS)
    return {name: np.array(column) for name, column in zip(_FIELDS, table, strict=True)}


def _stand(side: _Side, exchange: str, price: float, size: float) -> None:
    if price:
        side[exchange] = (price, size)
    else:
        side.pop(exchange, None)


def _drop(side: _Side, exchanges: list[str]) -> None:
    for exchange in exchanges:
        del side[exchange]


def _top(side: _Side, choose: Callable[[Iterable[float]], float]) -> tuple[float, float]:
    """Return (price, size) of the best; zeros if the side is empty. choose: max for bids, min for asks."""
    if not side:
        return 0.0, 0.0
    price = choose(quoted for quoted, _ in side.values())
    return price, sum(size for quoted, size in side.values() if quoted == price)
