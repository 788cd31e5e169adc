"""Session: events in, requests out; what the house promises to a strategy, and keeps from it."""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.market.calendar import first_session
from liu_tui.model.account import Position
from liu_tui.model.actions import Buy, Cancel, Cover, Reject, Sell, Short, Unsubscribe
from liu_tui.model.market import MINUTE_NS, SECOND_NS, MarketEvent
from liu_tui.model.orders import AskKind, OrderState
from liu_tui.model.window import Window
from liu_tui.strategy import Context, State
from liu_tui.trading.session import (
    KeySet,
    Said,
    Slot,
    StrategyFault,
    UnsubscribeRequest,
    VetoRequest,
)
from tests.kit.session import (
    DAY,
    OPEN,
    Puppet,
    Ranker,
    a_bar,
    a_quote,
    a_session,
    a_trade,
    at,
    feed,
    fill_of,
    intents,
    news_of,
)

BUY = Buy(qty=10, limit=101.0, stop=99.0, target=103.0, reason="why not", indicators={"x": np.float64(1.5)})
LATE = (Window(start=30, duration=10),)


def words(requests: list[Any]) -> list[str]:
    return [request.words for request in requests if isinstance(request, Said | StrategyFault)]


# ---- from an action to an intent


async def test_a_bar_becomes_an_intent_under_the_strategys_name() -> None:
    (intent,) = intents(await feed(a_session(Puppet(answer=BUY)), a_bar()))
    assert intent.id == f"b1:puppet:AAPL:{at(1)}:0"
    assert (intent.qty, intent.limit, intent.stop, intent.target) == (10.0, 101.0, 99.0, 103.0)
    assert (intent.price, intent.reason, intent.indicators) == (100.0, "why not", '{"x":1.5}')
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(intent), type=type(intent)) == intent


async def test_the_same_day_makes_the_same_intents() -> None:
    async def day() -> list[Any]:
        puppet = Puppet(answer=lambda bars, **_: [Buy(qty=len(bars)), Sell()])
        return await feed(a_session(puppet), *(a_bar(m) for m in range(5)))

    assert await day() == await day()


async def test_two_events_of_one_moment_make_two_ids() -> None:
    session = a_session(Puppet(answer=Sell(), events={"minute", "trade"}))
    made = intents(await feed(session, a_bar(0), a_trade(1), a_trade(1), a_trade(1.5)))
    assert [intent.id[-2:] for intent in made] == [":0", ":1", ":2", ":0"]


async def test_several_actions_of_one_answer_keep_their_order() -> None:
    session = a_session(Puppet(answer=[Cancel(), Sell(), BUY]))
    made = intents(await feed(session, a_bar()))
    assert [(i.kind is AskKind.CANCEL, i.operation.value, i.ordinal) for i in made] == [
        (True, "buy", 0),
        (False, "sell", 1),
        (False, "buy", 2),
    ]


async def test_an_exit_without_a_quantity_means_all() -> None:
    (intent,) = intents(await feed(a_session(Puppet(answer=Cover())), a_bar()))
    assert intent.qty == 0


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (Buy(qty=0), "Buy dropped: qty was 0"),
        (Buy(), "Buy dropped: it names no qty"),
        (Short(qty=float("nan")), "Short dropped: qty was nan"),
        (Buy(qty=1, limit=-1.0), "Buy dropped: limit was -1"),
        (Buy(qty=1, stop=100.0), "Buy dropped: stop 100 is not below the price 100"),
        (Buy(qty=1, limit=99.0, target=98.0), "Buy dropped: target 98 is not above the price 99"),
        (Short(qty=1, stop=99.0), "Short dropped: stop 99 is not above the price 100"),
    ],
)
async def test_a_value_that_cannot_be_ordered_is_dropped_with_words_once(action: Any, said: str) -> None:
    session = a_session(Puppet(answer=action))
    assert words(await feed(session, a_bar(0), a_bar(1))) == [said]
    assert session.quarantined == {}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((True, {"side": "buy"}), "run() returned True among its actions"),
        ({"side": "buy"}, "run() returned {'side': 'buy'}"),
        ("buy", "run() returned 'buy'"),
        (1, "run() returned 1"),
        (Buy(qty="ten"), "qty must be a number"),  # type: ignore[arg-type] # the fault under test
        (Buy(qty=1, tif="forever"), "tif='forever'"),  # type: ignore[arg-type] # the fault under test
        (Buy(qty=1, indicators={"a": object()}), "indicators="),  # type: ignore[dict-item] # the same
        (Buy(qty=1, symbol="MSFT"), "of another symbol"),
    ],
)
async def test_a_wrong_answer_quarantines_in_words(answer: Any, said: str) -> None:
    session = a_session(Puppet(answer=answer))
    (fault,) = await feed(session, a_bar(0), a_bar(1))
    assert isinstance(fault, StrategyFault)
    assert said in fault.words


