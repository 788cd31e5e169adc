"""The load server: Alpaca's protocol on one port of loopback, as cheap as Python can.

A process of its own: `python -m benchmarks.kit.server VENUE_NS MONOTONIC_NS SPEED`. It prints its port, then
obeys one Order a line, in JSON: it sends that much to whoever connected last, and prints what it did. It ends
with its standard input.

Load is offered open loop: what is due is sent, however late we are, and is stamped with the moment at which
it was due, so a receiver that holds us up cannot hide it. Our own lateness is told too.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from benchmarks.kit import tape
from benchmarks.kit.venue import DAY, VenueTime
from liu_tui.adapters.alpaca.times import write_time
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import MINUTE_NS, SECOND_NS

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PONG, _PING, _CLOSE = 0xA, 0x9, 0x8
_CHANNELS = ("trades", "quotes", "bars", "statuses")


class Order(msgspec.Struct):
    """What to send. bars: also one bar of every symbol at each minute of the venue's time."""

    symbols: int
    frame: int
    rate: float
    seconds: float
    quotes: bool = False
    bars: bool = False


class Line:
    """The websocket of one client: a thread answers what it says, another sends it the load."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._turn = threading.Lock()

    def send(self, data: bytes | memoryview) -> None:
        """Send all of it, however long that takes."""
        with self._turn:
            self.sock.sendall(data)

    def say(self, *messages: dict[str, object]) -> None:
        """Send one frame."""
        self.send(tape.websocket_frame(msgspec.msgpack.encode(messages)))


class Server:
    """Answers who connects; `line` is the data connection that came last."""

    def __init__(self, time_of_venue: VenueTime) -> None:
        self._venue = time_of_venue
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.line: Line | None = None
        self._next_id = tape.FIRST_ID

    def accept(self) -> None:
        """Take connections for ever, each in a thread."""
        while True:
            sock, _address = self._listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), sock:
            stream = sock.makefile("rb")
            while request := stream.readline():
                headers = dict(_headers(stream))
                if b"sec-websocket-key" in headers:
                    self._upgrade(sock, headers[b"sec-websocket-key"])
                    self._serve(Line(sock), stream)
                    return
                _answer(sock, self._rest(urlsplit(request.split()[1].decode()).path))

    def _rest(self, path: str) -> object:
        now_ns = self._venue.at(monotonic_ns())
        if path == "/v2/clock":
            return {"timestamp": write_time(now_ns), "is_open": True, "speed": self._venue.speed}
        if path == "/v2/calendar":
            return [{"date": DAY.isoformat(), "open": "09:30", "close": "16:00"}]
        if path == "/v2/stocks/bars":
            return {"bars": {}, "next_page_token": None}
        return {}

    def _upgrade(self, sock: socket.socket, key: bytes) -> None:
        accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
        sock.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    def _serve(self, line: Line, stream: object) -> None:
        line.say({"T": "success", "msg": "connected"})
        have: dict[str, set[str]] = {name: set() for name in _CHANNELS}
        for code, body in _client_frames(stream):
            if code == _CLOSE:
                return
            if code == _PING:
                line.send(bytes((0x80 | _PONG, len(body))) + body)
            elif code != _PONG:
                self._obey(line, msgspec.msgpack.decode(body, type=dict[str, Any]), have)

    def _obey(self, line: Line, said: dict[str, Any], have: dict[str, set[str]]) -> None:
        action = said["action"]
        if action == "auth":
            line.say({"T": "success", "msg": "authenticated"})
            self.line = line
        elif action == "clock":
            now_ns = self._venue.at(monotonic_ns())
            line.say({"T": "clock", "t": now_ns, "speed": self._venue.speed, "paused": False})
        elif action in ("subscribe", "unsubscribe"):
            for name in _CHANNELS:
                wanted = said.get(name, ())
                have[name] = have[name] | set(wanted) if action == "subscribe" else have[name] - set(wanted)
            line.say({"T": "subscription"} | {name: sorted(some) for name, some in have.items()})

    def run(self, order: Order) -> dict[str, float]:
        """Send what is ordered; tell how much it was, how long it took, and how late we were."""
        if self.line is None:
            raise RuntimeError("nobody has connected")
        symbols = tape.names(order.symbols)
        frames = max(1, round(order.rate * tape.TICK_S / order.frame))
        cycle = tape.slabs(symbols, frame=order.frame, frames=frames, quotes=order.quotes)
        size = frames * order.frame
        tick_ns = size / order.rate * SECOND_NS
        count = max(1, round(order.seconds * order.rate / size))
        line, late_ns, bars, trades = self.line, [], 0, 0
        began_ns = monotonic_ns() + 5_000_000
        next_bar_ns = self._venue.at(began_ns) // MINUTE_NS * MINUTE_NS + MINUTE_NS
        for n in range(count):
            due_ns = began_ns + int(n * tick_ns)
            if (rest := due_ns - monotonic_ns()) > 0:
                time.sleep(rest / 1e9)
            t_ns = self._venue.at(due_ns)
            if order.bars and t_ns > next_bar_ns:
                bars += self._send_bars(line, symbols, next_bar_ns - MINUTE_NS)
                next_bar_ns += MINUTE_NS
            late_ns.append(monotonic_ns() - due_ns)
            slab = cycle[n % len(cycle)]
            line.send(slab.stamped(t_ns, self._next_id))
            self._next_id += size
            trades += slab.trades
        late_ns.sort()
        return {
            "sent": count * size,
            "trades": trades,
            "bars": bars,
            "seconds": (monotonic_ns() - began_ns) / 1e9,
            "late_p50_ms": late_ns[len(late_ns) // 2] / 1e6,
            "late_p99_ms": late_ns[len(late_ns) * 99 // 100] / 1e6,
            "behind_ms": late_ns[-1] / 1e6,
        }

    def _send_bars(self, line: Line, symbols: tuple[str, ...], minute_ns: int) -> int:
        line.say(*(tape.bar(symbol, minute_ns) for symbol in symbols))
        return len(symbols)


def _headers(stream: object) -> Iterator[tuple[bytes, bytes]]:
    while line := stream.readline().strip():  # type: ignore[attr-defined] # a socket's reading file
        name, _, value = line.partition(b":")
        yield name.lower(), value.strip()


def _answer(sock: socket.socket, what: object) -> None:
    body = json.dumps(what).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    sock.sendall(head.encode() + body)


def _client_frames(stream: object) -> Iterator[tuple[int, bytes]]:
    """Read a client's frames: (code, what it holds). None of ours is ever in parts."""

    def some(size: int) -> bytes:
        data: bytes = stream.read(size)  # type: ignore[attr-defined] # a socket's reading file
        if len(data) < size:
            raise EOFError
        return data

    while True:
        first, second = some(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(some(2 if size == 126 else 8), "big")
        mask = some(4)
        body = bytes(byte ^ mask[n % 4] for n, byte in enumerate(some(size)))
        yield first & 0xF, body


def main(arguments: list[str]) -> None:
    venue_ns, at_ns, speed = arguments
    server = Server(VenueTime(int(venue_ns), int(at_ns), float(speed)))
    threading.Thread(target=server.accept, daemon=True).start()
    print(server.port, flush=True)
    with contextlib.suppress(OSError):  # the client has gone: the benchmark was interrupted
        for line in sys.stdin:
            order = msgspec.json.decode(line, type=Order)
            print(json.dumps(server.run(order)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
