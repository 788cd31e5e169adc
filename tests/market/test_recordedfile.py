"""A recording played again: as it was received, with the history that was known, nothing before its time."""

from datetime import date
from itertools import islice, pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liu_tui.errors import FeedError
from liu_tui.market.calendar import hours
from liu_tui.market.csvfiles import open_csv
from liu_tui.market.recordedfile import RecordingSource
from liu_tui.market.recording import RecordingWriter
from liu_tui.market.simulation import SimulatedSource
from liu_tui.market.source import Source
from liu_tui.market.sources import open_source
from liu_tui.market.streaming import StreamItem
from liu_tui.market.tape import Tape
from liu_tui.model.clock import SessionHours
from liu_tui.model.market import (
    DAY_NS,
    MINUTE_NS,
    SECOND_NS,
    Bar,
    Halt,
    TapeEvent,
    TradeCancel,
    TradeCorrection,
)
from tests.kit.market import DATA, MONDAY, a_bar, a_quote, a_trade, at, events_of, recorded
from tests.kit.recording import ABOUT, EVERY_KIND, T, kept, written

FRIDAY = "2024-08-23"


def opened(path: Path, day: str = "") -> Source:
    return open_source(str(path), base=path.parent, symbols=10, seed=1, day=day)


def session(day: str = MONDAY) -> SessionHours:
    found = hours(date.fromisoformat(day))
    assert found is not None
    return found


def moments(path: Path) -> list[tuple[int, list[TapeEvent]]]:
    return list(opened(path).steps(MONDAY))


# ── what is played, and when ──


def test_all_that_the_tape_said_is_played_and_nothing_that_happened_to_the_feed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.liu", (T, EVERY_KIND))
    said = [item for item in EVERY_KIND if isinstance(item, TapeEvent)]
    assert moments(path) == [(T, said)]
    source = opened(path)
    assert [asset.symbol for asset in source.assets()] == ["AAPL", "BRK.B"]
    assert (source.days(), source.complete, source.expands("AAPL", MONDAY)) == ([MONDAY], True, False)


def test_events_are_played_when_they_came_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    late, doubled = a_trade(T - 70 * SECOND_NS), a_quote(T)
    path = written(tmp_path / "a", (T, [doubled, late]), (T, [doubled]), (T + 7, [a_trade(T)]))
    assert moments(path) == [(T, [doubled, late, doubled]), (T + 7, [a_trade(T)])]


def test_nothing_is_played_before_it_is_over(tmp_path: Path) -> None:
    # The clock of the machine that recorded was two seconds behind the market's.
    early = T - 2 * SECOND_NS
    bar, trade = a_bar(T - MINUTE_NS), a_trade(T + SECOND_NS)
    path = written(tmp_path / "a", (early, [bar, trade, a_quote(early)]), (T, [a_trade(T)]))
    assert moments(path) == [(early, [a_quote(early)]), (T, [bar, a_trade(T)]), (T + SECOND_NS, [trade])]


def test_a_clock_that_was_set_back_does_not_turn_events_round(tmp_path: Path) -> None:
    ticks = [a_trade(T, 100.0 + n) for n in range(3)]
    path = written(tmp_path / "a", (T, [ticks[0]]), (T - SECOND_NS, [ticks[1]]), (T + 1, [ticks[2]]))
    assert moments(path) == [(T, ticks[:2]), (T + 1, ticks[2:])]


def test_a_delayed_feed_is_played_without_its_delay(tmp_path: Path) -> None:
    behind = msgspec.structs.replace(ABOUT, delay_ns=15 * MINUTE_NS)
    path = written(tmp_path / "a", (T + 15 * MINUTE_NS, [a_trade(T)]), about=behind)
    assert moments(path) == [(T, [a_trade(T)])]


def test_a_session_that_was_started_again_is_one_day(tmp_path: Path) -> None:
    path = written(tmp_path / "a", (T, [a_trade(T)]))
    written(path, (T + SECOND_NS, [a_quote(T)]))
    assert moments(path) == [(T, [a_trade(T)]), (T + SECOND_NS, [a_quote(T)])]


