"""Sieve over recorded days: the bad prints in them are held back, and nothing of a regular session is."""

from collections.abc import Iterator
from functools import cache

import pytest

from liu_tui.market.calendar import is_regular
from liu_tui.market.sieve import Sieve
from liu_tui.market.sources import open_source
from liu_tui.model.market import Bar, TapeEvent
from tests.kit.market import DATA, events_of

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the recorded days are not at hand")


def events(folder: str, days: tuple[str, ...]) -> Iterator[TapeEvent]:
    """Return the events of some recorded days; bars are expanded as they are played."""
    source = open_source(folder, base=DATA, symbols=10, seed=1, day="")
    assert set(days) <= set(source.days())
    for day in days:
        yield from events_of(source.steps(day))


@cache
def sifted(folder: str, *days: str) -> tuple[list[str], list[str], int, int]:
    """Sift these days; return words of regular hours, of other hours, events in, events not passed."""
    sieves: dict[str, Sieve] = {}
    regular: list[str] = []
    extended: list[str] = []
    came = lost = 0
    for event in events(folder, days):
        sieve = sieves.setdefault(event.symbol, Sieve(event.symbol))
        came += 1
        passed = sieve.admit(event) + len(sieve.released)
        lost += 1 - passed
        sieve.released.clear()
        (regular if is_regular(event.t_ns) else extended).extend(sieve.words)
        sieve.words.clear()
    assert all(sieve.duplicates == sieve.disordered == sieve.waiting == 0 for sieve in sieves.values())
    return regular, extended, came, lost


QUIET = [
    ("bars/react-stockcharts-2016", ("2016-04-21", "2016-04-22", "2016-04-25")),  # an earnings gap of 7 %
    ("bars/eqker-2019-02", ("2019-02-11",)),  # thin names
    ("bars/bhtp-2025-09-26", ("2025-09-26",)),
    ("bars/intraday-2019", ("2019-12-24",)),  # a half day
    ("bars/pyalgotrade-2011", ("2011-03-11", "2011-03-14")),
    ("ticks/highfrequency-2018-01", ("2018-01-02",)),  # real prints and quotes, some of the quotes bad
]


@pytest.mark.parametrize(("folder", "days"), QUIET)
def test_a_day_without_bad_prints_passes_whole(folder: str, days: tuple[str, ...]) -> None:
    regular, extended, came, lost = sifted(folder, *days)
    assert came > 1_500
    assert (regular, extended, lost) == ([], [], 0)


VOLATILE = ("2022-03-15", "2022-03-16", "2022-03-23")
"""AMC, TSLA, AAPL, FB and UVXY in wild weeks; after hours the vendor's bars have prints 5 to 28 % off."""


def test_nothing_of_the_regular_hours_of_wild_days_is_held_back() -> None:
    assert sifted("bars/intraday-2022", *VOLATILE)[0] == []


@pytest.mark.parametrize(
    "words",
    [
        "TSLA bar of 17:26:00: low 712.58 cut to 993.45, for no print reached it",
        "TSLA quote of 712.51 to 712.65 at 17:26:20 is 28.2 % from 992.89: held back",
        "FB bar of 17:57:00: low 190.12 cut to 203.91, for no print reached it",
        "AMC quote of 13.18 to 13.19 at 08:01:40 is 5.6 % from 13.97: held back",
    ],
)
def test_the_stray_prints_after_hours_of_wild_days_are_held_back(words: str) -> None:
    assert words in sifted("bars/intraday-2022", *VOLATILE)[1]


MONEY_TREE = ("2024-08-23", "2024-08-26", "2024-08-27")


def test_the_bad_prints_of_money_tree_are_held_back_and_nothing_else() -> None:
    regular, extended, _, _ = sifted("bars/money-tree-2024-08", *MONEY_TREE)
    assert regular == []
    assert "MSFT quote of 440.63 to 440.72 at 17:41:01 is 6.6 % from 413.20: held back" in extended
    assert [words.split(",")[0] for words in extended if " bar of " in words] == [
        "MSFT bar of 17:40:00: low 392.27 cut to 413.29",
        "MSFT bar of 17:41:00: open 440.68 cut to 413.39",
        "SPY bar of 16:51:00: low 533.01 cut to 561.43",
        "SPY bar of 16:55:00: low 533.01 cut to 561.42",
        "MSFT bar of 17:03:00: low 387.79 cut to 413.64",
    ]
    assert not any("moved" in words for words in extended)


def test_no_bar_is_ever_lost() -> None:
    folder, sieves = "bars/money-tree-2024-08", dict[str, Sieve]()
    came: list[tuple[str, int]] = []
    passed: list[tuple[str, int]] = []
    for event in events(folder, MONEY_TREE):
        sieve = sieves.setdefault(event.symbol, Sieve(event.symbol))
        through = [event] if sieve.admit(event) else []
        passed += [(b.symbol, b.t_ns) for b in (*sieve.released, *through) if isinstance(b, Bar)]
        sieve.released.clear()
        if isinstance(event, Bar):
            came.append((event.symbol, event.t_ns))
    assert passed == came
