"""What nobody knows is asked for, again and again, and settled by the broker's own word only."""

from __future__ import annotations

import pytest

from liu_tui.model.orders import Operation, OrderRequest, OrderState
from liu_tui.trading.effects import Effect, Notice
from tests.kit.desk import Rig, an_answer, an_intent, an_update, sends
from tests.kit.reconcile import asks

S = OrderState


class Silent(Rig):
    """A rig whose broker answers only by hand. request: the order that was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.desk.on_price("TSLA", 100.0)
        (self.request,) = sends(self.desk.on_intent(an_intent(), self.now_ns))

    @property
    def cid(self) -> str:
        """Our id of the order."""
        return self.request.client_order_id

    @property
    def state(self) -> OrderState:
        """Where the order stands."""
        return self.last().state

    def lose(self) -> list[Effect]:
        """Lose the answer."""
        return self.desk.on_failed(self.cid, "timed out", unknown=True, now_ns=self.now_ns)

    def pass_time(self, seconds: float = 1.0) -> list[str]:
        """Let time pass; list the orders that are asked for."""
        self.now_ns += int(seconds * 1_000_000_000)
        return asks(self.desk.on_time(self.now_ns))

    def never(self) -> list[Effect]:
        """Have the broker say that it has never seen it."""
        return self.desk.on_broker_order(self.cid, None, self.now_ns)


def test_five_empty_answers_over_a_growing_span_end_it() -> None:
    rig = Silent()
    assert asks(rig.lose()) == [rig.cid]
    waited = []
    for n in range(2, 6):
        assert rig.last().words == f"asking the broker ({n - 1}/5)"
        rig.never()
        seconds = 1
        while not rig.pass_time():
            seconds += 1
        waited.append(seconds)
    assert waited == [1, 2, 4, 8]
    assert rig.desk.asking == 1
    rig.never()
    assert (rig.state, rig.last().words, rig.desk.asking) == (S.FAILED, "the broker never saw it", 0)


def test_if_it_turns_up_after_all_the_broker_is_right() -> None:
    rig = Silent()
    rig.lose()
    for _ in range(5):
        rig.never()
        rig.pass_time(10)
    assert rig.state is S.FAILED
    told = an_update("fill", an_answer(rig.request), qty=100, price=100.0, x="x1", filled_qty=100.0)
    rig.desk.on_update(told, rig.now_ns)
    assert (rig.state, rig.held()) == (S.FILLED, 100)


def test_a_question_that_fails_does_not_count() -> None:
    rig = Silent()
    rig.lose()
    rig.never()
    for _ in range(20):
        rig.pass_time(10)
        rig.lose()
        assert rig.last().words == "asking the broker (2/5)"
    assert rig.state is S.UNKNOWN


def test_a_send_that_nobody_answers_is_asked_for() -> None:
    rig = Silent()
    assert rig.pass_time(29) == []
    assert rig.pass_time(2) == [rig.cid]
    assert rig.state is S.UNKNOWN


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_a_broker_is_as_slow_as_it_is_however_fast_the_session(speed: float) -> None:
    rig = Silent()
    rig.desk.set_pace(speed)
    assert rig.pass_time(29 * speed) == []
    assert rig.pass_time(2 * speed) == [rig.cid]
    rig.never()
    assert rig.pass_time(0.5 * speed) == []
    assert rig.pass_time(0.6 * speed + 1) == [rig.cid]


def test_all_that_is_open_is_asked_for_when_the_broker_is_back() -> None:
    rig = Silent()
    rig.lose()
    rig.never()
    assert asks(rig.desk.ask_again(rig.now_ns)) == [rig.cid]


def test_the_broker_away_for_long_does_not_fill_the_journal() -> None:
    rig = Silent()
    rig.lose()
    said = []
    for _ in range(50):
        rig.now_ns += 10_000_000_000
        said += [e for e in rig.desk.on_time(rig.now_ns) if not asks([e])]
        rig.lose()
    assert said == []


def test_what_never_left_has_failed_and_says_so() -> None:
    rig = Silent()
    effects = rig.desk.on_failed(rig.cid, "no route", unknown=False, away=True, now_ns=rig.now_ns)
    assert rig.state is S.FAILED
    assert [e.words for e in effects if isinstance(e, Notice)] == ["momentum TSLA entry: not sent: no route"]


class Away(Rig):
    """A rig whose next requests never leave. away: how many."""

    away = 0

    def _submit(self, request: OrderRequest) -> list[Effect]:
        if self.away:
            self.away -= 1
            cid = request.client_order_id
            return self.desk.on_failed(cid, "no route", unknown=False, away=True, now_ns=self.now_ns)
        return super()._submit(request)


def test_the_desks_own_closing_is_tried_again_with_a_new_order() -> None:
    rig = Away()
    rig.quote(100.0)
    rig.ask(an_intent())
    rig.away = 2
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    assert rig.held() == 100
    for _ in range(6):
        rig.wait()
    assert rig.held() == 0


def test_protection_is_tried_again_after_an_exit_that_never_left() -> None:
    rig = Away()
    rig.quote(100.0)
    rig.ask(an_intent(stop=95.0))
    rig.away = 2  # the exit, and the first stop placed anew
    rig.ask(an_intent(Operation.SELL, n=1))
    for _ in range(6):
        rig.wait()
    assert rig.held() == 100
    assert [r.stop_price for r in rig.live("stop")] == [95.0]


class Deaf(Rig):
    """A rig whose broker refuses every cancel, and the order works on. moments: of the cancels, seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.quote(100.0)
        self.ask(an_intent(limit=90.0))
        self.begun_ns, self.moments = self.now_ns, list[float]()

    def _take_away(self, order_id: str, cid: str) -> list[Effect]:
        self.moments.append((self.now_ns - self.begun_ns) / 1e9)
        return self.desk.on_cancel_failed(cid, "try again", self.now_ns)


def test_a_cancel_that_comes_to_nothing_is_asked_for_again_ever_less_often() -> None:
    rig = Deaf()
    rig.do(rig.desk.cancel(rig.now_ns, by="ann"))
    for _ in range(130):
        rig.wait()
    assert rig.moments == [0, 5, 15, 35, 65, 95, 125]


def test_a_broker_that_is_back_is_asked_for_the_cancel_at_once() -> None:
    rig = Deaf()
    rig.do(rig.desk.cancel(rig.now_ns, by="ann"))
    for _ in range(40):
        rig.wait()
    rig.do(rig.desk.ask_again(rig.now_ns))
    for _ in range(7):
        rig.wait()
    assert rig.moments == [0, 5, 15, 35, 41, 46]


def test_an_answer_that_is_older_than_an_update_does_not_take_its_shares_away() -> None:
    rig = Silent()
    order = an_answer(rig.request)
    rig.desk.on_accepted(rig.cid, order, rig.now_ns)
    second = an_update("fill", order, qty=60, price=100.0, x="y2", filled_qty=100.0)
    rig.desk.on_update(second, rig.now_ns)
    old = an_update("partial_fill", order, filled_qty=40.0).order
    rig.desk.on_broker_order(rig.cid, old, rig.now_ns)
    assert rig.last().broker_filled == 100, "its first fill is missing still"
