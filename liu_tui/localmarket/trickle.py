"""A websocket message in small pieces, so that its reader waits for the end of it.

Each piece is a fragment of its own (RFC 6455, section 5.4): pings and pongs may go between two of them, so
the connection is alive while its receiver starves. Nothing here knows a socket.
"""

from collections.abc import Callable, Iterator

PIECE_BYTES = 64
PAUSE_S = 0.05
MOST_PIECES = 20
"""So a frame of any length takes a second at most: a slow line must not become a dead one."""

_FIN, _CONTINUE, _TEXT, _BINARY = 0x80, 0x0, 0x1, 0x2


class Pace:
    """How all data connections send. slowing: what counts the slow frames; empty if nobody slows them."""

    def __init__(self) -> None:
        self.slowing: list[Callable[[], object]] = []

    @property
    def slow(self) -> bool:
        """Whether frames go in pieces, with pauses."""
        return bool(self.slowing)

    def count(self) -> None:
        """A frame goes out slowly."""
        for count in self.slowing:
            count()


def pieces(frame: bytes, *, binary: bool) -> Iterator[bytes]:
    """Cut a message into the bytes of its fragments, in order; a short one is a single fragment."""
    size = max(PIECE_BYTES, -(-len(frame) // MOST_PIECES))
    starts = range(0, len(frame), size) or range(1)
    for start in starts:
        first, last = start == 0, start == starts[-1]
        opcode = (_BINARY if binary else _TEXT) if first else _CONTINUE
        part = frame[start : start + size]
        yield bytes([_FIN * last | opcode]) + _length(len(part)) + part


def _length(size: int) -> bytes:
    # A server's frames are never masked.
    if size < 126:
        return bytes([size])
    if size < 65_536:
        return b"\x7e" + size.to_bytes(2, "big")
    return b"\x7f" + size.to_bytes(8, "big")
