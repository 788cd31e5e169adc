"""Getting as much of a wish subscribed as a feed and an account allow, in a bounded number of requests.

A wish goes out as one message for what is gone and one for what is new. Only if the vendor says no to that is
less asked for:

    410  the feed lacks a channel, and does not say which: one symbol is asked for in each; those that are
         refused alone are left out for as long as the connection lives
    405  the allowance is full: the symbols, in their order, are halved until it is known how many fit; what
         comes with them (halts, bands ...) is asked for after them, so that it takes nobody's place
"""

import logging
from collections.abc import Awaitable, Callable, Set

from liu_tui.adapters.alpaca.channels import (
    EVENTS,
    EXTRAS,
    NAMES,
    Channels,
    minus,
    only,
    some,
    symbols_of,
)
from liu_tui.adapters.alpaca.connection import WHERE, Connection
from liu_tui.adapters.alpaca.wire import Refusal, Subscribed
from liu_tui.errors import FeedError

log = logging.getLogger(__name__)

Ask = Callable[[str, Channels], Awaitable[Subscribed | Refusal]]
"""Connection.ask, with somebody reading."""

_MALFORMED, _FULL, _LACKING = 400, 405, 410
_MEND = {
    _MALFORMED: ("a symbol that Alpaca cannot read", "Check the spelling of the symbols."),
    _LACKING: ("a channel that this feed does not have", "Ask for other events, or take another feed."),
}


class Bargain:
    """Makes one connection's subscriptions what is wanted, or what can be had of it.

    first: symbols that shall have their place before others, because they had it before the line was lost
    """

    def __init__(self, connection: Connection, ask: Ask, *, first: Set[str] = frozenset()) -> None:
        self._connection, self._ask, self._first = connection, ask, first

    async def make(self, wanted: Channels) -> None:
        """Change the connection's `subscribed`; see `left_out` for what could not be had.

        Raises Lost; FeedError if the vendor refuses for another reason than the two above.
        """
        # First what is gone: the allowance may not hold both.
        gone = minus(self._connection.subscribed, wanted)
        if any(gone.values()):
            answer = await self._ask("unsubscribe", gone)
            if isinstance(answer, Refusal):
                raise _error(answer, gone)
        if not await self._granted(self._new(wanted)):
            await self._fit(wanted)

    def _new(self, wanted: Channels) -> Channels:
        there = [name for name in NAMES if name not in self._connection.lacking]
        return only(minus(wanted, self._connection.subscribed), there)

    async def _granted(self, new: Channels) -> bool:
        """Ask for more: whether there was room. Raises FeedError."""
        if not any(new.values()):
            return True
        answer = await self._ask("subscribe", new)
        if isinstance(answer, Refusal) and answer.code == _LACKING and await self._find_lacking(new):
            return await self._granted(self._new(new))
        if isinstance(answer, Refusal) and answer.code != _FULL:
            raise _error(answer, new)
        return isinstance(answer, Subscribed)

    async def _find_lacking(self, new: Channels) -> bool:
        """Ask for one symbol in each channel; whether a channel was found that the feed has not."""
        found = []
        for name in NAMES:
            if new[name]:
                answer = await self._ask("subscribe", only(new, [name], [min(new[name])]))
                if isinstance(answer, Refusal) and answer.code == _LACKING:
                    found.append(name)
        self._connection.lacking.update(found)
        if found:
            log.warning("%s: this feed has no %s; the rest is subscribed", WHERE, ", ".join(found))
        return bool(found)

    async def _fit(self, wanted: Channels) -> None:
        events = only(self._new(wanted), EVENTS)
        names = sorted(symbols_of(events), key=lambda name: (name not in self._first, name))
        rest = names[await self._how_many(events, names) :]
        # By an older page of Alpaca's only trades and quotes are counted: bars may have room yet.
        bars = set(rest) - events["trades"] - events["quotes"]
        if bars and len(bars) < len(names):
            await self._granted(only(events, ["bars"], bars))
        had = symbols_of(only(self._connection.subscribed, EVENTS))
        extras = only(self._new(wanted), EXTRAS, had)
        if not await self._granted(extras) and not await self._granted(only(extras, ["statuses"])):
            log.warning("%s: no room to hear of halts and bands of %s (405)", WHERE, some(had))

    async def _how_many(self, new: Channels, names: list[str]) -> int:
        """Subscribe as many of the names, from the first on, as there is room for; return their number."""
        fit, most = 0, len(names)
        middle = most  # all of them first: it may be the extras that had no room
        while fit < most:
            if await self._granted(only(new, EVENTS, names[fit:middle])):
                fit = middle
            else:
                most = middle - 1
            middle = (fit + most + 1) // 2
        return fit


def left_out(wanted: Channels, connection: Connection) -> frozenset[str]:
    """Say of which symbols some event is wanted that is not subscribed."""
    return symbols_of(only(minus(wanted, connection.subscribed), EVENTS))


def raise_if_lacking(wanted: Channels, connection: Connection) -> None:
    """Raise FeedError if events are wanted that this feed has not."""
    lacking = [name for name in EVENTS if wanted[name] and name in connection.lacking]
    if lacking:
        what = f"this feed has no {' and no '.join(lacking)} (410): {some(symbols_of(only(wanted, lacking)))}"
        raise FeedError(what, where=WHERE, mend=_MEND[_LACKING][1])


def _error(no: Refusal, what: Channels) -> FeedError:
    words, mend = _MEND.get(
        no.code, (f"Alpaca says {no.msg!r}", "Look the code up in Alpaca's documentation.")
    )
    return FeedError(f"{words} ({no.code}): {some(symbols_of(what))}", where=WHERE, mend=mend)
