"""The life of an order: one state machine, from intent to the end.

`TRANSITIONS` is the whole of it. What is not in it is an update that goes backwards or repeats, and changes
nothing.
"""

from collections.abc import Mapping

from liu_tui.model.orders import OrderState

S = OrderState

_OPEN = frozenset(
    {
        S.PENDING_NEW, S.ACCEPTED, S.HELD, S.NEW, S.PARTIALLY_FILLED, S.PENDING_CANCEL, S.PENDING_REPLACE,
        S.DONE_FOR_DAY, S.STOPPED, S.SUSPENDED, S.CALCULATED,
    }
)  # fmt: skip
_ENDS = frozenset({S.FILLED, S.CANCELED, S.EXPIRED, S.REPLACED, S.REJECTED})
_PAUSES = frozenset(
    {S.PENDING_CANCEL, S.PENDING_REPLACE, S.DONE_FOR_DAY, S.STOPPED, S.SUSPENDED, S.CALCULATED}
)
_BROKERS = _OPEN | _ENDS

TRANSITIONS: Mapping[OrderState, frozenset[OrderState]] = {
    S.REFUSED: frozenset(),
    # CANCELED from INTENT: an exit that waited for its protective orders, and found nothing left to close.
    S.INTENT: frozenset({S.SUBMITTED, S.UNKNOWN, S.FAILED}) | _BROKERS,
    S.SUBMITTED: frozenset({S.UNKNOWN, S.FAILED}) | _BROKERS,
    S.UNKNOWN: frozenset({S.FAILED}) | _BROKERS,
    # We may have concluded that the broker never saw it; when it turns up after all, the broker is right.
    S.FAILED: _BROKERS,
    S.PENDING_NEW: _BROKERS - {S.PENDING_NEW},
    S.ACCEPTED: _BROKERS - {S.PENDING_NEW, S.ACCEPTED},
    S.HELD: _BROKERS - {S.PENDING_NEW, S.ACCEPTED, S.HELD},
    S.NEW: _BROKERS - {S.PENDING_NEW, S.ACCEPTED, S.HELD, S.NEW},
    S.PARTIALLY_FILLED: _PAUSES | _ENDS,
    S.DONE_FOR_DAY: frozenset({S.NEW, S.PARTIALLY_FILLED, S.PENDING_CANCEL}) | _ENDS,
    S.STOPPED: frozenset({S.PARTIALLY_FILLED, S.PENDING_CANCEL, S.DONE_FOR_DAY}) | _ENDS,
    S.SUSPENDED: frozenset({S.NEW, S.PARTIALLY_FILLED, S.PENDING_CANCEL, S.DONE_FOR_DAY}) | _ENDS,
    S.CALCULATED: _ENDS,
    S.PENDING_REPLACE: frozenset({S.PENDING_CANCEL}) | _ENDS,
    S.PENDING_CANCEL: _ENDS,
    # A cancel that crosses a fill ends as filled.
    S.CANCELED: frozenset({S.FILLED}),
    S.EXPIRED: frozenset({S.FILLED}),
    S.REPLACED: frozenset({S.FILLED}),
    S.REJECTED: frozenset({S.FILLED}),
    S.FILLED: frozenset(),
}

ASKED: Mapping[OrderState, frozenset[OrderState]] = {
    **TRANSITIONS,
    # Only an answer to our own question may say that a cancel or a replace came to nothing.
    S.PENDING_CANCEL: _BROKERS - {S.PENDING_CANCEL},
    S.PENDING_REPLACE: _BROKERS - {S.PENDING_REPLACE},
}


def next_state(old: OrderState, new: OrderState, *, asked: bool = False) -> OrderState:
    """Move if the table allows it, stay if not. asked: the new state answers a question of ours."""
    return new if new in (ASKED if asked else TRANSITIONS)[old] else old
