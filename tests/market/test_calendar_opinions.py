"""Calendar: every day of 2008 to 2027, against the two libraries that know the exchange by heart."""

from __future__ import annotations

import importlib
import warnings
from datetime import date
from typing import Any

import numpy as np
import pytest

from liu_tui.market.calendar import sessions
from liu_tui.model.clock import SessionHours

FIRST, LAST = date(2008, 1, 1), date(2027, 12, 31)

Edges = dict[str, tuple[int, ...]]
"""ISO date -> its edges in UTC nanoseconds."""


@pytest.fixture(scope="module")
def ours() -> dict[str, SessionHours]:
    return {session.day: session for session in sessions(FIRST, LAST)}


@pytest.fixture(scope="module")
def by_market_calendars() -> Edges:
    """The schedule of pandas_market_calendars: pre, open, close, post."""
    with warnings.catch_warnings():
        _let_pandas_grumble()
        library: Any = importlib.import_module("pandas_market_calendars")
        frame = library.get_calendar("NYSE").schedule(
            FIRST.isoformat(), LAST.isoformat(), start="pre", end="post"
        )
    return edges(frame, "pre", "market_open", "market_close", "post")


@pytest.fixture(scope="module")
def by_exchange_calendars() -> Edges:
    """The schedule of exchange_calendars, which knows regular hours only: open, close."""
    with warnings.catch_warnings():
        _let_pandas_grumble()
        library: Any = importlib.import_module("exchange_calendars")
        frame = library.get_calendar("XNYS", start=FIRST.isoformat(), end=LAST.isoformat()).schedule
    return edges(frame, "open", "close")


def _let_pandas_grumble() -> None:
    # pandas 3.1 deprecates two names that both libraries still use.
    warnings.filterwarnings("ignore", r"Series\.(dt\.weekday|values) ", DeprecationWarning)


def edges(frame: Any, *columns: str) -> Edges:
    """Return each row's moments, by its date."""
    moments = [frame[name].dt.tz_convert(None).to_numpy().astype("datetime64[ns]") for name in columns]
    rows = np.column_stack([column.astype(np.int64) for column in moments]).tolist()
    days = [f"{day:%Y-%m-%d}" for day in frame.index]
    return dict(zip(days, map(tuple, rows), strict=True))


def test_pandas_market_calendars_knows_the_same_sessions_with_pre_and_after_market(
    ours: dict[str, SessionHours], by_market_calendars: Edges
) -> None:
    assert {d: (s.pre_ns, s.open_ns, s.close_ns, s.post_ns) for d, s in ours.items()} == by_market_calendars


def test_exchange_calendars_knows_the_same_sessions(
    ours: dict[str, SessionHours], by_exchange_calendars: Edges
) -> None:
    assert {day: (s.open_ns, s.close_ns) for day, s in ours.items()} == by_exchange_calendars
