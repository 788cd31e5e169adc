"""The desk's facts: told a few times a second, and only what has changed since the last time."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from liu_tui.engine import deskfacts
from liu_tui.engine.deskfacts import EVERY_NS, FactSheet
from liu_tui.engine.messages import DeskFacts
from liu_tui.model.account import Account
from liu_tui.model.orders import OrderNews, OrderState
from liu_tui.plan.schema import Limits
from liu_tui.trading.desk import Desk
from tests.kit.engine import QuietChild, a_boot, example
from tests.kit.store import a_fill

ACCOUNT = Account(id="LOCAL", cash=1_000.0, equity=2_000.0, buying_power=4_000.0)


class Sheet(FactSheet):
    """A fact sheet whose wall clock is turned by hand."""

    def __init__(self, root: Path) -> None:
        self.child = QuietChild(a_boot("desk", root))
        self.desk = Desk(batch_id="b-1", limits=Limits())
        super().__init__(self.child.inside, self.desk)
        self.at_ns = 1_000 * EVERY_NS

    @property
    def told(self) -> list[DeskFacts]:
        """What the supervisor has heard."""
        return self.child.told


@pytest.fixture
def sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sheet:
    sheet = Sheet(tmp_path)
    monkeypatch.setattr(deskfacts, "monotonic_ns", lambda: sheet.at_ns)
    return sheet


def news(cid: str, state: OrderState) -> OrderNews:
    told: OrderNews = replace(example(OrderNews), client_order_id=cid, state=state)
    return told


def test_a_desk_begins_by_telling_how_it_stands_and_then_says_nothing_until_something_changes(
    sheet: Sheet,
) -> None:
    sheet.tell()
    assert [(facts.state, facts.broker, facts.broker_words) for facts in sheet.told] == [
        ("ACTIVE", "away", "connecting")
    ]
    sheet.at_ns += 100 * EVERY_NS
    sheet.tell()
    sheet.tell(force=True)
    assert len(sheet.told) == 1


def test_what_changes_within_a_moment_is_told_together_when_it_is_time(sheet: Sheet) -> None:
    sheet.tell()
    for price in (100.0, 101.0, 102.0):
        sheet.at_ns += EVERY_NS // 4
        sheet.desk.on_price("TSLA", price)
        sheet.moved("TSLA")
        sheet.tell()
    assert len(sheet.told) == 1
    sheet.at_ns += EVERY_NS
    sheet.tell()
    assert [facts.prices for facts in sheet.told] == [(), (("TSLA", 102.0),)]


def test_what_must_be_known_at_once_is_forced(sheet: Sheet) -> None:
    sheet.tell()
    sheet.touch()
    sheet.tell(force=True)
    assert len(sheet.told) == 2


def test_each_price_order_and_fill_is_told_once_and_of_an_order_its_newest_state(sheet: Sheet) -> None:
    for symbol in ("TSLA", "AAPL"):
        sheet.desk.on_price(symbol, 100.0)
    sheet.moved("TSLA")
    for cid, state in (("1", OrderState.NEW), ("2", OrderState.NEW), ("1", OrderState.FILLED)):
        sheet.add_order(news(cid, state))
    sheet.add_fill(a_fill("x-1"))
    sheet.add_fill(a_fill("x-2"))
    sheet.tell()
    sheet.touch()
    sheet.tell(force=True)
    first, second = sheet.told
    assert first.prices == (("TSLA", 100.0),)
    assert [(order.client_order_id, order.state) for order in first.orders] == [
        ("1", OrderState.FILLED),
        ("2", OrderState.NEW),
    ]
    assert [fill.execution_id for fill in first.fills] == ["x-1", "x-2"]
    assert (second.prices, second.orders, second.fills) == ((), (), ())


def test_the_broker_and_its_account_are_told_again_and_again(sheet: Sheet) -> None:
    sheet.broker("ready", "")
    sheet.account(ACCOUNT)
    sheet.tell()
    sheet.touch()
    sheet.tell(force=True)
    assert [(facts.broker, facts.account) for facts in sheet.told] == [("ready", ACCOUNT)] * 2
    assert sheet.broker_state == "ready"


def test_positions_are_told_whole_and_flat_ones_while_they_have_earned_something(sheet: Sheet) -> None:
    sheet.desk.restore(
        [],
        [
            a_fill("x-1", 10.0, 100.0, symbol="HELD"),
            a_fill("x-2", 10.0, 100.0, symbol="WON"),
            a_fill("x-3", -10.0, 103.0, symbol="WON", position=0.0, realized=30.0),
            a_fill("x-4", 10.0, 100.0, symbol="EVEN"),
            a_fill("x-5", -10.0, 100.0, symbol="EVEN", position=0.0),
        ],
    )
    sheet.desk.on_price("HELD", 99.0)
    sheet.tell()
    sheet.touch()
    sheet.tell(force=True)
    for facts in sheet.told:
        assert {position.symbol for position in facts.positions} == {"HELD", "WON"}
        assert (facts.realized, facts.unrealized, facts.exposure) == (30.0, -10.0, 990.0)


def test_the_accounts_day_is_told_with_its_best_and_its_fees(sheet: Sheet) -> None:
    sold = a_fill("x-2", -10.0, 103.0, position=0.0, realized=30.0, fee=1.5)
    sheet.desk.restore([], [a_fill("x-1", fee=0.5), sold])
    sheet.desk.on_time(0)
    sheet.tell()
    assert [(facts.result, facts.peak, facts.fees) for facts in sheet.told] == [(28.0, 28.0, 2.0)]


def test_the_desks_state_is_told_with_who_set_it_and_why(sheet: Sheet) -> None:
    sheet.desk.pause("max", "lunch", 0)
    sheet.tell()
    assert [(facts.state, facts.by, facts.reason) for facts in sheet.told] == [("REDUCING", "max", "lunch")]
