"""Links: frames over any cutting of a stream, bounds, files that travel, and ends that are noticed."""

from __future__ import annotations

import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.engine.links import INBOX_BYTES, MAX_FRAME, Frames, Link, pack, pair
from liu_tui.errors import WireError
from tests.kit.engine import (
    a_quote,
    any_decoder,
    eventually,
    market_decoder,
    nothing,
    one_end,
    open_files,
    two_ends,
)

words = st.lists(st.one_of(st.integers(-(2**40), 2**40), st.text(max_size=40)), max_size=8)


@given(st.lists(words, max_size=12), st.lists(st.integers(1, 200), min_size=1))
def test_messages_come_whole_and_in_order_however_the_stream_is_cut(
    batches: list[list[object]], cuts: list[int]
) -> None:
    stream = b"".join(pack(batch) for batch in batches)
    frames = Frames(any_decoder())
    came: list[object] = []
    at = step = 0
    while at < len(stream):
        size = cuts[step % len(cuts)]
        came += frames.feed(memoryview(stream)[at : at + size])
        at, step = at + size, step + 1
    assert came == [message for batch in batches for message in batch]


@given(words.filter(bool), st.data())
def test_half_a_frame_is_no_message(batch: list[object], data: st.DataObject) -> None:
    frame = pack(batch)
    cut = data.draw(st.integers(0, len(frame) - 1))
    assert Frames(any_decoder()).feed(memoryview(frame)[:cut]) == []


def test_a_frame_as_large_as_a_day_is_put_together_from_small_pieces() -> None:
    message = "x" * 5_000_000
    frame = memoryview(pack([message, 1]))
    frames = Frames(any_decoder())
    came: list[object] = []
    for at in range(0, len(frame), 65_536):
        came += frames.feed(frame[at : at + 65_536])
    assert came == [message, 1]


@pytest.mark.parametrize(
    "foreign",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        (MAX_FRAME + 1).to_bytes(4, "big"),
        b"\0\0\0\0",
        b"\0\0\0\x02\xc1\xc1",
        pack([1])[:4] + b"\xff\xff",
    ],
    ids=["http", "endless", "empty", "no-msgpack", "no-list"],
)
def test_bytes_that_are_not_ours_are_an_error_that_names_the_cause(foreign: bytes) -> None:
    with pytest.raises(WireError, match="two builds are mixed"):
        Frames(market_decoder()).feed(memoryview(foreign))


def test_a_message_of_another_build_is_an_error() -> None:
    with pytest.raises(WireError):
        Frames(market_decoder()).feed(memoryview(pack([["a message nobody knows", 1]])))


@given(st.binary(max_size=300))
def test_whatever_bytes_come_they_are_messages_an_error_or_waited_for(noise: bytes) -> None:
    try:
        assert isinstance(Frames(market_decoder()).feed(memoryview(noise)), list)
    except WireError as e:
        assert e.mend  # noqa: PT017 - the words matter, if there are any


async def test_a_half_sent_frame_dies_with_its_link() -> None:
    async with one_end() as (link, other):
        other.sendall(pack(["whole"]) + pack(["half"])[:-1])
        other.close()
        await eventually(lambda: link.closed)
        assert link.take() == ["whole"]
        assert link.fault is None


async def test_foreign_bytes_close_the_link_and_leave_the_fault_beside_it() -> None:
    async with one_end() as (link, other):
        other.sendall(b"GET / HTTP/1.1\r\n\r\n")
        await eventually(lambda: link.closed)
        assert isinstance(link.fault, WireError)


async def test_what_was_sent_before_the_end_is_still_heard() -> None:
    async with two_ends() as (ours, theirs):
        for n in range(1000):
            ours.send(n)
        await ours.drained()
        ours.close()
        await eventually(lambda: theirs.closed)
        assert theirs.take() == list(range(1000))


async def test_the_end_wakes_whoever_waits() -> None:
    woken: list[bool] = []
    ours, theirs = pair()
    link = Link(ours, any_decoder(), lambda: woken.append(True))
    theirs.close()
    await eventually(lambda: woken)
    assert link.closed
    link.close()
    link.close()


