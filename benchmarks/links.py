"""The hand-off from the producer to a consumer: events a second, CPU an event, and a reader that stalls.

Run `python benchmarks/links.py`. It starts readers of its own, prints one table, and needs nothing else.

Hand-off: trades of 128 bytes through Outlet and Link, in batches as a vendor's frames bring them, beside the
ancestor's way in the same run: a dict with a time-zone-aware pandas Timestamp, one by one through a
multiprocessing.Queue. CPU is of both processes together. The targets were set by bytes that nobody read into
types, so what msgspec takes for that is measured too, and the ratio is told with it and without.

Stall: 30,000 events a second (65 % quotes, 33 % trades, 2 % bars, 300 symbols) to a reader that sleeps, and
then wakes. All targets are ratios within the run, or bounds that hold on two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import msgspec

from liu_tui.engine.links import Link, pack, pair
from liu_tui.engine.messages import OnMarketLink
from liu_tui.engine.outlet import Outlet
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import Bar, Quote, Step, Trade

EVENT_BYTES = 128
BATCH = 64
SYMBOLS = [f"SYM{n:03d}" for n in range(300)]
RATE = 30_000
TICK_S = 0.002
MS = 1_000_000

_decoder: msgspec.msgpack.Decoder[list[OnMarketLink]] = msgspec.msgpack.Decoder(list[OnMarketLink])


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # not Linux: the peak is the next best
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# ── the reader's process ──


async def read(sock: socket.socket, take: Callable[[list[OnMarketLink]], bool]) -> None:
    """Hand over what comes until take() says that it is enough."""
    wake = asyncio.Event()
    link = Link(sock, _decoder, wake.set)
    while not take(link.take()) and not link.closed:
        await wake.wait()
        wake.clear()
    link.close()


def drain(sock: socket.socket, wanted: int) -> dict[str, float]:
    """Count so many events."""
    count, began = 0, cpu_s()

    def take(events: list[OnMarketLink]) -> bool:
        nonlocal count
        count += len(events)
        return count >= wanted

    asyncio.run(read(sock, take))
    return {"end_ns": monotonic_ns(), "cpu_s": cpu_s() - began}


def stall(sock: socket.socket, seconds: float) -> dict[str, float]:
    """Sleep at the first event; then tell how soon every symbol's quote was current again."""
    woke = current = 0
    counts: dict[type, int] = {}
    newest: dict[str, int] = {}

    def take(events: list[OnMarketLink]) -> bool:
        nonlocal woke, current
        if not events:
            return False
        if not woke:
            time.sleep(seconds)
            woke = monotonic_ns()
        for event in events:
            counts[type(event)] = counts.get(type(event), 0) + 1
            if type(event) is Quote:
                newest[event.symbol] = event.t_ns
        if not current and len(newest) == len(SYMBOLS) and min(newest.values()) > woke - 100 * MS:
            current = monotonic_ns()
        return type(events[-1]) is Step

    asyncio.run(read(sock, take))
    return {"bars": counts.get(Bar, 0), "current_ms": (current - woke) / MS if current else float("inf")}


def reader(what: str, fd: int, argument: str) -> None:
    """Be the reader's process: print one JSON object at the end."""
    sock = socket.socket(fileno=fd)
    said = drain(sock, int(argument)) if what == "drain" else stall(sock, float(argument))
    print(json.dumps(said), flush=True)


def start_reader(what: str, argument: str) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    ours, theirs = pair()
    words = [sys.executable, __file__, "--reader", what, str(theirs.fileno()), argument]
    child = subprocess.Popen(words, pass_fds=(theirs.fileno(),), stdout=subprocess.PIPE)
    theirs.close()
    return ours, child


def answer_of(child: subprocess.Popen[bytes]) -> dict[str, float]:
    said, _ = child.communicate(timeout=120)
    answer: dict[str, float] = json.loads(said)
    return answer


# ── the producer's side ──


def a_trade(n: int) -> Trade:
    """Make a trade of 128 bytes on the wire."""
    trade = Trade(
        SYMBOLS[n % 300], 1_700_000_000_000_000_000 + n, 100.25, 100.0, n + 2**20, "V", ("@", "I"), "C"
    )
    short = EVENT_BYTES - (len(pack([trade])) - 5)
    return msgspec.structs.replace(trade, exchange="V" * (short + 1)) if short > 0 else trade


