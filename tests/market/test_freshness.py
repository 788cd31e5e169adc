"""Freshness: a symbol is stale by its own measure, and a stream silent by that of its symbols together."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.market.calendar import first_session, to_datetime
from liu_tui.market.freshness import (
    GAPS_FEWEST,
    MOST_DOUBLED,
    STREAM_FLOOR_NS,
    SYMBOL_FLOOR_NS,
    UNKNOWN_NS,
    Pulse,
    Vigil,
)
from liu_tui.model.clock import Anchor
from liu_tui.model.market import MINUTE_NS, SECOND_NS
from tests.kit.market import at

OPEN = at("09:30")
HOURS = first_session(to_datetime(OPEN).date())


def beaten(gap_s: float, n: int, start_ns: int = OPEN) -> Pulse:
    """Make a pulse with n gaps of this length; its last beat is at start_ns + n * gap."""
    pulse = Pulse(start_ns)
    for k in range(n + 1):
        pulse.beat(start_ns + int(k * gap_s * SECOND_NS))
    return pulse


def a_vigil(pulses: dict[str, Pulse], *, speed: float = 1.0, paused: bool = False) -> Vigil:
    return Vigil(pulses, HOURS, Anchor(OPEN, 0, speed, paused))


def watched(
    symbols: int, mean_s: float, for_s: int, *, speed: float = 1.0
) -> tuple[Vigil, dict[str, Pulse], int]:
    """Feed a vigil with symbols that speak at random, on average every so many seconds; return its end."""
    rng = random.Random(7)
    moments = sorted(
        (OPEN + SECOND_NS + int(rng.uniform(0, for_s) * SECOND_NS), n)
        for n in range(symbols)
        for _ in range(int(for_s / mean_s))
    )
    pulses = {str(n): Pulse(OPEN) for n in range(symbols)}
    vigil = a_vigil(pulses, speed=speed)
    asked_ns = OPEN
    for now_ns, n in moments:
        while asked_ns < now_ns:
            assert vigil.silent_ns(asked_ns) == 0
            asked_ns += int(SECOND_NS * speed)
        pulses[str(n)].beat(now_ns)
        vigil.beat(now_ns)
    return vigil, pulses, moments[-1][0]


# ── one symbol ──


def test_a_pulse_counts_and_knows_its_age() -> None:
    pulse = Pulse(OPEN)
    assert (pulse.count, pulse.age_ns(OPEN + 5)) == (0, -1)
    pulse.beat(OPEN + 5)
    pulse.beat(OPEN + 6)
    assert (pulse.count, pulse.last_ns, pulse.age_ns(OPEN + 10)) == (2, OPEN + 6, 4)


@pytest.mark.parametrize("gap_s", [0.05, 1.0, 20.0, 300.0])
def test_the_usual_gap_is_the_mean_one(gap_s: float) -> None:
    pulse = beaten(gap_s, 400)
    assert pulse.known
    assert pulse.usual_ns == pytest.approx(gap_s * SECOND_NS, rel=0.02)


def test_the_usual_gap_is_unknown_until_enough_was_seen() -> None:
    assert beaten(10.0, GAPS_FEWEST - 1).usual_ns == 0
    assert beaten(10.0, GAPS_FEWEST).usual_ns == 10 * SECOND_NS


def test_what_is_usual_follows_the_market() -> None:
    pulse = beaten(1.0, 600)
    end_ns = pulse.last_ns
    for k in range(1, 100):
        pulse.beat(end_ns + k * 30 * SECOND_NS)
    assert pulse.usual_ns == pytest.approx(30 * SECOND_NS, rel=0.1)


def test_a_liquid_name_is_stale_after_the_floor_and_not_before() -> None:
    pulse = beaten(0.1, 3000)
    assert not pulse.stale(pulse.last_ns + SYMBOL_FLOOR_NS)
    assert pulse.stale(pulse.last_ns + SYMBOL_FLOOR_NS + 1)


def test_a_thin_name_is_not_stale_for_its_usual_gap() -> None:
    pulse = beaten(600.0, 12)
    assert not pulse.stale(pulse.last_ns + 19 * MINUTE_NS)
    assert pulse.stale(pulse.last_ns + 51 * MINUTE_NS)


def test_a_burst_of_prints_does_not_make_a_thin_name_look_busy() -> None:
    pulse = Pulse(OPEN)
    for minute in range(0, 120, 10):
        for k in range(100):
            pulse.beat(OPEN + minute * MINUTE_NS + k * 1_000_000)
    assert not pulse.stale(pulse.last_ns + 15 * MINUTE_NS)


def test_while_little_is_known_only_a_long_age_is_stale() -> None:
    pulse = Pulse(OPEN)
    assert not pulse.stale(OPEN + UNKNOWN_NS)
    assert pulse.stale(OPEN + UNKNOWN_NS + 1)
    pulse.beat(OPEN + UNKNOWN_NS + 2)
    assert not pulse.stale(OPEN + 2 * UNKNOWN_NS)


def test_an_outage_is_not_learned_as_usual() -> None:
    pulse = beaten(1.0, 600)
    pulse.beat(pulse.last_ns + 30 * MINUTE_NS)
    assert pulse.patience_ns < MINUTE_NS


def test_a_halted_symbol_is_never_stale() -> None:
    pulse = beaten(1.0, 600)
    pulse.halted = True
    assert not pulse.stale(pulse.last_ns + 60 * MINUTE_NS)


def test_before_the_market_opened_nothing_was_expected() -> None:
    pulse = beaten(1.0, 600, OPEN - 12 * 60 * MINUTE_NS)
    assert pulse.stale(OPEN + 5 * SECOND_NS)
    assert not pulse.stale(OPEN + 5 * SECOND_NS, since_ns=OPEN)


@given(st.floats(1.0, 400.0), st.integers(0, 9_999))
def test_a_symbol_that_speaks_at_random_is_hardly_ever_stale(mean_s: float, seed: int) -> None:
    rng = random.Random(seed)
    pulse, now_ns, wrong = Pulse(OPEN), OPEN, 0
    for _ in range(200):
        gap_ns = int(rng.expovariate(1 / mean_s) * SECOND_NS)
        wrong += pulse.stale(now_ns + gap_ns)
        now_ns += gap_ns
        pulse.beat(now_ns)
    assert wrong <= 8


# ── a stream ──


def test_a_stream_of_many_liquid_symbols_is_silent_after_seconds() -> None:
    vigil, _, end_ns = watched(50, 2.0, 120)
    assert vigil.silent_ns(end_ns + 2 * SECOND_NS) == 0
    assert vigil.silent_ns(end_ns + 8 * SECOND_NS) == 8 * SECOND_NS


def test_a_stream_of_one_thin_stock_is_silent_after_many_minutes() -> None:
    vigil, _, end_ns = watched(1, 200.0, 6_000)
    assert vigil.silent_ns(end_ns + 10 * MINUTE_NS) == 0
    assert vigil.silent_ns(end_ns + 90 * MINUTE_NS) > 0


def test_when_the_liquid_symbols_are_gone_the_thin_one_sets_the_measure() -> None:
    vigil, pulses, end_ns = watched(50, 2.0, 120)
    pulses.clear()
    pulses["THIN"] = beaten(120.0, 20, end_ns - 2_400 * SECOND_NS)
    assert vigil.silent_ns(end_ns + 5 * MINUTE_NS) == 0
    assert vigil.silent_ns(end_ns + 30 * MINUTE_NS) > 0


def test_symbols_that_all_speak_at_one_moment_are_one_voice() -> None:
    pulses = {str(n): Pulse(OPEN) for n in range(50)}
    vigil = a_vigil(pulses)
    for minute in range(30):
        for pulse in pulses.values():
            pulse.beat(OPEN + minute * MINUTE_NS)
        vigil.beat(OPEN + minute * MINUTE_NS)
        assert vigil.silent_ns(OPEN + minute * MINUTE_NS + 59 * SECOND_NS) == 0
    assert vigil.silent_ns(OPEN + 40 * MINUTE_NS) > 0


def test_a_stream_without_symbols_or_with_halted_ones_is_never_silent() -> None:
    vigil, pulses, end_ns = watched(5, 1.0, 60)
    for pulse in pulses.values():
        pulse.halted = True
    assert vigil.silent_ns(end_ns + 60 * MINUTE_NS) == 0
    pulses.clear()
    assert vigil.silent_ns(end_ns + 60 * MINUTE_NS) == 0
    assert not vigil.should_reconnect(end_ns + 60 * MINUTE_NS)


@pytest.mark.parametrize("anchor", [Anchor(OPEN, 0, 1.0, True), Anchor(OPEN, 0, 1.0, False, True)])
def test_a_clock_that_stands_still_is_no_silence(anchor: Anchor) -> None:
    vigil, pulses, end_ns = watched(50, 2.0, 120)
    vigil.anchor = anchor
    assert vigil.silent_ns(end_ns + MINUTE_NS) == 0
    assert not vigil.should_reconnect(end_ns + MINUTE_NS)
    assert not vigil.stale(pulses["0"], end_ns + 60 * MINUTE_NS)


@pytest.mark.parametrize(
    ("now", "silent"), [("2024-08-26 03:00", False), ("23:00", False), ("12:00", True), ("19:30", True)]
)
def test_silence_counts_in_the_hours_of_the_session_only(now: str, silent: bool) -> None:
    pulses = {"AAPL": Pulse(at("2024-08-23 15:00"))}
    vigil = a_vigil(pulses)
    vigil.silent_ns(at(now) - 80 * MINUTE_NS)  # it watches since then
    assert bool(vigil.silent_ns(at(now))) is silent
    assert vigil.should_reconnect(at(now)) is silent
    assert vigil.stale(pulses["AAPL"], at(now)) is silent


def test_before_the_open_patience_is_longer() -> None:
    start_ns = at("08:00")
    pulse = beaten(20.0, 60, start_ns)
    vigil = a_vigil({"AAPL": pulse})
    assert not vigil.stale(pulse, pulse.last_ns + 5 * MINUTE_NS - SECOND_NS)
    assert vigil.stale(pulse, pulse.last_ns + 6 * MINUTE_NS)


def test_the_close_begins_a_new_measure() -> None:
    close_ns = HOURS.close_ns
    pulses = {"AAPL": beaten(1.0, 600, close_ns - 600 * SECOND_NS)}
    vigil = a_vigil(pulses)
    assert vigil.silent_ns(close_ns - 1) == 0
    assert vigil.silent_ns(close_ns + 10 * MINUTE_NS) == 0
    assert not vigil.stale(pulses["AAPL"], close_ns + 10 * MINUTE_NS)


def test_at_speed_the_floor_stays_wall_time() -> None:
    speed = 120.0
    vigil, pulses, end_ns = watched(50, 2.0, 600, speed=speed)
    floor_ns = int(STREAM_FLOOR_NS * speed)
    assert vigil.silent_ns(end_ns + floor_ns) == 0
    assert vigil.silent_ns(end_ns + floor_ns + SECOND_NS) > 0
    assert not vigil.stale(pulses["0"], end_ns + int(SYMBOL_FLOOR_NS * speed) - MINUTE_NS)


# ── cutting the line ──


def cuts(vigil: Vigil, from_ns: int, for_s: int) -> list[float]:
    """Ask once a second; return after how many seconds it said to cut."""
    return [s for s in range(for_s) if vigil.should_reconnect(from_ns + s * SECOND_NS)]


def test_each_cut_without_data_doubles_the_patience_and_data_ends_that() -> None:
    vigil, _, end_ns = watched(50, 2.0, 120)
    said = cuts(vigil, end_ns, 400)
    waits = [b - a for a, b in pairwise([0.0, *said])]
    assert len(waits) >= 5
    assert all(1.5 <= later / earlier <= 2.5 for earlier, later in pairwise(waits))
    vigil.beat(end_ns + 401 * SECOND_NS)
    assert cuts(vigil, end_ns + 401 * SECOND_NS, 20)[0] == pytest.approx(waits[0], abs=1)


def test_patience_does_not_double_for_ever() -> None:
    vigil, _, end_ns = watched(50, 2.0, 120)
    said = cuts(vigil, end_ns, 3_000)
    assert max(b - a for a, b in pairwise(said)) <= (MOST_DOUBLED + 2) * 8


def test_a_line_made_anew_has_time_to_speak() -> None:
    vigil, _, end_ns = watched(50, 2.0, 120)
    vigil.restart(end_ns + 60 * SECOND_NS)
    assert not vigil.should_reconnect(end_ns + 61 * SECOND_NS)
    assert vigil.silent_ns(end_ns + 61 * SECOND_NS) == 61 * SECOND_NS
