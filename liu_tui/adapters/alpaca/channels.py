"""What is subscribed, in Alpaca's channels. Pure sets, no socket."""

from collections.abc import Mapping, Set

from liu_tui.model.market import Event

Channels = dict[str, frozenset[str]]
"""Channel name -> symbols. Every channel of ours is a key."""

NAMES = ("trades", "quotes", "bars", "statuses")
_CHANNEL = {Event.TRADE: "trades", Event.SECOND: "trades", Event.QUOTE: "quotes", Event.MINUTE: "bars"}
# Alpaca has no second bars: whoever wants them builds them from trades.


def nothing() -> Channels:
    """No symbol in any channel."""
    return dict.fromkeys(NAMES, frozenset())


def channels_of(wanted: Mapping[Event, Set[str]]) -> Channels:
    """Turn events into channels, symbols in capitals. Halts (statuses) come with any event of a symbol."""
    sets: dict[str, set[str]] = {name: set() for name in NAMES}
    for event, symbols in wanted.items():
        capitals = {symbol.upper() for symbol in symbols}
        sets[_CHANNEL[Event(event)]] |= capitals
        sets["statuses"] |= capitals
    return {name: frozenset(symbols) for name, symbols in sets.items()}


def minus(these: Channels, those: Channels) -> Channels:
    """Take away, channel by channel."""
    return {name: these[name] - those[name] for name in NAMES}


def message(action: str, what: Channels) -> dict[str, object]:
    """Write a subscribe or unsubscribe message; channels without symbols are left out, symbols are sorted."""
    return {"action": action, **{name: sorted(symbols) for name, symbols in what.items() if symbols}}


def some_symbols(what: Channels) -> str:
    """Name the symbols, a few of them if there are many."""
    symbols = sorted(frozenset().union(*what.values()))
    shown = ", ".join(symbols[:8])
    return f"{shown} and {len(symbols) - 8} more" if len(symbols) > 8 else shown