async def send_all(sock: socket.socket, events: list[Trade], count: int) -> tuple[int, float]:
    """Send so many events in batches; returns when that began, and the CPU it took."""
    link: Link[object] = Link(sock, msgspec.msgpack.Decoder(list[object]), lambda: None)
    outlet = Outlet(link, merging=False)
    stream = cycle(events)
    began_ns, began = monotonic_ns(), cpu_s()
    for _ in range(count // BATCH):
        for event in islice(stream, BATCH):
            outlet.put(event)
        outlet.flush()
        while outlet.behind:  # noqa: ASYNC110 - a sender of the house never waits for its reader; only this one
            await asyncio.sleep(0.0005)
    took = cpu_s() - began
    await asyncio.sleep(0)
    outlet.close()
    return began_ns, took


def by_link(count: int) -> tuple[float, float]:
    """Events a second, and CPU of both processes in microseconds an event."""
    sock, child = start_reader("drain", str(count))
    events = [a_trade(n) for n in range(3_000)]
    with child:
        began_ns, spent = asyncio.run(send_all(sock, events, count))
        said = answer_of(child)
    return count / (said["end_ns"] - began_ns) * 1e9, (spent + said["cpu_s"]) / count * 1e6


def types_alone(count: int) -> float:
    """CPU of writing and reading the same batches in one process, in microseconds an event."""
    batch = [a_trade(n) for n in range(BATCH)]
    began = cpu_s()
    for _ in range(count // BATCH):
        _decoder.decode(memoryview(pack(batch))[4:])
    return (cpu_s() - began) / count * 1e6


def drain_queue(queue: Queue[dict[str, Any] | None], answer: Queue[tuple[int, float]]) -> None:
    queue.get()  # the first one only says that all is imported
    began = cpu_s()
    while queue.get() is not None:
        pass
    answer.put((monotonic_ns(), cpu_s() - began))


def by_queue(count: int) -> tuple[float, float]:
    """Measure the ancestor's way in the same two figures."""
    import pandas as pd

    spawn = multiprocessing.get_context("spawn")
    queue: Queue[dict[str, Any] | None] = spawn.Queue()
    answer: Queue[tuple[int, float]] = spawn.Queue()
    child = spawn.Process(target=drain_queue, args=(queue, answer))
    child.start()
    moment = pd.Timestamp("2024-03-05 10:30", tz="America/New_York")
    event = {
        "EV": "T",
        "symbol": "SYM001",
        "price": 100.25,
        "size": 100,
        "timestamp": moment,
        "exchange": "V",
        "conditions": ["@", "I"],
        "tape": "C",
    }
    queue.put(dict(event))
    while not queue.empty():
        time.sleep(0.01)
    began_ns, began = monotonic_ns(), cpu_s()
    for _ in range(count):
        queue.put(dict(event))
    queue.put(None)
    end_ns, theirs = answer.get(timeout=120)
    ours = cpu_s() - began
    child.join()
    queue.close()
    answer.close()
    return count / (end_ns - began_ns) * 1e9, (ours + theirs) / count * 1e6


def market_at(n: int, now: int) -> OnMarketLink:
    """Make event n: symbol after symbol, and for each of them quotes, trades and bars well mixed."""
    turn, place = divmod(n, len(SYMBOLS))
    symbol, kind = SYMBOLS[place], (turn * 37 + place) % 100
    if kind < 65:
        return Quote(symbol, now, 100.0, 100.0, 100.1, 100.0)
    if kind < 98:
        return Trade(symbol, now, 100.0, 100.0)
    return Bar(symbol, now, 100.0, 101.0, 99.0, 100.5, 1000.0)


async def send_through_a_stall(sock: socket.socket, seconds: float) -> dict[str, float]:
    """Send at RATE until the reader has been awake for a second; returns what it cost here."""
    link: Link[object] = Link(sock, msgspec.msgpack.Decoder(list[object]), lambda: None)
    outlet = Outlet(link)
    n = bars = 0
    longest = 0.0
    gc.collect()
    began_ns, resident, grown = monotonic_ns(), resident_bytes(), 0
    due = began_ns
    while monotonic_ns() < began_ns + int((seconds + 1.5) * 1e9):
        started = time.perf_counter()
        for _ in range(int(RATE * TICK_S)):
            event = market_at(n, monotonic_ns())
            bars += type(event) is Bar
            outlet.put(event)
            n += 1
        outlet.flush()
        longest = max(longest, time.perf_counter() - started)
        grown = max(grown, resident_bytes() - resident)
        due += int(TICK_S * 1e9)
        rest_s = max(0.0, (due - monotonic_ns()) / 1e9)
        started = time.perf_counter()
        await asyncio.sleep(rest_s)  # the outlet writes here when there is room
        longest = max(longest, time.perf_counter() - started - rest_s)
    outlet.put(Step(1, monotonic_ns()))
    outlet.flush()
    while outlet.behind or outlet.waiting:  # noqa: ASYNC110 - the same
        await asyncio.sleep(TICK_S)
    outlet.close()
    return {"sent": n, "bars": bars, "grown": grown, "longest_s": longest, "merged": outlet.merged}


def through_a_stall(seconds: float) -> dict[str, float]:
    sock, child = start_reader("stall", str(seconds))
    with child:
        cost = asyncio.run(send_through_a_stall(sock, seconds))
        said = answer_of(child)
    return {**cost, "bars_lost": cost["bars"] - said["bars"], "current_ms": said["current_ms"]}


# ── the table ──


def row(what: str, value: str, target: str = "", holds: bool | None = None) -> None:
    mark = "" if holds is None else "held" if holds else "MISSED"
    print(f"{what:<44}{value:>16}   {target:<22}{mark}")


def main() -> None:
    parser = argparse.ArgumentParser(description="The hand-off from the producer to a consumer.")
    parser.add_argument("--events", type=int, default=1_000_000, help="through the link")
    parser.add_argument("--queue-events", type=int, default=60_000, help="through the queue")
    parser.add_argument("--stall", type=float, default=3.0, help="seconds that the reader sleeps")
    parser.add_argument("--reader", nargs=3, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.reader:
        what, fd, argument = words.reader
        reader(what, int(fd), argument)
        return

    count = words.events // BATCH * BATCH
    link_rate, link_cpu = by_link(count)
    types_cpu = types_alone(count // 4)
    queue_rate, queue_cpu = by_queue(words.queue_events)
    row("hand-off, link", f"{link_rate:,.0f} ev/s")
    row("", f"{link_cpu:.2f} us/ev")
    row("  of which msgspec, to types and back", f"{types_cpu:.2f} us/ev")
    row("hand-off, multiprocessing.Queue of dicts", f"{queue_rate:,.0f} ev/s")
    row("", f"{queue_cpu:.2f} us/ev")
    rate, cpu = link_rate / queue_rate, queue_cpu / max(link_cpu - types_cpu, 0.01)
    row("  ratio, events a second, types and all", f"{rate:.0f} x", "at least 50 x", rate >= 50)
    row("  ratio, CPU an event, types and all", f"{queue_cpu / link_cpu:.0f} x")
    row("  ratio, CPU an event, the hand-off alone", f"{cpu:.0f} x", "at least 100 x", cpu >= 100)

    cost = through_a_stall(words.stall)
    row(f"reader asleep for {words.stall:g} s, sent meanwhile", f"{cost['sent']:,.0f} ev")
    row("  folded into newer ones", f"{cost['merged']:,.0f} ev")
    row("  producer grew by", f"{cost['grown'] / 1e6:.1f} MB", "under 10 MB", cost["grown"] < 10e6)
    row("  longest block", f"{cost['longest_s'] * 1000:.1f} ms", "under 50 ms", cost["longest_s"] < 0.05)
    row("  bars lost", f"{cost['bars_lost']:.0f}", "none", cost["bars_lost"] == 0)
    row(
        "  every quote current after",
        f"{cost['current_ms']:.0f} ms",
        "within 100 ms",
        cost["current_ms"] <= 100,
    )


if __name__ == "__main__":
    main()