# ---- who is called, and when


async def test_only_declared_events_call() -> None:
    events: list[MarketEvent] = [a_trade(0.1), a_quote(0.2), a_bar(0)]
    for kind, event in zip(("trade", "quote", "minute"), events, strict=True):
        puppet = Puppet(events={kind})
        await feed(a_session(puppet), *events)
        assert puppet.heard == [event]


async def test_the_series_has_the_event_before_the_call() -> None:
    seen: list[tuple[int, float]] = []
    puppet = Puppet(answer=lambda bars, **_: seen.append((len(bars), bars.price)), events={"trade", "minute"})
    await feed(a_session(puppet), a_bar(0, 100.0), a_trade(1.2, 101.0), a_bar(1, 102.0))
    assert seen == [(1, 100.0), (1, 101.0), (2, 102.0)]


async def test_strategies_are_called_in_the_plans_order() -> None:
    order: list[str] = []
    puppets = [Puppet(name, answer=lambda name=name, **_: order.append(name)) for name in ("z", "a", "m")]
    await feed(a_session(*puppets), a_bar())
    assert order == ["z", "a", "m"]


async def test_second_bars_are_made_of_trades_and_close_by_the_next_trade_or_the_clock() -> None:
    puppet = Puppet(events={"second"})
    session = a_session(puppet)
    second = SECOND_NS / MINUTE_NS
    await feed(session, a_trade(1, 100.0), a_trade(1 + second / 2, 101.0))
    assert puppet.heard == []
    await feed(session, a_trade(1 + second, 99.0))
    await session.on_time(at(1 + 2 * second))
    assert [(bar.span_ns, bar.open, bar.close) for bar in puppet.heard] == [
        (SECOND_NS, 100.0, 101.0),
        (SECOND_NS, 99.0, 99.0),
    ]


async def test_a_vendors_own_second_bars_are_passed_on_and_none_are_made() -> None:
    puppet = Puppet(events={"second"})
    session = a_session(puppet)
    bar = a_bar(1, span_ns=SECOND_NS)
    await feed(session, bar, a_trade(1.5))
    await session.on_time(at(3))
    assert puppet.heard == [bar]
    assert len(session.series("AAPL")) == 0


async def test_it_waits_silently_until_the_lookback_is_there() -> None:
    puppet = Puppet(lookback=3)
    session = a_session(puppet, symbols=())
    session.add_symbol("AAPL", history=[a_bar(-1)])
    assert await feed(session, a_bar(0)) == []
    await feed(session, a_bar(1))
    assert len(puppet.heard) == 1


async def test_only_regular_hours_call_unless_the_plan_bypasses_them() -> None:
    puppet = Puppet(events={"trade"})
    events = [a_trade(-0.01), a_trade(0), a_trade(389.99), a_trade(390)]
    await feed(a_session(puppet), *events)
    assert puppet.heard == events[1:3]
    bypassing = Puppet(events={"trade"})
    slot = Slot("puppet", bypassing, LATE)
    await feed(a_session(slot, bypass_schedule=True), *events)
    assert bypassing.heard == events


async def test_a_backfilled_bar_and_an_absorbed_event_call_nobody() -> None:
    puppet = Puppet(events={"minute", "trade", "quote"})
    session = a_session(puppet)
    await feed(session, a_bar(0, backfilled=True))
    for event in (a_bar(1), a_trade(2.1, 107.0), a_quote(2.2)):
        session.absorb(event)
    assert puppet.heard == []
    assert (len(session.series("AAPL")), session.series("AAPL").price) == (2, 107.0)


