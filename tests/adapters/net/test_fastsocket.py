"""Both websocket libraries behind the same door: what comes, how a line ends, and which of them is taken."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from liu_tui.adapters.net import fastsocket
from liu_tui.adapters.net.dial import BROKEN, Lost, Shut, Socket, dial, in_words
from liu_tui.adapters.net.fastsocket import FastSocket
from tests.kit.engine import open_files

pytest.importorskip("picows", reason="the extra `fast` is not installed")

Script = Callable[[ServerConnection], Awaitable[None]]


@pytest.fixture(params=["fast", "plain"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take one library, then the other."""
    monkeypatch.setenv("LIU_PLAIN", "1" if request.param == "plain" else "")
    way: str = request.param
    return way


@asynccontextmanager
async def a_line(script: Script) -> AsyncIterator[Socket]:
    """Connect to a server that plays a script."""
    async with serve(script, "127.0.0.1", 0, close_timeout=0.1) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        socket = await dial(f"ws://127.0.0.1:{port}/", open_s=5, much=True)
        try:
            yield socket
        finally:
            await socket.close()


async def echo(peer: ServerConnection) -> None:
    async for message in peer:
        await peer.send(message)


async def test_each_way_takes_its_library(way: str) -> None:
    async with a_line(echo) as socket:
        assert isinstance(socket, FastSocket) is (way == "fast")


async def test_order_updates_keep_the_plain_library() -> None:
    async with serve(echo, "127.0.0.1", 0, close_timeout=0.1) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        socket = await dial(f"ws://127.0.0.1:{port}/", open_s=5)
        assert not isinstance(socket, FastSocket)
        await socket.close()


@pytest.mark.usefixtures("way")
async def test_text_bytes_and_messages_in_parts_come_as_bytes() -> None:
    async def speak(peer: ServerConnection) -> None:
        await peer.send("text")
        await peer.send(b"bytes")
        await peer.send([b"in ", b"three ", b"parts"])
        await peer.send(await peer.recv())

    async with a_line(speak) as socket:
        await socket.send(b"back")
        got = [await socket.recv(decode=False) for _ in range(4)]
    assert got == [b"text", b"bytes", b"in three parts", b"back"]


@pytest.mark.usefixtures("way")
async def test_what_was_sent_before_the_end_is_read_and_then_the_end_with_its_code() -> None:
    async def last_words(peer: ServerConnection) -> None:
        await peer.send(b"one")
        await peer.send(b"two")
        await peer.close(1008, "policy")

    async with a_line(last_words) as socket:
        assert [await socket.recv(decode=False) for _ in range(2)] == [b"one", b"two"]
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv(decode=False)
        assert in_words(caught.value) == "the connection was closed (1008: policy)"
        with pytest.raises(ConnectionClosed):
            await socket.send(b"too late")


@pytest.mark.usefixtures("way")
async def test_a_line_that_is_cut_ends_at_once_for_who_reads() -> None:
    async def mute(peer: ServerConnection) -> None:
        await peer.wait_closed()

    async with a_line(mute) as socket:
        reading = asyncio.create_task(socket.recv(decode=False))
        await asyncio.sleep(0)
        socket.transport.abort()
        async with asyncio.timeout(1):
            with pytest.raises(BROKEN) as caught:
                await reading
        assert "1006" in in_words(caught.value)
        socket.transport.abort()  # may be asked for twice


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("status", "fault"), [(503, Lost), (403, Shut)])
async def test_a_refusal_is_for_now_or_for_good(status: int, fault: type[Exception]) -> None:
    def refuse(peer: ServerConnection, _request: Request) -> Response:
        return peer.respond(status, "no\n")

    async with serve(echo, "127.0.0.1", 0, process_request=refuse) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(fault) as caught:
            await dial(f"ws://127.0.0.1:{port}/", open_s=5, much=True)
    assert str(status) in str(caught.value)


@pytest.mark.usefixtures("way")
async def test_nobody_there_is_lost_and_no_address_is_shut() -> None:
    with pytest.raises(Lost):
        await dial("ws://127.0.0.1:1/", open_s=5, much=True)
    with pytest.raises(Shut):
        await dial("http://127.0.0.1:1/", open_s=5, much=True)


@pytest.mark.usefixtures("way")
async def test_an_attempt_that_is_given_up_leaves_no_open_file() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        before = open_files()
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(Lost, match="timed out"):
            await dial(url, open_s=0.05, much=True)
        attempt = asyncio.create_task(dial(url, open_s=5, much=True))
        await asyncio.sleep(0.02)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        async with asyncio.timeout(2):
            while open_files() > before:  # noqa: ASYNC110 - nobody tells when the peer has closed too
                await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("names", "fast"), [({}, True), ({"no": "localhost"}, True), ({"https": "http://p:1"}, False)]
)
async def test_the_outside_world_is_met_fast_only_where_no_proxy_applies(
    names: dict[str, str], *, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    async def quick(*_: object, **__: object) -> None:
        taken.append(True)
        raise OSError("enough")

    async def slow(*_: object, **__: object) -> None:
        taken.append(False)
        raise OSError("enough")

    monkeypatch.setenv("LIU_PLAIN", "")
    monkeypatch.setattr("liu_tui.adapters.net.dial.getproxies", lambda: names)
    monkeypatch.setattr(FastSocket, "connect", quick)
    monkeypatch.setattr("liu_tui.adapters.net.dial.connect", slow)
    with pytest.raises(Lost):
        await dial("wss://stream.example.invalid/", open_s=1, much=True)
    assert taken == [fast]


def test_the_environment_may_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIU_PLAIN", "1")
    assert fastsocket.library() is None
    monkeypatch.setenv("LIU_PLAIN", "0")
    assert fastsocket.library() is not None
