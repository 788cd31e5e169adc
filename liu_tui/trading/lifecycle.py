"""The life of an order: one state machine, from intent to the end.

Three tables are the whole of it: `TRANSITIONS` for what is told, `ASKED` for an answer to a question of ours,
`AMENDED` for an execution that is taken back or corrected. What is in none of them is an update that goes
backwards or repeats, and changes nothing.

    REFUSED                       a guard said no: it never left
    INTENT ─▶ SUBMITTED ─▶ the broker's states ─▶ FILLED, CANCELED, EXPIRED, REPLACED, REJECTED
       │          │
       ╰──────────┴─▶ UNKNOWN     the answer was lost; the broker is asked, and never sent the order again
                  ╰─▶ FAILED      a definite no at submission; if it turns up after all, the broker is right

Final states stay, with one crossing: whatever ended an order, fills that cover it whole make it FILLED.
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
_AFTER_A_BUST = frozenset(
    {S.NEW, S.ACCEPTED, S.PARTIALLY_FILLED, S.CANCELED, S.EXPIRED, S.DONE_FOR_DAY, S.REJECTED}
)

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

AMENDED: Mapping[OrderState, frozenset[OrderState]] = {
    **{state: frozenset() for state in OrderState},
    # Only an execution that is taken back, or made smaller, takes an order's fills away. What is left of the
    # order works on, or is over by then.
    S.FILLED: _AFTER_A_BUST,
    S.PARTIALLY_FILLED: (_AFTER_A_BUST - {S.PARTIALLY_FILLED}) | {S.FILLED},
}


def next_state(old: OrderState, new: OrderState, *, asked: bool = False, amended: bool = False) -> OrderState:
    """Move if the table allows it, stay if not.

    asked:   the new state answers a question of ours
    amended: it follows from an execution that was taken back or corrected
    """
    table = AMENDED if amended else ASKED if asked else TRANSITIONS
    return new if new in table[old] else old
