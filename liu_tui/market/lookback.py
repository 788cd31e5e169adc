"""How much history a strategy's declared lookback needs. Live and backtest load the same bars by it."""

from __future__ import annotations

from datetime import date

from liu_tui.market.calendar import hours, previous_session, session_of

MINUTES_A_SESSION = 390


def history_start(now_ns: int, lookback: int) -> int:
    """Start of the minute bars to load at `now_ns`: the present session, and whole earlier ones as needed.

    lookback: minute bars that must be there, counted in regular sessions
    """
    session = session_of(now_ns)
    start = session.pre_ns
    sessions = -(-lookback // MINUTES_A_SESSION) if lookback > 0 else 0
    day = date.fromisoformat(session.day)
    for _ in range(sessions):
        day = previous_session(day)
        earlier = hours(day)
        if earlier is not None:
            start = earlier.open_ns
    return start


def daily_start(now_ns: int, days: int) -> int:
    """Start of the daily bars to load at `now_ns`: `days` finished sessions back."""
    day = date.fromisoformat(session_of(now_ns).day)
    for _ in range(days):
        day = previous_session(day)
    session = hours(day)
    # Daily bars are stamped at New York midnight, before the pre-market begins.
    return (session.pre_ns if session is not None else now_ns) - 6 * 3_600_000_000_000
