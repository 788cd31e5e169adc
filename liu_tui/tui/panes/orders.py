"""The pane about orders: how each stands, at what price and for how long, and why one was refused."""

from __future__ import annotations

import re

from liu_tui.engine.snapshot import OrderRow, Picture
from liu_tui.tui.format import Span, clean, clock, price, shares
from liu_tui.tui.panes.cells import SAY, word
from liu_tui.tui.panes.columns import Column
from liu_tui.tui.panes.rows import TablePane, of_picture

ORDER_TONES = {
    "filled": "good", "rejected": "error", "refused": "warn", "failed": "error", "unknown": "caution",
    "canceled": "dim", "expired": "dim", "replaced": "dim",
}  # fmt: skip
_TYPES = {"market": "mkt", "limit": "lmt", "stop": "stp", "stop_limit": "stp lmt"}
_ASKED = re.compile(r"\((\d+/\d+)\)")


def state_words(row: OrderRow) -> str:
    """Say a state; of an order whose fate is unknown, how often the broker has been asked."""
    if row.state != "unknown":
        return clean(SAY.get(row.state, row.state))
    asked = _ASKED.search(row.words)
    return f"asking {asked[1]}" if asked else "asking"


def order_type(row: OrderRow) -> str:
    """Say a type in few letters; of a trailing stop, by how much it follows."""
    if row.order_type != "trailing_stop":
        return _TYPES.get(row.order_type, clean(row.order_type))
    if row.trail_percent:
        return f"trl {row.trail_percent:g}%"
    return f"trl {price(row.trail_price)}"


def order_tif(row: OrderRow) -> str:
    """Say how long it may live; a plus: in extended hours too; an r: it took another's place."""
    return f"{clean(row.tif)}{'+' if row.extended_hours else ''}{' r' if row.replaces else ''}"


def reason_of(row: OrderRow) -> str:
    """The words, without the code that stands in a column of its own."""
    return clean(row.words.removeprefix(row.code).lstrip()) if row.code else clean(row.words)


def _level(row: OrderRow) -> float:
    """What an order is or was priced at: its fill, its limit, its trigger; 0 for a market order at work."""
    return row.avg_price or row.limit_price or row.stop_price or 0.0


def _price(row: OrderRow) -> Span:
    value = _level(row)
    return (price(value), "text") if value else ("market", "dim")


def _side_tone(operation: str) -> str:
    return "up" if operation in ("buy", "buy_cover") else "down"


def _role(row: OrderRow) -> str:
    return "close" if row.role == "liquidation" else clean(row.role)


def _state(row: OrderRow) -> Span:
    return state_words(row), ORDER_TONES.get(row.state, "accent")


def _row_tone(row: OrderRow) -> str:
    return "" if row.live else "dim"


def _live(picture: Picture) -> tuple[Span, ...]:
    live = sum(row.live for row in picture.orders)
    return ((f"{live} live", "accent" if live else "dim"),) if picture.orders else ()


ORDERS = TablePane[OrderRow](
    name="orders", number=3, title="Orders",
    columns=(
        Column("symbol", "SYMBOL", 6, lambda r, s: word(r.symbol, "bold"), "symbol", rank=0),
        Column("side", "SIDE", 5, lambda r, s: word(r.operation, _side_tone(r.operation)), "operation",
               rank=1),
        Column("qty", "FILLED", 9, lambda r, s: (f"{shares(r.filled_qty)}/{shares(r.qty)}", "text"),
               "qty", right=True, rank=2),
        Column("price", "PRICE", 8, lambda r, s: _price(r), _level, right=True, rank=3),
        Column("state", "STATE", 10, lambda r, s: _state(r), "state", rank=4),
        Column("role", "ROLE", 6, lambda r, s: (_role(r), "dim"), "role", rank=5),
        Column("type", "TYPE", 8, lambda r, s: (order_type(r), "text"), "order_type", rank=6),
        Column("tif", "TIF", 6, lambda r, s: (order_tif(r), "warn" if r.extended_hours else "dim"), "tif",
               rank=8),
        Column("at", "AT", 8, lambda r, s: (clock(r.t_ns), "dim"), "t_ns", right=True, rank=7),
        Column("code", "CODE", 14, lambda r, s: word(r.code, "warn"), "code", rank=9),
        Column("words", "WORDS", 12, lambda r, s: (reason_of(r), "dim"), "words", rank=10, grow=True),
        Column("strategy", "STRATEGY", 16, lambda r, s: word(r.strategy, "dim"), "strategy", rank=11),
    ),
    key=lambda r: r.client_order_id,
    rows=of_picture(lambda p: p.orders),
    empty=lambda p: "no order yet today",
    info=lambda p, s: _live(p),
    row_tone=_row_tone,
    symbol=lambda r: r.symbol,
)  # fmt: skip