async def test_outside_its_windows_it_is_called_only_while_engaged() -> None:
    puppet = Puppet()
    session = a_session(Slot("puppet", puppet, LATE))
    await feed(session, a_bar(0), a_bar(28), a_bar(29), a_bar(38), a_bar(39))
    assert [bar.t_ns for bar in puppet.heard] == [at(29), at(38)]
    puppet.heard.clear()
    session.restore([Position(strategy="puppet", symbol="AAPL", qty=5, avg_price=100)], [], {}, [])
    await feed(session, a_bar(60))
    assert len(puppet.heard) == 1


async def test_an_entry_outside_the_windows_is_refused_in_words_and_an_exit_passes() -> None:
    puppet = Puppet(answer=[Sell(), Buy(qty=1)])
    session = a_session(Slot("puppet", puppet, LATE))
    session.restore([Position(strategy="puppet", symbol="AAPL", qty=5, avg_price=100)], [], {}, [])
    requests = await feed(session, a_bar(0), a_bar(1), a_bar(60))
    assert [intent.operation.value for intent in intents(requests)] == ["sell"] * 3
    assert words(requests) == [
        "Buy dropped: outside the schedule, the next window opens at 10:00",
        "Buy dropped: outside the schedule, no window is left today",
    ]


# ---- pending entries


async def test_an_entry_waits_for_the_end_of_the_one_before() -> None:
    session = a_session(Puppet(answer=BUY))
    (first,) = intents(await feed(session, a_bar(0), a_bar(1)))
    await session.on_news(news_of(first, OrderState.NEW))
    assert intents(await feed(session, a_bar(2))) == []
    await session.on_news(news_of(first, OrderState.CANCELED))
    assert len(intents(await feed(session, a_bar(3)))) == 1


async def test_a_second_entry_of_one_answer_is_dropped_with_words() -> None:
    requests = await feed(a_session(Puppet(answer=[Buy(qty=1), Buy(qty=2)])), a_bar())
    assert len(intents(requests)) == 1
    assert words(requests) == ["Buy dropped: one entry at a time"]


async def test_run_sees_what_is_pending_and_what_is_held() -> None:
    seen: list[tuple[float, float]] = []

    def answer(position: Any, **_: Any) -> Any:
        seen.append((position.qty, position.pending))
        return Short(qty=10) if position.flat else None

    session = a_session(Puppet(answer=answer))
    (intent,) = intents(await feed(session, a_bar(0)))
    await feed(session, a_bar(1))
    await session.on_fill(fill_of(intent, -4, -4))
    await feed(session, a_bar(2))
    await session.on_news(news_of(intent, OrderState.CANCELED, filled=4))
    await feed(session, a_bar(3))
    assert seen == [(0, 0), (0, -10), (-4, -6), (-4, 0)]


async def test_news_of_the_last_fill_may_come_before_the_fill() -> None:
    session = a_session(puppet := Puppet(answer=BUY))
    (intent,) = intents(await feed(session, a_bar(0)))
    await session.on_news(news_of(intent, OrderState.FILLED, filled=10))
    assert intents(await feed(session, a_bar(1))) == []
    await session.on_fill(fill_of(intent, 10, 10))
    puppet.answer = lambda position, **_: seen.append(position)
    seen: list[Any] = []
    await feed(session, a_bar(2))
    assert [(p.qty, p.pending, p.stop, p.target) for p in seen] == [(10, 0, 99.0, 103.0)]


