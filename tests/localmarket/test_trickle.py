"""Fragments: whatever is cut into them comes out again, and none of them is far from the next."""

from hypothesis import given
from hypothesis import strategies as st

from liu_tui.localmarket.trickle import MOST_PIECES, pieces


def parse(fragment: bytes) -> tuple[bool, int, bytes]:
    """(last, opcode, payload) of one unmasked websocket frame."""
    first, size, rest = fragment[0], fragment[1], fragment[2:]
    assert not first & 0x70
    assert not size & 0x80
    if size == 126:
        size, rest = int.from_bytes(rest[:2], "big"), rest[2:]
    elif size == 127:
        size, rest = int.from_bytes(rest[:8], "big"), rest[8:]
    assert len(rest) == size
    return bool(first & 0x80), first & 0x0F, rest


@given(st.integers(0, 3_000_000), st.booleans())
def test_the_fragments_of_a_frame_are_the_frame(size: int, binary: bool) -> None:
    frame = bytes(range(256)) * (size // 256) + bytes(size % 256)
    read = [parse(piece) for piece in pieces(frame, binary=binary)]
    assert b"".join(payload for *_, payload in read) == frame
    assert [opcode for _, opcode, _ in read] == [2 if binary else 1] + [0] * (len(read) - 1)
    assert [last for last, *_ in read] == [False] * (len(read) - 1) + [True]
    assert len(read) <= MOST_PIECES
