"""The front door and its clients, over a real unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liu_tui.engine import frontdoor
from liu_tui.engine.client import MAX_FRAME, AskDetail, Client, Command, Farewell, Hello, Reply, ToClient
from liu_tui.engine.frontdoor import FrontDoor, Guest
from liu_tui.engine.snapshot import Detail, LogLine, Picture
from liu_tui.errors import NothingToAttach, WireError
from tests.kit.engine import PATIENCE_S, eventually, example

PICTURE: Picture = msgspec.structs.replace(example(Picture), log=())
LINES = tuple(msgspec.structs.replace(example(LogLine), n=n) for n in range(1, 11))


def no_lines(_n: int) -> tuple[LogLine, ...]:
    """Return nothing new."""
    return ()


def lines_after(n: int) -> tuple[LogLine, ...]:
    """Return the lines after number n."""
    return LINES[n:]


class House:
    """A session's front door, and what was asked there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.door = FrontDoor(path, self._command, self._detail)
        self.commands: list[Command] = []

    async def _command(self, command: Command, guest: Guest) -> None:
        self.commands.append(command)
        if command.verb != "ponder":
            self.door.tell(guest, Reply(command.id, True, f"{command.verb} done"))

    def _detail(self, symbol: str, guest: Guest) -> None:
        self.door.tell(guest, Detail(symbol=symbol, last=1.0))

    async def show_when_watched(self) -> None:
        """Show a picture as soon as somebody wants one."""
        await eventually(self.door.watched)
        self.door.show(PICTURE, no_lines)


class Screen:
    """A client that reads in the background, and what it has heard."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.heard: list[ToClient] = []
        self.fault: WireError | None = None
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for message in self.client.messages():
                self.heard.append(message)
        except WireError as e:
            self.fault = e

    def has_heard(self, count: int) -> bool:
        """It has heard so much."""
        return len(self.heard) == count

    @property
    def over(self) -> bool:
        """It hears no more."""
        return self._reading.done()

    async def close(self) -> None:
        """Hang up."""
        await self.client.close()
        await self._reading


@pytest.fixture
def path() -> Iterator[Path]:
    """A socket's path must be short: pytest's own folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="liu"))
    yield folder / "s.sock"
    shutil.rmtree(folder)


@pytest.fixture
async def house(path: Path) -> AsyncIterator[House]:
    house = House(path)
    await house.door.open()
    yield house
    await house.door.close(Farewell("the test is over"))


@contextlib.asynccontextmanager
async def a_screen(house: House, *, watch: float = 0.0, log_from: int = 0) -> AsyncIterator[Screen]:
    """Connect a screen for a while."""
    screen = Screen(await Client.connect(house.path, watch=watch, log_from=log_from))
    try:
        yield screen
    finally:
        await screen.close()


