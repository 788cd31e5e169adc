"""What cannot be beaten in Python here: decoding a frame into types, and bytes through a socket pair."""

from __future__ import annotations

import multiprocessing
import socket
import time
from datetime import datetime

import msgspec

from benchmarks.kit import tape

EVENT_BYTES = 124
BLOCK = 64 * 1024
FRAME = 100


class Print(msgspec.Struct, tag_field="T", tag="t", gc=False):
    """As little of a trade as anybody could want."""

    S: str
    t: datetime
    p: float
    s: float


def decode_us(seconds: float) -> float:
    """CPU microseconds an event of reading frames of trades into slim structs, and nothing else."""
    slabs = tape.slabs(tape.names(300), frame=FRAME, frames=1, quotes=False)
    frames = [bytes(slab.stamped(1_709_653_800 * tape.SECOND_NS, tape.FIRST_ID))[4:] for slab in slabs]
    decoder = msgspec.msgpack.Decoder(list[Print])
    rounds, began = 0, time.process_time()
    while time.process_time() - began < seconds:
        for frame in frames:
            decoder.decode(frame)
        rounds += 1
    return (time.process_time() - began) / (rounds * len(frames) * FRAME) * 1e6


def _drain(sock: socket.socket) -> None:
    buffer = bytearray(BLOCK)
    while sock.recv_into(buffer):
        pass


def bytes_rate(seconds: float) -> float:
    """Events of 124 bytes a second through a stream socket pair into another process, unread."""
    ours, theirs = socket.socketpair()
    child = multiprocessing.get_context("fork").Process(target=_serve, args=(ours, theirs))
    child.start()
    theirs.close()
    block, sent, began = bytes(BLOCK), 0, time.monotonic()
    while time.monotonic() - began < seconds:
        ours.sendall(block)
        sent += BLOCK
    took = time.monotonic() - began
    ours.close()
    child.join()
    return sent / EVENT_BYTES / took


def _serve(ours: socket.socket, theirs: socket.socket) -> None:
    ours.close()
    _drain(theirs)
