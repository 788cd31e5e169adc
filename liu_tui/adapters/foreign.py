"""What comes from outside: within which bounds it is believed, and what reading it can raise.

The bounds refuse NaN and infinity, which no comparison of a rule would catch, and what no int64 holds.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

MAX_NS: Final = 2**63 - 1
"""The last moment there is, in the year 2262."""
Price = Annotated[float, Meta(gt=0, lt=1e9)]
Side = Annotated[float, Meta(ge=0, lt=1e9)]
"""A bid or an ask; 0 if there is none."""
Size = Annotated[float, Meta(ge=0, lt=1e15)]
Count = Annotated[int, Meta(ge=0, le=MAX_NS)]
"""A whole number of anything: an id, a time, a code."""
Symbol = Annotated[str, Meta(min_length=1, max_length=32)]
Speed = Annotated[float, Meta(ge=0, lt=1e9)]
"""Of the local market's clock: session seconds a second."""

UNREADABLE = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
"""What foreign bytes can raise: a wrong type or syntax, broken UTF-8, a time out of range, deep nesting."""