@contextlib.asynccontextmanager
async def a_stranger(
    house: House, *frames: bytes
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect somebody who speaks bytes."""
    reader, writer = await asyncio.open_unix_connection(house.path)
    try:
        for frame in frames:
            writer.write(frame)
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def a_mute(house: House, *frames: bytes) -> AsyncIterator[None]:
    """Connect somebody who never reads."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, str(house.path))
        for frame in frames:
            await loop.sock_sendall(sock, frame)
        yield


def framed(body: bytes) -> bytes:
    """Put a frame's length before it."""
    return len(body).to_bytes(4, "big") + body


async def test_the_socket_is_its_owners_alone_and_goes_with_the_session(house: House) -> None:
    assert stat.S_IMODE(house.path.stat().st_mode) == 0o600
    await house.door.close(Farewell("over"))
    assert not house.path.exists()


async def test_a_socket_left_by_a_dead_session_is_taken_over(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    house = House(path)
    await house.door.open()
    async with a_screen(house) as screen:
        assert (await screen.client.ask("pause")).ok
    await house.door.close(Farewell("over"))


async def test_where_nobody_listens_there_is_nothing_to_attach(path: Path) -> None:
    with pytest.raises(NothingToAttach, match="liu-tui sessions"):
        await Client.connect(path)


async def test_a_command_is_answered_to_whoever_asked(house: House) -> None:
    async with a_screen(house) as one, a_screen(house) as other:
        reply = await one.client.ask("reject", symbol="TSLA", by="ctl")
        assert (reply.ok, reply.words) == (True, "reject done")
        (command,) = house.commands
        assert (command.verb, command.symbol, command.by) == ("reject", "TSLA", "ctl")
        assert reply.id == command.id
        assert (await other.client.ask("pause")).words == "pause done"
        assert not [m for m in other.heard if isinstance(m, Reply) and m.id == reply.id]


async def test_every_command_has_an_id_of_its_own(house: House) -> None:
    async with a_screen(house) as screen:
        ids = {screen.client.send("pause") for _ in range(50)}
        await eventually(lambda: len(house.commands) == 50)
    assert len(ids) == 50
    assert {command.id for command in house.commands} == ids


async def test_a_detail_is_asked_for_by_symbol(house: House) -> None:
    async with a_screen(house) as screen:
        screen.client.ask_detail("tsla")
        await eventually(lambda: screen.heard)
        assert screen.heard == [Detail(symbol="TSLA", last=1.0)]


async def test_only_who_watches_gets_pictures(house: House) -> None:
    async with a_screen(house) as ctl, a_screen(house, watch=10) as screen:
        await house.show_when_watched()
        await eventually(lambda: screen.heard)
        assert screen.heard == [PICTURE]
        assert (await ctl.client.ask("status")).ok
        assert [type(message) for message in ctl.heard] == [Reply]


async def test_nobody_gets_pictures_faster_than_it_asked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 10**18
    monkeypatch.setattr(frontdoor, "monotonic_ns", lambda: now)
    async with a_screen(house, watch=4), a_screen(house, watch=1_000):
        await eventually(lambda: sum(guest.watch > 0 for guest in house.door._guests) == 2)
        due = []
        for _ in range(100):  # one second
            due.append(house.door.watched())
            house.door.show(PICTURE, no_lines)
            now += 10_000_000
        assert sum(due) == 10 + 4 - 2  # both at 0 and at half a second


async def test_each_screen_gets_the_log_lines_that_it_lacks_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 10**18
    monkeypatch.setattr(frontdoor, "monotonic_ns", lambda: now)
    async with a_screen(house, watch=10, log_from=7) as late, a_screen(house, watch=10) as fresh:
        await eventually(lambda: sum(guest.watch > 0 for guest in house.door._guests) == 2)
        house.door.show(PICTURE, lines_after)
        now += 10**9
        house.door.show(PICTURE, lines_after)
        await eventually(lambda: len(late.heard) == len(fresh.heard) == 2)
    told = [[line.n for line in m.log] for m in late.heard if isinstance(m, Picture)]
    assert told == [[8, 9, 10], []]
    told = [[line.n for line in m.log] for m in fresh.heard if isinstance(m, Picture)]
    assert told == [list(range(1, 11)), []]


async def test_a_guest_that_never_reads_is_not_waited_for_and_misses_pictures(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 10**18
    monkeypatch.setattr(frontdoor, "monotonic_ns", lambda: now)
    big = msgspec.structs.replace(PICTURE, plan_changed="x" * 100_000)
    hello = framed(msgspec.msgpack.encode(Hello(10.0)))
    async with a_mute(house, hello), a_screen(house, watch=10) as screen:
        await eventually(lambda: sum(guest.watch > 0 for guest in house.door._guests) == 2)
        for n in range(1, 101):
            assert house.door.watched()
            house.door.show(big, no_lines)
            now += 10**9
            await eventually(partial(screen.has_heard, n))  # the other one gets each
        owed = max(guest.owed for guest in house.door._guests)
        assert owed < frontdoor.OWED_BYTES + 200_000


async def test_a_guest_that_owes_too_much_is_hung_up_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontdoor, "HANG_UP_BYTES", 1_000_000)
    async with a_mute(house):
        await eventually(lambda: house.door._guests)
        (guest,) = house.door._guests
        for _ in range(100):
            house.door.tell(guest, Reply("1", True, "x" * 100_000))
        await eventually(lambda: not house.door._guests)


@pytest.mark.parametrize(
    "frame",
    [
        framed(b"\xc1"),
        framed(b""),
        framed(msgspec.msgpack.encode(["no such message", 1])),
        framed(msgspec.msgpack.encode(["command", 7])),
        (MAX_FRAME + 1).to_bytes(4, "big"),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["no-msgpack", "empty", "unknown", "wrong-type", "endless", "http"],
)
async def test_a_malformed_frame_ends_its_own_connection_and_no_other(house: House, frame: bytes) -> None:
    async with a_screen(house) as screen, a_stranger(house, frame) as (reader, _writer):
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.read() == b""
        assert (await screen.client.ask("pause")).ok


@settings(deadline=None, max_examples=25)
@given(st.lists(st.binary(max_size=60), max_size=3))
def test_whatever_a_stranger_sends_the_door_stays_open(noise: list[bytes]) -> None:
    async def play() -> None:
        with tempfile.TemporaryDirectory(prefix="liu") as folder:
            house = House(Path(folder) / "s.sock")
            await house.door.open()
            async with a_stranger(house, *(framed(part) for part in noise)), a_screen(house) as screen:
                assert (await screen.client.ask("pause")).ok
            await house.door.close(Farewell("over"))

    asyncio.run(play())


@pytest.mark.parametrize("watch", [1e-308, 1e308, -3.0, float("nan"), float("inf")])
async def test_no_rate_that_a_guest_may_ask_for_stops_the_others(house: House, watch: float) -> None:
    hello = framed(msgspec.msgpack.encode(Hello(watch)))
    ask = framed(msgspec.msgpack.encode(AskDetail("F")))
    async with a_stranger(house, hello, ask) as (reader, _writer), a_screen(house, watch=10) as screen:
        async with asyncio.timeout(PATIENCE_S):
            await reader.readexactly(4)  # the hello was heard
        await eventually(lambda: any(guest.watch == 10 for guest in house.door._guests))
        house.door.show(PICTURE, no_lines)
        await eventually(lambda: screen.heard)


async def test_at_the_end_everybody_hears_farewell_even_beside_one_who_never_reads(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontdoor, "FAREWELL_S", 0.3)
    async with a_mute(house), a_screen(house) as screen:
        await eventually(lambda: len(house.door._guests) == 2)
        for guest in house.door._guests:
            house.door.tell(guest, Reply("1", True, "x" * 500_000))
        await house.door.close(Farewell("the day is over", '{"fills": 3}'))
        await eventually(lambda: screen.over)
        assert screen.heard[-1] == Farewell("the day is over", '{"fills": 3}')


async def test_who_waits_for_an_answer_hears_that_the_session_went_away(house: House) -> None:
    async with a_screen(house) as screen:
        asking = asyncio.create_task(screen.client.ask("ponder"))
        await eventually(lambda: house.commands)
        await house.door.close(Farewell("over"))
        with pytest.raises(NothingToAttach):
            await asking
        with pytest.raises(NothingToAttach):
            await screen.client.ask("pause")


async def test_an_answer_that_does_not_come_in_time_is_a_timeout_and_later_no_trouble(house: House) -> None:
    async with a_screen(house) as screen:
        with pytest.raises(TimeoutError):
            await screen.client.ask("ponder", timeout=0.01)
        await eventually(lambda: house.commands)
        for guest in house.door._guests:
            house.door.tell(guest, Reply(house.commands[0].id, True, "at last"))
        assert (await screen.client.ask("pause")).ok


async def test_a_session_of_another_build_is_told_in_words(path: Path) -> None:
    async def foreign(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(framed(msgspec.msgpack.encode(["of another build", 1])))
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(foreign, path)
    screen = Screen(await Client.connect(path))
    await eventually(lambda: screen.over)
    assert screen.fault is not None
    assert "different builds" in screen.fault.mend
    with pytest.raises(NothingToAttach):
        await screen.client.ask("pause")
    await screen.close()
    server.close()
    await server.wait_closed()


async def test_a_guest_that_has_gone_is_told_nothing(house: House) -> None:
    async with a_screen(house):
        await eventually(lambda: house.door._guests)
        (guest,) = house.door._guests
    await eventually(lambda: not house.door._guests)
    house.door.tell(guest, Reply("1", True, "nobody hears"))
    assert not house.door.watched()
