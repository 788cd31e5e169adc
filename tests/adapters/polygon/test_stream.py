"""PolygonStream against scripted servers on real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from liu_tui.adapters.polygon.stream import Pace, PolygonStream
from liu_tui.errors import FeedError
from liu_tui.market.streaming import FeedState, FeedStatus, StreamItem, Unreadable
from liu_tui.model.clock import Anchor
from liu_tui.model.market import Bar, Event, Quote, Trade
from tests.kit.polygon import T0_NS, Peer, a_bar, a_quote, a_status, a_trade, for_ever, scripted_stream

QUICK = Pace(open_s=5, answer_s=5, first_wait_s=0.01, longest_wait_s=0.02, slot_s=5)
IMPATIENT = Pace(open_s=5, answer_s=0.05, first_wait_s=0.01, longest_wait_s=0.02, slot_s=0.0)


class Listener:
    """Reads a stream in a task of its own, as the producer does."""

    def __init__(self, stream: PolygonStream) -> None:
        self.stream = stream
        self.items: list[StreamItem] = []
        self._news = asyncio.Event()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for batch in self.stream.batches():
                self.items += batch
                self._news.set()
        finally:
            self._news.set()

    async def until(self, kind: type[StreamItem], count: int = 1) -> list[Any]:
        """Wait for so many items of a kind."""
        while len(found := [item for item in self.items if isinstance(item, kind)]) < count:
            if self.task.done():
                self.task.result()
                raise AssertionError(f"the stream ended with {self.items}")
            self._news.clear()
            await self._news.wait()
        return found

    async def until_state(self, state: FeedState, count: int = 1) -> list[str]:
        """Wait for so many statuses of a state; return their words."""
        seen = 0
        while True:
            seen += 1
            found = [s.words for s in await self.until(FeedStatus, seen) if s.state is state]
            if len(found) >= count:
                return found


@contextlib.asynccontextmanager
async def listening(url: str, **more: Any) -> AsyncIterator[Listener]:
    """Open a stream and read it; close both at the end."""
    listener = Listener(PolygonStream(url, "key", **{"pace": QUICK, **more}))
    try:
        yield listener
    finally:
        await listener.stream.close()
        with contextlib.suppress(FeedError):
            await listener.task


async def refusal_of(stream: PolygonStream) -> tuple[FeedError, list[FeedState]]:
    """Read a stream to its refusal; return it, and the states before it."""
    states: list[FeedState] = []

    async def read() -> None:
        async for batch in stream.batches():
            states.extend(item.state for item in batch if isinstance(item, FeedStatus))

    with pytest.raises(FeedError) as caught:
        await read()
    return caught.value, states


async def test_it_authenticates_by_message_and_says_that_it_is_live() -> None:
    heard: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        heard.append(await peer.shake_hands())
        await peer.say(a_trade(), a_quote(), a_bar())
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        await listener.until(Bar)
    assert heard == [{"action": "auth", "params": "key"}]
    states = [item.state for item in listener.items[:2] if isinstance(item, FeedStatus)]
    assert states == [FeedState.CONNECTING, FeedState.LIVE]
    assert [type(item) for item in listener.items[2:]] == [Trade, Quote, Bar]


async def test_events_become_topics_and_only_the_difference_is_sent() -> None:
    asked: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        asked.extend([await peer.grant() for _ in range(5)])
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        stream = listener.stream
        assert (
            await stream.subscribe({Event.SECOND: {"aapl"}, Event.MINUTE: {"AAPL", "BAC.PRK"}}) == frozenset()
        )
        await stream.subscribe({Event.SECOND: {"AAPL"}, Event.MINUTE: {"AAPL", "BAC.PRK"}})
        await stream.subscribe({Event.SECOND: {"AAPL"}, Event.QUOTE: {"AAPL"}, Event.MINUTE: {"BAC.PRK"}})
        await stream.subscribe({Event.TRADE: {"AAPL"}})
    assert asked == [
        {"action": "subscribe", "params": "A.AAPL,AM.AAPL,AM.BACpK,LULD.AAPL,LULD.BACpK"},
        {"action": "unsubscribe", "params": "AM.AAPL"},
        {"action": "subscribe", "params": "Q.AAPL"},
        {"action": "unsubscribe", "params": "A.AAPL,AM.BACpK,LULD.BACpK,Q.AAPL"},
        {"action": "subscribe", "params": "T.AAPL"},
    ]


async def test_what_is_wanted_before_connecting_is_subscribed_at_the_connect() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        asked = await peer.hear()
        # An event may well come before the answers: it must not be lost.
        await peer.say(a_quote())
        for topic in asked["params"].split(","):
            await peer.say(a_status("success", f"subscribed to: {topic}"))
        await peer.say(a_trade())
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url):
        stream = PolygonStream(url, "key", pace=QUICK)
        await stream.subscribe({Event.TRADE: {"AAPL"}})
        listener = Listener(stream)
        await listener.until(Trade)
        await stream.close()
        await listener.task
    assert [type(item) for item in listener.items] == [FeedStatus, FeedStatus, Quote, Trade]


@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_a_closed_line_is_told_and_everything_subscribed_again(code: int) -> None:
    asked: list[str] = []

    async def first(peer: Peer) -> None:
        await peer.shake_hands()
        asked.append((await peer.grant())["params"])
        await peer.socket.close(code)

    async def second(peer: Peer) -> None:
        await peer.shake_hands()
        asked.append((await peer.grant())["params"])
        await peer.say(a_trade())
        await for_ever(peer)

    async with scripted_stream(first, second) as (server, url):
        stream = PolygonStream(url, "key", pace=QUICK)
        await stream.subscribe({Event.TRADE: {"AAPL"}})
        listener = Listener(stream)
        await listener.until(Trade)
        assert str(code) in (await listener.until_state(FeedState.LOST))[0]
        await stream.close()
        await listener.task
        assert server.connections == 2
    assert asked == ["LULD.AAPL,T.AAPL"] * 2


async def test_a_quiet_line_is_cut_and_made_anew() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        listener.stream.reconnect("no data for 30 s")
        assert "no data for 30 s" in (await listener.until_state(FeedState.LOST))[0]
        await listener.until_state(FeedState.LIVE, 2)


async def test_a_refused_key_stops_it_with_the_mend() -> None:
    async def script(peer: Peer) -> None:
        await peer.say(a_status("connected"))
        await peer.hear()
        await peer.say(a_status("auth_failed", "Your plan doesn't include websocket access"))

    async with scripted_stream(script) as (server, url):
        refusal, states = await refusal_of(PolygonStream(url, "key", pace=QUICK))
        assert server.connections == 1
    assert "websocket access" in refusal.what
    assert "POLYGON_API_KEY" in refusal.mend
    assert states == [FeedState.CONNECTING, FeedState.REFUSED]


async def test_who_is_evicted_does_not_fight() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.say(a_status("max_connections", "Maximum number of websocket connections exceeded."))
        await peer.socket.close(1008)

    async with scripted_stream(script) as (server, url):
        refusal, states = await refusal_of(PolygonStream(url, "key", pace=QUICK))
        assert server.connections == 1
    assert "another program took the only connection with this key" in refusal.what
    assert refusal.mend
    assert states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.REFUSED]


async def test_a_place_that_is_not_free_yet_is_tried_again_but_not_for_ever() -> None:
    async def script(peer: Peer) -> None:
        await peer.say(a_status("connected"))
        await peer.hear()
        await peer.say(a_status("max_connections", "too many"))
        await for_ever(peer)

    async with scripted_stream(script) as (server, url):
        refusal, states = await refusal_of(PolygonStream(url, "key", pace=IMPATIENT))
        assert server.connections > 1
    assert "only place" in refusal.what
    assert FeedState.LOST in states


async def test_a_slow_reader_is_told_so_and_counted() -> None:
    async def first(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.say(a_status("slow_consumer", "you do not keep up"))
        await peer.socket.close(1008)

    async def then(peer: Peer) -> None:
        await peer.shake_hands()
        await for_ever(peer)

    async with scripted_stream(first, then) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE, 2)
        assert "did not read fast enough" in (await listener.until_state(FeedState.LOST))[0]
        assert listener.stream.slow == 1


@pytest.mark.parametrize("status", ["force_disconnect", "auth_timeout"])
async def test_a_forced_end_is_no_end(status: str) -> None:
    async def first(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.say(a_status(status))
        await for_ever(peer)

    async def then(peer: Peer) -> None:
        await peer.shake_hands()
        await for_ever(peer)

    async with scripted_stream(first, then) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE, 2)
        assert status in (await listener.until_state(FeedState.LOST))[0]


async def test_a_topic_that_is_refused_is_named_and_the_others_stay() -> None:
    asked: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        asked.append((await peer.hear())["params"])
        # One error for each topic, and none says which: the order is the vendor's own.
        await peer.say(a_status("error", "not authorized"), a_status("success", "subscribed to: AM.AAPL"))
        await peer.say(a_status("error", "not authorized"))
        await peer.say(a_bar())
        asked.append((await peer.grant())["params"])
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        with pytest.raises(FeedError, match=r"Q\.AAPL refused: not authorized") as caught:
            await listener.stream.subscribe({Event.QUOTE: {"AAPL"}, Event.MINUTE: {"AAPL"}})
        assert "upgrade" in caught.value.mend
        await listener.until(Bar)
        await listener.stream.subscribe({Event.SECOND: {"AAPL"}, Event.MINUTE: {"AAPL"}})
    assert asked == ["AM.AAPL,LULD.AAPL,Q.AAPL", "A.AAPL"]


async def test_price_bands_that_a_plan_does_not_have_are_done_without() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.hear()
        await peer.say(a_status("success", "subscribed to: AM.AAPL"), a_status("error", "not authorized"))
        await peer.say(a_bar())
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        assert not await listener.stream.subscribe({Event.MINUTE: {"AAPL"}})
        await listener.until(Bar)


async def test_without_any_answer_the_line_is_taken_for_dead() -> None:
    async def first(peer: Peer) -> None:
        await peer.shake_hands()
        await for_ever(peer)

    async def then(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.grant()
        await peer.say(a_trade())
        await for_ever(peer)

    async with scripted_stream(first, then) as (_server, url), listening(url, pace=IMPATIENT) as listener:
        await listener.until_state(FeedState.LIVE)
        assert not await listener.stream.subscribe({Event.TRADE: {"AAPL"}})
        await listener.until(Trade)
        assert "no answer to a subscription" in (await listener.until_state(FeedState.LOST))[0]


async def test_an_error_that_answers_for_several_topics_ends_the_waiting() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.hear()
        await peer.say(a_status("error", "invalid params"))
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url, pace=IMPATIENT) as listener:
        await listener.until_state(FeedState.LIVE)
        with pytest.raises(FeedError, match="invalid params"):
            await listener.stream.subscribe({Event.TRADE: {"AAPL"}, Event.QUOTE: {"AAPL"}})


async def test_what_cannot_be_read_is_marked_in_its_place_and_counted() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.say(a_trade(), a_trade(p="much"), a_quote())
        await peer.socket.send("no json")
        await peer.say(a_bar())
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        await listener.until(Bar)
        assert listener.stream.refused == 2
    assert [type(item) for item in listener.items[2:]] == [Trade, Unreadable, Quote, Unreadable, Bar]


async def test_the_local_market_is_asked_for_its_clock() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        assert await peer.hear() == {"action": "clock"}
        await peer.say({"ev": "clock", "t": T0_NS, "speed": 10.0, "paused": False, "lockstep": False})
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url, local=True) as listener:
        (anchor,) = await listener.until(Anchor)
    assert (anchor.venue_ns, anchor.speed) == (T0_NS, 10.0)


async def test_a_big_frame_is_taken_whole() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.say(*[a_trade(q=n) for n in range(20_000)])
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        assert len(await listener.until(Trade, 20_000)) == 20_000


async def test_a_server_that_does_not_greet_is_left_again() -> None:
    async with scripted_stream(for_ever) as (_server, url), listening(url, pace=IMPATIENT) as listener:
        assert "no 'connected'" in (await listener.until_state(FeedState.LOST))[0]


async def test_closing_ends_it_wherever_it_is_and_twice_does_no_harm() -> None:
    async with scripted_stream(for_ever) as (_server, url):
        listener = Listener(PolygonStream(url, "key", pace=QUICK, delay_ns=7))
        await listener.until_state(FeedState.CONNECTING)
        await listener.stream.acknowledge(3)
        await listener.stream.close()
        await listener.stream.close()
        await listener.task
        assert listener.stream.delay_ns == 7


async def test_the_caller_may_cut_an_attempt_too() -> None:
    reached = asyncio.Event()

    async def mute(peer: Peer) -> None:
        reached.set()
        await for_ever(peer)

    async with scripted_stream(mute) as (_server, url), listening(url) as listener:
        await reached.wait()
        listener.stream.reconnect("too slow for us")
        (words, *_) = await listener.until_state(FeedState.LOST)
    assert words.startswith("too slow for us; trying again")
