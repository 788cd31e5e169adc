"""AlpacaStream against scripted servers on real sockets."""

import asyncio
from typing import Any

import pytest

from liu_tui.adapters.alpaca.channels import EXTRAS
from liu_tui.adapters.alpaca.stream import AlpacaStream, Pace
from liu_tui.errors import FeedError
from liu_tui.market.streaming import FeedState, FeedStatus, SessionEnd, Unreadable
from liu_tui.model.clock import Anchor
from liu_tui.model.market import Bar, Event, Quote, Step, Trade
from tests.kit.alpaca import T0_NS, Peer, a_bar, a_quote, a_trade, for_ever, frame, scripted_stream, stamp
from tests.kit.alpacastream import HASTY, QUICK, Listener, listening


async def test_it_asks_for_msgpack_and_authenticates_by_message() -> None:
    heard: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        heard.append(await peer.shake_hands())
        await peer.say(a_trade())
        await for_ever(peer)

    async with scripted_stream(script) as (server, url), listening(url) as listener:
        assert (await listener.until(Trade))[0].price == 100.25
        assert server.headers[0]["Content-Type"] == "application/msgpack"
    assert heard == [{"action": "auth", "key": "key", "secret": "secret"}]
    assert [item.state for item in listener.items[:2] if isinstance(item, FeedStatus)] == [
        FeedState.CONNECTING,
        FeedState.LIVE,
    ]


async def test_events_become_channels_and_only_the_difference_is_sent() -> None:
    asked: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        asked.extend([await peer.grant() for _ in range(4)])
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        stream = listener.stream
        await stream.subscribe({Event.SECOND: {"aapl"}, Event.QUOTE: {"MSFT"}, Event.MINUTE: {"AAPL"}})
        await stream.subscribe({Event.TRADE: {"AAPL"}, Event.QUOTE: {"MSFT"}, Event.MINUTE: {"AAPL"}})
        await stream.subscribe({Event.TRADE: {"AAPL", "SPY"}, Event.QUOTE: {"MSFT"}, Event.MINUTE: {"AAPL"}})
        await stream.subscribe({Event.TRADE: {"SPY", "QQQ"}})
    both = {name: ["AAPL", "MSFT"] for name in EXTRAS}
    events = {"trades": ["AAPL"], "quotes": ["MSFT"], "bars": ["AAPL"]}
    assert asked == [
        {"action": "subscribe", **events, **both},
        {"action": "subscribe", "trades": ["SPY"], **{name: ["SPY"] for name in EXTRAS}},
        {"action": "unsubscribe", **events, **both},
        {"action": "subscribe", "trades": ["QQQ"], **{name: ["QQQ"] for name in EXTRAS}},
    ]


async def test_what_is_wanted_before_connecting_is_subscribed_at_the_connect() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        # An event may well come before the answer: it must not be lost.
        asked = await peer.hear()
        await peer.say(a_quote())
        await peer.say({"T": "subscription", "trades": asked["trades"]})
        await peer.say(a_trade())
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url):
        stream = AlpacaStream(url, "key", "secret", pace=QUICK)
        await stream.subscribe({Event.TRADE: {"AAPL"}})
        listener = Listener(stream)
        await listener.until(Trade)
        kinds = [type(item) for item in listener.items]
        await stream.close()
        await listener.task
    assert kinds == [FeedStatus, FeedStatus, Quote, Trade]


