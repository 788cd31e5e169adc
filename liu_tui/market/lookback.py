"""How much history a strategy's declared lookback needs. Live and backtest load the same bars by it."""

from __future__ import annotations

from datetime import date

from liu_tui.market.calendar import hours, midnight_ns, previous_session, session_of
from liu_tui.model.market import MINUTE_NS


def history_start(now_ns: int, lookback: int) -> int:
    """Start of the minute bars to load at `now_ns`: the present session, and whole earlier ones as needed.

    lookback: minute bars that must be there, counted in regular sessions
    """
    session = session_of(now_ns)
    start = session.pre_ns
    day = date.fromisoformat(session.day)
    missing_ns = lookback * MINUTE_NS
    while missing_ns > 0:
        day = previous_session(day)
        earlier = hours(day)
        if earlier is not None:  # a half day has fewer minutes
            start = earlier.open_ns
            missing_ns -= earlier.close_ns - earlier.open_ns
    return start


def daily_start(now_ns: int, days: int) -> int:
    """Start of the daily bars to load at `now_ns`: `days` finished sessions back."""
    day = date.fromisoformat(session_of(now_ns).day)
    for _ in range(days):
        day = previous_session(day)
    return midnight_ns(day)  # what daily bars are stamped with
