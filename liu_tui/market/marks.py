"""Marks: the price at which a symbol is valued now. The live producer and the backtest keep them alike.

A print that by its sale conditions may not set a last price is no mark: an average price or a derivatively
priced block far from the market would make a loss that nobody has, and trip a limit.
"""

from functools import lru_cache

from liu_tui.market.conditions import ALL, effect
from liu_tui.model.market import MINUTE_NS, Bar, TapeEvent, Trade


@lru_cache(maxsize=4096)
def sets_price(conditions: tuple[str, ...], tape: str) -> bool:
    """Say whether such a print may set the last price. In extended hours theirs are the market's."""
    return effect(conditions, tape, False) == ALL


def mark(marks: dict[str, float], event: TapeEvent) -> None:
    """Note what an event says of its symbol's price.

    marks: symbol -> dollars, of one moment: its last trade, and where there was none the close of its bar. A
           vendor's later word on a minute is of the past
    """
    if isinstance(event, Trade):
        if sets_price(event.conditions, event.tape):
            marks[event.symbol] = event.price
    elif isinstance(event, Bar) and event.span_ns == MINUTE_NS and not event.revised:
        marks.setdefault(event.symbol, event.close)
