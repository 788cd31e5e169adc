"""The websocket of order updates, against scripted servers."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from liu_tui.adapters.alpaca.tradestream import TradeStream
from liu_tui.errors import TraderError
from liu_tui.model.market import Step
from liu_tui.model.orders import OrderUpdate
from liu_tui.trading.trader import BrokerStatus
from tests.kit.alpaca import Peer, for_ever, scripted_stream

ORDER = {"id": "o1", "client_order_id": "c1", "symbol": "AAPL", "side": "buy", "qty": "10", "status": "new"}
NEW = {
    "stream": "trade_updates",
    "data": {"event": "new", "timestamp": "2026-10-08T13:30:00Z", "order": ORDER},
}


async def say(peer: Peer, message: Any, *, binary: bool = True) -> None:
    text = json.dumps(message)
    await peer.socket.send(text.encode() if binary else text)


async def hear(peer: Peer) -> Any:
    return json.loads(await peer.socket.recv())


async def authorize(peer: Peer, *, status: str = "authorized") -> Any:
    auth = await hear(peer)
    await say(peer, {"stream": "authorization", "data": {"status": status, "action": "authenticate"}})
    return auth


async def listen(peer: Peer) -> None:
    await authorize(peer)
    assert await hear(peer) == {"action": "listen", "data": {"streams": ["trade_updates"]}}
    await say(peer, {"stream": "listening", "data": {"streams": ["trade_updates"]}})


@contextlib.asynccontextmanager
async def updates_of(
    url: str,
    *,
    lockstep: bool = False,
    answer_s: float = 5.0,
    pong_s: float = 5.0,
    first_wait_s: float = 0.01,
    longest_wait_s: float = 0.01,
) -> AsyncIterator[TradeStream]:
    stream = TradeStream(
        url,
        "key",
        "secret",
        lockstep=lockstep,
        first_wait_s=first_wait_s,
        longest_wait_s=longest_wait_s,
        answer_s=answer_s,
        ping_s=min(1.0, pong_s),
        pong_s=pong_s,
    )
    yield stream
    await stream.close()
    await stream.close()


async def take(stream: TradeStream, count: int) -> list[Any]:
    """Read so many items."""
    found: list[Any] = []
    items = stream.items()
    async for item in items:
        found.append(item)
        if len(found) == count:
            break
    await items.aclose()  # type: ignore[attr-defined] # it is a generator
    return found


@pytest.mark.parametrize("binary", [True, False])
async def test_updates_are_read_from_binary_and_from_text(binary: bool) -> None:
    async def script(peer: Peer) -> None:
        await listen(peer)
        await say(peer, NEW, binary=binary)
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), updates_of(url) as stream:
        status, update = await take(stream, 2)
    assert status.connected
    assert isinstance(update, OrderUpdate)
    assert (update.event, update.order.client_order_id) == ("new", "c1")


async def test_an_update_before_the_answer_to_listen_is_not_lost() -> None:
    async def script(peer: Peer) -> None:
        await authorize(peer)
        await hear(peer)
        await say(peer, NEW)
        await say(peer, {"stream": "listening", "data": {"streams": ["trade_updates"]}})
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), updates_of(url) as stream:
        assert [type(item) for item in await take(stream, 2)] == [BrokerStatus, OrderUpdate]


async def test_each_coming_and_going_is_told() -> None:
    async def cut(peer: Peer) -> None:
        await listen(peer)
        peer.socket.transport.abort()

    async def stay(peer: Peer) -> None:
        await listen(peer)
        await for_ever(peer)

    async with scripted_stream(cut, stay) as (_server, url), updates_of(url) as stream:
        found = await take(stream, 3)
    assert [status.connected for status in found] == [True, False, True]
    assert "trying again" in found[1].words


async def test_refused_keys_are_told_and_not_tried_again() -> None:
    async def script(peer: Peer) -> None:
        await authorize(peer, status="unauthorized")
        await for_ever(peer)

    async with scripted_stream(script) as (server, url), updates_of(url) as stream:
        with pytest.raises(TraderError, match="keys refused"):
            await take(stream, 9)
        assert server.connections == 1


async def test_a_mute_server_is_left() -> None:
    async def answers(peer: Peer) -> None:
        await listen(peer)
        await for_ever(peer)

    async with scripted_stream(for_ever, answers) as (_server, url), updates_of(url, answer_s=0.1) as stream:
        found = await take(stream, 2)
    assert [status.connected for status in found] == [False, True]
    assert "no answer" in found[0].words


@pytest.mark.parametrize(
    "bad",
    [
        "nonsense",
        {"stream": "trade_updates", "data": {"event": "fill"}},
        {"stream": "step", "data": {"n": "x"}},
        [1],
    ],
)
async def test_an_update_that_cannot_be_read_asks_for_a_reconciliation(bad: Any) -> None:
    async def script(peer: Peer) -> None:
        await listen(peer)
        await say(peer, bad)
        await say(peer, {"stream": "something new", "data": 1})
        await say(peer, NEW)
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), updates_of(url) as stream:
        _came, again, update = await take(stream, 3)
        assert stream.refused == 1
    assert again.connected
    assert "could not be read" in again.words
    assert isinstance(update, OrderUpdate)


async def test_in_lock_step_a_mark_follows_the_updates_of_its_step() -> None:
    async def script(peer: Peer) -> None:
        await listen(peer)
        assert await hear(peer) == {"action": "lockstep"}
        await say(peer, NEW)
        await say(peer, {"stream": "step", "data": {"n": 4, "t": "1970-01-01T00:00:01.5Z"}})
        await say(peer, {"stream": "step", "data": {"n": 5, "t": 7}})
        await for_ever(peer)

    async with scripted_stream(script) as (_server, url), updates_of(url, lockstep=True) as stream:
        found = await take(stream, 4)
    assert found[2:] == [Step(4, 1_500_000_000), Step(5, 7)]


async def test_closing_ends_it_whatever_it_waits_for() -> None:
    async def stay(peer: Peer) -> None:
        await listen(peer)
        await for_ever(peer)

    async with scripted_stream(stay) as (_server, url):
        for address in (url, "ws://127.0.0.1:1/stream"):
            stream = TradeStream(address, "k", "s", lockstep=False, first_wait_s=1000, longest_wait_s=1000)
            items = stream.items()
            assert (await anext(items)) is not None  # connected, or waiting to try again
            waiting = asyncio.ensure_future(anext(items, None))
            await asyncio.sleep(0)
            await stream.close()
            assert await asyncio.wait_for(waiting, 5) is None


async def test_a_stream_that_dies_without_a_word_is_left_and_made_anew() -> None:
    async def dies(peer: Peer) -> None:
        await listen(peer)
        peer.socket.transport.pause_reading()  # so no ping is heard, nor answered
        await for_ever(peer)

    async def lives(peer: Peer) -> None:
        await listen(peer)
        await for_ever(peer)

    async with scripted_stream(dies, lives) as (server, url), updates_of(url, pong_s=0.05) as stream:
        found = await take(stream, 3)
        assert server.connections == 2
    assert [status.connected for status in found] == [True, False, True]
    assert "no answer to a ping" in found[1].words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            {"stream": "error", "data": {"code": 406, "msg": "connection limit exceeded"}},
            "another client took",
        ),
        ({"stream": "error", "data": {"error_message": "connection limit exceeded"}}, "another client took"),
        ({"stream": "authorization", "data": {"status": "unauthorized"}}, "keys were revoked"),
    ],
)
async def test_whoever_takes_the_connection_is_told_in_words(said: Any, words: str) -> None:
    async def evicted(peer: Peer) -> None:
        await listen(peer)
        await say(peer, {"stream": "authorization", "data": {"status": "authorized"}})
        await say(peer, {"stream": "error", "data": {"error_message": "slow down"}})
        await say(peer, said)
        await for_ever(peer)

    async with scripted_stream(evicted) as (_server, url), updates_of(url) as stream:
        _came, gone = await take(stream, 2)
    assert not gone.connected
    assert words in gone.words


async def test_the_reason_of_a_closing_is_told() -> None:
    async def closes(peer: Peer) -> None:
        await listen(peer)
        await peer.socket.close(1008, "maintenance")

    async with scripted_stream(closes) as (_server, url), updates_of(url) as stream:
        _came, gone = await take(stream, 2)
    assert "1008: maintenance" in gone.words


async def test_a_server_that_comes_and_goes_is_dialled_ever_less_often() -> None:
    async def flaps(peer: Peer) -> None:
        await listen(peer)
        await say(peer, NEW)
        peer.socket.transport.abort()

    async with (
        scripted_stream(flaps) as (_server, url),
        updates_of(url, first_wait_s=0.05, longest_wait_s=1000.0) as stream,
    ):
        found = await take(stream, 15)
    waits = [
        float(item.words.split()[-2])
        for item in found
        if isinstance(item, BrokerStatus) and not item.connected
    ]
    # Doubling, each cut by up to a half: so the fifth is longer than the first, whatever the dice say.
    assert waits[4] > waits[0]