@given(st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=6), st.randoms())
async def test_shares_held_and_pending_never_exceed_what_was_asked(
    parts: list[tuple[int, bool]], random: Any
) -> None:
    session = a_session(Puppet(answer=Buy(qty=40)))
    (intent,) = intents(await feed(session, a_bar(0)))
    facts: list[Any] = []
    filled = 0
    for qty, also_news in parts:
        filled += qty
        facts.append(fill_of(intent, qty, filled))
        if also_news:
            facts.append(news_of(intent, OrderState.PARTIALLY_FILLED, filled=filled))
    facts.append(news_of(intent, OrderState.CANCELED, filled=filled))
    # Fills keep their order, and so does news; each may overtake the other.
    fills = [fact for fact in facts if hasattr(fact, "execution_id")]
    news = [fact for fact in facts if not hasattr(fact, "execution_id")]
    holding = session._holdings["puppet", "AAPL"]
    while fills or news:
        if fills and (not news or random.random() < 0.5):
            await session.on_fill(fills.pop(0))
        else:
            await session.on_news(news.pop(0))
        assert 0 <= holding.view.qty + holding.view.pending <= 40
    assert (holding.view.qty, holding.view.pending, holding.entering) == (filled, 0, False)


async def test_a_fill_is_heard_once() -> None:
    session = a_session(puppet := Puppet())
    fill = fill_of(intents(await feed(a_session(Puppet(answer=BUY)), a_bar()))[0], 10, 10)
    await session.on_fill(fill)
    await session.on_fill(fill)
    assert puppet.heard == [fill]


# ---- vetoes


async def test_a_rejected_symbol_is_not_called_unless_held_and_then_only_exits_pass() -> None:
    puppet = Puppet(answer=[Sell(), Buy(qty=1)])
    session = a_session(puppet)
    session.veto("AAPL")
    assert await feed(session, a_bar(0)) == []
    session.restore([Position(strategy="puppet", symbol="AAPL", qty=5, avg_price=100)], [], {}, [])
    requests = await feed(session, a_bar(1))
    assert [intent.operation.value for intent in intents(requests)] == ["sell"]
    assert words(requests) == ["Buy dropped: the symbol is rejected"]
    session.allow("AAPL")
    assert len(intents(await feed(session, a_bar(2)))) == 2


async def test_reject_is_obeyed_at_once_for_one_strategy_or_for_all() -> None:
    one, other = Puppet("one", Reject(reason="thin")), Puppet("other")
    requests = await feed(a_session(one, other), a_bar(0), a_bar(1))
    assert requests == [VetoRequest("AAPL", "one", "one", "thin", DAY.post_ns)]
    assert (len(one.heard), len(other.heard)) == (1, 2)
    one, other = Puppet("one", Reject(scope="all")), Puppet("other")
    assert await feed(a_session(one, other), a_bar(0)) == [VetoRequest("AAPL", "", "one", "", DAY.post_ns)]
    assert other.heard == []


async def test_reject_for_some_minutes_ends_with_them() -> None:
    puppet = Puppet(answer=Reject(minutes=2))
    session = a_session(puppet)
    (request,) = await feed(session, a_bar(0))  # a bar of minute 0 is known at minute 1
    assert request == VetoRequest("AAPL", "puppet", "puppet", "", at(3))
    await feed(session, a_bar(1))
    assert len(puppet.heard) == 1
    await feed(session, a_bar(2))
    assert len(puppet.heard) == 2


async def test_of_two_vetoes_the_one_that_lasts_longer_stands() -> None:
    session = a_session(puppet := Puppet())
    session.veto("AAPL", "", at(3))
    session.veto("AAPL", "", at(1))
    session.veto("AAPL", "puppet", at(2))
    await feed(session, a_bar(0), a_bar(1))
    assert puppet.heard == []
    session.veto("AAPL")
    session.veto("AAPL", "", at(5))
    await feed(session, a_bar(8))
    assert puppet.heard == []


async def test_allow_takes_back_one_veto_or_every_veto_of_the_symbol() -> None:
    session = a_session(puppet := Puppet())
    for strategy in ("", "puppet"):
        session.veto("AAPL", strategy)
    session.allow("AAPL", "puppet")
    await feed(session, a_bar(0))
    assert puppet.heard == []
    session.veto("AAPL", "puppet")
    session.allow("AAPL")
    await feed(session, a_bar(1))
    assert len(puppet.heard) == 1


async def test_unsubscribe_is_passed_on() -> None:
    assert await feed(a_session(Puppet(answer=Unsubscribe(reason="dull"))), a_bar()) == [
        UnsubscribeRequest("AAPL", "puppet", "dull")
    ]


# ---- symbols


