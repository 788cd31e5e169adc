"""Events of symbols whose history is on its way: nothing may be called for them before it has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count

from liu_tui.model.market import MarketEvent, MarketNote, Quote, Trade

MOST = 1_000
"""Events of one symbol that wait at most. Of more, the newest trade and quote stay: others will be late."""

Waiting = MarketEvent | MarketNote


class WaitingRoom:
    """What waits, by symbol. discard: hears of symbols and how many of their trades and quotes are let go."""

    def __init__(self, discard: Callable[[str, int], None]) -> None:
        self._discard = discard
        self._events: dict[str, list[tuple[int, Waiting]]] = {}
        self._answers: dict[str, int] = {}
        self._numbers = count()

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._events

    def __len__(self) -> int:
        return len(self._events)

    def expect(self, symbol: str) -> None:
        """An answer about this symbol is on its way; there may be several, and all are waited for."""
        self._events.setdefault(symbol, [])
        self._answers[symbol] = self._answers.get(symbol, 0) + 1

    def put(self, event: Waiting) -> None:
        """Have an event of an expected symbol wait."""
        waiting = self._events[event.symbol]
        waiting.append((next(self._numbers), event))
        if len(waiting) > MOST:
            self._thin(event.symbol, waiting)

    def answered(self, symbols: Iterable[str]) -> list[Waiting]:
        """An answer has come; return what waited for symbols that expect no other, in the order of coming."""
        released: list[tuple[int, Waiting]] = []
        for symbol in symbols:
            left = self._answers.get(symbol, 0) - 1
            if left > 0:
                self._answers[symbol] = left
                continue
            self._answers.pop(symbol, None)
            released += self._events.pop(symbol, ())
        return [event for _number, event in sorted(released, key=_by_number)]

    def forget(self, symbol: str) -> None:
        """Let a symbol's events go: it is served no more."""
        self._events.pop(symbol, None)
        self._answers.pop(symbol, None)

    def _thin(self, symbol: str, waiting: list[tuple[int, Waiting]]) -> None:
        newest = {type(event): number for number, event in waiting}
        kept = [
            row for row in waiting if not isinstance(row[1], Trade | Quote) or newest[type(row[1])] == row[0]
        ]
        self._discard(symbol, len(waiting) - len(kept))
        self._events[symbol] = kept


def _by_number(row: tuple[int, Waiting]) -> int:
    return row[0]
