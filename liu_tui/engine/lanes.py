"""The producer's routing table: for each symbol where its events go, what is let through, how fresh it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from liu_tui.engine.messages import Route, SymbolHealth
from liu_tui.engine.outlet import Outlet
from liu_tui.market.freshness import Pulse
from liu_tui.market.sieve import Sieve
from liu_tui.model.market import SECOND_NS, Halt


class Lane:
    """One symbol's way through the producer.

    consumers: names of those who get it; outlets: theirs, as far as they are there
    volume:    shares of today by the vendor's count, 0 if it did not say
    halt:      what the tape said last of halts, None if nothing
    quiet_ns:  since when it is quieter than usual, or its line is; 0 if it is not
    """

    __slots__ = (
        "_told_ns",
        "consumers",
        "halt",
        "outlets",
        "pulse",
        "quiet_ns",
        "sieve",
        "symbol",
        "volume",
    )

    def __init__(self, symbol: str, born_ns: int) -> None:
        self.symbol = symbol
        self.consumers: tuple[str, ...] = ()
        self.outlets: tuple[Outlet, ...] = ()
        self.sieve = Sieve(symbol)
        self.pulse = Pulse(born_ns)
        self.volume = 0.0
        self.halt: Halt | None = None
        self.quiet_ns = 0
        self._told_ns = 0  # what may be missing until then was told

    def hush(self) -> None:
        """Note that it is quieter than usual: when it speaks again, something may be missing before that."""
        self.quiet_ns = self.quiet_ns or max(self.pulse.last_ns, self.pulse.born_ns, self._told_ns)

    def told(self, now_ns: int) -> None:
        """What may be missing until now is told to those who fetch it."""
        self.quiet_ns, self._told_ns = 0, now_ns

    def note(self, halt: Halt) -> bool:
        """Take the tape's word on a halt; returns whether it is news."""
        again = halt == self.halt
        self.halt, self.pulse.halted = halt, halt.halted
        return not again

    def health(self, now_ns: int, speed: float, *, stale: bool) -> SymbolHealth:
        """How fresh it is. speed: session seconds per wall second; stale: as the vigil judges it."""
        pulse = self.pulse
        return SymbolHealth(
            symbol=self.symbol,
            age_s=pulse.age_ns(now_ns) / SECOND_NS / speed if pulse.count else -1.0,
            usual_s=pulse.usual_ns / SECOND_NS / speed,
            stale=stale,
            halted=pulse.halted,
            held_back=self.sieve.held_back,
            volume=self.volume,
        )


class Lanes(dict[str, Lane]):
    """All lanes by symbol. A lane stays what it is when the table changes: what was seen is not forgotten.

    pulses: the same symbols' pulses
    """

    def __init__(self) -> None:
        super().__init__()
        self.pulses: dict[str, Pulse] = {}
        self._gone = (0, 0, 0)  # counts of lanes that are no more

    def lay(self, routes: Iterable[Route], names: tuple[str, ...], now_ns: int) -> list[str]:
        """Take a whole new table; names: of all consumers. Returns the symbols that are new."""
        table = {route.symbol: route for route in routes}
        left = [symbol for symbol in self if symbol not in table]
        counts = self.counts()
        for symbol in left:
            del self[symbol], self.pulses[symbol]
        now = self._sums()
        self._gone = (counts[0] - now[0], counts[1] - now[1], counts[2] - now[2])
        fresh = [symbol for symbol in table if symbol not in self]
        for symbol, route in table.items():
            lane = self.get(symbol)
            if lane is None:
                lane = self[symbol] = Lane(symbol, now_ns)
                self.pulses[symbol] = lane.pulse
            lane.consumers = tuple(names[place] for place in route.consumers)
        return fresh

    def connect(self, outlets: Mapping[str, Outlet]) -> None:
        """Find each lane's outlets anew: a consumer came or went, or the table changed."""
        for lane in self.values():
            lane.outlets = tuple(outlets[name] for name in lane.consumers if name in outlets)

    def quiet(self, now_ns: int) -> tuple[tuple[str, ...], int]:
        """Take the symbols that are quieter than usual, and since when; they are so no more.

        All of them, though but one speaks: those that still do not are found quiet again at the next look.
        """
        quiet = [lane for lane in self.values() if lane.quiet_ns]
        since_ns = min((lane.quiet_ns for lane in quiet), default=now_ns)
        for lane in quiet:
            lane.told(now_ns)
        return tuple(lane.symbol for lane in quiet), since_ns

    def counts(self) -> tuple[int, int, int]:
        """Events since the start: come twice, older than one before, held back as too far from the market."""
        here, gone = self._sums(), self._gone
        return here[0] + gone[0], here[1] + gone[1], here[2] + gone[2]

    def _sums(self) -> tuple[int, int, int]:
        sieves = [lane.sieve for lane in self.values()]
        return (
            sum(sieve.duplicates for sieve in sieves),
            sum(sieve.disordered for sieve in sieves),
            sum(sieve.held_back for sieve in sieves),
        )
