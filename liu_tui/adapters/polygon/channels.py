"""What is subscribed, in Polygon's topics such as "T.AAPL". Pure sets, no socket."""

from collections.abc import Iterable, Mapping, Set

from liu_tui.adapters.polygon.spelling import their_ticker
from liu_tui.model.market import Event

Topics = frozenset[str]

_CHANNEL = {Event.TRADE: "T", Event.QUOTE: "Q", Event.SECOND: "A", Event.MINUTE: "AM"}
BANDS = "LULD"
"""Price bands: they come with any event of a symbol. Not every subscription has them, and not every name."""


def topics_of(wanted: Mapping[Event, Set[str]]) -> Topics:
    """Turn events into topics, symbols in capitals."""
    topics: set[str] = set()
    for event, symbols in wanted.items():
        for ticker in map(their_ticker, symbols):
            topics |= {f"{_CHANNEL[Event(event)]}.{ticker}", f"{BANDS}.{ticker}"}
    return frozenset(topics)


def must_have(topics: Iterable[str]) -> Topics:
    """Leave out what may be refused without harm: the price bands."""
    return frozenset(topic for topic in topics if not topic.startswith(f"{BANDS}."))


def message(action: str, topics: Topics) -> dict[str, str]:
    """Write a subscribe or unsubscribe message; topics are sorted."""
    return {"action": action, "params": ",".join(sorted(topics))}


def some_of(topics: Topics) -> str:
    """Name the topics, a few of them if there are many."""
    names = sorted(topics)
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown
