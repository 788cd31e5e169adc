"""The broker of the benchmark: takes every order at once, fills it, and notes when its request arrived.

A process of its own: `python -m benchmarks.kit.broker`. It prints its port; for each line on its standard
input it prints what arrived since the last one, as JSON: client order id -> nanoseconds of CLOCK_MONOTONIC at
which the first bytes of its POST were read. It ends with its standard input.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import select
import socket
import sys
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.kit import tape
from liu_tui.adapters.alpaca.times import write_time
from liu_tui.model.clock import monotonic_ns, wall_ns

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_END = b"\r\n\r\n"
PRICE = 100.0


class Broker:
    """Orders, what was filled, and who listens."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._turn = threading.Lock()
        self._listeners: list[socket.socket] = []
        self._orders: dict[str, dict[str, Any]] = {}
        self._held: dict[str, float] = {}
        self._arrived: dict[str, int] = {}

    def accept(self) -> None:
        """Take connections for ever, each in a thread."""
        while True:
            sock, _address = self._listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def take_arrived(self) -> dict[str, int]:
        """What arrived since the last call."""
        with self._turn:
            arrived, self._arrived = self._arrived, {}
        return arrived

    def _talk(self, sock: socket.socket) -> None:
        rest = b""
        with contextlib.suppress(OSError, EOFError), sock:
            while True:
                arrived_ns, head, rest = _request(sock, rest)
                fields = dict(_field(line) for line in head.split(b"\r\n")[1:])
                if b"sec-websocket-key" in fields:
                    self._listen(sock, fields[b"sec-websocket-key"])
                    return
                size = int(fields.get(b"content-length", 0))
                while len(rest) < size:
                    rest += _some(sock)
                body, rest = rest[:size], rest[size:]
                method, target, _version = head.split(b"\r\n")[0].decode().split()
                _answer(sock, self._do(method, target, body, arrived_ns))

    def _do(self, method: str, target: str, body: bytes, arrived_ns: int) -> object:
        parts = urlsplit(target)
        if method == "POST" and parts.path == "/v2/orders":
            return self._submit(json.loads(body), arrived_ns)
        if parts.path == "/v2/account":
            return {"id": "B1", "account_number": "B1", "status": "ACTIVE", "cash": "1e9", "equity": "1e9",
                    "buying_power": "1e9", "multiplier": "4", "shorting_enabled": True}  # fmt: skip
        if parts.path == "/v2/positions":
            held = list(self._held.items())
            return [
                {"symbol": s, "qty": str(q), "side": "long", "avg_entry_price": "100"} for s, q in held if q
            ]
        if parts.path == "/v2/orders:by_client_order_id":
            return self._orders.get(parse_qs(parts.query)["client_order_id"][0], {})
        return []

    def _submit(self, asked: dict[str, Any], arrived_ns: int) -> dict[str, Any]:
        cid, now = asked["client_order_id"], write_time(wall_ns())
        order = {**asked, "id": f"o-{cid}", "status": "new", "filled_qty": "0"}
        order |= {"created_at": now, "updated_at": now, "submitted_at": now}
        with self._turn:
            self._arrived[cid] = arrived_ns
            self._orders[cid] = order
        self._fill(order)
        return order

    def _fill(self, order: dict[str, Any]) -> None:
        qty = float(order["qty"]) * (1 if order["side"] == "buy" else -1)
        self._held[order["symbol"]] = self._held.get(order["symbol"], 0.0) + qty
        done = {**order, "status": "filled", "filled_qty": order["qty"], "filled_avg_price": str(PRICE)}
        self._tell({"event": "new", "order": order, "timestamp": order["created_at"]})
        fill = {"execution_id": f"x-{order['id']}", "price": str(PRICE), "qty": order["qty"]}
        self._tell({"event": "fill", "order": done, "timestamp": order["created_at"], **fill})

    def _tell(self, update: dict[str, Any]) -> None:
        frame = tape.websocket_frame(json.dumps({"stream": "trade_updates", "data": update}).encode())
        with self._turn:
            for sock in self._listeners:
                sock.sendall(frame)

    def _listen(self, sock: socket.socket, key: bytes) -> None:
        accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
        sock.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + _END
        )
        _some(sock)  # authenticate
        sock.sendall(
            _words({"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}})
        )
        _some(sock)  # listen
        sock.sendall(_words({"stream": "listening", "data": {"streams": ["trade_updates"]}}))
        with self._turn:
            self._listeners.append(sock)
        while data := sock.recv(4096):
            if data[0] & 0xF == 0x9:  # a ping, short as they are
                mask, body = data[2:6], data[6 : 6 + (data[1] & 0x7F)]
                plain = bytes(byte ^ mask[n % 4] for n, byte in enumerate(body))
                with self._turn:
                    sock.sendall(bytes((0x8A, len(plain))) + plain)


def _request(sock: socket.socket, rest: bytes) -> tuple[int, bytes, bytes]:
    """Read a request's head: when its first bytes came, the head, and what came after it."""
    data = rest or _some(sock)
    arrived_ns = monotonic_ns()
    while _END not in data:
        data += _some(sock)
    head, _, rest = data.partition(_END)
    return arrived_ns, head, rest


def _some(sock: socket.socket) -> bytes:
    data = sock.recv(65_536)
    if not data:
        raise EOFError
    return data


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.lower(), value.strip()


def _words(message: dict[str, Any]) -> bytes:
    return tape.websocket_frame(json.dumps(message).encode())


def _answer(sock: socket.socket, what: object) -> None:
    body = json.dumps(what).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    sock.sendall(head.encode() + body)


def main() -> None:
    broker = Broker()
    threading.Thread(target=broker.accept, daemon=True).start()
    print(broker.port, flush=True)
    parent = os.getppid()
    while os.getppid() == parent:  # whoever started us may have been interrupted
        if select.select([sys.stdin], [], [], 1.0)[0]:
            if not sys.stdin.readline():
                return
            print(json.dumps(broker.take_arrived()), flush=True)


if __name__ == "__main__":
    main()
