"""What a dangerous key would do, worked out before anything is sent."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from liu_tui.engine.client import Reply
from liu_tui.engine.snapshot import VetoRow
from liu_tui.tui import symbols, targets
from liu_tui.tui.deeds import Ask, Deed, Proposal
from liu_tui.tui.view import LinkState, View
from tests.kit.tui import ScriptedSession


@pytest.fixture
def view() -> View:
    seen = View()
    seen.link_is(LinkState("live"))
    seen.take(ScriptedSession(Path("unused")).picture())
    return seen


def changed(view: View, **fields: object) -> View:
    assert view.picture is not None
    view.take(msgspec.structs.replace(view.picture, **fields))
    return view


def test_rejecting_an_idle_symbol_is_done_at_once_and_can_be_undone(view: View) -> None:
    assert symbols.toggle_reject(view, "PLTR") == Deed((Ask("reject", "PLTR"),), (Ask("allow", "PLTR"),))


def test_a_rejected_symbol_is_allowed_again(view: View) -> None:
    veto = VetoRow(symbol="PLTR", strategy="", by="console", reason="", since_ns=0)
    assert symbols.toggle_reject(changed(view, vetoes=(veto,)), "PLTR") == Deed(
        (Ask("allow", "PLTR"),), (Ask("reject", "PLTR", until="good"),)
    )


def test_rejecting_a_symbol_in_use_asks_keep_cancel_or_flatten(view: View) -> None:
    target = symbols.toggle_reject(view, "RIVN")
    assert isinstance(target, Proposal)
    assert [choice.key for choice in target.choices] == ["n", "k", "c", "f"]
    assert not target.choices[target.harmless].asks
    assert target.choices[2].asks == (Ask("reject", "RIVN", choice="cancel"),)


def test_what_is_held_is_not_unsubscribed(view: View) -> None:
    assert "flatten" in str(symbols.toggle_subscription(view, "NVDA"))
    assert symbols.toggle_subscription(view, "PLTR") == Deed(
        (Ask("unsubscribe", "PLTR"),), (Ask("subscribe", "PLTR"),)
    )
    assert symbols.toggle_subscription(view, "ENPH") == Deed(
        (Ask("subscribe", "ENPH"),), (Ask("unsubscribe", "ENPH"),)
    )


def test_pause_toggles_and_a_halt_is_resumed_only_after_asking(view: View) -> None:
    assert targets.toggle_pause(view) == Deed((Ask("pause"),), (Ask("resume"),))
    assert targets.toggle_pause(changed(view, state="REDUCING")) == Deed((Ask("resume"),), (Ask("pause"),))
    assert isinstance(targets.toggle_pause(changed(view, state="HALTED", state_by="console")), Proposal)


def test_an_order_that_protects_is_not_canceled(view: View) -> None:
    assert view.picture is not None
    by_id = {row.client_order_id: row for row in view.picture.orders}
    assert "protects" in str(targets.cancel_order(view, by_id["o1"]))
    assert "filled already" in str(targets.cancel_order(view, by_id["o3"]))
    target = targets.cancel_order(view, by_id["o0"])
    assert isinstance(target, Proposal)
    assert target.choices[1].asks == (Ask("cancel", "RIVN", order="o0"),)


def test_flatten_names_what_it_will_close(view: View) -> None:
    target = targets.flatten_symbol(view, "NVDA")
    assert isinstance(target, Proposal)
    said = " ".join(text for line in target.lines for text, _ in line)
    assert "200" in said
    assert "stop" in said
    assert "PAPER account" in said
    assert targets.flatten_symbol(view, "PLTR") == "PLTR is flat already"
    assert targets.flatten_symbol(view, "") == "no symbol under the cursor"


def test_flattening_all_and_the_kill_switch_want_a_word(view: View) -> None:
    every, kill = targets.flatten_all(view), targets.kill(view)
    assert isinstance(every, Proposal)
    assert isinstance(kill, Proposal)
    assert (every.word, kill.word) == ("FLATTEN", "KILL")
    assert targets.flatten_all(changed(view, positions=(), orders=())) == "everything is flat already"


def test_the_kill_switch_needs_no_picture() -> None:
    assert isinstance(targets.kill(View()), Proposal)


def test_leaving_begins_with_leaving_it_running(view: View) -> None:
    proposal = targets.leave(view)
    first = proposal.choices[proposal.harmless]
    assert first.quits
    assert not first.asks
    assert [ask.flatten for choice in proposal.choices for ask in choice.asks] == [False, True]


def test_a_command_is_pending_until_its_answer_comes(view: View) -> None:
    view.sent("c1", "pause", "")
    assert view.activity()[0].state == "PENDING"
    view.take(Reply("c1", False, "no"))
    row = view.activity()[0]
    assert (row.state, row.words) == ("refused", "no")
    assert row.took_ms is not None


def test_what_was_unanswered_when_the_link_was_lost_is_unknown(view: View) -> None:
    view.sent("c1", "flatten", "NVDA")
    view.link_is(LinkState("lost"))
    assert view.activity()[0].state == "unknown"
    assert view.stale


def test_a_bell_rings_for_what_is_new_and_not_for_what_was(view: View) -> None:
    session = ScriptedSession(Path("unused"))
    assert view.picture is not None
    session.say("good", "old fill", kind="fill")
    fresh = View()
    fresh.take(msgspec.structs.replace(view.picture, log=tuple(session.lines)))
    assert fresh.take_rings() == 0
    session.say("good", "new fill", kind="fill")
    session.say("info", "nothing")
    fresh.take(msgspec.structs.replace(view.picture, log=tuple(session.lines)))
    assert (fresh.take_rings(), fresh.take_rings(), len(fresh.log)) == (1, 0, 4)
