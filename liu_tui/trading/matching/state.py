"""Everything an exchange knows, as plain structs: what is dumped, stored and loaded."""

from decimal import Decimal

import msgspec

from liu_tui.model.orders import Execution, OrderUpdate
from liu_tui.trading.matching.bands import Band
from liu_tui.trading.matching.errands import Errand
from liu_tui.trading.matching.funds import Funds
from liu_tui.trading.matching.hours import Hours
from liu_tui.trading.matching.mark import Mark
from liu_tui.trading.matching.options import ExchangeOptions
from liu_tui.trading.matching.order import Order


class Core(msgspec.Struct, kw_only=True):
    """All but the lists that grow.

    partial_fills: fraction (0-1) of orders whose first fill is a partial one
    counter:       how many ids were given out; with account and seed it makes the next one
    marks:         of the symbols in use, when dumped; the book keeps them while the exchange runs
    no_borrow:     symbols whose shares cannot be borrowed any more
    options:       its manners
    errands:       requests on their way to the book, in the order of their arrival
    bands:         symbol -> its price band, where there are any
    last_equity:   dollars at the last close, None before the first
    """

    account_id: str
    seed: int
    partial_fills: float
    starting_cash: Decimal
    funds: Funds
    hours: Hours
    now_ns: int = 0
    counter: int = 0
    marks: dict[str, Mark] = {}
    no_borrow: set[str] = set()
    options: ExchangeOptions = ExchangeOptions()
    errands: list[Errand] = []
    bands: dict[str, Band] = {}
    last_equity: Decimal | None = None


class State(msgspec.Struct, kw_only=True):
    """The whole: orders oldest first, executions oldest first, updates nobody has fetched yet."""

    core: Core
    orders: list[Order] = []
    executions: list[Execution] = []
    updates: list[OrderUpdate] = []
