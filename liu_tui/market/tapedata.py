"""TapeData: the DataAPI of a day that is being played, for scanners and strategies of a backtest."""

from collections.abc import Iterable

from liu_tui.market.history import DataAPI
from liu_tui.market.tape import Tape
from liu_tui.model.clock import Anchor, SessionHours, monotonic_ns
from liu_tui.model.market import MINUTE_NS, Adjustment, Asset, Bar, Snapshot


class TapeData(DataAPI):
    """What the tape knows by now; never later. It owns nothing, so that closing it does nothing."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    async def bars(
        self,
        symbols: Iterable[str],
        start_ns: int,
        end_ns: int,
        *,
        span_ns: int = MINUTE_NS,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> dict[str, list[Bar]]:
        """Return closed bars per symbol, as they were printed: a played day knows no later split.

        See DataAPI.bars.
        """
        return {symbol: self._tape.bars(symbol, span_ns, start_ns, end_ns) for symbol in symbols}

    async def snapshots(self, symbols: Iterable[str]) -> dict[str, Snapshot]:
        """Return the latest of each symbol that the tape knows."""
        return {symbol: self._tape.snapshot(symbol) for symbol in symbols if self._tape.knows(symbol)}

    async def most_active(self, top: int = 50) -> list[tuple[str, float]]:
        """Return (symbol, shares traded today), most first."""
        return self._tape.most_active(top)

    async def movers(self, top: int = 20) -> list[tuple[str, float]]:
        """Return (symbol, percent against yesterday's close): gainers, then losers."""
        return self._tape.movers(top)

    async def assets(self) -> list[Asset]:
        """Return every name, sorted by symbol."""
        return self._tape.assets

    async def hours(self) -> SessionHours:
        """Return the played day's session."""
        return self._tape.hours

    async def anchor(self) -> Anchor:
        """Return the tape's present: its time moves only with its steps."""
        return Anchor(self._tape.now_ns, monotonic_ns(), lockstep=True)

    async def close(self) -> None:
        """Do nothing: the tape belongs to who made it."""
