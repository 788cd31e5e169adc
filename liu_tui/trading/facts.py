"""What the guards look at, gathered from the books. Working entry orders count as if they were filled."""

from liu_tui.plan.schema import Limits
from liu_tui.trading.book import Book, Key
from liu_tui.trading.orders import ENTRY, OrderRecord
from liu_tui.trading.positions import EXTERNAL
from liu_tui.trading.risk import Ask, Facts


def gather(book: Book, ask: Ask, limits: Limits, now_ns: int) -> Facts:
    """Count what the books say about this order; the desk adds what it knows of its own state."""
    key = ask.strategy, ask.symbol
    working = [r for r in book.all_live() if r.role == ENTRY and r.client_order_id != ask.replaces]
    mine = [r for r in working if r.key == key]
    others, holder = _others(book, ask, working)
    price = book.prices.get(ask.symbol) or ask.price
    value = abs(book.net(ask.symbol)) * price
    value += sum(r.remaining * r.price for r in working if r.symbol == ask.symbol)
    open_keys = _open_keys(book, working)
    return Facts(
        limits=limits,
        position=book.held(key),
        others=others,
        holder=holder,
        entry_qty=sum(r.remaining for r in mine),
        entry_state=mine[0].state.value if mine else "",
        symbol_value=value,
        open_positions=len(open_keys),
        opens=key not in open_keys,
        sent_last_minute=book.sent_since_a_minute(now_ns),
        result=book.money().total,
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
