"""The `ctx` that user code is handed: one per strategy and symbol, used again at every call."""

from collections.abc import Mapping
from copy import deepcopy
from math import isfinite
from typing import Any, NoReturn

import msgspec

from liu_tui.model.clock import SessionHours
from liu_tui.model.market import MINUTE_NS, MarketEvent
from liu_tui.strategy import State
from liu_tui.trading.requests import KeySet, Request, Said


class House:
    """What all contexts of a session share.

    portfolio_value: dollars; risk: fraction of it that one trade may lose
    shares:          strategy -> (worth, free), dollars, of those that trade from a portfolio
    outbox:          what leaves with the next answer of the session
    """

    __slots__ = ("hours", "outbox", "portfolio_value", "risk", "shares")

    def __init__(self, hours: SessionHours, portfolio_value: float, risk: float) -> None:
        self.hours, self.portfolio_value, self.risk = hours, portfolio_value, risk
        self.shares: dict[str, tuple[float, float]] = {}
        self.outbox: list[Request] = []

    def take(self) -> list[Request]:
        """Empty the outbox."""
        if not self.outbox:
            return []
        taken, self.outbox = self.outbox, []
        return taken


class NoState(State):
    """Stands in on_start and on_stop of a strategy with run(), whose state is per symbol."""

    def __setitem__(self, key: str, value: object) -> NoReturn:
        raise TypeError(
            f"ctx.state[{key!r}] was written without a symbol. A strategy with run() has a state per symbol:"
            " write it in run(), on_fill() or on_order(); ctx.set() keeps what belongs to all symbols."
        )


class CallContext:
    """The house's Context. Nothing here waits for anything."""

    __slots__ = (
        "_house",
        "_keys",
        "_saved",
        "_strategy",
        "_symbol",
        "_touched",
        "event",
        "now_ns",
        "risk",
        "state",
    )

    def __init__(self, house: House, strategy: str, symbol: str, keys: dict[str, str], state: State) -> None:
        self._house, self._strategy, self._symbol, self._keys = house, strategy, symbol, keys
        self.now_ns = 0
        self.event: MarketEvent | None = None
        self.risk = house.risk
        self.hold(state)

    def hold(self, state: State) -> None:
        """Take this state as the one that is stored already."""
        self.state = state
        self._saved = _packed(state)
        self._touched = False

    def at(self, now_ns: int, event: MarketEvent | None) -> "CallContext":
        """Make ready for a call; returns itself. Paid for every event: what few ask for waits until asked."""
        self.now_ns = now_ns
        self.event = event
        self._touched = True
        return self

    @property
    def minutes_since_open(self) -> float:
        """Minutes of the session that are over; negative before the open."""
        return (self.now_ns - self._house.hours.open_ns) / MINUTE_NS

    @property
    def minutes_to_close(self) -> float:
        """Minutes of the session that are left; negative after the close."""
        return (self._house.hours.close_ns - self.now_ns) / MINUTE_NS

    @property
    def portfolio_value(self) -> float:
        """Dollars: what the strategy's portfolio is worth, else the plan's portfolio_value."""
        share = self._house.shares.get(self._strategy)
        return self._house.portfolio_value if share is None else share[0]

    def shares_for_risk(self, price: float, stop: float, *, risk_pct: float | None = None) -> int:
        """Size a trade: whole shares that lose `risk` of the portfolio (or risk_pct percent) at the stop.

        With a portfolio_id, never more than the free money of the portfolio buys.
        """
        distance = abs(price - stop)
        if not (distance > 0 and isfinite(distance)):
            return 0
        share = self.risk if risk_pct is None else risk_pct / 100
        shares = int(max(self.portfolio_value, 0.0) * share // distance)
        return min(shares, self.calc_qty(price)) if self._strategy in self._house.shares else shares

    def calc_qty(self, price: float, *, fraction: float = 1.0, fee_percent: float = 0.0) -> int:
        """Whole shares that the free money buys, or a fraction of it (0-1), fees of fee_percent on top.

        Free is what of the portfolio is not at work, all its strategies together; its credit is not in it.
        Without a portfolio_id nobody counts what is at work: it is all of portfolio_value.
        """
        share = self._house.shares.get(self._strategy)
        free = self._house.portfolio_value if share is None else share[1]
        return self.shares_for_value(price * (1 + fee_percent / 100), free * fraction)

    def shares_for_value(self, price: float, dollars: float) -> int:
        """Whole shares worth at most `dollars`."""
        return int(dollars // price) if price > 0 and isfinite(price) and dollars > 0 else 0

    def log(self, words: str) -> None:
        """Say something in the session's log."""
        self._house.outbox.append(Said(self._strategy, self._symbol, str(words)))

    def get(self, key: str, default: str | None = None) -> str | None:
        """Read the key/value store."""
        return self._keys.get(key, default)

    def set(self, key: str, value: str) -> None:
        """Write the key/value store. Raises TypeError for anything but text."""
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"ctx.set({key!r}, {value!r}): key and value must be text. Write str(value).")
        if self._keys.get(key) != value:
            self._keys[key] = value
            self._house.outbox.append(KeySet(self._strategy, key, value))

    def changed_state(self) -> State | None:
        """Return a copy of the state if it has changed since this was asked last.

        Raises TypeError naming the key whose value is not JSON and would come back otherwise than it was.
        """
        if not self._touched:
            return None
        self._touched = False
        packed = _packed(self.state)
        if packed == self._saved:
            return None
        copy = msgspec.json.decode(packed or b"null")
        if type(copy) is not dict or copy != self.state:
            words = _words_of(self.state)
            # Back to what is stored: a mended strategy must not inherit what this one was quarantined for.
            self.state = msgspec.json.decode(self._saved)
            raise TypeError(words)
        self._saved = packed
        return copy


def first_state(initial: Mapping[str, Any], saved: State | None) -> State:
    """Make a strategy's state: what was saved, over first values of its own."""
    state = deepcopy(dict(initial))
    if saved:
        state.update(saved)
    return state


def _packed(state: object) -> bytes:
    """Pack a value as JSON; b"" if it cannot be."""
    try:
        return msgspec.json.encode(state)
    except (TypeError, ValueError, msgspec.MsgspecError):
        return b""


def _words_of(state: object) -> str:
    if type(state) is not dict:
        return f"ctx.state was {state!r}: it must stay a dict"
    for key, value in state.items():
        packed = _packed(value)
        if type(key) is not str or not packed or msgspec.json.decode(packed) != value:
            return (
                f"ctx.state[{key!r}] was {value!r} ({type(value).__name__}): a restart cannot bring it back."
                " Keep numbers, text, booleans, lists and dicts."
            )
    return "ctx.state cannot be kept as JSON"