async def test_a_lost_line_is_told_and_everything_subscribed_again() -> None:
    async def first(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.grant()
        await peer.say(a_trade())
        peer.socket.transport.abort()

    async def second(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.grant()
        assert peer.channels["trades"] == {"AAPL"}
        await peer.say(a_bar())
        await for_ever(peer)

    async with scripted_stream(first, second) as (_server, url), listening(url) as listener:
        await listener.stream.subscribe({Event.TRADE: {"AAPL"}})
        await listener.until(Bar)
        states = [item.state for item in listener.items if isinstance(item, FeedStatus)]
    assert states == [
        FeedState.CONNECTING,
        FeedState.LIVE,
        FeedState.LOST,
        FeedState.CONNECTING,
        FeedState.LIVE,
    ]


async def test_nobody_listening_there_is_told_and_tried_again() -> None:
    async with listening("ws://127.0.0.1:1/v2/iex") as listener:
        words = await listener.until_state(FeedState.LOST, 2)
    assert "trying again" in words[0]


@pytest.mark.parametrize(("code", "words"), [(402, "keys refused"), (409, "does not include this feed")])
async def test_a_final_refusal_is_said_with_the_mend_and_not_tried_again(code: int, words: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.say({"T": "success", "msg": "connected"})
        await peer.hear()
        await peer.refuse(code, "no")
        await for_ever(peer)

    async with scripted_stream(script) as (server, url), listening(url) as listener:
        with pytest.raises(FeedError, match=words) as caught:
            await listener.task
        assert server.connections == 1
    assert caught.value.mend
    last = listener.items[-1]
    assert isinstance(last, FeedStatus)
    assert last.state is FeedState.REFUSED


async def test_a_taken_slot_is_waited_for_in_words() -> None:
    async def taken(peer: Peer) -> None:
        await peer.say({"T": "success", "msg": "connected"})
        await peer.hear()
        await peer.refuse(406, "connection limit exceeded")
        await for_ever(peer)

    async def free(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.say(a_trade())
        await for_ever(peer)

    async with scripted_stream(taken, taken, free) as (_server, url), listening(url) as listener:
        await listener.until(Trade)
        words = await listener.until_state(FeedState.LOST, 2)
    assert "another connection holds" in words[0]
    assert "giving up in 5 s if it stays" in words[0]


async def test_a_slot_that_stays_taken_is_given_up() -> None:
    async def taken(peer: Peer) -> None:
        await peer.say({"T": "success", "msg": "connected"})
        await peer.hear()
        await peer.refuse(406, "connection limit exceeded")
        await for_ever(peer)

    impatient = Pace(first_wait_s=0.01, longest_wait_s=0.01, slot_s=0)
    async with scripted_stream(taken) as (_server, url), listening(url, pace=impatient) as listener:
        with pytest.raises(FeedError, match="another connection") as caught:
            await listener.task
    assert "End the other program" in caught.value.mend


async def test_a_subscription_without_an_answer_cuts_the_line_and_is_sent_again() -> None:
    async def mute(peer: Peer) -> None:
        await peer.shake_hands()
        await for_ever(peer)

    async def second(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.grant()
        await peer.say(a_trade())
        await for_ever(peer)

    async with scripted_stream(mute, second) as (_server, url), listening(url, pace=HASTY) as listener:
        await listener.until_state(FeedState.LIVE)
        await listener.stream.subscribe({Event.TRADE: {"AAPL"}})
        await listener.until(Trade)
        words = await listener.until_state(FeedState.LOST)
    assert "no answer to a subscription" in words[0]


async def test_a_server_that_never_greets_is_left() -> None:
    async def greets(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.say(a_trade())
        await for_ever(peer)

    async with scripted_stream(for_ever, greets) as (_server, url), listening(url, pace=HASTY) as listener:
        await listener.until(Trade)
        assert "no 'connected'" in (await listener.until_state(FeedState.LOST))[0]


async def test_being_too_slow_is_counted_and_said() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.refuse(407, "slow client")

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        words = await listener.until_state(FeedState.LOST, 2)
        assert listener.stream.slow >= 1
    assert "did not read fast enough" in words[0]


async def test_a_bad_frame_is_counted_and_the_line_goes_on() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.socket.send(b"\xc1 not msgpack")
        await peer.socket.send(frame(a_trade(p=-1), a_quote()))
        await peer.socket.send("a text frame")
        await peer.say(a_trade())
        await for_ever(peer)

    async with scripted_stream(script) as (server, url), listening(url) as listener:
        await listener.until(Trade)
        assert len(await listener.until(Quote)) == 1
        assert [lost.count for lost in await listener.until(Unreadable, 3)] == [1, 1, 1]
        assert listener.stream.refused == 3
        assert server.connections == 1


async def test_a_frame_of_two_mebibytes_is_read() -> None:
    many = [a_trade(f"S{n}") for n in range(40_000)]

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        big = frame(*many)
        assert len(big) > 2 * 2**20
        await peer.socket.send(big)
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        assert len(await listener.until(Trade, len(many))) == len(many)


async def test_closing_ends_the_batches_whatever_they_wait_for() -> None:
    async with scripted_stream(for_ever) as (_server, url):
        for address in (url, "ws://127.0.0.1:1/v2/iex"):
            patient = Pace(answer_s=1000, first_wait_s=1000, longest_wait_s=1000)
            listener = Listener(AlpacaStream(address, "key", "secret", pace=patient))
            await listener.until(FeedStatus)
            await listener.stream.close()
            await asyncio.wait_for(listener.task, 5)
            await listener.stream.close()


async def test_the_local_markets_clock_is_asked_for_and_comes_as_anchors() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        assert await peer.hear() == {"action": "clock"}
        await peer.say({"T": "success", "msg": "clock"})
        await peer.say({"T": "clock", "t": stamp(), "speed": 4.0, "paused": False, "lockstep": False})
        await peer.say({"T": "end", "t": stamp()})
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url, local=True) as listener:
        (anchor,) = await listener.until(Anchor)
        assert (anchor.venue_ns, anchor.speed) == (T0_NS, 4.0)
        assert await listener.until(SessionEnd) == [SessionEnd(T0_NS)]


async def test_in_lock_step_the_market_is_joined_and_acknowledged_again_after_a_break() -> None:
    async def join(peer: Peer) -> None:
        await peer.shake_hands()
        assert await peer.hear() == {"action": "clock"}
        assert await peer.hear() == {"action": "lockstep"}

    async def first(peer: Peer) -> None:
        await join(peer)
        assert await peer.hear() == {"action": "ack", "n": 0}
        await peer.say(a_trade(), {"T": "step", "n": 1, "t": stamp()})
        assert await peer.hear() == {"action": "ack", "n": 1}
        peer.socket.transport.abort()

    async def second(peer: Peer) -> None:
        await join(peer)
        assert await peer.hear() == {"action": "ack", "n": 1}
        # The step under way is told once more to who comes back; it is done here already.
        await peer.say({"T": "step", "n": 1, "t": stamp()})
        assert await peer.hear() == {"action": "ack", "n": 1}
        await peer.say({"T": "step", "n": 2, "t": stamp()})
        await for_ever(peer)

    async with scripted_stream(first, second) as (_server, url), listening(url, lockstep=True) as listener:
        await listener.stream.acknowledge(0)
        await listener.until(Step)
        await listener.stream.acknowledge(1)
        steps = await listener.until(Step, 2)
    assert [step.n for step in steps] == [1, 2]


async def test_a_step_told_again_while_subscriptions_are_answered_is_answered_and_told_to_nobody() -> None:
    async def join(peer: Peer, n: int) -> None:
        await peer.shake_hands()
        assert await peer.hear() == {"action": "clock"}
        assert await peer.hear() == {"action": "lockstep"}
        assert await peer.hear() == {"action": "ack", "n": n}

    async def first(peer: Peer) -> None:
        await join(peer, 0)
        await peer.grant()
        await peer.say({"T": "step", "n": 5, "t": stamp()})
        assert await peer.hear() == {"action": "ack", "n": 5}
        peer.socket.transport.abort()

    async def second(peer: Peer) -> None:
        await join(peer, 5)
        # A market that was killed came back a step behind, and says so before it grants anything.
        await peer.say({"T": "step", "n": 4, "t": stamp()})
        await peer.grant()
        assert await peer.hear() == {"action": "ack", "n": 4}
        await peer.say({"T": "step", "n": 5, "t": stamp()})
        assert await peer.hear() == {"action": "ack", "n": 5}
        await peer.say({"T": "step", "n": 6, "t": stamp()})
        await for_ever(peer)

    async with scripted_stream(first, second) as (_server, url), listening(url, lockstep=True) as listener:
        await listener.stream.acknowledge(0)
        await listener.stream.subscribe({Event.TRADE: {"AAPL"}})
        await listener.until(Step)
        await listener.stream.acknowledge(5)
        steps = await listener.until(Step, 2)
    assert [step.n for step in steps] == [5, 6]


async def test_a_real_venue_is_sent_no_word_of_ours() -> None:
    said: list[Any] = []

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.say(a_trade())
        said.append(await peer.hear())

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        await listener.until(Trade)
        await listener.stream.acknowledge(1)
    assert said == []
