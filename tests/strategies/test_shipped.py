"""The strategies that ship: they load, take parameters, and trade on simulated and on real minutes."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from pathlib import Path

import pytest

from liu_tui import userfiles
from liu_tui.market.calendar import hours, previous_session
from liu_tui.market.csvfiles import open_csv
from liu_tui.market.simulation import SimulatedSource
from liu_tui.market.source import Source
from liu_tui.model.market import MINUTE_NS, Bar
from liu_tui.model.orders import AskKind, Intent, Operation
from liu_tui.strategy import Strategy
from liu_tui.trading.session import Said, Session, Slot
from tests.kit.session import DAY, InstantDesk, at, play

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "../shared/data/bars/eqker-2019-02"
FILES = {
    "MomentumBreakout": "momentum_breakout.py",
    "VwapReversion": "vwap_reversion.py",
    "RelativeStrength": "relative_strength.py",
}


def a_strategy(name: str, **params: object) -> Strategy:
    return userfiles.build(userfiles.load(ROOT / "strategies" / FILES[name], name, Strategy), name, params)


async def play_day(source: Source, day: str, names: Iterable[str] = FILES) -> InstantDesk:
    """Play one day's minutes, with the pre-market and the day before as history."""
    session_hours = hours(date.fromisoformat(day))
    before = hours(previous_session(date.fromisoformat(day)))
    assert session_hours is not None
    assert before is not None
    session = Session(
        [Slot(name, a_strategy(name)) for name in names],
        batch_id="b1",
        hours=session_hours,
        portfolio_value=100_000.0,
        risk=0.001,
    )
    today: list[Bar] = []
    for asset in source.assets():
        history = source.bars(asset.symbol, MINUTE_NS, before.open_ns, session_hours.open_ns)
        session.add_symbol(asset.symbol, history=history)
        today += source.bars(asset.symbol, MINUTE_NS, session_hours.open_ns, session_hours.close_ns)
    desk = await play(session, today)
    assert session.quarantined == {}
    return desk


@lru_cache
def simulated() -> SimulatedSource:
    return SimulatedSource(30, 1, DAY.day)


def check_intents(intents: list[Intent]) -> None:
    """See what holds of every intent of a shipped strategy."""
    for intent in intents:
        assert intent.kind is AskKind.CANCEL or intent.reason
        opens = intent.kind is AskKind.ORDER and intent.operation.enters
        assert not opens or intent.stop is not None
        prices = [p for p in (intent.limit, intent.stop, intent.target) if p is not None]
        assert all(abs(round(price, 2) - price) < 1e-9 for price in prices), intent
        assert intent.qty * intent.price <= 10_500


async def test_a_simulated_day_is_traded_by_all_three_from_its_first_minutes() -> None:
    desk = await play_day(simulated(), DAY.day)
    check_intents(desk.intents)
    for name in FILES:
        mine = [intent for intent in desk.intents if intent.strategy == name]
        assert 10 <= len(mine) <= 300, (name, len(mine))
        assert min(intent.event_ns for intent in mine) <= at(15), name
        assert desk.trips[name] >= 5, name
    assert not [said for said in desk.others if not isinstance(said, Said)]


async def test_the_same_day_is_traded_alike_twice() -> None:
    first = await play_day(simulated(), DAY.day)
    assert (await play_day(simulated(), DAY.day)).intents == first.intents


async def test_a_recorded_day_is_traded_by_all_three() -> None:
    if not RECORDED.is_dir():
        pytest.skip("the recorded days of 2019-02 are not beside this checkout")
    desk = await play_day(open_csv(RECORDED), "2019-02-12")
    check_intents(desk.intents)
    counts = Counter(intent.strategy for intent in desk.intents)
    assert set(counts) == set(FILES)
    assert all(5 <= count <= 200 for count in counts.values()), counts


async def test_reversion_goes_both_ways_and_only_long_when_told() -> None:
    desk = await play_day(simulated(), DAY.day, ["VwapReversion"])
    assert {intent.operation for intent in desk.intents} >= {Operation.BUY, Operation.SHORT}
    session = Session(
        [Slot("VwapReversion", a_strategy("VwapReversion", shorts=False))],
        batch_id="b1",
        hours=DAY,
        portfolio_value=100_000.0,
        risk=0.001,
    )
    bars: list[Bar] = []
    for asset in simulated().assets():
        session.add_symbol(asset.symbol)
        bars += simulated().bars(asset.symbol, MINUTE_NS, DAY.open_ns, DAY.close_ns)
    long = await play(session, bars)
    assert {intent.operation for intent in long.intents} <= {Operation.BUY, Operation.SELL}


async def test_relative_strength_never_holds_more_than_its_top() -> None:
    desk = await play_day(simulated(), DAY.day, ["RelativeStrength"])
    assert desk.most_open == {"RelativeStrength": 5}
    assert {intent.operation for intent in desk.intents} == {Operation.BUY, Operation.SELL}


@pytest.mark.parametrize("name", FILES)
def test_every_parameter_has_a_default_of_its_own_type(name: str) -> None:
    cls = userfiles.load(ROOT / "strategies" / FILES[name], name, Strategy)
    defaults = {key: getattr(cls, key) for key in userfiles.parameters(cls)}
    assert defaults
    assert userfiles.faults_of(cls, defaults) == []
