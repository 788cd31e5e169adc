"""Which trades make a bar: what each sale condition forbids a trade to set.

Source: the SIP tables (CTS specification, UTP specification) as the vendors apply them to minute bars, see
docs of Polygon `/v3/reference/conditions` and Alpaca "Stock Minute Bars". Letters differ between tapes.
"""

from functools import lru_cache
from typing import Final

from liu_tui.market.calendar import day_of, hours
from liu_tui.model.market import SECOND_NS

OPEN_CLOSE: Final = 1
HIGH_LOW: Final = 2
VOLUME: Final = 4
ALL: Final = OPEN_CLOSE | HIGH_LOW | VOLUME

_NO_PRICE: Final = frozenset("CHINRV7")  # cash, price variation, odd lot, next day, seller, contingent
_NO_OPEN_CLOSE: Final = frozenset("GPZ4L")  # bunched sold, prior reference, sold late, derivatively priced
_NOTHING: Final = frozenset(
    "MQ9"
)  # official close and open, corrected close: prices and volume printed before
_EXTENDED: Final = frozenset("TU")  # outside regular hours nearly every trade has one of them
_AVERAGE_PRICE: Final = {"A": "B", "B": "B", "": "BW"}
"""Average price by tape: B on New York's, where B is "bunched" on Nasdaq's; W on that, and on all others."""

_HOUR_NS: Final = 3_600 * SECOND_NS


@lru_cache(maxsize=4096)
def effect(conditions: tuple[str, ...], tape: str, regular: bool) -> int:
    """Return what a trade may set: a sum of OPEN_CLOSE, HIGH_LOW and VOLUME.

    regular: the trade's minute lies in regular trading hours; outside of them form T trades make the bars
    """
    letters = set(conditions)
    if letters & _NOTHING:
        return 0
    if (
        letters & _NO_PRICE
        or letters.intersection(_AVERAGE_PRICE.get(tape, "W"))
        or (regular and letters & _EXTENDED)
    ):
        return VOLUME
    return VOLUME | HIGH_LOW if letters & _NO_OPEN_CLOSE else ALL


def regular_until(t_ns: int) -> tuple[bool, int]:
    """Say whether a moment lies in regular hours, and until when at least that stays so."""
    session = hours(day_of(t_ns))
    if session is None or t_ns >= session.close_ns:
        return False, t_ns - t_ns % _HOUR_NS + _HOUR_NS  # no hour of UTC straddles New York's midnight
    return (False, session.open_ns) if t_ns < session.open_ns else (True, session.close_ns)
