"""Which trades make a bar: what each sale condition forbids a trade to set.

Source: the SIP tables (CTS specification, UTP specification) as the vendors apply them to minute bars, see
docs of Polygon `/v3/reference/conditions` and Alpaca "Stock Minute Bars". Letters differ between tapes.
"""

from functools import lru_cache
from typing import Final

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
