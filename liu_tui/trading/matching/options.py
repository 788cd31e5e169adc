"""How fair an opponent the exchange is: its manners, as the plan says them. All are off unless asked for."""

import msgspec

from liu_tui.plan.schema import ExchangeTable, FeesTable

_MS_NS = 1_000_000


class ExchangeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The manners of one exchange. As it stands it fills like Alpaca's paper trading, and costs nothing.

    displayed:  an order takes no more than the quote shows
    queue:      a limit order that rests waits for the size before it
    latency_ns: session time between taking a request and its reaching the book
    slippage:   fraction of the price, against who takes liquidity
    luld:       nothing fills outside the bands around the five-minute average
    hard_to_borrow: fraction of the symbols that cannot be sold short
    fees:       what each fill costs
    """

    displayed: bool = False
    queue: bool = False
    latency_ns: int = 0
    slippage: float = 0.0
    luld: bool = False
    hard_to_borrow: float = 0.0
    fees: FeesTable = FeesTable()


def exchange_options(table: ExchangeTable, fees: FeesTable) -> ExchangeOptions:
    """Read the plan's [market.exchange] and [fees]. The one place where they become an exchange's manners."""
    return ExchangeOptions(
        displayed=table.displayed,
        queue=table.queue,
        latency_ns=round(table.latency_ms * _MS_NS),
        slippage=table.slippage_percent / 100,
        luld=table.luld,
        hard_to_borrow=table.hard_to_borrow,
        fees=fees,
    )