async def test_a_reader_that_takes_nothing_stops_the_sender_and_nothing_is_lost() -> None:
    async with two_ends() as (ours, theirs):
        message = "x" * 10_000
        for _ in range(400):
            ours.send(message)
        await eventually(lambda: len(theirs.inbox) * len(message) > INBOX_BYTES)
        settled = len(theirs.inbox)
        assert settled * len(message) < 2 * INBOX_BYTES
        assert ours.backlog > 1_000_000
        came = len(theirs.take())
        while came < 400:
            await eventually(lambda: theirs.inbox)
            came += len(theirs.take())
        assert ours.backlog == 0


async def test_one_frame_larger_than_the_inbox_still_arrives() -> None:
    async with two_ends() as (ours, theirs):
        message = "x" * (3 * INBOX_BYTES)
        ours.send(message)
        await eventually(lambda: theirs.inbox)
        assert theirs.take() == [message]


async def test_drained_waits_until_all_is_taken() -> None:
    async with two_ends() as (ours, theirs):
        ours.send("x" * 3_000_000)
        assert ours.backlog
        await ours.drained()
        assert ours.backlog == 0
        await eventually(lambda: theirs.inbox)


@pytest.mark.parametrize("who", ["ours", "theirs"])
async def test_drained_does_not_wait_for_an_end_that_is_gone(who: str) -> None:
    async with one_end() as (link, other):
        link.send("x" * 3_000_000)
        waiting = link._loop.create_task(link.drained())
        await eventually(lambda: link._empty is not None)
        (link if who == "ours" else other).close()
        await waiting


async def test_sending_to_an_end_that_is_gone_is_no_error() -> None:
    async with one_end() as (link, other):
        other.close()
        for _ in range(100):
            link.send("x" * 10_000)
        assert len(link.offer(pack([1]))) == 0
        await eventually(lambda: link.closed)
        link.send("nobody hears")
        assert link.backlog == 0


async def test_files_travel_beside_their_messages_and_in_their_order() -> None:
    async with two_ends() as (ours, theirs):
        before = open_files()
        mine = []
        for n in range(5):
            kept, travels = socket.socketpair()
            mine.append(kept)
            ours.send(f"link {n}", fds=(travels.detach(),))
        await eventually(lambda: len(theirs.inbox) == 5)
        assert theirs.take() == [f"link {n}" for n in range(5)]
        for n, end in enumerate(mine):
            came = socket.socket(fileno=theirs.fds.popleft())
            end.sendall(f"hello {n}".encode())
            assert came.recv(20) == f"hello {n}".encode()
            assert not os.get_inheritable(came.fileno())
            came.close()
            end.close()
        assert open_files() == before


@pytest.mark.parametrize("ending", ["closed", "taken by nobody", "the other end went away"])
async def test_no_file_is_left_open_however_a_link_ends(ending: str) -> None:
    before = open_files()
    async with two_ends() as (ours, theirs):
        ours.send("x" * 3_000_000)  # fills the link: what comes next has to wait
        for _ in range(4):
            kept, travels = socket.socketpair()
            kept.close()
            ours.send("link", fds=(travels.detach(),))
        if ending == "closed":
            ours.close()
        elif ending == "the other end went away":
            theirs.close()
            await eventually(lambda: ours.closed)
            kept, travels = socket.socketpair()
            kept.close()
            ours.send("too late", fds=(travels.detach(),))
        else:
            await eventually(lambda: len(theirs.inbox) >= 1)
            theirs.take()
            await eventually(lambda: len(theirs.fds) == 4)
    assert open_files() == before


async def test_a_sender_with_bounds_of_its_own_is_told_what_did_not_fit_and_when_there_is_room() -> None:
    async with two_ends() as (ours, theirs):
        frame = pack([a_quote(n=n) for n in range(512)])
        sent = 0
        while not (rest := ours.offer(frame)):
            sent += 1
        room: list[bool] = []
        ours.on_writable(lambda: room.append(True))
        await eventually(lambda: room)
        ours.on_writable(None)
        while rest:
            rest = ours.offer(bytes(rest))
            await eventually(lambda: theirs.inbox)
            theirs.take()
        assert sent > 1
        ours.send("after it")
        await eventually(lambda: "after it" in theirs.inbox)


def test_a_link_is_not_blocking_and_not_inherited() -> None:
    for end in pair():
        assert end.getblocking() is False
        assert end.get_inheritable() is False
        end.close()


async def test_a_link_may_be_made_of_a_socket_that_blocked() -> None:
    ours, theirs = socket.socketpair()
    link = Link(ours, any_decoder(), nothing)
    assert ours.getblocking() is False
    link.close()
    theirs.close()
