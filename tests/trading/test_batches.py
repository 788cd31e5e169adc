"""A batch of events leads to what its events lead to one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.model.actions import Buy
from liu_tui.model.market import MarketEvent
from liu_tui.trading.session import Request, Session, StrategyFault
from tests.kit.session import Puppet, a_bar, a_quote, a_session, a_trade, at

SYMBOLS = ("AAPL", "TSLA")
SECOND = 1 / 60


def a_house(**answers: object) -> tuple[Puppet, Puppet]:
    """Make a strategy for every event, and one for the second bars that are made of trades."""
    busy = Puppet("busy", events={"trade", "quote", "minute"}, **answers)
    return busy, Puppet("seconds", events={"second"})


events = st.lists(
    st.one_of(
        st.builds(
            a_trade,
            st.integers(0, 90).map(lambda n: 1 + n * SECOND / 3),
            st.just(100.0),
            st.sampled_from(SYMBOLS),
        ),
        st.builds(a_quote, st.integers(0, 90).map(lambda n: 1 + n * SECOND), st.sampled_from(SYMBOLS)),
        st.builds(lambda n: a_bar(n), st.integers(0, 3)),
        st.just(a_trade(2, 50.0, "NOBODY")),
    ),
    max_size=40,
)


async def whole(session: Session, batch: Sequence[MarketEvent], now_ns: int) -> list[Request]:
    """Give a batch to its end, as the consumer does."""
    rest, asked = iter(batch), list[Request]()
    while requests := await session.on_events(rest, now_ns):
        asked += requests
    return asked


@given(events)
async def test_a_batch_leads_to_what_its_events_lead_to_one_by_one(batch: Sequence[MarketEvent]) -> None:
    now = at(5)
    one_by_one, at_once = a_house(answer=Buy(qty=1)), a_house(answer=Buy(qty=1))
    first, second = a_session(*one_by_one, symbols=SYMBOLS), a_session(*at_once, symbols=SYMBOLS)
    requests: list[Request] = []
    for event in batch:
        requests += await first.on_event(event, now)
    assert await whole(second, batch, now) == requests
    assert [puppet.heard for puppet in at_once] == [puppet.heard for puppet in one_by_one]
    for symbol in SYMBOLS:
        assert first.series(symbol).forming == second.series(symbol).forming


@pytest.mark.parametrize("minutes", [-1.0, 391.0])
async def test_outside_the_hours_a_batch_reaches_the_series_and_no_strategy(minutes: float) -> None:
    puppet = Puppet(events={"trade", "quote", "minute"})
    session = a_session(puppet)
    await session.on_events([a_bar(), a_trade(3, 101.0)], at(minutes))
    assert not puppet.heard
    assert len(session.series("AAPL")) == 1
    assert session.series("AAPL").price == 101.0


async def test_a_strategy_that_fails_in_a_batch_is_not_called_for_the_rest_of_it_and_the_others_are() -> None:
    broken, fine = Puppet("broken", events={"trade"}), Puppet("fine", events={"trade"})
    broken.answer = lambda **_call: 1 / 0
    session = a_session(broken, fine)
    requests = await whole(session, [a_trade(1), a_trade(1.1)], at(2))
    assert [type(request) for request in requests] == [StrategyFault]
    assert (len(broken.heard), len(fine.heard)) == (1, 2)


async def test_a_batch_stops_after_the_event_that_led_to_a_request_and_goes_on_with_the_next() -> None:
    """What a strategy asked for must be on its way before the next event costs any time."""
    puppet = Puppet(events={"trade"}, answer=Buy(qty=1))
    session = a_session(puppet)
    rest = iter([a_trade(1), a_trade(1.1), a_trade(1.2)])
    assert len(await session.on_events(rest, at(2))) == 1
    assert len(puppet.heard) == 1
    assert await session.on_events(rest, at(2)) == []
    assert len(puppet.heard) == 3


async def test_a_later_word_on_a_minute_mends_the_series_and_calls_nobody() -> None:
    puppet = Puppet(events={"minute"})
    session = a_session(puppet)
    first, second = a_bar(0), a_bar(1)
    for bar in (
        second,
        first,
        msgspec.structs.replace(second, volume=9.0, revised=True),
        msgspec.structs.replace(first, close=1.5),
    ):
        await session.on_event(bar, at(3))
    assert len(puppet.heard) == 1
    assert session.series("AAPL").volume[-1] == 9.0
    assert len(session.series("AAPL")) == 2
