"""Lock-step at the desk: each step opens once, when both its marks are there, with its own updates."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from liu_tui.engine.deskstep import StepBook
from liu_tui.model.market import Step
from liu_tui.model.orders import BrokerOrder, OrderUpdate, Side


def an_update(n: int) -> OrderUpdate:
    """Make update n."""
    order = BrokerOrder(id=str(n), client_order_id=str(n), symbol="TSLA", side=Side.BUY, qty=1.0)
    return OrderUpdate(event="new", order=order, t_ns=n)


def test_a_step_needs_both_its_marks() -> None:
    book = StepBook()
    assert book.open() is None
    book.market(Step(1, 10))
    assert book.open() is None
    book.broker(Step(1, 10))
    assert book.open() == (Step(1, 10), [])
    assert book.open() is None


def test_no_step_opens_while_one_is_under_way() -> None:
    book = StepBook()
    book.market(Step(1, 10))
    book.broker(Step(1, 10))
    book.open()
    book.market(Step(2, 20))
    book.broker(Step(2, 20))
    assert book.open() is None
    book.close()
    assert book.open() == (Step(2, 20), [])


def test_what_the_broker_says_after_its_mark_belongs_to_the_next_step() -> None:
    book = StepBook()
    book.broker(an_update(1))
    book.broker(Step(1, 10))
    book.broker(an_update(2))
    book.market(Step(1, 10))
    assert book.open() == (Step(1, 10), [an_update(1)])
    book.broker(an_update(3))
    book.close()
    book.market(Step(2, 20))
    book.broker(Step(2, 20))
    assert book.open() == (Step(2, 20), [an_update(2), an_update(3)])


@st.composite
def days(draw: st.DrawFn) -> list[list[object]]:
    """Make a day: per step the market's mark somewhere among the broker's words, and looks in between."""
    steps: list[list[object]] = []
    update = 0
    for n in range(1, draw(st.integers(1, 6)) + 1):
        words: list[object] = []
        for _ in range(draw(st.integers(0, 3))):
            update += 1
            words.append(an_update(update))
        words.append(Step(n, n * 10))
        for _ in range(draw(st.integers(0, 2))):
            update += 1
            words.append(an_update(update))
        words.insert(draw(st.integers(0, len(words))), "market")
        for _ in range(draw(st.integers(0, 3))):
            words.insert(draw(st.integers(0, len(words))), "look")
        steps.append([*words, "look", "close"])
    return steps


@given(days())
def test_each_update_is_given_to_the_step_whose_mark_follows_it_however_the_marks_race(
    steps: list[list[object]],
) -> None:
    book = StepBook()
    given_to: dict[int, list[int]] = {}
    wanted: dict[int, list[int]] = {}
    marks = 0
    for n, words in enumerate(steps, start=1):
        for word in words:
            match word:
                case "market":
                    book.market(Step(n, n * 10))
                case "look":
                    if opened := book.open():
                        assert opened[0].n == n
                        assert n not in given_to
                        given_to[n] = [u.t_ns for u in opened[1]]
                case "close":
                    book.close()
                case Step():
                    marks = word.n
                    book.broker(word)
                case OrderUpdate():
                    wanted.setdefault(marks + 1, []).append(word.t_ns)
                    book.broker(word)
    assert list(given_to) == list(range(1, len(steps) + 1))
    assert {n: updates for n, updates in given_to.items() if updates} == {
        n: updates for n, updates in wanted.items() if n <= len(steps)
    }
