"""Outboxes: nobody waits for a slow client, and a slow client is told before it is cut off."""

import asyncio
from typing import Any, cast

import pytest
from aiohttp import WSMsgType, web

from liu_tui.localmarket import outbox as module
from liu_tui.localmarket.outbox import Outbox


class Line:
    """Stands for a websocket and its transport: it takes a frame only when it is let."""

    def __init__(self) -> None:
        self.takes = asyncio.Event()
        self.sent: list[bytes] = []
        self.sends: asyncio.Queue[bytes] = asyncio.Queue()
        self.kinds: set[WSMsgType] = set()
        self.closed = False
        self.aborted = asyncio.Event()

    async def send_frame(self, frame: bytes, kind: WSMsgType) -> None:
        await self.takes.wait()
        if self.aborted.is_set():
            raise ConnectionResetError
        self.sent.append(frame)
        self.sends.put_nowait(frame)
        self.kinds.add(kind)

    async def close(self, *, code: int) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted.set()
        self.takes.set()


def an_outbox(line: Line, limit_bytes: int = 10) -> Outbox:
    ws, transport = cast(web.WebSocketResponse, line), cast(asyncio.Transport, line)
    return Outbox(ws, transport, binary=True, limit_bytes=limit_bytes, slow_frame=b"slow")


async def test_frames_go_out_in_order_and_close_comes_last() -> None:
    line = Line()
    line.takes.set()
    box = an_outbox(line)
    for frame in (b"one", b"two", b"six"):
        box.put(frame)
    box.close()
    box.put(b"late")
    await box.run()
    assert (line.sent, line.closed, line.kinds) == ([b"one", b"two", b"six"], True, {WSMsgType.BINARY})


async def test_too_slow_a_client_hears_so_and_is_hung_up_on() -> None:
    line = Line()
    box = an_outbox(line)
    for frame in (b"12345", b"67890", b"x", b"y"):
        box.put(frame)
    line.takes.set()
    await box.run()
    assert (line.sent, line.closed) == ([b"slow"], True)


async def test_a_client_that_takes_nothing_at_all_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FAREWELL_S", 0.01)
    line = Line()
    box = an_outbox(line)
    sending = asyncio.create_task(box.run())
    for _ in range(3):
        box.put(b"12345")
    await sending
    assert (line.sent, line.aborted.is_set()) == ([], True)


async def test_what_was_sent_no_longer_counts() -> None:
    line = Line()
    line.takes.set()
    box = an_outbox(line)
    sending = asyncio.create_task(box.run())
    for _ in range(20):
        box.put(b"12345678")
        await line.sends.get()
    box.close()
    await sending
    assert set(cast(Any, line.sent)) == {b"12345678"}
