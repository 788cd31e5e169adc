"""Links: bounded, non-blocking pipes of typed messages between two processes.

A link is one end of a stream socket pair. A frame is four bytes of length and a msgpack array of messages;
a half-sent frame dies with its link. Reading never runs ahead of the reader by more than INBOX_BYTES:
beyond that the kernel's buffer fills and the sender learns that we are slow. Nothing here waits.

Measured elsewhere and taken from there: every byte transport costs the same; batches, few wake-ups and a
kept receive buffer of at most 64 KiB are what matters (docs/decisions/002-processes-and-links.md).
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import msgspec

from liu_tui.errors import WireError

M = TypeVar("M")

RECEIVE_BYTES = 64 * 1024
INBOX_BYTES = 1024 * 1024
MAX_FRAME = 64 * 1024 * 1024
MAX_FDS = 16
_ANCILLARY_BYTES = socket.CMSG_SPACE(MAX_FDS * 4)
_CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
"""Linux only: a file that comes is closed in programs that user code starts, or a link outlives its end."""

_encoder = msgspec.msgpack.Encoder()


def pack(messages: Sequence[object]) -> bytes:
    """Write messages as one frame."""
    body = _encoder.encode(messages)
    return len(body).to_bytes(4, "big") + body


def pair() -> tuple[socket.socket, socket.socket]:
    """Make the two ends of a link, non-blocking and closed in programs that are started."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    for end in ends:
        end.setblocking(False)
    return ends


class Frames(Generic[M]):
    """Cut a stream of bytes into frames and read their messages."""

    def __init__(self, decoder: msgspec.msgpack.Decoder[list[M]]) -> None:
        self._decoder = decoder
        self._rest = bytearray()
        self._wanted = 0  # bytes that must be there before the first frame of the rest is whole

    def feed(self, chunk: memoryview) -> list[M]:
        """Return the messages that are complete with this chunk.

        Raises WireError if the bytes are not ours: the two ends are different builds.
        """
        data: memoryview | bytes = chunk
        if self._rest:
            self._rest += chunk
            if len(self._rest) < self._wanted:
                return []
            data = bytes(self._rest)
            self._rest.clear()
        view = memoryview(data)
        messages: list[M] = []
        at, end = 0, len(view)
        self._wanted = 0
        while end - at >= 4:
            size = int.from_bytes(view[at : at + 4], "big")
            if size > MAX_FRAME:
                raise WireError(
                    f"a frame of {size} bytes", where="link", mend="Restart: two builds are mixed"
                )
            if end - at - 4 < size:
                self._wanted = 4 + size
                break
            try:
                messages += self._decoder.decode(view[at + 4 : at + 4 + size])
            except msgspec.MsgspecError as e:
                raise WireError(
                    str(e), where=f"a frame of {size} bytes", mend="Restart: two builds are mixed"
                ) from e
            at += 4 + size
        if at < end:
            self._rest += view[at:]
        return messages


class Link(Generic[M]):
    """One end of a link. Messages that came wait in `inbox`; `wake` is set when there are any, or at the end.

    closed: the other end is gone; what it had sent before is in the inbox
    fds:    file descriptors that came beside messages, in order
    """

    def __init__(
        self, sock: socket.socket, decoder: msgspec.msgpack.Decoder[list[M]], wake: Callable[[], None]
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._frames = Frames(decoder)
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._out: deque[tuple[memoryview, tuple[int, ...]]] = deque()
        self._buffer = memoryview(bytearray(RECEIVE_BYTES))
        self._waiting_bytes = 0
        self._reading = self._writing = False
        self._empty: asyncio.Event | None = None
        self.inbox: deque[M] = deque()
        self.fds: deque[int] = deque()
        self.closed = False
        self.fault: WireError | None = None
        self._read_on()

    def take(self) -> list[M]:
        """Empty the inbox."""
        messages = list(self.inbox)
        self.inbox.clear()
        self._waiting_bytes = 0
        if not self._reading and not self.closed:
            self._read_on()
        return messages

    def send(self, *messages: object, fds: tuple[int, ...] = ()) -> None:
        """Send messages as one frame, now or as soon as the other end takes it.

        fds: open files that go with it. They are the link's from here on: it closes our copies once sent.
        """
        if self.closed or not messages:
            _close(fds)
            return
        self._out.append((memoryview(pack(messages)), fds))
        if not self._writing:
            self._on_room()

    @property
    def backlog(self) -> int:
        """Bytes that the other end has not taken yet."""
        return sum(len(frame) for frame, _ in self._out)

    def offer(self, frame: bytes) -> memoryview:
        """Try to send a frame made by pack(); returns what did not fit, empty if all did.

        For a sender that keeps its own bounds: it must offer the rest before anything else.
        """
        return self._write(memoryview(frame), ())

    def on_writable(self, callback: Callable[[], None] | None) -> None:
        """Call back whenever there is room again; None ends that."""
        if self.closed:
            return
        if callback is None:
            self._loop.remove_writer(self._sock)
        else:
            self._loop.add_writer(self._sock, callback)

    def close(self) -> None:
        """Hang up. May be called twice."""
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock)
            self._loop.remove_writer(self._sock)
            self._sock.close()
        _close(self.fds)
        self.fds.clear()
        self.closed = True
        self._forget_unsent()

    async def drained(self) -> None:
        """Wait until all that was sent has been taken, or the other end is gone."""
        if self._out and not self.closed:
            self._empty = asyncio.Event()
            await self._empty.wait()

    def _read_on(self) -> None:
        self._loop.add_reader(self._sock, self._on_readable)
        self._reading = True

    def _on_readable(self) -> None:
        try:
            size, ancillary, _flags, _address = self._sock.recvmsg_into(
                [self._buffer], _ANCILLARY_BYTES, _CLOSE_ON_EXEC
            )
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            size, ancillary = 0, []
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                self.fds.extend(
                    int.from_bytes(data[i : i + 4], sys.byteorder) for i in range(0, len(data) - 3, 4)
                )
        if not size:
            self._hang_up()
            return
        try:
            self.inbox.extend(self._frames.feed(self._buffer[:size]))
        except WireError as e:
            self.fault = e
            self._hang_up()
            return
        self._waiting_bytes += size
        if self._waiting_bytes > INBOX_BYTES and self.inbox:
            self._loop.remove_reader(self._sock)
            self._reading = False
        if self.inbox:
            self._wake()

    def _hang_up(self) -> None:
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        self._reading = False
        self.closed = True
        self._forget_unsent()
        self._wake()

    def _forget_unsent(self) -> None:
        for _frame, fds in self._out:
            _close(fds)
        self._out.clear()
        if self._empty is not None:
            self._empty.set()

    def _write(self, frame: memoryview, fds: tuple[int, ...]) -> memoryview:
        while frame:
            try:
                sent = socket.send_fds(self._sock, [frame], list(fds)) if fds else self._sock.send(frame)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:  # the reader will see the end and say so
                return memoryview(b"")
            frame, fds = frame[sent:], ()
        return frame

    def _on_room(self) -> None:
        while self._out:
            frame, fds = self._out.popleft()
            rest = self._write(frame, fds)
            gone = len(rest) < len(frame)
            if gone:
                _close(fds)  # they went with the first byte
            if rest:
                self._out.appendleft((rest, () if gone else fds))
                if not self._writing:
                    self._loop.add_writer(self._sock, self._on_room)
                    self._writing = True
                return
        if self._writing:
            self._loop.remove_writer(self._sock)
            self._writing = False
        if self._empty is not None:
            self._empty.set()


def _close(fds: Iterable[int]) -> None:
    for fd in fds:
        os.close(fd)
