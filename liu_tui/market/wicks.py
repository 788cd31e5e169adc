"""A bar with a wick that no print explains: the wick is cut, the bar is kept."""

import msgspec

from liu_tui.market.limits import near
from liu_tui.model.market import Bar


def cut(bar: Bar, before: Bar | None, reference: float, low: float, high: float) -> Bar:
    """Return the bar without prices beyond the limit outside everything that vouches for them.

    What vouches: the bar's open and close, the close before it, the reference, and the prints that were
    admitted of the minute. The open does not vouch for itself where the bar directly follows another: then it
    is judged as high and low are. A bar that moved as a whole passes, for its close is never judged.

    before:    the bar that came before it, None if there is none or it is too old
    reference: the last price that was admitted, 0 if none
    low, high: of the admitted prints; (inf, -inf) if there are none
    returns:   the same object if nothing is wrong with it
    """
    vouching = [bar.close]
    if before is not None:
        vouching.append(before.close)
    if reference:
        vouching.append(reference)
    bottom, top = min(*vouching, low), max(*vouching, high)
    opened = bar.open
    if before is not None and before.end_ns == bar.t_ns and _beyond(opened, bottom, top):
        opened = min(max(opened, bottom), top)
    bottom, top = min(bottom, opened), max(top, opened)
    least, most = min(opened, bar.close, low), max(opened, bar.close, high)
    lowest = least if _beyond(bar.low, bottom, top) else min(bar.low, opened)
    highest = most if _beyond(bar.high, bottom, top) else max(bar.high, opened)
    if (opened, lowest, highest) == (bar.open, bar.low, bar.high):
        return bar
    return msgspec.structs.replace(bar, open=opened, low=lowest, high=highest)


def changes(bar: Bar, amended: Bar) -> str:
    """Say in words what was cut."""
    fields = [name for name in ("open", "high", "low") if getattr(bar, name) != getattr(amended, name)]
    return ", ".join(f"{n} {getattr(bar, n):,.2f} cut to {getattr(amended, n):,.2f}" for n in fields)


def _beyond(price: float, bottom: float, top: float) -> bool:
    return (price < bottom and not near(price, bottom)) or (price > top and not near(price, top))
