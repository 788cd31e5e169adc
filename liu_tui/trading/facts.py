"""What the guards look at, gathered from the books. Working entry orders count as if they were filled."""

from liu_tui.model.market import SECOND_NS
from liu_tui.plan.schema import Limits
from liu_tui.trading.allocation import at_work, entry_worth
from liu_tui.trading.book import Book, Key
from liu_tui.trading.memory import Memory
from liu_tui.trading.orders import ENTRY, OrderRecord
from liu_tui.trading.positions import EXTERNAL
from liu_tui.trading.risk import Ask, Facts


def gather(book: Book, memory: Memory, ask: Ask, limits: Limits, now_ns: int) -> Facts:
    """Count what the books say about this order; the gate adds what the desk knows of its own state."""
    key = ask.strategy, ask.symbol
    working = [r for r in book.all_live() if r.role == ENTRY and r.client_order_id != ask.replaces]
    mine = [r for r in working if r.key == key]
    others, holder = _others(book, ask, working)
    values = _values(book, ask, working)
    open_keys = _open_keys(book, working)
    symbol_rest = memory.cooldowns.of_symbol(ask.symbol, limits, now_ns)
    strategy_rest = memory.cooldowns.of_strategy(ask.strategy, limits, now_ns)
    return Facts(
        limits=limits,
        position=book.held(key),
        others=others,
        holder=holder,
        entry_qty=sum(r.remaining for r in mine),
        entry_state=mine[0].state.value if mine else "",
        symbol_value=values.get(ask.symbol, 0.0),
        gross_value=sum(values.values()),
        open_positions=len(open_keys),
        opens=key not in open_keys,
        sent_last_minute=book.sent_since_a_minute(now_ns),
        sent_today=memory.day.orders,
        result=memory.day.result,
        peak=memory.day.peak,
        offered=memory.quotes.offered(ask.symbol, ask.operation.side),
        last=book.prices.get(ask.symbol, 0.0),
        price_age_s=_age_s(memory, ask, now_ns),
        same_age_s=memory.duplicates.age_s(ask, now_ns),
        symbol_rest_min=symbol_rest.minutes,
        symbol_loss=symbol_rest.lost,
        strategy_rest_min=strategy_rest.minutes,
        losses_in_row=strategy_rest.count,
        buying_power=_left(book, memory, ask),
        allocation=memory.allocations.get(ask.strategy),
        allocated=at_work(book, ask.strategy, working),
    )


def _others(book: Book, ask: Ask, working: list[OrderRecord]) -> tuple[float, str]:
    shares: dict[str, float] = {}
    for strategy, symbol in book.active(ask.symbol):
        if strategy != ask.strategy:
            shares[strategy] = book.held((strategy, symbol))
    for record in working:
        if record.symbol == ask.symbol and record.strategy != ask.strategy:
            shares[record.strategy] += record.remaining * record.operation.side.sign
    against = [strategy for strategy, qty in shares.items() if qty * ask.signed < 0]
    return sum(shares.values()), against[0] if against else ""


def _open_keys(book: Book, working: list[OrderRecord]) -> set[Key]:
    keys = {key for key in book.active() if book.held(key)} | {r.key for r in working if r.remaining}
    return {key for key in keys if key[0] != EXTERNAL}


def _values(book: Book, ask: Ask, working: list[OrderRecord]) -> dict[str, float]:
    """Dollars at work by symbol, of all strategies and of strangers: the net position, and what is coming."""
    values: dict[str, float] = {}
    for symbol in dict.fromkeys(symbol for _, symbol in book.active()):
        keys = book.holders(symbol)
        price = book.prices.get(symbol) or (ask.price if symbol == ask.symbol else 0.0)
        price = price or max((book.positions[key].avg_price for key in keys), default=0.0)
        values[symbol] = abs(book.net(symbol)) * price
    for record in working:
        values[record.symbol] = values.get(record.symbol, 0.0) + entry_worth(record)
    return values


def _left(book: Book, memory: Memory, ask: Ask) -> float | None:
    """Dollars that may be spent yet; what the replaced order has bound is free for the new one."""
    left, old = memory.purse.left(), book.orders.get(ask.replaces)
    return left + entry_worth(old) if left is not None and old is not None else left


def _age_s(memory: Memory, ask: Ask, now_ns: int) -> float:
    """How old the market's last word on the symbol is.

    A strategy may hear of a symbol for the first time a moment before the desk does: then the event that it
    answered is that word.
    """
    return (now_ns - (memory.quotes.heard_ns(ask.symbol) or ask.event_ns)) / SECOND_NS