async def test_a_symbol_goes_to_the_strategies_named_and_only_widens() -> None:
    one, two = Puppet("one"), Puppet("two")
    session = a_session(one, two, symbols=())
    session.add_symbol("AAPL", strategies=frozenset({"one"}), history=[a_bar(-1)])
    await feed(session, a_bar(0))
    session.add_symbol("AAPL", strategies=frozenset({"two"}))
    await feed(session, a_bar(1))
    session.add_symbol("AAPL")
    await feed(session, a_bar(2), a_bar(0, symbol="MSFT"))
    assert (len(one.heard), len(two.heard), session.symbols) == (3, 2, ("AAPL",))
    assert len(session.series("AAPL")) == 4


async def test_a_dropped_symbol_is_forgotten_but_its_position_and_state_are_not() -> None:
    class Counting(Puppet):
        initial_state: ClassVar[Mapping[str, Any]] = {"n": 0}

    def answer(ctx: Context, position: Any, **_: Any) -> None:
        ctx.state["n"] += 1
        seen.append((ctx.state["n"], position.qty))

    seen: list[tuple[int, float]] = []
    session = a_session(Counting(answer=answer))
    session.restore([Position(strategy="puppet", symbol="AAPL", qty=5, avg_price=100)], [], {}, [])
    await feed(session, a_bar(0))
    session.drop_symbol("AAPL")
    assert await feed(session, a_bar(1)) == []
    assert session.changed_state() == [("puppet", "AAPL", {"n": 1})]
    session.add_symbol("AAPL")
    await feed(session, a_bar(2))
    assert seen == [(1, 5), (2, 5)]


async def test_daily_bars_are_kept_on_the_series() -> None:
    session = a_session(Puppet(), symbols=())
    day = a_bar(0, span_ns=86_400 * SECOND_NS)
    session.add_symbol("AAPL", daily=[day])
    session.add_symbol("AAPL")
    assert session.series("AAPL").daily == [day]


# ---- user code that fails


class Broken(Puppet):
    async def on_start(self, ctx: Context) -> None:
        raise KeyError("no such thing")


def boom(**_: Any) -> None:
    raise ZeroDivisionError("division by zero")


def leave(**_: Any) -> None:
    raise SystemExit(0)


def interrupt(**_: Any) -> None:
    raise KeyboardInterrupt


def generator(**_: Any) -> Any:
    yield Sell()
    raise ValueError("half way")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (boom, "ZeroDivisionError"),
        (leave, "SystemExit"),
        (interrupt, "KeyboardInterrupt"),
        (generator, "half way"),
    ],
)
async def test_what_user_code_raises_quarantines_that_strategy_only(answer: Any, said: str) -> None:
    bad, good = Puppet("bad", answer), Puppet("good")
    session = a_session(bad, good)
    (fault,) = await feed(session, a_bar(0), a_bar(1))
    assert isinstance(fault, StrategyFault)
    assert (fault.strategy, fault.symbol) == ("bad", "AAPL")
    assert said in fault.words
    assert said in fault.traceback
    assert (len(bad.heard), len(good.heard)) == (1, 2)
    assert session.quarantined == {"bad": fault.words}
    assert session.calls == {"bad": 1, "good": 2}


async def test_a_fault_names_the_line_of_the_users_file() -> None:
    (fault,) = await a_session(Broken()).start(OPEN)
    assert isinstance(fault, StrategyFault)
    assert "KeyError: 'no such thing' (test_session.py:" in fault.words


async def test_asking_for_more_than_was_declared_says_how_to_declare_more() -> None:
    session = a_session(Puppet(answer=lambda bars, **_: bars.close[-5]))
    (fault,) = await feed(session, a_bar())
    assert isinstance(fault, StrategyFault)
    assert "Declare lookback = 5" in fault.words


async def test_a_listener_that_returns_an_action_is_told_that_nobody_takes_it() -> None:
    class Eager(Puppet):
        async def on_fill(self, fill: Any, ctx: Context) -> Any:
            return Sell()

    session = a_session(Eager(answer=BUY))
    (intent,) = intents(await feed(session, a_bar()))
    assert "only run() and run_all() can ask" in words(await session.on_fill(fill_of(intent, 10, 10)))[0]


