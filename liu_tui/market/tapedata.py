"""TapeData: the DataAPI of a day that is being played, for scanners and strategies of a backtest."""

from collections.abc import Callable, Iterable, Iterator, Set
from datetime import date
from typing import TypeVar

import msgspec

from liu_tui.errors import FeedError
from liu_tui.market import calendar
from liu_tui.market.history import DataAPI
from liu_tui.market.tape import Tape
from liu_tui.model.clock import Anchor, SessionHours, monotonic_ns
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    SECOND_NS,
    Adjustment,
    Asset,
    Bar,
    CorporateAction,
    Quote,
    Snapshot,
    TapeEvent,
    Trade,
    TradeCancel,
    TradeCorrection,
    normal_symbols,
)

Tick = TypeVar("Tick", Trade, Quote)
Latest = TypeVar("Latest", Trade, Quote, Snapshot)


class TapeData(DataAPI):
    """What the tape knows by now; never later. It owns nothing, so that closing it does nothing.

    Symbols are taken in any spelling and told in the house's.
    """

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

        See DataAPI.bars. Raises FeedError for anything but minutes and days.
        """
        if span_ns not in (MINUTE_NS, DAY_NS):
            what = f"no bars of {span_ns / SECOND_NS:g} s"
            raise FeedError(what, where="the played day", mend="It has minutes and days.")
        return {name: self._tape.bars(name, span_ns, start_ns, end_ns) for name in normal_symbols(symbols)}

    async def trades(self, symbols: Iterable[str], start_ns: int, end_ns: int) -> dict[str, list[Trade]]:
        """Return the prints of a span, both ends included, of the days that the source can play.

        A print that was canceled or corrected by a minute after the span's end is told as amended.
        """
        return self._ticks(Trade, symbols, start_ns, end_ns)

    async def quotes(self, symbols: Iterable[str], start_ns: int, end_ns: int) -> dict[str, list[Quote]]:
        """Return the quotes of a span, both ends included, of the days that the source can play."""
        return self._ticks(Quote, symbols, start_ns, end_ns)

    async def latest_trades(self, symbols: Iterable[str]) -> dict[str, Trade]:
        """Return the last print of each symbol that has one."""
        return _found(self._tape.trade, symbols)

    async def latest_quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Return the quote of each symbol that has one, as it stands."""
        return _found(self._tape.quote, symbols)

    async def corporate_actions(
        self, symbols: Iterable[str], start: date, end: date
    ) -> list[CorporateAction]:
        """Return none: a recording does not say what happened to its names."""
        return []

    async def sessions(self, start: date, end: date) -> list[SessionHours]:
        """Return the sessions of the calendar's rules, the played day as the tape has it."""
        played = self._tape.hours
        return [played if hours.day == played.day else hours for hours in calendar.sessions(start, end)]

    async def snapshots(self, symbols: Iterable[str]) -> dict[str, Snapshot]:
        """Return the latest of each symbol that the tape knows."""
        tape = self._tape
        return _found(lambda name: tape.snapshot(name) if tape.knows(name) else None, symbols)

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

    def _ticks(
        self, kind: type[Tick], symbols: Iterable[str], start_ns: int, end_ns: int
    ) -> dict[str, list[Tick]]:
        """Play the span once more, for these symbols: a tape keeps no more than the latest of each."""
        found: dict[str, list[Tick]] = {name: [] for name in normal_symbols(symbols)}
        for event in self._events(start_ns, end_ns, found.keys()):
            rows = found.get(event.symbol)
            if rows is None:
                continue
            if isinstance(event, kind) and start_ns <= event.t_ns <= end_ns:
                rows.append(event)
            elif isinstance(event, TradeCancel | TradeCorrection):
                found[event.symbol] = [kept for row in rows if (kept := _amended(row, event)) is not None]
        return found

    def _events(self, start_ns: int, end_ns: int, names: Set[str]) -> Iterator[TapeEvent]:
        for day in self._days(start_ns, end_ns):
            for moment, events in self._tape.source.steps(day, start_ns, names):
                # A step may tell a little later what happened before; what is not known yet is never told.
                if moment > self._tape.now_ns or moment > end_ns + MINUTE_NS:
                    break
                yield from events

    def _days(self, start_ns: int, end_ns: int) -> Iterator[str]:
        first, last = calendar.day_of(start_ns).isoformat(), calendar.day_of(end_ns).isoformat()
        return (day for day in self._tape.source.days() if first <= day <= min(last, self._tape.day))


def _amended(row: Tick, by: TradeCancel | TradeCorrection) -> Tick | None:
    """Return the print as the tape has it after this; None if it did not happen. A quote stays."""
    if not isinstance(row, Trade) or (row.exchange, row.id) != (by.exchange, by.id):
        return row
    if isinstance(by, TradeCancel):
        return None
    return msgspec.structs.replace(
        row, id=by.new_id, price=by.new_price, size=by.new_size, conditions=by.new_conditions
    )


def _found(ask: Callable[[str], Latest | None], symbols: Iterable[str]) -> dict[str, Latest]:
    return {name: said for name in normal_symbols(symbols) if (said := ask(name)) is not None}