def test_two_sessions_of_a_file_that_saw_the_same_hour_are_both_heard(tmp_path: Path) -> None:
    path = written(tmp_path / "a", (T, [a_trade(T)]), (T + 5, [a_trade(T)]))
    written(path, (T + 3, [a_quote(T)]), (T + 5, [a_quote(T)]))
    assert moments(path) == [(T, [a_trade(T)]), (T + 3, [a_quote(T)]), (T + 5, [a_trade(T), a_quote(T)])]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 5), st.integers(0, 200)), max_size=40), st.data()
)
def test_a_recorded_day_may_be_entered_anywhere(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("entered")
    frames: list[tuple[int, list[StreamItem]]] = [
        (T + came * SECOND_NS, [a_trade(T + own * SECOND_NS, symbol=f"S{name}")]) for came, name, own in rows
    ]
    path = written(folder / "a", (T, [a_quote(T)]), *frames)
    for _ in range(2):
        written(path, *frames[::3])
    whole = moments(path)
    start = T + data.draw(st.integers(-1, 210)) * SECOND_NS
    assert list(opened(path).steps(MONDAY, start)) == [step for step in whole if step[0] >= start]
    assert all(a[0] < b[0] for a, b in pairwise(whole))
    assert len(list(events_of(whole))) == 1 + len(frames) + 2 * len(frames[::3])


def test_the_moment_of_a_subscription_is_played_though_nothing_came(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a", about=ABOUT)
    writer.subscribed(["AAPL", "MSFT"], T)
    writer.add([a_trade(T + 5)], T + 5)
    writer.subscribed(["AAPL", "MSFT", "F"], T + 5)
    writer.subscribed([], T + 6)
    writer.finish()
    assert moments(tmp_path / "a") == [(T, []), (T + 5, [a_trade(T + 5)])]
    assert [asset.symbol for asset in opened(tmp_path / "a").assets()] == ["AAPL", "F", "MSFT"]


# ── its days ──


def test_a_recording_of_several_days_plays_each(tmp_path: Path) -> None:
    friday = at(f"{FRIDAY} 10:00")
    path = written(tmp_path / "a", (friday, [a_trade(friday)]), (T, [a_trade(T)]))
    source = opened(path, FRIDAY)
    assert source.days() == [FRIDAY, MONDAY]
    assert list(source.steps(FRIDAY)) == [(friday, [a_trade(friday)])]
    with pytest.raises(FeedError, match=f"It has {FRIDAY}, {MONDAY}"):
        opened(path, "2024-08-27")
    with pytest.raises(FeedError, match=f"It has {FRIDAY}, {MONDAY}"):
        source.steps("2024-08-27")


def test_a_folder_of_recordings_has_their_days_whatever_they_are_called(tmp_path: Path) -> None:
    friday = at(f"{FRIDAY} 10:00")
    (tmp_path / "more").mkdir()
    written(tmp_path / "friday.rec", (friday, [a_trade(friday)]))
    written(tmp_path / "more/monday", (T, [a_trade(T)]))
    (tmp_path / "notes.txt").write_text("both were quiet")
    assert opened(tmp_path).days() == [FRIDAY, MONDAY]


def test_a_day_that_two_files_hold_is_not_guessed_at(tmp_path: Path) -> None:
    for name in "ab":
        written(tmp_path / name, (T, [a_trade(T)]))
    with pytest.raises(FeedError, match="recorded more than once"):
        opened(tmp_path).steps(MONDAY)


def test_a_recording_in_which_nothing_came_says_so(tmp_path: Path) -> None:
    path = written(tmp_path / "a", (T, EVERY_KIND[:1]), prior={"AAPL": [a_bar(T - MINUTE_NS)]})
    with pytest.raises(FeedError, match="no minutes, trades or quotes"):
        opened(path)
    with pytest.raises(FeedError, match="Nothing was received"):
        RecordingSource([path], where="a").steps(MONDAY)


def test_a_damaged_block_is_passed_over_and_the_log_says_where(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "a", (T, [a_trade(T)]))
    begin = path.stat().st_size
    written(path, (T + 1, [a_trade(T)]))
    written(path, (T + 2, [a_trade(T)]))
    data = bytearray(path.read_bytes())
    data[begin + 30] ^= 1
    path.write_bytes(data)
    assert [moment for moment, _ in moments(path)] == [T, T + 1, T + 2]
    assert f"byte {begin:,}: a block's checksum does not fit" in caplog.text


# ── its history ──


def test_history_is_what_came_and_what_was_fetched(tmp_path: Path) -> None:
    fetched = [a_bar(at(f"{FRIDAY} 00:00"), 90.0, span_ns=DAY_NS), a_bar(T - 2 * MINUTE_NS, 98.0)]
    came = a_bar(T - MINUTE_NS, 99.0)
    source = opened(written(tmp_path / "a", (T, [came]), prior={"AAPL": fetched}))
    assert source.bars("AAPL", MINUTE_NS, 0, at("16:00")) == [fetched[1], came]
    assert source.bars("AAPL", MINUTE_NS, T - MINUTE_NS, T) == [came]
    assert source.bars("AAPL", MINUTE_NS, 0, T - 1) == [fetched[1]]
    assert source.previous_daily("AAPL", MONDAY) == fetched[0]
    assert source.bars("ZZZ", MINUTE_NS, 0, T) == []
    assert source.untold(MONDAY) == [fetched[1]]


def test_a_bar_is_known_from_when_it_came_and_revised_from_when_that_came(tmp_path: Path) -> None:
    first, other = a_bar(T - MINUTE_NS, 99.0), a_bar(T - 2 * MINUTE_NS, 98.0)
    revised = msgspec.structs.replace(first, close=99.2, revised=True)
    path = written(tmp_path / "a", (T, [first]), (T + 30, [revised]), (T + 40, [other]))
    tape = Tape(opened(path), MONDAY, session(), T - 1)
    seen = []
    for now in (T - 1, T, T + 29, T + 30, T + 40):
        tape.advance(now)
        seen.append(tape.bars("AAPL", MINUTE_NS, 0, at("16:00")))
    assert seen == [[], [first], [first], [revised], [other, revised]]
    assert tape.snapshot("AAPL").minute_bar == revised
    assert tape.most_active(5) == [("AAPL", 200.0)]


def test_the_day_so_far_is_no_day_that_is_over(tmp_path: Path) -> None:
    today = a_bar(at("00:00"), 50.0, span_ns=DAY_NS)
    tuesday = at("2024-08-27 09:30")
    path = written(
        tmp_path / "a",
        (T, [today]),
        (at("15:00"), [msgspec.structs.replace(today, close=50.1)]),
        (tuesday, [a_trade(tuesday)]),
        prior={"AAPL": [today]},
    )
    source = opened(path)
    assert source.previous_close("AAPL", MONDAY) is None
    assert source.previous_close("AAPL", "2024-08-27") == 50.1
    assert next(events_of(source.steps(MONDAY))) == today


def test_a_tape_learns_the_minutes_before_the_recording_and_plays_none(tmp_path: Path) -> None:
    morning = [a_bar(T + n * MINUTE_NS, 100.0 + n, 10.0) for n in range(30)]
    noon = T + 40 * MINUTE_NS
    friday = a_bar(at(f"{FRIDAY} 00:00"), 100.0, span_ns=DAY_NS)
    path = written(tmp_path / "a", (noon, [a_trade(noon, 200.0)]), prior={"AAPL": [friday, *morning]})
    for start_ns in (0, T + 5 * MINUTE_NS):
        tape = Tape(opened(path), MONDAY, session(), start_ns)
        assert tape.advance(T + 10 * MINUTE_NS) == []
        assert tape.price("AAPL") == 109.0
        assert tape.most_active(5) == [("AAPL", 100.0)]
        ((symbol, percent),) = tape.movers(5)
        assert (symbol, round(percent, 6)) == ("AAPL", 9.0)
        daily = tape.snapshot("AAPL").daily_bar
        assert daily is not None
        assert (daily.open, daily.close) == (100.0, 109.0)


def test_a_print_that_did_not_happen_is_no_latest_trade(tmp_path: Path) -> None:
    trade = msgspec.structs.replace(a_trade(T), id=7, exchange="Q")
    fix = TradeCorrection("AAPL", T, "Q", 7, 100.0, 100.0, 8, 101.0, 100.0)
    path = written(
        tmp_path / "a",
        (T, [trade, TradeCancel("AAPL", T, "P", 7, 100.0, 100.0), Halt("AAPL", T, halted=True)]),
        (T + 1, [fix]),
        (T + 2, [TradeCancel("AAPL", T, "Q", 8, 101.0, 100.0)]),
    )
    tape = Tape(opened(path), MONDAY, session())
    prices = []
    while tape.next_step() is not None:
        last = tape.trade("AAPL")
        prices.append(last and last.price)
    assert prices == [100.0, 101.0, None]


def test_a_bar_of_a_second_or_a_day_is_no_minute(tmp_path: Path) -> None:
    path = written(tmp_path / "a", (T, [bar for bar in EVERY_KIND if isinstance(bar, Bar)]))
    tape = Tape(opened(path), MONDAY, session())
    tape.advance(at("16:00"))
    minute = tape.snapshot("AAPL").minute_bar
    assert minute is not None
    assert minute.span_ns == MINUTE_NS


# ── the same day again ──


def assert_same(one: Source, other: Source, day: str) -> None:
    """Two sources that nobody who plays them can tell apart."""
    assert list(other.steps(day)) == list(one.steps(day))
    assert [asset.symbol for asset in other.assets()] == [asset.symbol for asset in one.assets()]
    start, end = at(f"{day} 00:00") - 400 * DAY_NS, at(f"{day} 00:00") + DAY_NS
    for asset in one.assets():
        assert other.previous_daily(asset.symbol, day) == one.previous_daily(asset.symbol, day)
        minutes = other.bars(asset.symbol, MINUTE_NS, start, end)
        assert minutes == one.bars(asset.symbol, MINUTE_NS, start, end)


def test_a_recording_of_a_replay_of_a_recording_is_the_same_events(tmp_path: Path) -> None:
    source = recorded(
        *(a_bar(at(f"{FRIDAY} 15:50") + n * MINUTE_NS, 99.0, symbol="B") for n in range(10)),
        *(a_bar(T + n * MINUTE_NS, 100.0 + n, symbol=s) for n in range(40) for s in ("A", "B")),
    )
    first = opened(kept(source, MONDAY, tmp_path / "first"))
    second = opened(kept(first, MONDAY, tmp_path / "second"))
    assert_same(source, first, MONDAY)
    assert_same(first, second, MONDAY)


def test_prints_and_quotes_of_a_simulated_hour_are_kept(tmp_path: Path) -> None:
    steps = list(islice(SimulatedSource(5, 1, MONDAY).steps(MONDAY, at("09:28")), 1_500))
    first = moments(written(tmp_path / "first", *steps))
    assert moments(written(tmp_path / "second", *first)) == first == steps


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared market days are not at hand")
def test_a_tape_of_a_real_days_recording_tells_what_the_days_own_tape_tells(tmp_path: Path) -> None:
    day = "2019-02-12"
    source = open_csv(DATA / "bars/eqker-2019-02")
    copy = opened(kept(source, day, tmp_path / "copy"))
    assert_same(source, copy, day)
    tapes = [Tape(one, day, session(day), session(day).open_ns) for one in (source, copy)]
    for minutes in (0, 1, 90, 400):
        now = session(day).open_ns + minutes * MINUTE_NS + SECOND_NS
        assert tapes[0].advance(now) == tapes[1].advance(now)
        for asset in source.assets():
            assert tapes[0].snapshot(asset.symbol) == tapes[1].snapshot(asset.symbol)
        assert tapes[0].most_active(9) == tapes[1].most_active(9)
        assert tapes[0].movers(9) == tapes[1].movers(9)
