"""Adjusting: CRSP's factors, and only before the ex-date."""

from __future__ import annotations

from datetime import date

import pytest

from liu_tui.errors import FeedError
from liu_tui.market.adjust import adjusted, steps_of
from liu_tui.model.market import DAY_NS, Adjustment, Bar, CorporateAction
from tests.kit.market import a_bar, at

TODAY = date(2024, 9, 3)


def day(n: int, close: float = 100.0) -> Bar:
    return a_bar(at(f"2024-08-{n} 00:00"), close, span_ns=DAY_NS)


def split(n: int, ratio: float) -> CorporateAction:
    return CorporateAction(kind="split", symbol="AAPL", day=f"2024-08-{n}", ratio=ratio)


def dividend(n: int, cash: float) -> CorporateAction:
    return CorporateAction(kind="dividend", symbol="AAPL", day=f"2024-08-{n}", cash=cash)


def closes_after(
    actions: list[CorporateAction], adjustment: Adjustment, closes: dict[str, float] | None = None
) -> list[float]:
    steps = steps_of(actions, adjustment, TODAY, closes or {})
    return [bar.close for bar in adjusted([day(26), day(27), day(28)], steps)]


def test_a_split_divides_prices_and_multiplies_volumes_before_it() -> None:
    (old, new) = adjusted([day(26), day(27)], steps_of([split(27, 4.0)], Adjustment.SPLIT, TODAY, {}))
    assert (old.open, old.high, old.low, old.close, old.vwap) == (25.0, 25.125, 24.875, 25.0, 25.0)
    assert (old.volume, old.count) == (400.0, 4)
    assert new == day(27)


def test_a_reverse_split_does_the_opposite() -> None:
    assert closes_after([split(28, 0.1)], Adjustment.SPLIT) == [1000.0, 1000.0, 100.0]


def test_several_splits_multiply() -> None:
    assert closes_after([split(28, 2.0), split(27, 5.0)], Adjustment.SPLIT) == [10.0, 50.0, 100.0]


def test_a_dividend_takes_its_share_of_the_close_before_it() -> None:
    found = closes_after([dividend(28, 2.0)], Adjustment.DIVIDEND, {"2024-08-28": 100.0})
    assert found == [98.0, 98.0, 100.0]


def test_a_dividend_on_the_day_of_a_split_is_paid_on_the_new_shares() -> None:
    """100 dollars before a 4 for 1 split are 25 of the ex-date: a dividend of 1 is 4 % of it."""
    found = closes_after([dividend(28, 1.0), split(28, 4.0)], Adjustment.ALL, {"2024-08-28": 100.0})
    assert found == pytest.approx([24.0, 24.0, 100.0], rel=1e-15)


def test_each_adjustment_takes_what_it_says() -> None:
    actions, closes = [split(28, 2.0), dividend(27, 10.0)], {"2024-08-27": 100.0}
    assert closes_after(actions, Adjustment.RAW, closes) == [100.0, 100.0, 100.0]
    assert closes_after(actions, Adjustment.SPLIT, closes) == [50.0, 50.0, 100.0]
    assert closes_after(actions, Adjustment.DIVIDEND, closes) == [90.0, 100.0, 100.0]
    assert closes_after(actions, Adjustment.ALL, closes) == [45.0, 50.0, 100.0]


def test_what_is_announced_for_later_is_not_done_yet() -> None:
    later = CorporateAction(kind="split", symbol="AAPL", day="2024-09-04", ratio=2.0)
    assert steps_of([later], Adjustment.ALL, TODAY, {}) == []


def test_minutes_are_adjusted_by_their_day() -> None:
    steps = steps_of([split(27, 2.0)], Adjustment.SPLIT, TODAY, {})
    last, first = a_bar(at("2024-08-26 19:59")), a_bar(at("2024-08-27 04:00"))
    assert [bar.close for bar in adjusted([last, first], steps)] == [50.0, 100.0]


@pytest.mark.parametrize(
    ("action", "closes"),
    [(dividend(28, 2.0), {}), (dividend(28, 100.0), {"2024-08-28": 100.0}), (split(28, 0.0), {})],
)
def test_what_cannot_be_adjusted_for_is_told(action: CorporateAction, closes: dict[str, float]) -> None:
    with pytest.raises(FeedError, match=r"AAPL 2024-08-28: .* cannot be"):
        steps_of([action], Adjustment.ALL, TODAY, closes)
