"""When a strategy may open positions."""

from typing import Annotated

import msgspec


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One [[strategies.X.schedule]] row: from `start` minutes after the open, for `duration` minutes."""

    start: Annotated[float, msgspec.Meta(ge=0)]
    duration: Annotated[float, msgspec.Meta(gt=0)]

    def holds(self, minutes_since_open: float) -> bool:
        """Say whether this moment lies inside: closed left, open right."""
        return self.start <= minutes_since_open < self.start + self.duration
