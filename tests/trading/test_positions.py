"""Positions: the sum of their fills, at average cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.model.account import Position
from liu_tui.trading.positions import EXTERNAL, filled, money, won

FLAT = Position(strategy="s", symbol="TSLA", qty=0.0, avg_price=0.0)


def run(*fills: tuple[float, float]) -> tuple[Position, list[float]]:
    position, realized = FLAT, []
    for n, (qty, price) in enumerate(fills):
        position, earned = filled(position, qty, price, n + 1)
        realized.append(earned)
    return position, realized


def test_adding_averages_the_cost_and_realises_nothing() -> None:
    position, realized = run((100, 10.0), (100, 12.0))
    assert (position.qty, position.avg_price, realized) == (200, 11.0, [0.0, 0.0])


def test_reducing_realises_against_the_average_and_keeps_it() -> None:
    position, realized = run((100, 10.0), (-40, 11.0))
    assert (position.qty, position.avg_price, realized[-1]) == (60, 10.0, 40.0)


def test_a_short_wins_when_it_is_bought_back_lower() -> None:
    position, realized = run((-100, 10.0), (100, 9.0))
    assert (position.qty, realized[-1], position.realized) == (0, 100.0, 100.0)


def test_a_fill_through_zero_realises_to_zero_and_opens_the_rest_afresh() -> None:
    position, realized = run((100, 10.0), (-150, 11.0))
    assert (position.qty, position.avg_price, realized[-1]) == (-50, 11.0, 100.0)
    assert position.opened_ns == 2


def test_the_stop_of_the_entry_stays_until_flat_and_its_distance_is_one_r() -> None:
    position, _ = filled(FLAT, 100, 10.0, 1, stop=9.5, target=11.0)
    position, _ = filled(position, 100, 10.4, 2, stop=9.9)
    assert (position.stop, position.target, position.risk) == (9.5, 11.0, 0.5)
    position, _ = filled(position, -200, 10.0, 3)
    assert (position.qty, position.stop, position.risk) == (0.0, None, 0.0)


def test_fractions_end_at_zero() -> None:
    position, _ = run((0.1, 10.0), (0.2, 10.0), (-0.3, 10.0))
    assert position.qty == 0.0
    assert position.avg_price == 0.0


@given(
    st.lists(
        st.tuples(st.integers(-50, 50).filter(bool), st.integers(100, 200).map(lambda cents: cents / 100)),
        min_size=1,
        max_size=30,
    )
)
def test_what_is_realised_and_what_is_open_is_what_was_paid_and_received(
    fills: list[tuple[int, float]],
) -> None:
    position, realized = run(*fills)
    paid = sum(qty * price for qty, price in fills)
    assert position.qty == sum(qty for qty, _ in fills)
    assert position.realized == pytest.approx(sum(realized))
    assert position.realized - position.qty * position.avg_price == pytest.approx(-paid, abs=1e-6)


def test_money_counts_the_batch_and_not_what_others_hold() -> None:
    mine, _ = run((100, 10.0), (-50, 11.0))
    theirs = Position(strategy=EXTERNAL, symbol="TSLA", qty=10.0, avg_price=1.0)
    assert won([mine, theirs, FLAT]) == 50.0
    said = money([mine, theirs], {"TSLA": 12.0}, realized=50.0, fees=0.0)
    assert (said.realized, said.unrealized, said.exposure, said.open_positions) == (50.0, 100.0, 600.0, 1)
    assert said.total == 150.0


def test_without_a_price_nothing_is_won_and_the_cost_is_the_exposure() -> None:
    mine, _ = run((100, 10.0))
    said = money([mine], {}, realized=0.0, fees=0.0)
    assert (said.unrealized, said.exposure) == (0.0, 1000.0)
