"""The account's day: what it has lost is known again after a restart, and by the next batch."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from liu_tui.model.account import Account
from liu_tui.model.market import DAY_NS
from liu_tui.model.orders import Operation
from liu_tui.plan.schema import Limits
from liu_tui.trading.dayrisk import DayRisk
from liu_tui.trading.effects import Changed, DayKept, Effect
from tests.kit.desk import Rig, an_intent, refusals, sends
from tests.kit.exchange import hours_of

ACCOUNT = Account(id="A1", cash=1e6, equity=1e6, buying_power=4e6)
DAY = hours_of().day
LOSS = Limits(max_daily_loss=200.0)


class DayRig(Rig):
    """A rig whose books keep the days of an account. rows: by batch and day, as the store has them."""

    def __init__(self, *, limits: Limits = LOSS, rows: Iterable[DayRisk] = ()) -> None:
        self.rows = {(row.batch_id, row.day): row for row in rows}
        super().__init__(limits=limits, hours=True)
        self.begin()

    def begin(self) -> list[Effect]:
        """Learn the account and its day, as the process does once the broker has told."""
        self.desk.learn_account(ACCOUNT)
        return self.do(self.desk.learn_day(list(self.rows.values()), self.now_ns))

    def carry(self, effect: Effect) -> None:
        if isinstance(effect, DayKept):
            self.rows[effect.day.batch_id, effect.day.day] = effect.day
            self.said.append(effect)
            return
        super().carry(effect)

    def buy(self, n: int = 0, *, symbol: str = "TSLA", price: float = 100.0) -> list[Effect]:
        return self.ask(an_intent(symbol=symbol, n=n, price=price))

    def lose(self, dollars: float, n: int = 0) -> None:
        """Buy a hundred shares, and sell them for so much less."""
        self.quote(100.0)
        self.buy(n)
        self.quote(100.0 - dollars / 100)
        self.ask(an_intent(Operation.SELL, n=n + 1))


def a_row(batch_id: str = "b0", *, day: str = DAY, result: float = 0.0, peak: float = 0.0, orders: int = 0,
          code: str = "") -> DayRisk:  # fmt: skip
    return DayRisk(
        account_id="A1", day=day, batch_id=batch_id, result=result, peak=peak, orders=orders, code=code
    )


def kept(effects: Iterable[Effect]) -> list[DayRisk]:
    return [effect.day for effect in effects if isinstance(effect, DayKept)]


def test_the_day_is_kept_when_it_has_changed_and_not_otherwise() -> None:
    rig = DayRig()
    rig.quote(100.0)
    rig.buy()
    (row,) = kept(rig.wait())
    assert (row.account_id, row.day, row.batch_id, row.orders) == ("A1", DAY, "b1", 1)
    assert kept(rig.wait()) == []
    rig.quote(101.0)
    (row,) = kept(rig.wait())
    assert row.result == row.peak == pytest.approx(99.0, abs=2)  # bought at the ask, a cent over
    rig.quote(100.5)
    (row,) = kept(rig.wait())
    assert row.peak > row.result


def test_nothing_is_kept_before_it_is_known_what_was() -> None:
    rig = Rig(hours=True, limits=LOSS)
    rig.desk.learn_account(ACCOUNT)
    rig.quote(100.0)
    rig.ask(an_intent())
    rig.quote(90.0)
    assert kept(rig.wait()) == []
    assert rig.desk.state == "REDUCING"


def test_when_a_limit_trips_the_day_is_kept_at_once_and_before_the_state() -> None:
    rig = DayRig()
    rig.quote(100.0)
    rig.buy()
    rig.wait()
    rig.quote(97.0)
    said = rig.wait()
    row = kept(said)[0]
    assert row.code == "DAILY_LOSS_REACHED"
    assert "max_daily_loss" in row.words
    kinds = [type(effect) for effect in said]
    assert kinds.index(DayKept) < kinds.index(Changed)


def test_after_a_crash_loss_peak_and_orders_are_what_they_were() -> None:
    rig = DayRig(limits=Limits(max_daily_loss=500.0, max_drawdown=500.0))
    rig.quote(100.0)
    rig.buy()
    rig.quote(103.0)
    rig.wait()
    rig.quote(101.0)
    rig.wait()
    before = rig.desk.day.result, rig.desk.day.peak, rig.desk.day.orders
    rig.restart()
    rig.desk.on_price("TSLA", 101.0)
    rig.begin()
    assert (rig.desk.day.result, rig.desk.day.peak, rig.desk.day.orders) == pytest.approx(before)
    assert before[1] == pytest.approx(299.0, abs=2)


def test_a_batch_that_begins_later_goes_on_from_what_the_others_left() -> None:
    rig = DayRig(rows=[a_row(result=-150.0, peak=30.0, orders=7), a_row("b9", day="2000-01-03", result=-1e6)])
    day = rig.desk.day
    assert (day.result, day.peak, day.orders) == (-150.0, 30.0, 7)
    rig.lose(60.0)
    assert rig.desk.state == "REDUCING"
    assert refusals(rig.buy(9, symbol="F")) == ["DAILY_LOSS_REACHED"]


def test_a_day_that_was_lost_before_this_batch_opens_nothing() -> None:
    rig = DayRig(rows=[a_row(result=-200.0)])
    assert (rig.desk.state, rig.desk.state_by) == ("REDUCING", "limits")
    assert refusals(rig.buy()) == ["DAILY_LOSS_REACHED"]
    assert "max_daily_loss" in rig.desk.resume_refused()


def test_a_fall_from_the_days_best_trips_too_and_counts_from_the_others_best() -> None:
    rig = DayRig(limits=Limits(max_drawdown=100.0), rows=[a_row(result=250.0, peak=300.0)])
    assert rig.desk.state == "ACTIVE"
    rig.lose(60.0)
    rig.wait()
    assert rig.desk.state == "REDUCING"
    assert refusals(rig.buy(9, symbol="F")) == ["DRAWDOWN_REACHED"]
    assert "day's best" in rig.desk.resume_refused()


def test_a_higher_limit_in_the_plan_lifts_it() -> None:
    rig = DayRig(rows=[a_row(result=-250.0)])
    rig.desk.limits = Limits(max_daily_loss=300.0)
    assert rig.desk.resume_refused() == ""
    rig.do(rig.desk.resume("ann", "the plan allows it", rig.now_ns))
    rig.quote(100.0)
    assert sends(rig.buy())


def test_orders_of_the_day_are_counted_over_batches_and_exits_are_never_refused() -> None:
    rig = DayRig(limits=Limits(max_orders_per_day=9), rows=[a_row(orders=8)])
    rig.quote(100.0)
    rig.buy()
    rig.quote(50.0, "F")
    assert refusals(rig.buy(1, symbol="F", price=50.0)) == ["MAX_ORDERS_PER_DAY"]
    assert sends(rig.ask(an_intent(Operation.SELL, n=2)))
    assert rig.desk.day.orders == 10


def test_what_tripped_today_stays_over_a_restart_though_the_result_came_back() -> None:
    rig = DayRig()
    rig.quote(100.0)
    rig.buy()
    rig.quote(97.0)
    rig.wait()
    rig.quote(100.0)
    rig.wait()
    rig.restart()
    rig.desk.on_price("TSLA", 100.0)
    rig.begin()
    assert (rig.desk.state, rig.desk.state_by) == ("REDUCING", "limits")
    rig.do(rig.desk.resume("ann", "it came back", rig.now_ns))
    assert rig.desk.state == "ACTIVE"


def test_the_batch_that_goes_on_another_day_is_free_again() -> None:
    rig = DayRig()
    rig.lose(250.0)
    rig.wait()
    assert rig.desk.state == "REDUCING"
    rig.now_ns += DAY_NS
    rig.hours = hours_of(1)
    rig.restart()
    rig.begin()
    day = rig.desk.day
    assert (rig.desk.state, day.orders, day.peak, day.code) == ("ACTIVE", 0, 0.0, "")
    assert day.result == pytest.approx(0.0, abs=1e-6)
    assert [row.day for row in kept(rig.wait())] == [hours_of(1).day]


def test_open_day_forgets_the_day_before() -> None:
    rig = DayRig()
    rig.lose(250.0)
    rig.wait()
    rig.do(rig.desk.open_day(hours_of()))
    day = rig.desk.day
    assert (rig.desk.state, day.result, day.peak, day.orders, day.code) == ("ACTIVE", 0.0, 0.0, 0, "")
