"""What of the tape reaches the session: what is subscribed, sifted as at the live producer."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

from liu_tui.market.sieve import Sieve
from liu_tui.model.market import Event, Quote, TapeEvent


class Admission:
    """The door between the tape and the session. say: takes what the sieves have to tell, in words."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._sieves: dict[str, Sieve] = {}
        self._quoted: set[str] = set()  # symbols whose quotes are subscribed

    def subscribe(self, symbol: str, events: Set[Event]) -> None:
        """Admit a symbol's events from now on. Called again it only widens."""
        self._sieves.setdefault(symbol, Sieve(symbol))
        if Event.QUOTE in events:
            self._quoted.add(symbol)

    def admit(self, events: Sequence[TapeEvent]) -> list[TapeEvent]:
        """What the session gets of these events of subscribed symbols, in order."""
        admitted: list[TapeEvent] = []
        for event in events:
            symbol = event.symbol
            if type(event) is Quote and symbol not in self._quoted:
                continue
            sieve = self._sieves[symbol]
            passes = sieve.admit(event)
            if sieve.released:
                admitted += sieve.released
                sieve.released = []
            if sieve.words:
                for words in sieve.words:
                    self._say(words)
                sieve.words = []
            if passes:
                admitted.append(event)
        return admitted
