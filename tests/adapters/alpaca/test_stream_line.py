"""AlpacaStream and its line: who goes mute, who flaps, and what a caller may cut."""

import asyncio

import pytest

from liu_tui.adapters.alpaca.stream import AlpacaStream, Pace
from liu_tui.market.streaming import FeedState, FeedStatus
from liu_tui.model.market import Event, Trade
from tests.kit.alpaca import Peer, Script, a_trade, for_ever, scripted_stream
from tests.kit.alpacastream import HASTY, QUICK, Listener, listening


async def trades(peer: Peer) -> None:
    await peer.shake_hands()
    await peer.say(a_trade())
    await for_ever(peer)


async def mute_after_the_greeting(peer: Peer) -> None:
    await peer.say({"T": "success", "msg": "connected"})
    await for_ever(peer)


async def mute_after_the_keys(peer: Peer) -> None:
    await peer.shake_hands()
    await for_ever(peer)


@pytest.mark.parametrize(
    ("mute", "words"),
    [
        (for_ever, "no 'connected' within 0.1 s"),
        (mute_after_the_greeting, "no 'authenticated' within 0.1 s"),
        (mute_after_the_keys, "no answer to a subscription within 0.1 s"),
    ],
)
async def test_a_server_that_goes_mute_on_the_way_in_is_left_in_words(mute: Script, words: str) -> None:
    async def well(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.grant()
        await peer.say(a_trade())
        await for_ever(peer)

    async with scripted_stream(mute, well) as (_server, url):
        stream = AlpacaStream(url, "key", "secret", pace=HASTY)
        await stream.subscribe({Event.TRADE: {"AAPL"}})
        listener = Listener(stream)
        await listener.until(Trade)
        assert words in (await listener.until_state(FeedState.LOST))[0]
        await stream.close()
        await listener.task


@pytest.mark.parametrize(
    ("code", "words"), [(404, "keys came too late"), (500, "a fault within Alpaca"), (499, "Alpaca says no")]
)
async def test_what_may_pass_is_tried_again_in_words(code: int, words: str) -> None:
    async def refuses(peer: Peer) -> None:
        await peer.say({"T": "success", "msg": "connected"})
        await peer.hear()
        await peer.refuse(code, "what it said")
        await for_ever(peer)

    async with scripted_stream(refuses, trades) as (_server, url), listening(url) as listener:
        await listener.until(Trade)
        said = (await listener.until_state(FeedState.LOST))[0]
    assert f"{words} ({code}: what it said); trying again" in said


async def test_a_fault_within_alpaca_while_it_subscribes_is_tried_again_too() -> None:
    async def faulty(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.hear()
        await peer.refuse(500, "internal error")
        await for_ever(peer)

    async def well(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.grant()
        await peer.say(a_trade())
        await for_ever(peer)

    async with scripted_stream(faulty, well) as (_server, url), listening(url) as listener:
        await listener.until_state(FeedState.LIVE)
        assert await listener.stream.subscribe({Event.TRADE: {"AAPL"}}) == frozenset()
        await listener.until(Trade)
        assert "a fault within Alpaca" in (await listener.until_state(FeedState.LOST))[0]


async def test_the_caller_may_cut_a_quiet_line_in_words() -> None:
    async with scripted_stream(trades) as (server, url), listening(url) as listener:
        await listener.until(Trade)
        listener.stream.reconnect("quiet for 0:00:40")
        await listener.until(Trade, 2)
        assert "quiet for 0:00:40; trying again" in (await listener.until_state(FeedState.LOST))[0]
        assert server.connections == 2


@pytest.mark.parametrize("stage", [for_ever, mute_after_the_greeting, mute_after_the_keys])
async def test_the_caller_may_cut_an_attempt_too(stage: Script) -> None:
    reached = asyncio.Event()

    async def slow(peer: Peer) -> None:
        asyncio.get_running_loop().call_soon(reached.set)
        await stage(peer)

    async with scripted_stream(slow, trades) as (_server, url):
        stream = AlpacaStream(url, "key", "secret", pace=QUICK)
        listener = Listener(stream)
        if stage is mute_after_the_keys:
            await stream.subscribe({Event.TRADE: {"AAPL"}})
        await reached.wait()
        stream.reconnect("too slow for us")
        words = (await listener.until_state(FeedState.LOST))[0]
        await stream.close()
        await listener.task
    assert words.startswith("too slow for us; trying again")


async def test_cutting_between_two_attempts_or_after_the_end_does_nothing() -> None:
    patient = Pace(first_wait_s=1000, longest_wait_s=1000)
    listener = Listener(AlpacaStream("ws://127.0.0.1:1/v2/iex", "key", "secret", pace=patient))
    listener.stream.reconnect("before it began")
    await listener.until_state(FeedState.LOST)
    listener.stream.reconnect("while it waits")
    await listener.stream.close()
    listener.stream.reconnect("after the end")
    await listener.task
    assert len([item for item in listener.items if isinstance(item, FeedStatus)]) == 2


async def test_being_too_slow_is_counted_while_the_line_lives() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.refuse(407, "slow client")
        await peer.say(a_trade())
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), listening(url) as listener:
        await listener.until(Trade)
        assert listener.stream.slow == 1
        listener.stream.reconnect("quiet")
        await listener.until(Trade, 2)
        assert listener.stream.slow == 2


def waits_of(words: list[str]) -> list[float]:
    return [float(said.rsplit(" ", 2)[1]) for said in words]


async def test_a_flapping_server_is_dialled_less_and_less_often() -> None:
    async def flaps(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.say(a_trade())

    pace = Pace(first_wait_s=0.1, longest_wait_s=0.8, steady_s=1000)
    async with scripted_stream(flaps) as (_server, url), listening(url, pace=pace) as listener:
        waits = waits_of(await listener.until_state(FeedState.LOST, 4))
    assert all(
        0.5 * bound - 0.06 <= waited <= bound + 0.06
        for waited, bound in zip(waits, (0.1, 0.2, 0.4, 0.8), strict=False)
    )


async def test_after_data_flowed_for_a_while_the_waits_begin_with_the_first() -> None:
    async def drops(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.say(a_trade())

    pace = Pace(first_wait_s=0.01, longest_wait_s=1000, steady_s=0)
    async with scripted_stream(drops) as (_server, url), listening(url, pace=pace) as listener:
        assert max(waits_of(await listener.until_state(FeedState.LOST, 6))) < 0.1


async def test_a_server_that_takes_us_in_and_says_nothing_is_not_steady() -> None:
    async def empty(peer: Peer) -> None:
        await peer.shake_hands()

    pace = Pace(first_wait_s=0.1, longest_wait_s=0.4, steady_s=0)
    async with scripted_stream(empty) as (_server, url), listening(url, pace=pace) as listener:
        waits = waits_of(await listener.until_state(FeedState.LOST, 3))
    assert waits[2] > 0.1
