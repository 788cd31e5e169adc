"""Commands: each is carried out once, however often it is sent, and answered to whoever asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from liu_tui.engine.client import VERBS, Command, Reply
from liu_tui.engine.commands import DESK_VERBS, NEEDS_SYMBOL, Commands
from liu_tui.engine.fold import Fold
from liu_tui.engine.frontdoor import Guest
from liu_tui.engine.messages import DeskOrder, VetoSet
from liu_tui.engine.supervisor import Supervisor
from liu_tui.model.clock import ManualClock
from tests.kit.engine import a_plan
from tests.kit.session import DAY, at

ME = cast(Guest, "me")
OTHER = cast(Guest, "another")


class House:
    """What commands touch of a supervisor, noting what was done."""

    def __init__(self) -> None:
        self.desk_heard: list[DeskOrder] = []
        self.answers: list[tuple[Guest, Reply]] = []
        self.vetoes: list[VetoSet] = []
        self.stops: list[bool] = []
        self.said: list[str] = []
        self.leaving: list[str] = []
        self.engaged = ""  # what is held or works
        self.fold = Fold(a_plan())
        desk = SimpleNamespace(running=True, tell=self.desk_heard.append)
        self.staff = SimpleNamespace(desk=desk)
        self.door = SimpleNamespace(tell=lambda guest, reply: self.answers.append((guest, reply)))
        self.log = SimpleNamespace(say=lambda _level, words, **_more: self.said.append(words))
        self.symbols = SimpleNamespace(
            set_veto=self.vetoes.append,
            subscribe=lambda symbol: (True, f"{symbol} is subscribed"),
            unsubscribe=lambda symbol: (False, f"{symbol} is not subscribed"),
            engaged=lambda symbol: self.engaged,
            leave_when_flat=self.leaving.append,
        )
        self.hours, self.clock = DAY, ManualClock(at(60))
        self.commands = Commands(cast(Supervisor, self))

    def ask_stop(self, _reason: str, *, flatten: bool) -> None:
        self.stops.append(flatten)

    def reconnect(self, words: str) -> tuple[bool, str]:
        self.said.append(words)
        return True, "reconnecting"

    def status(self) -> dict[str, Any]:
        return {"batch_id": "b-1"}


@pytest.fixture
def house() -> House:
    return House()


async def test_a_desks_command_is_answered_when_the_desk_has_said_how_it_went(house: House) -> None:
    await house.commands.take(Command("1", "flatten", symbol="tsla", by="ctl"), ME)
    assert [order.command.symbol for order in house.desk_heard] == ["TSLA"]
    assert house.answers == []
    assert house.fold.commands["1"].state == "pending"
    house.commands.done("1", True, "TSLA is being closed")
    assert house.answers == [(ME, Reply("1", True, "TSLA is being closed"))]
    assert house.fold.commands["1"].state == "done"
    assert house.said == ["flatten TSLA: TSLA is being closed"]


async def test_a_commands_symbol_is_spelled_as_the_house_does_before_anybody_hears_it(house: House) -> None:
    await house.commands.take(Command("1", "flatten", symbol=" brk-b"), ME)
    assert [order.command.symbol for order in house.desk_heard] == ["BRK.B"]


async def test_a_command_sent_again_is_not_done_again_before_its_answer_or_after(house: House) -> None:
    command = Command("1", "kill")
    await house.commands.take(command, ME)
    await house.commands.take(command, OTHER)
    assert len(house.desk_heard) == 1
    house.commands.done("1", True, "halted")
    await house.commands.take(command, ME)
    assert len(house.desk_heard) == 1
    assert house.answers == [(OTHER, Reply("1", True, "halted")), (ME, Reply("1", True, "halted"))]
    house.commands.done("1", False, "said twice")
    assert len(house.answers) == 2


async def test_a_command_for_a_desk_that_is_away_is_refused_in_words(house: House) -> None:
    house.staff.desk.running = False
    await house.commands.take(Command("1", "pause"), ME)
    ((_guest, reply),) = house.answers
    assert not reply.ok
    assert "ask again" in reply.words
    assert house.desk_heard == []
    assert house.fold.commands["1"].state == "refused"


async def test_when_the_desk_dies_nobody_goes_on_waiting(house: House) -> None:
    await house.commands.take(Command("1", "pause"), ME)
    await house.commands.take(Command("2", "cancel"), OTHER)
    house.commands.desk_lost()
    assert [(guest, reply.id, reply.ok) for guest, reply in house.answers] == [
        (ME, "1", False),
        (OTHER, "2", False),
    ]


@pytest.mark.parametrize(("verb", "on"), [("reject", True), ("allow", False)])
async def test_a_symbol_is_rejected_and_allowed_for_all_or_for_one_strategy(
    house: House, verb: str, on: bool
) -> None:
    await house.commands.take(Command("1", verb, symbol="tsla", reason="news", by="ctl"), ME)
    await house.commands.take(Command("2", verb, symbol="F", strategy="vwap"), ME)
    assert [(v.symbol, v.strategy, v.on, v.by) for v in house.vetoes] == [
        ("TSLA", "", on, "ctl"),
        ("F", "vwap", on, "console"),
    ]
    assert [reply.ok for _guest, reply in house.answers] == [True, True]
    assert "for vwap" in house.answers[1][1].words


@pytest.mark.parametrize(
    ("until", "until_ns", "words"),
    [
        ("", DAY.post_ns, "for the day"),
        ("day", DAY.post_ns, "for the day"),
        ("good", 0, "for good"),
        ("30m", at(90), "until 11:00"),
        ("14:30", at(300), "until 14:30"),
    ],
)
async def test_a_symbol_is_rejected_until_a_moment(
    house: House, until: str, until_ns: int, words: str
) -> None:
    await house.commands.take(Command("1", "reject", symbol="TSLA", until=until), ME)
    assert [v.until_ns for v in house.vetoes] == [until_ns]
    assert house.answers == [(ME, Reply("1", True, f"TSLA is rejected {words}"))]


@pytest.mark.parametrize("until", ["tomorrow", "25:00", "09:45", "m", "-5m"])
async def test_an_end_that_is_none_or_is_over_is_refused_and_rejects_nothing(
    house: House, until: str
) -> None:
    await house.commands.take(Command("1", "reject", symbol="TSLA", until=until), ME)
    assert not house.answers[0][1].ok
    assert house.vetoes == []


@pytest.mark.parametrize(
    ("choice", "verbs", "words"),
    [
        ("", [], "kept: momentum +100, 2 working orders. To close it: flatten TSLA"),
        ("keep", [], "kept: momentum +100, 2 working orders. To close it: flatten TSLA"),
        ("cancel", ["cancel"], "entries are being canceled: momentum +100, 2 working orders"),
        ("flatten", ["flatten"], "being canceled and closed: momentum +100, 2 working orders"),
    ],
)
async def test_rejecting_what_is_held_keeps_cancels_or_closes_it_as_was_chosen(
    house: House, choice: str, verbs: list[str], words: str
) -> None:
    house.engaged = "momentum +100, 2 working orders"
    await house.commands.take(
        Command("1", "reject", symbol="tsla", strategy="vwap", choice=choice, by="ctl"), ME
    )
    assert [order.command.verb for order in house.desk_heard] == verbs
    for order in house.desk_heard:
        whose = "vwap" if order.command.verb == "cancel" else ""
        assert (order.command.symbol, order.command.strategy, order.command.by) == ("TSLA", whose, "ctl")
    assert house.answers == [(ME, Reply("1", True, f"TSLA is rejected for vwap for the day; {words}"))]


async def test_what_cannot_be_closed_for_want_of_a_desk_is_rejected_all_the_same_and_said(
    house: House,
) -> None:
    house.engaged = "momentum +100"
    house.staff.desk.running = False
    await house.commands.take(Command("1", "reject", symbol="TSLA", choice="flatten"), ME)
    assert len(house.vetoes) == 1
    ((_guest, reply),) = house.answers
    assert not reply.ok
    assert "ask for flatten TSLA in a moment" in reply.words


async def test_what_is_held_is_unsubscribed_only_if_it_is_to_be_closed_first(house: House) -> None:
    await house.commands.take(Command("1", "unsubscribe", symbol="TSLA", choice="flatten"), ME)
    assert house.answers[0][1].words == "TSLA is not subscribed", "nothing is held: nothing is closed"
    house.engaged = "momentum +100"
    await house.commands.take(Command("2", "unsubscribe", symbol="TSLA", choice="flatten"), ME)
    assert [order.command.verb for order in house.desk_heard] == ["flatten"]
    assert house.leaving == ["TSLA"]
    assert house.answers[1][1].words.endswith("TSLA is unsubscribed once it is flat")


@pytest.mark.parametrize("verb", ["reject", "unsubscribe"])
async def test_an_unknown_choice_is_refused_with_those_there_are(house: House, verb: str) -> None:
    await house.commands.take(Command("1", verb, symbol="TSLA", choice="sell"), ME)
    assert house.answers == [(ME, Reply("1", False, "'sell' is no choice: there are keep, cancel, flatten"))]


@pytest.mark.parametrize("verb", sorted(NEEDS_SYMBOL))
async def test_a_verb_that_needs_a_symbol_says_so(house: House, verb: str) -> None:
    await house.commands.take(Command("1", verb), ME)
    assert house.answers == [(ME, Reply("1", False, f"{verb} which symbol?"))]
    assert house.vetoes == []


async def test_subscriptions_answer_in_their_own_words(house: House) -> None:
    await house.commands.take(Command("1", "subscribe", symbol="f"), ME)
    await house.commands.take(Command("2", "unsubscribe", symbol="f"), ME)
    assert [(r.ok, r.words) for _g, r in house.answers] == [
        (True, "F is subscribed"),
        (False, "F is not subscribed"),
    ]


async def test_stop_passes_on_whether_to_flatten(house: House) -> None:
    await house.commands.take(Command("1", "stop", flatten=True), ME)
    await house.commands.take(Command("2", "stop"), ME)
    assert house.stops == [True, False]


async def test_status_answers_at_once_and_leaves_no_trace(house: House) -> None:
    await house.commands.take(Command("1", "status"), ME)
    assert house.answers == [(ME, Reply("1", True, "running", '{"batch_id": "b-1"}'))]
    assert house.fold.commands == {}
    assert house.said == []


async def test_an_unknown_verb_is_refused_with_those_there_are(house: House) -> None:
    await house.commands.take(Command("1", "sell everything"), ME)
    ((_guest, reply),) = house.answers
    assert not reply.ok
    assert all(verb in reply.words for verb in VERBS)


async def test_every_verb_is_carried_out_somewhere(house: House) -> None:
    for verb in VERBS:
        await house.commands.take(Command(verb, verb, symbol="TSLA"), ME)
    assert {order.command.verb for order in house.desk_heard} == DESK_VERBS
    assert {reply.id for _guest, reply in house.answers} == set(VERBS) - DESK_VERBS
    assert not any("no verb" in reply.words for _guest, reply in house.answers)


@pytest.mark.parametrize("symbol", ["../x", "A B", "*", "-A"])
async def test_what_is_no_symbol_is_never_subscribed(house: House, symbol: str) -> None:
    await house.commands.take(Command("1", "subscribe", symbol=symbol, by="ctl"), ME)
    assert [reply.ok for _, reply in house.answers] == [False]
    assert "is no symbol" in house.answers[0][1].words
