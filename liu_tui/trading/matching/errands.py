"""Requests on their way: taken, answered, and not yet at the book. Only an exchange with latency has any.

All take the same time, so they arrive in the order in which they were made.
"""

import msgspec


class Errand(msgspec.Struct, frozen=True, array_like=True):
    """One request. what: "new", "cancel" or "replace"; order_id: whose; due_ns: when it is there."""

    due_ns: int
    what: str
    order_id: str
