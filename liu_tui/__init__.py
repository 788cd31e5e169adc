"""What the author of a strategy, a scanner or a miner imports, and nothing else.

The names are found on first use: a worker that needs one of them does not pay for the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from liu_tui.market.loader import DataLoader
    from liu_tui.market.series import Series
    from liu_tui.miner import Miner
    from liu_tui.model.actions import (
        Action,
        Buy,
        Cancel,
        Cover,
        Protect,
        Reject,
        Replace,
        Sell,
        Short,
        Unsubscribe,
    )
    from liu_tui.model.market import Bar, Quote, Trade
    from liu_tui.model.orders import Fill
    from liu_tui.model.window import Window
    from liu_tui.scanner import Hit, MarketView, Scanner
    from liu_tui.strategy import Context, PositionView, Strategy

__version__ = "0.1.0"

_HOME = {
    "Action": "liu_tui.model.actions",
    "Bar": "liu_tui.model.market",
    "Buy": "liu_tui.model.actions",
    "Cancel": "liu_tui.model.actions",
    "Context": "liu_tui.strategy",
    "Cover": "liu_tui.model.actions",
    "DataLoader": "liu_tui.market.loader",
    "Fill": "liu_tui.model.orders",
    "Hit": "liu_tui.scanner",
    "MarketView": "liu_tui.scanner",
    "Miner": "liu_tui.miner",
    "PositionView": "liu_tui.strategy",
    "Protect": "liu_tui.model.actions",
    "Quote": "liu_tui.model.market",
    "Reject": "liu_tui.model.actions",
    "Replace": "liu_tui.model.actions",
    "Scanner": "liu_tui.scanner",
    "Sell": "liu_tui.model.actions",
    "Series": "liu_tui.market.series",
    "Short": "liu_tui.model.actions",
    "Strategy": "liu_tui.strategy",
    "Trade": "liu_tui.model.market",
    "Unsubscribe": "liu_tui.model.actions",
    "Window": "liu_tui.model.window",
}

__all__ = [
    "Action",
    "Bar",
    "Buy",
    "Cancel",
    "Context",
    "Cover",
    "DataLoader",
    "Fill",
    "Hit",
    "MarketView",
    "Miner",
    "PositionView",
    "Protect",
    "Quote",
    "Reject",
    "Replace",
    "Scanner",
    "Sell",
    "Series",
    "Short",
    "Strategy",
    "Trade",
    "Unsubscribe",
    "Window",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'liu_tui' has no attribute {name!r}")
