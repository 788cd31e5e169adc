"""Events far from the market that wait for a second word: a new level, or a mistake."""

from typing import Final

from liu_tui.model.market import Quote, Trade

ENOUGH: Final = 3
"""So many prints in a row beyond the same limit are the market, the first included; or so many quotes."""

ENOUGH_SETTLING: Final = 2
"""The same where a new level is no surprise: right after an opening, a long pause, a resumption."""

APART_NS: Final = 1_000_000
"""What comes within a millisecond is one word: one order that sweeps the book prints many times."""

HELD_MOST: Final = 64
"""So many held at once are the market, whatever the times say; it bounds the memory."""


class Doubt:
    """What is held back of one symbol, in the order it came.

    side: 1 above the market, -1 below, 0 if nothing is held
    The same side is one level here: a crash prints each trade at another price.
    """

    __slots__ = ("_print_ns", "_prints", "_quote_ns", "_quotes", "events", "side")

    def __init__(self) -> None:
        self.events: list[Trade | Quote] = []
        self.side = 0
        self._prints = self._quotes = 0
        self._print_ns = self._quote_ns = 0

    def hold(self, event: Trade | Quote, side: int) -> None:
        """Keep an event, and count it as one more word for its side; the side must be that of the others."""
        self.side = side
        self.events.append(event)
        if isinstance(event, Trade):
            if event.t_ns - self._print_ns >= APART_NS:
                self._prints += 1
                self._print_ns = event.t_ns
        elif event.t_ns - self._quote_ns >= APART_NS:
            self._quotes += 1
            self._quote_ns = event.t_ns

    def take_trade(self, exchange: str, id_: int) -> Trade | None:
        """Give up the print that this id names, if it is held: the tape has withdrawn it."""
        for n, event in enumerate(self.events):
            if isinstance(event, Trade) and (event.exchange, event.id) == (exchange, id_):
                del self.events[n]
                if not self.events:
                    self.end()
                return event
        return None

    def confirmed(self, enough: int) -> bool:
        """Say whether so many prints, or so many quotes, have said the same."""
        return self._prints >= enough or self._quotes >= enough or len(self.events) >= HELD_MOST

    def end(self) -> list[Trade | Quote]:
        """Give up everything, and begin anew."""
        events, self.events = self.events, []
        self.side = self._prints = self._quotes = self._print_ns = self._quote_ns = 0
        return events
