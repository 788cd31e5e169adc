"""Dialling: big frames, proxies, and what a broken line is called."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from liu_tui.adapters.alpaca.stream import AlpacaStream, Pace
from liu_tui.adapters.net.dial import MAX_FRAME, Shut, dial, in_words
from liu_tui.market.streaming import FeedState
from liu_tui.model.market import Trade
from tests.kit.alpaca import Peer, a_trade, for_ever, scripted_stream
from tests.kit.alpacastream import QUICK, listening

PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "WS_PROXY", "WSS_PROXY", "SOCKS_PROXY")


async def trades(peer: Peer) -> None:
    await peer.shake_hands()
    await peer.say(a_trade())
    await for_ever(peer)


@contextlib.asynccontextmanager
async def a_proxy() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A proxy that writes down what it is asked, and answers nothing; yields host:port."""
    asked: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_proxy_of_the_environment_is_not_for_this_machine(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with a_proxy() as (address, asked), scripted_stream(trades) as (_server, url):
        for name in PROXIES:
            monkeypatch.setenv(name, f"{scheme}://{address}")
            monkeypatch.setenv(name.lower(), f"{scheme}://{address}")
        async with listening(url) as listener:
            await listener.until(Trade)
        assert asked == []


async def test_a_proxy_of_the_environment_is_for_the_outside_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with a_proxy() as (address, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        monkeypatch.setenv("https_proxy", f"http://{address}")
        async with listening("wss://stream.example.invalid/v2/iex") as listener:
            await listener.until_state(FeedState.LOST)
    assert asked[0].startswith(b"CONNECT stream.example.invalid:443")


async def test_a_socks_proxy_without_its_library_is_said_with_the_mend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def no_library(*_: object, **__: object) -> None:
        raise ImportError("connecting through a SOCKS proxy requires python-socks")

    monkeypatch.setattr("liu_tui.adapters.net.dial.connect", no_library)
    with pytest.raises(Shut) as caught:
        await dial("wss://stream.example.invalid/v2/iex", open_s=1)
    assert "ALL_PROXY" in caught.value.mend


async def test_a_frame_over_the_limit_loses_the_line_in_words() -> None:
    async def too_much(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.socket.send(bytes(MAX_FRAME + 1))
        await for_ever(peer)

    async with scripted_stream(too_much, trades) as (_server, url), listening(url) as listener:
        await listener.until(Trade)
        words = await listener.until_state(FeedState.LOST)
    assert "more than 16 MiB" in words[0]


async def test_a_frame_of_fifteen_mebibytes_is_read() -> None:
    async def much(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.say(a_trade(junk="x" * 15 * 2**20))
        await for_ever(peer)

    async with scripted_stream(much) as (_server, url), listening(url) as listener:
        assert len(await listener.until(Trade)) == 1


def test_what_broke_a_line_is_said_in_words() -> None:
    assert (
        in_words(ConnectionClosedError(Close(1008, "policy"), None))
        == "the connection was closed (1008: policy)"
    )
    assert in_words(ConnectionClosedError(None, None)) == "the connection was closed (1006)"
    assert "no answer to a ping" in in_words(ConnectionClosedError(None, Close(1011, "keepalive")))
    assert in_words(EOFError()) == "EOFError"


async def test_an_open_that_is_never_answered_ends_in_words() -> None:
    async def mute(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await _reader.read()
        writer.close()

    pace = Pace(open_s=0.1, first_wait_s=0.01, longest_wait_s=0.01)
    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v2/iex"
        async with listening(url, pace=pace) as listener:
            words = await listener.until_state(FeedState.LOST)
    assert "timed out" in words[0]


def test_each_feed_may_say_how_late_it_is() -> None:
    url = "wss://stream.data.alpaca.markets/v2/"
    assert AlpacaStream(url + "iex", "k", "s", pace=QUICK).delay_ns == 0
    assert AlpacaStream(url + "delayed_sip", "k", "s", delay_ns=900_000_000_000).delay_ns == 900_000_000_000
