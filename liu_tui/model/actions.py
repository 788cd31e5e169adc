"""What a strategy asks for. Asking is not doing: the desk decides, and answers.

Quantities are positive shares; the verb carries the direction. `Buy` and `Short` open or enlarge a position,
`Sell` and `Cover` close or reduce one; a `Sell` never makes a short and a `Cover` never makes a long.
`Replace` gives a working entry other terms, `Protect` moves the stop or the target of what is held.
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
    trail, trail_percent: dollars, or percent of the price: the order sleeps until the market has come back so
                far from its best price since (a trailing stop)
    extended_hours: trade before the open and after the close too; limit orders only
    symbol:     only in run_all; run() fills it in
    reason:     stored with the trade, shown on the screen
    indicators: numbers worth keeping with the trade
    """

    qty: float | None = None
    limit: float | None = None
    trigger: float | None = None
    trail: float | None = None
    trail_percent: float | None = None
    extended_hours: bool = False
    tif: TimeInForce = TimeInForce.DAY
    symbol: str = ""
    reason: str = ""
    indicators: Indicators = _NONE


class _Entry(_Ask, frozen=True, kw_only=True):
    """An ask that opens risk: its protection rests at the broker.

    stop:   dollars; the protective stop. The distance to it is one R
    target: dollars; the profit target
    stop_limit: dollars; the worst price that the stop may take. None: it sells at the market
    notional: dollars to buy for, in place of qty; a plain market or limit day order
    """

    stop: float | None = None
    target: float | None = None
    stop_limit: float | None = None
    notional: float | None = None


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


class Replace(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Give this strategy's working entry order in the symbol other terms; None leaves a term as it is.

    qty:   shares in all, those filled already included
    trail: dollars or percent, whichever the order has
    """

    qty: float | None = None
    limit: float | None = None
    trigger: float | None = None
    trail: float | None = None
    tif: TimeInForce | None = None
    symbol: str = ""
    reason: str = ""


class Protect(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Move the protection of what this strategy holds in the symbol; None leaves it as it is.

    stop, target: dollars; where there is none yet, it is placed
    """

    stop: float | None = None
    target: float | None = None
    symbol: str = ""
    reason: str = ""


class Reject(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Do not call me for this symbol again; its data stay subscribed.

    minutes: of session time; None: until the end of the day
    """

    symbol: str = ""
    reason: str = ""
    scope: Literal["strategy", "all"] = "strategy"
    minutes: float | None = None


class Unsubscribe(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Drop the symbol's data, once nobody holds a position or a working order in it."""

    symbol: str = ""
    reason: str = ""


Action = Buy | Short | Sell | Cover | Cancel | Replace | Protect | Reject | Unsubscribe
