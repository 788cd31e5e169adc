"""Fills that did not happen, or not so: busts and corrections of price.

The log of executions only grows: a correction is a row of its own that names the one whose place it takes.
The account becomes what it would be had the fill never been, or been at the new price from the start: it is
reckoned again from all fills that stand, each at the place where it first happened.
Busted shares are not traded again: the order stays in its state, with fewer shares filled.
"""

from collections.abc import Iterable
from decimal import Decimal

from liu_tui.model.orders import Execution
from liu_tui.trading.matching.exact import money, shares
from liu_tui.trading.matching.funds import Funds


def standing(log: Iterable[Execution]) -> list[Execution]:
    """Return the fills that count now, busts among them, each at the place where it first happened."""
    first: dict[str, str] = {}
    now: dict[str, Execution] = {}
    for done in log:
        root = first.get(done.corrects, done.corrects) or done.execution_id
        first[done.execution_id] = root
        now[root] = done
    return list(now.values())


def reckoned(starting_cash: Decimal, log: Iterable[Execution]) -> Funds:
    """Return the account that these fills make of its starting cash."""
    funds = Funds(cash=starting_cash)
    for done in standing(log):
        if done.qty:
            signed = shares(done.qty) * done.side.sign
            funds.book(done.symbol, signed, money(done.price), money(done.fee))
    return funds


def is_first(log: Iterable[Execution], execution: Execution) -> bool:
    """Whether the execution stands for the first fill of its order."""
    of_order = (done for done in standing(log) if done.order_id == execution.order_id)
    return next(of_order).execution_id == execution.execution_id
