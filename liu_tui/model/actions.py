"""What a strategy asks for. Asking is not doing: the desk decides, and answers.

Quantities are positive shares; the verb carries the direction. `Buy` and `Short` open or enlarge a position,
`Sell` and `Cover` close or reduce one; a `Sell` never makes a short and a `Cover` never makes a long.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from liu_tui.model.orders import TimeInForce

Indicators = Mapping[str, float | int | str | bool]
_NONE: Indicators = {}


class _Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What every order-asking action may say.

    qty:        shares, positive; None for Sell and Cover means all that is held
    limit:      dollars; None asks for a market order (or a stop order where `trigger` is given)
    trigger:    dollars; the order sleeps until the market trades there
    symbol:     only in run_all; run() fills it in
    reason:     stored with the trade, shown on the screen
    indicators: numbers worth keeping with the trade
    """

    qty: float | None = None
    limit: float | None = None
    trigger: float | None = None
    tif: TimeInForce = TimeInForce.DAY
    symbol: str = ""
    reason: str = ""
    indicators: Indicators = _NONE


class _Entry(_Ask, frozen=True, kw_only=True):
    """An ask that opens risk: its protection rests at the broker.

    stop:   dollars; the protective stop. The distance to it is one R
    target: dollars; the profit target
    """

    stop: float | None = None
    target: float | None = None


class Buy(_Entry, frozen=True, tag=True, kw_only=True):
    """Open or enlarge a long position."""


class Short(_Entry, frozen=True, tag=True, kw_only=True):
    """Open or enlarge a short position."""


class Sell(_Ask, frozen=True, tag=True, kw_only=True):
    """Close or reduce a long position. Protective orders at the broker are taken away first."""


class Cover(_Ask, frozen=True, tag=True, kw_only=True):
    """Close or reduce a short position. Protective orders at the broker are taken away first."""


class Cancel(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Withdraw this strategy's working entry orders in the symbol (protective orders stay)."""

    symbol: str = ""
    reason: str = ""


class Reject(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Do not call me for this symbol again today; its data stay subscribed."""

    symbol: str = ""
    reason: str = ""
    scope: Literal["strategy", "all"] = "strategy"


class Unsubscribe(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Drop the symbol's data, once nobody holds a position or a working order in it."""

    symbol: str = ""
    reason: str = ""


Action = Buy | Short | Sell | Cover | Cancel | Reject | Unsubscribe
