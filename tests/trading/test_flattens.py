"""Flattens: what is said at each step, what cannot be closed and why, and when one is done."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from liu_tui.model.account import BrokerPosition
from liu_tui.model.orders import Operation, OrderState
from liu_tui.model.stuck import stuck_words
from liu_tui.trading.effects import Effect, Latched, Notice, Suspend
from liu_tui.trading.flattens import span
from liu_tui.trading.ids import base36
from tests.kit.desk import Rig, an_intent, cancels, refusals, sends
from tests.kit.exchange import HOUR_NS, MIDNIGHT_NS

S = OrderState
CLOSE_NS = MIDNIGHT_NS + 16 * HOUR_NS


def log(effects: Iterable[Effect]) -> list[str]:
    """The lines of the log that are about flattens, without those of orders and fills."""
    words = [effect.words for effect in effects if isinstance(effect, Notice) and not effect.kind]
    return [line for line in words if "flat" in line]


def holding(*symbols: str, **words: object) -> Rig:
    """A desk that is long 100 of each symbol with a stop, but short of those in lower case."""
    rig = Rig(**words)  # type: ignore[arg-type] # built from words
    for symbol in symbols:
        rig.quote(100.0, symbol.upper())
        short = symbol.islower()
        rig.ask(
            an_intent(
                Operation.SHORT if short else Operation.BUY,
                50 if short else 100,
                symbol.upper(),
                stop=105.0 if short else 95.0,
            )
        )
    return rig


def halt(rig: Rig, *symbols: str, on: bool = True) -> None:
    """The tape says so, and the exchange acts so."""
    for symbol in symbols:
        (rig.halted.add if on else rig.halted.discard)(symbol)
        rig.desk.on_halt(symbol, halted=on)


def thirty() -> Rig:
    """A desk with 30 positions, TSLA among them short; a stop rests for each, and an entry works in F."""
    names = [f"S{base36(n).upper()}" for n in range(28)]
    rig = holding(*names, "MSFT", "tsla", cash=10_000_000.0)
    rig.quote(100.0, "F")
    rig.ask(an_intent(symbol="F", limit=90.0))
    return rig


def test_flatten_of_thirty_positions_with_two_halted_symbols_says_each_step_once() -> None:
    rig = thirty()
    halt(rig, "MSFT", "TSLA")
    assert log(rig.do(rig.desk.flatten(rig.now_ns, by="ann", reason="news"))) == [
        "flatten everything by ann (news): 30 positions, 31 working orders"
    ]
    assert log(rig.wait()) == [
        "flatten everything: 28 of 30 closed; MSFT +100 halted, TSLA -50 halted: trying again"
    ]
    (state,) = rig.desk.flattens(rig.now_ns)
    assert (state.symbol, state.by, state.begun, state.left, state.working) == ("", "ann", 30, 2, 0)
    assert state.stuck == (("MSFT", 100.0, "halted"), ("TSLA", -50.0, "halted"))
    assert log([effect for _ in range(100) for effect in rig.wait()]) == [], "nothing has changed"
    assert {r.symbol for r in rig.desk.orders.values() if r.state is S.FAILED} == {"MSFT", "TSLA"}

    halt(rig, "MSFT", on=False)
    assert log([*rig.wait(), *rig.wait()]) == [
        "flatten everything: 28 of 30 closed; TSLA -50 halted: trying again",
        "flatten everything: 29 of 30 closed; TSLA -50 halted: trying again",
    ]
    halt(rig, "TSLA", on=False)
    assert log([*rig.wait(19.0), *rig.wait()]) == [
        "flatten everything: 29 of 30 closed",
        "everything is flat (2 min 03 s)",
    ]
    assert rig.desk.flattens(rig.now_ns) == ()
    assert not rig.live()
    rig.assert_agrees()


def test_what_is_refused_is_tried_again_with_growing_patience_and_at_once_when_the_halt_ends() -> None:
    rig = holding("MSFT")
    halt(rig, "MSFT")
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    tried = [len(sends(rig.wait())) for _ in range(40)]
    assert [n for n, count in enumerate(tried, 1) if count] == [1, 3, 7, 15, 31]
    halt(rig, "MSFT", on=False)
    assert len(sends(rig.wait())) == 1
    assert rig.held("MSFT") == 0


def test_what_the_broker_refuses_is_said_in_its_words_and_what_is_lost_is_asked_for() -> None:
    rig = holding("MSFT", "F")
    rig.halted = {"MSFT"}
    rig.do(rig.desk.flatten(rig.now_ns, symbol="MSFT", by="ann"))
    assert log(rig.wait()) == [
        "flatten MSFT: 0 of 1 closed; MSFT +100 refused by the broker (halted): trying again"
    ]
    rig.lose_answers = True
    effects = rig.desk.flatten(rig.now_ns, symbol="F", by="ann")
    (order,) = sends([*effects, *rig.desk.on_update(_canceled(rig, cancels(effects)), rig.now_ns)])
    rig.desk.on_failed(order.client_order_id, "timed out", unknown=True, now_ns=rig.now_ns)
    state = next(one for one in rig.desk.flattens(rig.now_ns) if one.symbol == "F")
    assert state.stuck == (("F", 100.0, "asking the broker what became of its liquidation order"),)


def _canceled(rig: Rig, cids: list[str]):  # type: ignore[no-untyped-def] # the exchange's own update
    (cid,) = cids
    rig.exchange.cancel(rig.desk.orders[cid].order_id, rig.now_ns)
    return next(update for update in rig.exchange.drain() if update.event == "canceled")


def test_outside_hours_it_waits_for_the_open_and_says_so() -> None:
    rig = holding("MSFT", hours=True, swing=frozenset({"momentum"}))
    rig.now_ns = CLOSE_NS + HOUR_NS
    rig.wait()
    said = log(rig.do(rig.desk.flatten(rig.now_ns, by="ann")))
    begun = "flatten everything by ann: 1 position, 1 working order"
    assert said == [f"{begun}; the market is closed: positions are closed when it opens"]
    assert log(rig.wait()) == [
        "flatten everything: 0 of 1 closed; MSFT +100 outside market hours: waiting for the open"
    ]
    assert [r.role for r in rig.live()] == ["stop"], "it is protected till then"


def test_while_the_broker_is_away_the_flatten_says_so() -> None:
    rig = holding("MSFT")
    rig.halted = {"MSFT"}
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    rig.desk.broker_away("connection refused")
    (state,) = rig.desk.flattens(rig.now_ns)
    assert state.stuck == (("MSFT", 100.0, "the broker is away (connection refused)"),)
    rig.desk.broker_away("")
    assert rig.desk.flattens(rig.now_ns)[0].stuck[0][2] == "refused by the broker (halted)"


# proof


def test_where_the_broker_can_be_asked_it_is_flat_only_when_the_broker_says_so_too() -> None:
    rig = holding("MSFT")
    rig.desk.proves_flat = True
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    assert log(rig.wait()) == ["flatten everything: 1 of 1 closed; asking the broker"]
    assert rig.desk.needs_reconcile
    assert log(rig.wait()) == []
    agreed, _ = rig.reconcile()
    assert agreed
    assert log(rig.wait()) == ["everything is flat (3 s)"]
    assert not rig.desk.needs_reconcile


def test_what_the_broker_holds_and_the_books_do_not_is_stuck() -> None:
    rig = holding("MSFT")
    rig.desk.proves_flat = True
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    wrong = [BrokerPosition(symbol="MSFT", qty=5.0, avg_price=100.0)]
    rig.desk.reconcile(rig.exchange.orders(), rig.exchange.executions(), wrong, rig.now_ns)
    assert log(rig.wait()) == ["flatten everything: 1 of 1 closed; asking the broker"]
    rig.desk.reconcile(rig.exchange.orders(), rig.exchange.executions(), wrong, rig.now_ns)
    said = log(rig.wait())
    assert said == [
        "flatten everything: 1 of 1 closed; MSFT +5 held at the broker, and not by the books: trying again"
    ]
    assert rig.desk.latches
    rig.reconcile()
    rig.wait()
    assert not rig.desk.latches


def test_fills_that_were_taken_back_or_put_right_do_not_keep_a_flatten_from_its_end() -> None:
    """Of what a bust leaves open nothing may work on, and nothing be waited for."""
    rig = holding("MSFT", "F", "tsla")
    rig.desk.proves_flat = True
    first, second, _ = rig.exchange.executions()
    rig.exchange.bust(first.execution_id)
    rig.exchange.reprice(second.execution_id, 100.5)
    rig.settle()
    assert (rig.held("MSFT"), rig.held("F"), rig.held("TSLA")) == (0, 100, -50)
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    closing = rig.exchange.executions()[-1]
    rig.exchange.reprice(closing.execution_id, 99.0)
    rig.settle()
    rig.wait()
    rig.reconcile()
    assert log([*rig.wait(), *rig.wait()])[-1].startswith("everything is flat")
    assert not rig.desk.flattens(rig.now_ns)
    assert not rig.live()
    assert not rig.exchange.positions()


# release


def test_a_released_flatten_closes_no_further_and_protects_what_is_held_again() -> None:
    rig = holding("MSFT", "tsla")
    halt(rig, "MSFT")
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    rig.wait()
    halt(rig, "MSFT", on=False)
    effects = rig.do(rig.desk.release(rig.now_ns, by="max"))
    assert log(effects)[0] == "the flatten of everything is released by max: held are MSFT +100"
    assert rig.held("MSFT") == 100
    assert [(r.symbol, r.role) for r in rig.live()] == [("MSFT", "stop")]
    rig.wait(60.0)
    assert rig.held("MSFT") == 100
    assert sends(rig.ask(an_intent(symbol="GE", n=9))), "entries are allowed again"


def test_releasing_what_is_not_being_flattened_changes_nothing() -> None:
    rig = holding("MSFT")
    assert rig.desk.release(rig.now_ns, by="max") == []


# restarts


def test_an_unfinished_flatten_comes_back_with_who_and_why_and_goes_on() -> None:
    rig = holding("MSFT", "F")
    halt(rig, "MSFT", "F")
    rig.do(rig.desk.flatten(rig.now_ns, by="ann", reason="news"))
    rig.halted.clear()
    rig.restart()
    (latch,) = rig.desk.latches.values()
    assert (latch.by, latch.reason, latch.begun) == ("ann", "news", 2)
    assert log(rig.wait()) == ["everything is flat (1 s)"]
    rig.assert_agrees()


def test_a_flatten_that_waits_for_the_open_is_not_forgotten_by_a_restart() -> None:
    rig = holding("MSFT", hours=True, swing=frozenset({"momentum"}))
    rig.now_ns = CLOSE_NS + HOUR_NS
    rig.wait()
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    rig.restart()
    assert [latch.by for latch in rig.desk.latches.values()] == ["ann"]


@pytest.mark.parametrize("how", ["released", "flat"])
def test_what_is_released_or_done_stays_so_after_a_restart(how: str) -> None:
    rig = holding("MSFT")
    if how == "released":
        rig.halted = {"MSFT"}
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    rig.wait()
    if how == "released":
        rig.do(rig.desk.release(rig.now_ns, by="max"))
    (row,) = rig.books.flattens.values()
    assert row.outcome == {"released": "released by max", "flat": "flat"}[how]
    assert row.ended_ns == rig.now_ns
    rig.halted.clear()
    rig.restart()
    rig.wait(60.0)
    assert not rig.desk.latches
    assert rig.held("MSFT") == {"released": 100, "flat": 0}[how]


def test_a_flatten_is_stored_before_anything_of_it_is_sent() -> None:
    rig = holding("MSFT")
    effects = rig.desk.flatten(rig.now_ns, by="ann")
    assert isinstance(effects[0], Latched)


# kill


def test_kill_closes_everything_and_only_then_locks_the_account() -> None:
    rig = thirty()
    halt(rig, "MSFT")
    rig.do(rig.desk.kill(rig.now_ns, by="ann", reason="enough"))
    rig.wait()
    assert (rig.desk.state, rig.suspended) == ("HALTED", False), "closing orders are new orders"
    assert refusals(rig.ask(an_intent(symbol="GE", n=5))) == ["HALTED"]
    assert "flatten by ann: enough" in rig.desk.resume_refused()
    halt(rig, "MSFT", on=False)
    rig.wait()
    rig.wait()
    assert rig.suspended
    assert [effect.on for effect in rig.said if isinstance(effect, Suspend)] == [True]
    assert rig.desk.resume_refused() == ""
    rig.do(rig.desk.resume("ann", "all is well", rig.now_ns))
    assert (rig.desk.state, rig.suspended) == ("ACTIVE", False)
    assert sends(rig.ask(an_intent(symbol="GE", n=6)))


def test_a_killed_desk_that_is_flat_locks_the_account_after_a_restart_too() -> None:
    rig = holding("MSFT")
    rig.do(rig.desk.kill(rig.now_ns, by="ann", reason="enough"))
    rig.restart()
    rig.wait()
    rig.wait()
    assert (rig.desk.state, rig.suspended) == ("HALTED", True)
    rig.restart()
    rig.do(rig.desk.resume("ann", "all is well", rig.now_ns))
    assert not rig.suspended


def test_a_killed_desk_whose_flatten_is_released_stays_halted_over_a_restart_and_closes_nothing() -> None:
    rig = holding("MSFT")
    rig.halted = {"MSFT"}
    rig.do(rig.desk.kill(rig.now_ns, by="ann", reason="enough"))
    rig.do(rig.desk.release(rig.now_ns, by="max"))
    rig.halted.clear()
    rig.restart()
    rig.wait(60.0)
    assert (rig.desk.state, rig.held("MSFT"), rig.suspended) == ("HALTED", 100, False)
    rig.do(rig.desk.flatten(rig.now_ns, by="ann"))
    rig.wait()
    rig.wait()
    assert (rig.held("MSFT"), rig.suspended) == (0, True)


def test_a_locked_account_is_unlocked_before_it_is_flattened_again() -> None:
    rig = Rig()
    rig.do(rig.desk.kill(rig.now_ns, by="ann", reason="enough"))
    rig.wait()
    assert rig.suspended
    effects = rig.desk.flatten(rig.now_ns, by="ann")
    assert [effect.on for effect in effects if isinstance(effect, Suspend)] == [False]


# words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (123, "2 min 03 s"), (3900, "1 h 05 min")]
)
def test_spans_read_as_people_say_them(seconds: int, words: str) -> None:
    assert span(seconds) == words


def test_what_is_stuck_is_named_with_its_reason_and_what_many_share_is_said_once() -> None:
    two = [("MSFT", 100.0, "halted"), ("TSLA", -50.0, "halted")]
    assert stuck_words(two) == "MSFT +100 halted, TSLA -50 halted"
    waits = [(f"S{n}", 1.0, "waits") for n in range(9)]
    assert stuck_words(waits) == "S0 +1, S1 +1 and 7 more: waits"
    assert stuck_words([*waits, *two]) == f"{stuck_words(two)}; {stuck_words(waits)}"


def test_a_long_list_of_what_is_stuck_is_cut() -> None:
    words = stuck_words([(f"S{n}", 1.0, f"refused {n}") for n in range(9)])
    assert words.startswith("S0 +1 refused 0, S1 +1 refused 1")
    assert words.endswith("S5 +1 refused 5 and 3 more")
