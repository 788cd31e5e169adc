"""From the strategy's return to the request on the wire, journal commit included, while market data flow.

    python benchmarks/orders.py [--rate 20000] [--seconds 10] [--orders 40]

A load server offers that many trades a second to the house's own producer; two consumers run a strategy that
buys and sells in turn; the desk's own process journals every order (SQLite, synchronous = FULL) and sends it
to a broker on loopback that notes when the first bytes of the request were read, and fills it at once. It
ends by itself, and takes all that it started with it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks.kit import probe_orders, procs
from benchmarks.kit.house import House
from benchmarks.kit.load import Load
from benchmarks.kit.rig import Rig
from benchmarks.kit.server import Order
from benchmarks.kit.spoken import Spoken
from benchmarks.kit.tape import names
from benchmarks.kit.venue import ten_minutes_in
from liu_tui.trading.ids import base36

SYMBOLS = 100
TARGET_MS = 5.0
WARM_S = 2.0
FRAME = 20
PROBE = Path(probe_orders.__file__)


async def measure(rate: float, seconds: float, orders: float) -> tuple[list[float], int, str]:
    """Take milliseconds from each return to the broker's first byte; how many were asked; what went wrong."""
    time = ten_minutes_in()
    load = await Load.start(time)
    broker = await Spoken.start("benchmarks.kit.broker")
    port = int(await broker.hear())
    house = House(
        load.url,
        time,
        "Turns",
        probe=PROBE,
        broker=f"http://127.0.0.1:{port}",
        params={"share": max(1, round(rate / orders))},
    )
    try:
        await house.start()
        await house.serve(names(SYMBOLS), "trade")
        await house.live()
        rig = Rig(load, house, time)
        await load.send(Order(SYMBOLS, FRAME, rate, WARM_S))
        await rig.settle()
        warm = set(house.lines())
        await broker.ask()
        await load.send(Order(SYMBOLS, FRAME, rate, seconds))
        await rig.settle()
        arrived: dict[str, int] = json.loads(await broker.ask())
        asked = [line for line in house.lines() if line not in warm]
        return list(_matched(asked, arrived)), len(asked), "; ".join(house.complaints()[:3])
    except TimeoutError:
        print(house.log(), file=sys.stderr)
        raise
    finally:
        await house.close()
        await load.close()
        await broker.close()


def _matched(asked: list[str], arrived: dict[str, int]) -> Iterator[float]:
    """An order's name ends with its symbol and its event's time, in base 36."""
    came = {tuple(name.rsplit("-", 3)[1:3]): at_ns for name, at_ns in arrived.items()}
    for line in asked:
        symbol, event_ns, returned_ns = line.split()
        at_ns = came.get((symbol, base36(int(event_ns))))
        if at_ns is not None:
            yield (at_ns - int(returned_ns)) / 1e6


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--rate", type=float, default=20_000.0, help="market events a second")
    words.add_argument("--seconds", type=float, default=10.0)
    words.add_argument("--orders", type=float, default=40.0, help="orders a second, about")
    words.add_argument("--rounds", type=int, default=3)
    said = words.parse_args()
    print(f"load average {procs.load_average():.2f}; {SYMBOLS} symbols; milliseconds")
    heads = ("events/s", "orders", "unsent", "p50", "p90", "p99", "p99.9", "worst")
    print("".join(f"{head:>9}" for head in heads))
    best = float("inf")
    for rate in (0.1 * said.rate, *[said.rate] * said.rounds):
        took, asked, complaints = asyncio.run(measure(rate, said.seconds, said.orders))
        p50, p90, p99, p999, worst = np.percentile(took, (50, 90, 99, 99.9, 100))
        shown = "".join(f"{ms:9.2f}" for ms in (p50, p90, p99, p999, worst))
        print(f"{rate:9,.0f}{asked:9}{asked - len(took):9}{shown} {complaints}", flush=True)
        best = min(best, p99) if rate == said.rate else best
    print(f"p99 at {said.rate:,.0f} events/s, best of {said.rounds}: {best:.2f} ms, target {TARGET_MS:g} ms")
    return 0 if best < TARGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())
