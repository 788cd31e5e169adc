"""What comes out of a session's crank: intents for the desk, and words for the rest of the house."""

import msgspec

from liu_tui.model.orders import Intent


class VetoRequest(msgspec.Struct, frozen=True, array_like=True, tag="veto_request"):
    """A strategy wants a symbol rejected. The session that sent it has obeyed already.

    strategy: for whom it is rejected, "" for all
    by:       the strategy that asked
    until_ns: session time at which it ends
    """

    symbol: str
    strategy: str
    by: str
    reason: str = ""
    until_ns: int = 0


class UnsubscribeRequest(msgspec.Struct, frozen=True, array_like=True, tag="unsubscribe_request"):
    """A strategy needs a symbol's data no more."""

    symbol: str
    strategy: str
    reason: str = ""


class Said(msgspec.Struct, frozen=True, array_like=True, tag="said"):
    """A line for the session's log: the strategy's own words, or why an action of its was dropped."""

    strategy: str
    symbol: str
    words: str


class KeySet(msgspec.Struct, frozen=True, array_like=True, tag="key_set"):
    """A strategy wrote its key/value store."""

    strategy: str
    key: str
    value: str


class StrategyFault(msgspec.Struct, frozen=True, array_like=True, tag="strategy_fault"):
    """User code failed: the strategy is not called again until it is replaced. Its positions stay.

    words:     one line, with the place in the user's file
    traceback: the whole story, "" if nothing was raised
    """

    strategy: str
    symbol: str
    words: str
    traceback: str = ""


Request = Intent | VetoRequest | UnsubscribeRequest | Said | KeySet | StrategyFault
