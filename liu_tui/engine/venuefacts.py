"""What a producer asks its venue before anything else: the session, the time, the days it keeps otherwise."""

from __future__ import annotations

from datetime import date, timedelta

from liu_tui.engine.child import Child
from liu_tui.engine.messages import VenueSaid
from liu_tui.errors import FeedError
from liu_tui.market import calendar
from liu_tui.market.history import DataAPI
from liu_tui.model.clock import SessionHours
from liu_tui.wiring.venue import keys_for, open_data

CALENDAR_DAYS = 370
"""So far back and ahead the venue's own calendar is compared with the rules."""


async def ask_venue(child: Child) -> None:
    """Tell the supervisor the venue's hours, time and calendar; it boots the others with them."""
    data = open_data(child.boot.venue, keys_for(child.boot.venue))
    try:
        hours, anchor = await data.hours(), await data.anchor()
        differing, closed = await _ask_calendar(child, data, calendar.day_of(anchor.venue_ns))
    finally:
        await data.close()
    child.anchor.set(anchor)
    child.learn_hours(hours)
    calendar.correct(differing, closed)
    child.tell(
        VenueSaid(
            hours=hours,
            anchor=anchor,
            calendar=tuple(differing),
            closed=tuple(day.isoformat() for day in closed),
        )
    )


async def _ask_calendar(child: Child, data: DataAPI, today: date) -> tuple[list[SessionHours], list[date]]:
    """Where the venue's calendar differs from the rules, in the span that it knows."""
    around = timedelta(days=CALENDAR_DAYS)
    try:
        theirs = await data.sessions(today - around, today + around)
    except FeedError as e:
        child.say("warn", f"the venue's calendar is not known, the rules are used: {e}", source="feed")
        return [], []
    if not theirs:
        return [], []
    known = [date.fromisoformat(session.day) for session in theirs]
    differing, closed = calendar.differences(theirs, min(known), max(known))
    if differing or closed:
        days = len(differing) + len(closed)
        child.say("info", f"the venue's calendar differs from the rules on {days} days", source="feed")
    return differing, closed
