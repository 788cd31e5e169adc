"""What a producer asks its venue first: everything that goes by the session goes by its answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import cast

import msgspec
import pytest

from liu_tui.engine import venuefacts as module
from liu_tui.engine.child import Child
from liu_tui.engine.messages import VenueSaid
from liu_tui.engine.venuefacts import ask_venue
from liu_tui.errors import FeedError
from liu_tui.market import calendar
from liu_tui.model.clock import Anchor, SessionHours
from liu_tui.model.market import MINUTE_NS
from tests.kit.inside import Insider, an_insider
from tests.kit.session import DAY, at

ANCHOR = Anchor(at(3), 5, speed=2.0)


class Venue:
    """A venue that closes an hour early on the day of the tests, and knows three days."""

    def __init__(self) -> None:
        rules = [calendar.hours(date(2024, 3, day)) for day in (4, 5, 6)]
        early = msgspec.structs.replace(DAY, close_ns=DAY.close_ns - 60 * MINUTE_NS)
        self.known = [early if day == DAY else day for day in rules if day is not None]
        self.fault = ""
        self.closed = False

    async def hours(self) -> SessionHours:
        return DAY

    async def anchor(self) -> Anchor:
        return ANCHOR

    async def sessions(self, _start: date, _end: date) -> list[SessionHours]:
        if self.fault:
            raise FeedError(self.fault)
        return self.known

    async def close(self) -> None:
        self.closed = True


class Asker(Insider):
    """A producer that has just begun, and learns the hours of the session."""

    hours: SessionHours | None = None

    def learn_hours(self, hours: SessionHours) -> None:
        """Keep them."""
        self.hours = hours


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Venue]:
    made = Venue()
    monkeypatch.setattr(module, "open_data", lambda *_: made)
    yield made
    calendar.correct((), ())


@pytest.fixture
def child(tmp_path: Path) -> Asker:
    return Asker(an_insider("producer", tmp_path).boot)


async def ask(child: Asker) -> VenueSaid:
    """Ask, and return what the supervisor hears."""
    await ask_venue(cast(Child, child))
    (said,) = child.heard(VenueSaid)
    return said


async def test_the_session_and_the_time_are_told_and_known_to_the_producer_itself(
    venue: Venue, child: Asker
) -> None:
    said = await ask(child)
    assert (said.hours, said.anchor) == (DAY, ANCHOR)
    assert child.hours == DAY, "without them no silence would ever be noticed"
    assert child.anchor.anchor == ANCHOR
    assert venue.closed


async def test_the_venues_calendar_overrides_the_rules(venue: Venue, child: Asker) -> None:
    said = await ask(child)
    assert [day.day for day in said.calendar] == ["2024-03-05"]
    corrected = calendar.hours(date(2024, 3, 5))
    assert corrected is not None
    assert corrected.close_ns == DAY.close_ns - 60 * MINUTE_NS
    assert child.words == ["the venue's calendar differs from the rules on 1 days"]


async def test_a_day_that_the_venue_does_not_have_is_closed(venue: Venue, child: Asker) -> None:
    del venue.known[1]
    assert (await ask(child)).closed == ("2024-03-05",)
    assert calendar.hours(date(2024, 3, 5)) is None


@pytest.mark.parametrize("fault", ["404 not found", ""])
async def test_without_a_calendar_of_the_venue_the_rules_are_used(
    venue: Venue, child: Asker, fault: str
) -> None:
    venue.fault = fault
    if not fault:
        venue.known = []
    said = await ask(child)
    assert (said.calendar, said.closed) == ((), ())
    assert calendar.hours(date(2024, 3, 5)) == DAY
    assert bool(child.words) is bool(fault)