async def test_a_quarantined_strategy_keeps_its_position_and_goes_on_when_replaced() -> None:
    session = a_session(Puppet(answer=BUY))
    (intent,) = intents(await feed(session, a_bar(0)))
    session.quarantine("puppet", "it hung")
    await session.on_fill(fill_of(intent, 10, 10))
    assert await feed(session, a_bar(1)) == []
    seen: list[float] = []
    mended = Puppet(answer=lambda position, **_: seen.append(position.qty))
    assert await session.replace(Slot("puppet", mended), at(2)) == []
    await feed(session, a_bar(2))
    assert (seen, session.quarantined) == ([10], {})


async def test_a_strategy_that_could_not_be_loaded_before_takes_a_slot_later() -> None:
    session = a_session()
    late = Puppet("late")
    await session.replace(Slot("late", late), at(1))
    await feed(session, a_bar(1))
    assert len(late.heard) == 1


async def test_a_reload_may_change_what_the_strategy_declares() -> None:
    session = a_session(Puppet())
    fresh = Puppet(events={"trade"}, lookback=2)
    await session.replace(Slot("puppet", fresh), at(0))
    await feed(session, a_trade(0.5), a_bar(0), a_bar(1), a_trade(2.5))
    assert fresh.heard == [a_trade(2.5)]
    assert session.series("AAPL").lookback == 2


class Meter:
    """Writes down who was called."""

    def __init__(self) -> None:
        self.marks: list[str] = []

    def enter(self, strategy: str, symbol: str) -> None:
        self.marks.append(f"{strategy} {symbol}".strip())

    def leave(self) -> None:
        self.marks.append(".")


async def test_the_meter_hears_of_every_call_and_of_its_end() -> None:
    meter = Meter()
    session = a_session(Puppet(answer=boom), meter=meter)
    await session.start(OPEN)
    await feed(session, a_bar())
    await session.stop(at(2))
    assert meter.marks == ["puppet", ".", "puppet AAPL", "."]


# ---- state and keys


class Counting(Puppet):
    initial_state: ClassVar[Mapping[str, Any]] = {"n": 0, "seen": []}


def counting(ctx: Context, **_: Any) -> None:
    ctx.state["n"] += 1
    ctx.state["seen"].append(ctx.now_ns)


async def test_state_is_of_a_strategy_and_a_symbol_and_told_when_it_changed() -> None:
    session = a_session(Counting(answer=counting), Puppet("idle"), symbols=("AAPL", "MSFT"))
    await feed(session, a_bar(0), a_bar(1), a_bar(1, symbol="MSFT"))
    assert session.changed_state() == [
        ("puppet", "AAPL", {"n": 2, "seen": [at(1), at(2)]}),
        ("puppet", "MSFT", {"n": 1, "seen": [at(2)]}),
    ]
    assert session.changed_state() == []
    assert Counting.initial_state == {"n": 0, "seen": []}


@pytest.mark.parametrize("restore_first", [True, False])
async def test_state_is_restored_before_or_after_the_symbol_comes(restore_first: bool) -> None:
    session = a_session(Counting(answer=counting), symbols=())
    saved: dict[str, dict[str, State]] = {"puppet": {"AAPL": {"n": 6}}, "gone": {"AAPL": {}}}
    if restore_first:
        session.restore([], [], saved, [])
    session.add_symbol("AAPL")
    if not restore_first:
        session.restore([], [], saved, [])
    assert session.changed_state() == []
    await feed(session, a_bar())
    assert session.changed_state() == [("puppet", "AAPL", {"n": 7, "seen": [at(1)]})]


async def test_a_reload_keeps_the_state_and_adds_new_keys() -> None:
    class Wider(Puppet):
        initial_state: ClassVar[Mapping[str, Any]] = {"n": 0, "seen": [], "more": "x"}

    session = a_session(Counting(answer=counting))
    await feed(session, a_bar(0))
    await session.replace(Slot("puppet", Wider(answer=counting)), at(1))
    await feed(session, a_bar(1))
    assert session.changed_state() == [
        ("puppet", "AAPL", {"n": 1, "seen": [at(1)]}),
        ("puppet", "AAPL", {"n": 2, "seen": [at(1), at(2)], "more": "x"}),
    ]


