"""What is subscribed, in Alpaca's channels. Pure sets, no socket.

Symbols are in the house's spelling, which is also Alpaca's: BRK.B. What a user wrote otherwise is put right
here, at the door.
"""

from collections.abc import Collection, Iterable, Mapping, Set

from liu_tui.errors import FeedError
from liu_tui.model.market import Event, is_symbol, normal_symbol

Channels = dict[str, frozenset[str]]
"""Channel name -> symbols. Every channel of ours is a key."""

EVENTS = ("trades", "quotes", "bars")
"""The channels that somebody asked for by an event."""
EXTRAS = ("updatedBars", "dailyBars", "statuses", "lulds")
"""Those that come with any event of a symbol. Corrections and cancels come with trades, unasked."""
NAMES = (*EVENTS, *EXTRAS)
_CHANNEL = {Event.TRADE: "trades", Event.SECOND: "trades", Event.QUOTE: "quotes", Event.MINUTE: "bars"}
# Alpaca has no second bars: whoever wants them builds them from trades.


def nothing() -> Channels:
    """No symbol in any channel."""
    return dict.fromkeys(NAMES, frozenset())


def channels_of(wanted: Mapping[Event, Set[str]]) -> Channels:
    """Turn events into channels, symbols in the house's spelling.

    Raises FeedError for what is no symbol: for one of them Alpaca would refuse all the others.
    """
    sets: dict[str, set[str]] = {name: set() for name in EVENTS}
    for event, symbols in wanted.items():
        sets[_CHANNEL[Event(event)]].update(map(normal_symbol, symbols))
    everything = frozenset[str]().union(*sets.values())
    if wrong := sorted(symbol for symbol in everything if not is_symbol(symbol)):
        raise FeedError(
            f"{wrong[0]!r} is not spelled as a symbol", where="alpaca stream", mend="Check its spelling."
        )
    return {name: frozenset(sets[name]) for name in EVENTS} | dict.fromkeys(EXTRAS, everything)


def plus(these: Channels, those: Channels) -> Channels:
    """Add, channel by channel."""
    return {name: these[name] | those[name] for name in NAMES}


def minus(these: Channels, those: Channels) -> Channels:
    """Take away, channel by channel."""
    return {name: these[name] - those[name] for name in NAMES}


def only(what: Channels, channels: Iterable[str], symbols: Collection[str] | None = None) -> Channels:
    """Keep these channels, and these symbols in them if any are given."""
    kept = nothing()
    for name in channels:
        kept[name] = what[name] if symbols is None else what[name].intersection(symbols)
    return kept


def symbols_of(what: Channels) -> frozenset[str]:
    """The symbols of any channel."""
    return frozenset().union(*what.values())


def message(action: str, what: Channels) -> dict[str, object]:
    """Write a subscribe or unsubscribe message; channels without symbols are left out, symbols are sorted."""
    return {"action": action, **{name: sorted(symbols) for name, symbols in what.items() if symbols}}


def some(symbols: Iterable[str]) -> str:
    """Name the symbols, a few of them if there are many."""
    names = sorted(symbols)
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown
