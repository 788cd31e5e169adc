"""Limit up, limit down: how far a price may go from its five-minute average, and what happens if it goes on.

    reference  the mean of the last five minutes' prints, in steps of half a minute, when it has moved by 1%;
               the first print at first, and again after a pause
    bands      5% around it above 3 dollars, 10% up to there; twice that in the first 15 and last 25 minutes
    limit      the best ask is at or below the lower band, or the best bid at or above the upper one
    pause      a limit that lasts 15 seconds stops trading for five minutes

Nothing fills outside the bands, and nothing at all in a pause. Bands are of regular hours.
Source: the LULD plan of the US exchanges, made simpler: theirs has two tiers by index membership, a doubling
for cheap names only, an auction after the pause, and means over prints that are eligible by condition.
"""

import msgspec

from liu_tui.model.market import MINUTE_NS, SECOND_NS, Bar, Halt, Quote, Trade
from liu_tui.trading.matching.hours import Hours

PAUSED_WORDS = "Limit Up-Limit Down: Trading Pause"
RESUMED_WORDS = "Trading Resumption"
_STEP_NS, _STEPS = 30 * SECOND_NS, 10
_LIMIT_NS, _PAUSE_NS = 15 * SECOND_NS, 5 * MINUTE_NS
_FIRST_NS, _LAST_NS = 15 * MINUTE_NS, 25 * MINUTE_NS
_CHEAP, _NARROW, _WIDE = 3.0, 0.05, 0.10
_MOVED = 0.01


class Band(msgspec.Struct):
    """One symbol. reference: dollars, 0 until the first print.

    steps:     (number of the half minute, sum of prices, prints), oldest first
    limit_ns:  since when it is in a limit state, 0 if it is not
    paused_ns: when its pause ends, 0 if it trades
    """

    reference: float = 0.0
    steps: list[tuple[int, float, int]] = []
    limit_ns: int = 0
    paused_ns: int = 0


class Bands:
    """The bands of all symbols; their states are kept in `states`, symbol -> Band.

    halts: pauses and their ends that nobody has fetched yet
    """

    def __init__(self, states: dict[str, Band], hours: Hours) -> None:
        self.states, self._hours = states, hours
        self.halts: list[Halt] = []
        self._watched = {s for s, band in states.items() if band.limit_ns or band.paused_ns}

    def see(self, event: Trade | Quote | Bar) -> None:
        """Learn from an event, which has not filled anything yet. Bars say nothing of it."""
        if isinstance(event, Bar) or not self._hours.regular(event.t_ns):
            return
        self.pass_time(event.t_ns)
        band = self.states.get(event.symbol)
        if band is None:
            band = self.states[event.symbol] = Band()
        if band.paused_ns:
            return
        if isinstance(event, Trade):
            _average(band, event)
        elif band.reference:
            self._judge(band, event)

    def pass_time(self, now_ns: int) -> None:
        """Let limit states become pauses, and pauses end."""
        if not self._watched:
            return
        for symbol in sorted(self._watched):
            band = self.states[symbol]
            if band.limit_ns and now_ns - band.limit_ns >= _LIMIT_NS:
                self._pause(symbol, band)
            if band.paused_ns and now_ns >= band.paused_ns:
                self.halts.append(Halt(symbol, band.paused_ns, False, RESUMED_WORDS))
                self.states[symbol] = Band()
                self._watched.discard(symbol)

    def allow(self, symbol: str, price: float, t_ns: int) -> bool:
        """Whether the symbol may trade at `price` dollars at this moment."""
        band = self.states.get(symbol)
        if band is None or not self._hours.regular(t_ns):
            return True
        if band.paused_ns:
            return False
        if not band.reference:
            return True
        lower, upper = limits(band.reference, t_ns, self._hours)
        return lower <= price <= upper

    def _pause(self, symbol: str, band: Band) -> None:
        since = band.limit_ns + _LIMIT_NS
        band.limit_ns = 0
        if not self._hours.regular(since):
            self._watched.discard(symbol)
            return
        band.paused_ns = since + _PAUSE_NS
        self.halts.append(Halt(symbol, since, True, PAUSED_WORDS))

    def _judge(self, band: Band, quote: Quote) -> None:
        lower, upper = limits(band.reference, quote.t_ns, self._hours)
        at_limit = 0 < quote.ask <= lower or quote.bid >= upper
        if at_limit and not band.limit_ns:
            band.limit_ns = quote.t_ns
            self._watched.add(quote.symbol)
        elif not at_limit and band.limit_ns:
            band.limit_ns = 0
            self._watched.discard(quote.symbol)


def limits(reference: float, t_ns: int, hours: Hours) -> tuple[float, float]:
    """Return the lower and upper band around a reference price, dollars."""
    share, today = _NARROW if reference > _CHEAP else _WIDE, hours.today
    if today is not None and (t_ns < today.open_ns + _FIRST_NS or t_ns >= today.close_ns - _LAST_NS):
        share *= 2
    return round(reference * (1 - share), 2), round(reference * (1 + share), 2)


def _average(band: Band, trade: Trade) -> None:
    step = trade.t_ns // _STEP_NS
    if not band.reference:
        band.reference = trade.price
    if band.steps and band.steps[-1][0] == step:
        _, total, count = band.steps[-1]
        band.steps[-1] = (step, total + trade.price, count + 1)
        return
    # A half minute is over: what it printed counts from now on.
    band.steps = [old for old in band.steps if old[0] >= step - _STEPS]
    if band.steps:
        mean = sum(total for _, total, _ in band.steps) / sum(count for *_, count in band.steps)
        if abs(mean / band.reference - 1) >= _MOVED:
            band.reference = mean
    band.steps.append((step, trade.price, 1))
