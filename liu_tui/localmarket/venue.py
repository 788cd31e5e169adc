"""The market and the account at one moment: all that changes them is stored before it is told.

market events ─▶ exchange ─▶ ledger (stored) ─▶ trade updates ─▶ data streams
order         ─▶ exchange ─▶ ledger (stored) ─▶ trade updates, answer
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from liu_tui.localmarket import words
from liu_tui.localmarket.halts import Halts
from liu_tui.localmarket.hub import Hub
from liu_tui.localmarket.opening import Opening
from liu_tui.localmarket.telling import Telling
from liu_tui.localmarket.tradestream import TradeStream
from liu_tui.localmarket.updatefaults import UpdateFaults
from liu_tui.model.market import MINUTE_NS, Bar, CorporateAction, Halt, Quote, TapeEvent, Trade
from liu_tui.trading.matching.exchange import Exchange

RECENT = 100_000
"""Trades and quotes kept for the historical endpoints, all symbols together."""


class Venue:
    """One market, one account.

    assets:        symbol -> what is listed
    configuration: Alpaca's account configuration; two of its switches act here (suspend_trade, no_shorting)
    now_ns:        how far the market has been played; orders are taken at this time
    actions:       what happened to names while this market ran, or was made to happen; history tells of them
    """

    def __init__(self, opening: Opening, trades: TradeStream, hubs: Sequence[Hub]) -> None:
        self.tape, self.ledger, self.hours = opening.tape, opening.ledger, opening.hours
        self.exchange: Exchange = opening.ledger.exchange
        self.trades, self.hubs = trades, hubs
        self.assets = {asset.symbol: asset for asset in opening.tape.assets}
        self.recent: deque[Trade | Quote] = deque(maxlen=RECENT)
        self.now_ns = opening.now_ns
        self.actions: list[CorporateAction] = []
        # A recording of a feed holds the days' bars as they were told.
        self._makes_days = not opening.tape.source.complete
        self.telling, self.update_faults = Telling(opening.tape), UpdateFaults(trades)
        self.halts = Halts(opening.tape, self.exchange, self.telling.say)
        self.configuration: dict[str, bool | int | str] = {
            "fractional_trading": True,
            "max_margin_multiplier": "4",
            "no_shorting": False,
            "suspend_trade": False,
            "trade_confirm_email": "none",
            "ptp_no_exception_entry": False,
            "max_options_trading_level": 0,
            "disable_overnight_trading": True,
        }

    def play(self, t_ns: int, events: Sequence[TapeEvent]) -> Sequence[TapeEvent]:
        """Take what the market says at one moment: the exchange hears it first. Returns what happened."""
        if self.halts.muted:
            events = self.halts.without(events)
        on_event, keep, still = self.exchange.on_event, self.recent.append, self.halts.still
        for event in events:
            # Asked for by its type: of a day's events nearly all are one of these two.
            if type(event) is Quote or type(event) is Trade:
                if not still or event.symbol not in still:
                    on_event(event)
                keep(event)
            elif isinstance(event, Bar):
                # A bar that is told again, or of the whole day, is no news of now.
                if event.symbol not in still and event.span_ns <= MINUTE_NS and not event.revised:
                    on_event(event)
            elif isinstance(event, Halt):
                self.halts.note(event)
        self.pass_time(t_ns)
        return events

    def pass_time(self, t_ns: int) -> None:
        """Let time pass up to t_ns."""
        self.exchange.on_time(t_ns)
        self.now_ns = max(self.now_ns, t_ns)
        if self.exchange.options.luld:
            self.halts.pause(self.exchange.halts())

    def settle(self) -> None:
        """Store what has happened to orders, and how far the clock is, then tell it as faults let it."""
        self.ledger.save(self.now_ns)
        updates: Sequence[Mapping[str, Any]] = [words.update(update) for update in self.exchange.drain()]
        if self.update_faults.busy:
            updates = self.update_faults.tell(updates, self.now_ns)
        for update in updates:
            self.trades.publish(update)

    def show(self, events: Sequence[TapeEvent]) -> None:
        """Send what happened to those who take it, as far as faults let it be told."""
        if self.telling.busy:
            events = self.telling.tell(events, self.now_ns)
        for hub in self.hubs:
            hub.publish(events, self.now_ns)
            if self._makes_days and hub.takes("dailyBars"):
                hub.publish(self._days_so_far(hub, events), self.now_ns)
            hub.flush()

    def release(self) -> None:
        """The day is over: what is late goes out with whatever is told next."""
        self.telling.release()
        self.update_faults.release()

    def show_rest(self) -> None:
        """The day is over: send what is late still."""
        self.release()
        self.settle()
        self.show([])

    @contextmanager
    def trading(self) -> Iterator[Exchange]:
        """Do something to the account; on leaving, refused or not, it is stored and told."""
        try:
            yield self.exchange
        finally:
            self.settle()

    def held(self, symbol: str) -> float:
        """Signed shares of the account."""
        return next((p.qty for p in self.exchange.positions() if p.symbol == symbol), 0.0)

    def last_close(self, symbol: str) -> float:
        """Yesterday's close, 0 if unknown."""
        bar = self.tape.previous_daily(symbol)
        return bar.close if bar is not None else 0.0

    def _days_so_far(self, hub: Hub, events: Sequence[TapeEvent]) -> list[Bar]:
        """The running daily bar of each symbol whose minute has just closed, as Alpaca sends it."""
        days: list[Bar] = []
        for event in events:
            closed = isinstance(event, Bar) and event.span_ns == MINUTE_NS and not event.revised
            if closed and hub.wanted("dailyBars", event.symbol):
                day = self.tape.snapshot(event.symbol).daily_bar
                days += [day] if day is not None else []
        return days
