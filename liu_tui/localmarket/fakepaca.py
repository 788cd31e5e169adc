"""The test feed: one symbol that never sleeps, by the wall clock, as Alpaca's own `v2/test` has it."""

import asyncio
from math import sin

from liu_tui.localmarket.hub import Hub
from liu_tui.model.clock import wall_ns
from liu_tui.model.market import MINUTE_NS, SECOND_NS, Bar, MarketEvent, Quote, Trade

SYMBOL = "FAKEPACA"


class FakepacaHub(Hub):
    """Sends a quote and a trade each second, and a bar each minute."""

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await asyncio.sleep(1.0)
            now_ns = wall_ns()
            self.publish(events_at(now_ns - now_ns % SECOND_NS), now_ns)
            self.flush()


def price_at(t_ns: int) -> float:
    """Dollars at a whole second: a slow wave."""
    return round(134.0 + 2.0 * sin(t_ns / SECOND_NS / 300.0), 2)


def events_at(t_ns: int) -> list[MarketEvent]:
    """What happens at a whole second; the bar of the minute that ends then comes first."""
    price = price_at(t_ns)
    events: list[MarketEvent] = [] if t_ns % MINUTE_NS else [_bar(t_ns - MINUTE_NS)]
    events.append(Quote(SYMBOL, t_ns, round(price - 0.01, 2), 100, round(price + 0.01, 2), 100))
    events.append(Trade(SYMBOL, t_ns, price, 1, t_ns // SECOND_NS))
    return events


def _bar(start_ns: int) -> Bar:
    prices = [price_at(start_ns + n * SECOND_NS) for n in range(60)]
    mean = round(sum(prices) / 60, 6)
    return Bar(SYMBOL, start_ns, prices[0], max(prices), min(prices), prices[-1], 60, mean, 60)
