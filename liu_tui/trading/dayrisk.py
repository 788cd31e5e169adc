"""What the limits know of one account's day, as the books keep it: one row for each batch of that day."""

import msgspec


class DayRisk(msgspec.Struct, frozen=True, kw_only=True):
    """One batch's part in an account's day.

    day:    ISO date in New York
    result: dollars that this batch won (+) or lost (-), realised and open, fees in
    peak:   dollars; the best that the account's day had seen by then, of all its batches, never under 0
    orders: that this batch sent, exits too
    code:   of the limit that tripped, from liu_tui.trading.codes; "" while none did. words: its sentence
    """

    account_id: str
    day: str
    batch_id: str
    result: float
    peak: float
    orders: int
    code: str = ""
    words: str = ""
    updated_ns: int = 0
