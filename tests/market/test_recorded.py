"""Recorded days: bars expanded, ticks as they stand, and the same day wherever it is entered."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from liu_tui.errors import FeedError
from liu_tui.market.csvfiles import open_csv
from liu_tui.market.nbbo import best
from liu_tui.model.market import DAY_NS, MINUTE_NS, SECOND_NS, Bar, Quote, Trade
from tests.kit.market import DATA, a_bar, at, events_of, order_key, recorded

MORNING = [
    a_bar(at("09:30") + k * MINUTE_NS, 100.0 + k, 400.0, symbol=s) for k in range(5) for s in ("B", "A")
]


def test_a_days_steps_are_in_the_promised_order() -> None:
    steps = list(recorded(*MORNING).steps("2024-08-26"))
    assert all(a[0] < b[0] for a, b in pairwise(steps))
    for moment, events in steps:
        assert all(order_key(event)[0] == moment for event in events)
        assert [order_key(event) for event in events] == sorted(order_key(event) for event in events)
    assert [e for e in events_of(steps) if isinstance(e, Bar)] == sorted(MORNING, key=order_key)


@pytest.mark.parametrize("after", [0, 1, 20, 59, 60, 61, 119, 120, 299, 300])
def test_a_recorded_day_may_be_entered_anywhere(after: int) -> None:
    source = recorded(*MORNING)
    start = at("09:30") + after * SECOND_NS
    assert list(source.steps("2024-08-26", start)) == [s for s in source.steps("2024-08-26") if s[0] >= start]


def test_a_day_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(FeedError, match="It has 2024-08-26 to 2024-08-26"):
        recorded(*MORNING).steps("2024-08-27")


def test_daily_bars_are_added_up_from_regular_minutes() -> None:
    source = recorded(a_bar(at("09:00"), 500.0), *MORNING, a_bar(at("16:10"), 500.0, symbol="A"))
    (day,) = source.bars("A", DAY_NS, 0, at("2024-08-28 00:00"))
    assert (day.t_ns, day.open, day.high, day.low, day.close) == (at("00:00"), 100.0, 104.5, 99.5, 104.0)
    assert (day.volume, day.vwap, day.count) == (2000.0, 102.0, 20)
    assert source.previous_close("A", "2024-08-27") == 104.0
    assert source.previous_close("A", "2024-08-26") is None


def test_a_recorded_daily_bar_goes_before_one_that_is_added_up() -> None:
    source = recorded(*MORNING, a_bar(at("00:00"), 77.0, symbol="A", span_ns=DAY_NS))
    assert source.previous_close("A", "2024-08-27") == 77.0


def test_bars_are_cut_by_their_start_and_their_end() -> None:
    source = recorded(*MORNING)
    found = source.bars("A", MINUTE_NS, at("09:31"), at("09:34") - 1)
    assert [bar.t_ns for bar in found] == [at("09:31"), at("09:32")]
    assert source.bars("ZZZ", MINUTE_NS, 0, at("16:00")) == []


TRADES = """timestamp,price,size,exchange,conditions
2024-08-26T13:30:01Z,10,100,Q,@
2024-08-26T13:30:30Z,11,200,Q,@F
2024-08-26T13:30:40Z,99,7,Q,@ I
2024-08-26T13:31:10Z,12,100,Q,@
"""
QUOTES = """timestamp,bid,bid_size,ask,ask_size
2024-08-26T13:30:00.5Z,9.9,100,10,200
2024-08-26T13:31:10Z,12,100,12.1,200
"""
ONE_BAR = "timestamp,open,high,low,close,volume\n{}T13:30:00Z,1,1,1,1,400\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"AAPL_{name}.csv").write_text(text)
    return folder


def test_recorded_trades_and_quotes_are_played_as_they_are(tmp_path: Path) -> None:
    source = open_csv(write(tmp_path, trades=TRADES, quotes=QUOTES, bars=ONE_BAR.format("2024-08-26")))
    events = list(events_of(source.steps("2024-08-26")))
    assert [type(event) for event in events] == [Quote, Trade, Trade, Trade, Bar, Quote, Trade, Bar]
    first = next(e for e in events if isinstance(e, Bar))
    assert (first.open, first.high, first.close, first.volume, first.count) == (10.0, 11.0, 11.0, 307.0, 3)
    assert source.bars("AAPL", MINUTE_NS, 0, at("16:00")) == [e for e in events if isinstance(e, Bar)]
    odd = [e for e in events if isinstance(e, Trade)][2]
    assert (odd.conditions, odd.exchange) == (("@", "I"), "Q")


def test_recorded_quotes_take_the_place_of_made_up_ones(tmp_path: Path) -> None:
    source = open_csv(write(tmp_path, quotes=QUOTES, bars=ONE_BAR.format("2024-08-26")))
    events = list(events_of(source.steps("2024-08-26")))
    assert [type(event) for event in events] == [Quote, Trade, Trade, Trade, Trade, Bar, Quote]


def test_files_of_one_symbol_are_joined(tmp_path: Path) -> None:
    days = {f"d{n}": ONE_BAR.format(f"2024-08-{26 + n}") for n in range(3)}
    assert open_csv(write(tmp_path, **days)).days() == ["2024-08-26", "2024-08-27", "2024-08-28"]


@pytest.mark.parametrize(("name", "words"), [("nowhere", "no such file"), (".", "no .csv")])
def test_a_path_without_data_is_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(FeedError, match=words):
        open_csv(tmp_path / name)


def test_the_best_of_several_exchanges_is_quoted() -> None:
    said = [("Q", 10.0, 10.2), ("P", 10.1, 10.3), ("P", 10.1, 10.3), ("Q", 10.1, 10.2), ("P", 0.0, 0.0)]
    assert sides(said) == [(10.0, 10.2), (10.1, 10.2), (10.1, 10.2), (10.1, 10.2)]


def test_a_stale_quote_that_a_newer_one_crosses_is_gone() -> None:
    assert sides([("Q", 10.0, 10.1), ("P", 10.4, 10.5)]) == [(10.0, 10.1), (10.4, 10.5)]


def sides(said: list[tuple[str, float, float]]) -> list[tuple[float, float]]:
    exchange, bid, ask = zip(*said, strict=True)
    ones = np.ones(len(said))
    columns = {"t_ns": np.arange(len(said)), "bid": np.array(bid), "bid_size": ones}
    found = best(columns | {"ask": np.array(ask), "ask_size": ones, "exchange": np.array(exchange)})
    return list(zip(found["bid"].tolist(), found["ask"].tolist(), strict=True))


FOLDERS = sorted(folder.name for folder in (DATA / "bars").iterdir()) if DATA.is_dir() else []


@pytest.mark.skipif(not FOLDERS, reason="the shared market days are not at hand")
@pytest.mark.parametrize("name", [name for name in FOLDERS if not name.startswith("cross-section")])
def test_a_real_folder_is_played_to_its_recorded_bars(name: str) -> None:
    source = open_csv(DATA / "bars" / name)
    for day in source.days()[-1:]:
        played = [e for e in events_of(source.steps(day)) if isinstance(e, Bar)]
        assert played
        for asset in source.assets():
            own = [bar for bar in played if bar.symbol == asset.symbol]
            assert source.bars(asset.symbol, MINUTE_NS, at(f"{day} 00:00"), at(f"{day} 23:59")) == own


@pytest.mark.skipif(not FOLDERS, reason="the shared market days are not at hand")
def test_four_hundred_symbols_stream() -> None:
    source = open_csv(DATA / "bars" / "cross-section-2019-12")
    assert len(source.assets()) == 400
    steps = source.steps("2019-12-19")
    first = [next(steps) for _ in range(5)]
    assert [(moment - first[0][0]) // SECOND_NS for moment, _ in first] == [0, 19, 39, 58, 59]
    assert all(isinstance(event, Bar) for event in first[4][1])


@pytest.mark.skipif(not FOLDERS, reason="the shared market days are not at hand")
def test_a_half_day_and_a_holiday_are_known() -> None:
    days = open_csv(DATA / "bars" / "intraday-2019").days()
    assert "2019-12-24" in days
    assert "2019-12-25" not in days