@pytest.mark.parametrize("value", [(1, 2), {1, 2}, float("nan"), b"x", object(), np.float64(1), {1: 2}])
async def test_state_that_a_restart_cannot_bring_back_quarantines_and_is_undone(value: Any) -> None:
    def answer(ctx: Context, **_: Any) -> None:
        ctx.state["n"] = value

    session = a_session(Counting(answer=answer))
    await feed(session, a_bar(0))
    assert session.changed_state() == []
    (fault,) = await session.on_time(at(1.5))
    assert isinstance(fault, StrategyFault)
    assert "ctx.state['n']" in fault.words
    await session.replace(Slot("puppet", Counting(answer=counting)), at(2))
    await feed(session, a_bar(2))
    assert session.changed_state() == [("puppet", "AAPL", {"n": 1, "seen": [at(3)]})]


async def test_state_without_a_symbol_is_refused_in_words() -> None:
    class Early(Counting):
        async def on_start(self, ctx: Context) -> None:
            ctx.state["n"] = 1

    (said,) = words(await a_session(Early()).start(OPEN))
    assert "a state per symbol" in said


async def test_keys_are_read_and_written_under_the_strategys_name() -> None:
    def answer(ctx: Context, **_: Any) -> None:
        seen.append((ctx.get("a"), ctx.get("b"), ctx.get("c", "none")))
        ctx.set("b", "2")
        ctx.log("noted")

    seen: list[Any] = []
    session = a_session(Puppet(answer=answer), keys={"puppet": {"a": "1"}, "other": {"c": "3"}})
    requests = await feed(session, a_bar(0), a_bar(1))
    assert seen == [("1", None, "none"), ("1", "2", "none")]
    noted = Said("puppet", "AAPL", "noted")
    assert requests == [KeySet("puppet", "b", "2"), noted, noted]


async def test_a_key_that_is_not_text_is_a_fault() -> None:
    session = a_session(Puppet(answer=lambda ctx, **_: ctx.set("n", 1)))
    assert "Write str(value)" in words(await feed(session, a_bar()))[0]


# ---- restart


async def test_a_restored_order_is_pending_and_counts_what_it_has_filled() -> None:
    seen: list[tuple[float, float]] = []
    first = a_session(Puppet(answer=Buy(qty=10)))
    (intent,) = intents(await feed(first, a_bar(0)))
    session = a_session(Puppet(answer=lambda position, **_: seen.append((position.qty, position.pending))))
    live = news_of(intent, OrderState.PARTIALLY_FILLED, filled=4)
    session.restore([Position(strategy="puppet", symbol="AAPL", qty=4, avg_price=100)], [live], {}, [])
    await feed(session, a_bar(1))
    await session.on_fill(fill_of(intent, 6, 10))
    await session.on_news(news_of(intent, OrderState.FILLED, filled=10))
    await feed(session, a_bar(2))
    assert seen == [(4, 6), (10, 0)]


async def test_the_desks_word_replaces_ours_but_what_it_has_not_answered_stays_pending() -> None:
    one, two = Puppet("one", Buy(qty=1)), Puppet("two", Buy(qty=1))
    session = a_session(one, two)
    answered, _ = intents(await feed(session, a_bar(0)))
    await session.on_news(news_of(answered, OrderState.NEW))
    session.restore([], [], {}, [])
    assert [intent.strategy for intent in intents(await feed(session, a_bar(1)))] == ["one"]


async def test_vetoes_are_restored() -> None:
    session = a_session(puppet := Puppet())
    session.restore([], [], {}, [("AAPL", "", 0)])
    await feed(session, a_bar())
    assert puppet.heard == []


# ---- run_all


async def test_run_all_is_called_on_a_grid_from_the_open_with_the_whole_collection() -> None:
    ranker = Ranker()
    session = a_session(ranker, symbols=("MSFT", "AAPL"))
    await session.start(at(-3))
    for minute in (-1, 0, 2, 4.99, 5.1, 17, 390):
        await session.on_time(at(minute))
    assert [f"{now:%H:%M}" for now, _, _ in ranker.saw] == ["09:30", "09:35", "09:47"]
    assert ranker.saw[0][1] == ["AAPL", "MSFT"]


async def test_a_start_in_the_middle_waits_for_the_next_moment_of_the_grid() -> None:
    ranker = Ranker()
    session = a_session(ranker)
    await session.start(at(12))
    for minute in (12, 14.9, 15):
        await session.on_time(at(minute))
    assert len(ranker.saw) == 1


async def test_run_all_names_its_symbols_and_its_ids_come_from_the_grid() -> None:
    ranker = Ranker(answer=[Sell(symbol="AAPL"), Buy(symbol="brk-b", qty=3)])
    session = a_session(ranker, symbols=("AAPL", "BRK.B"))
    await session.start(at(1))
    made = intents(await session.on_time(at(5.2)))
    assert [intent.id for intent in made] == [f"b1:ranker:AAPL:{at(5)}:0", f"b1:ranker:BRK.B:{at(5)}:0"]
    assert [intent.symbol for intent in made] == ["AAPL", "BRK.B"]


async def test_run_all_never_sees_a_rejected_symbol_unless_it_holds_it_nor_one_without_lookback() -> None:
    ranker = Ranker(lookback=1)
    session = a_session(ranker, symbols=("AAPL", "MSFT", "TSLA", "YOUNG"))
    for symbol in ("AAPL", "MSFT", "TSLA"):
        session.absorb(a_bar(0, symbol=symbol))
    session.restore([Position(strategy="ranker", symbol="TSLA", qty=5, avg_price=100)], [], {}, [])
    session.veto("MSFT")
    session.veto("TSLA")
    await session.start(at(1))
    await session.on_time(at(5))
    ((_, symbols, positions),) = ranker.saw
    assert (symbols, positions["TSLA"].qty) == (["AAPL", "TSLA"], 5)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (Buy(qty=1), "names no symbol"),
        (Buy(qty=1, symbol="XYZ"), "Buy dropped: XYZ is not in the collection"),
    ],
)
async def test_run_all_must_name_a_symbol_of_its_collection(action: Any, said: str) -> None:
    session = a_session(Ranker(answer=[action]))
    await session.start(at(1))
    assert said in words(await session.on_time(at(5)))[0]


async def test_run_all_is_called_at_home_only() -> None:
    away = Ranker()
    session = a_session(Slot("ranker", away, (), home=False))
    await session.start(at(0))
    await session.on_time(at(5))
    assert away.saw == []


async def test_run_all_outside_its_windows_is_called_only_while_engaged() -> None:
    ranker = Ranker()
    session = a_session(Slot("ranker", ranker, LATE))
    await session.start(at(0))
    await session.on_time(at(0))
    assert ranker.saw == []
    session.restore([Position(strategy="ranker", symbol="AAPL", qty=5, avg_price=100)], [], {}, [])
    await session.on_time(at(5))
    assert len(ranker.saw) == 1


async def test_a_run_all_strategy_has_one_state() -> None:
    class Counter(Ranker):
        initial_state: ClassVar[Mapping[str, Any]] = {"n": 0}

        async def run_all(self, now: Any, series: Any, positions: Any, ctx: Context) -> Any:
            ctx.state["n"] += 1
            return []

    session = a_session(Counter(), symbols=("AAPL", "MSFT"))
    session.restore([], [], {"ranker": {"": {"n": 4}}}, [])
    await session.start(at(0))
    await session.on_time(at(0))
    assert session.changed_state() == [("ranker", "", {"n": 5})]


async def test_another_day_moves_windows_and_timers() -> None:
    ranker, puppet = Ranker(), Puppet()
    session = a_session(ranker, Slot("puppet", puppet, LATE))
    await session.start(OPEN)
    tomorrow = first_session(date(2024, 3, 6))
    session.open_day(tomorrow)
    await session.on_time(tomorrow.open_ns)
    shift = tomorrow.open_ns - OPEN
    bar = a_bar(30)
    await feed(session, bar, msgspec.structs.replace(bar, t_ns=bar.t_ns + shift))
    assert len(ranker.saw) == 1
    assert [bar.t_ns for bar in puppet.heard] == [at(30) + shift]
