"""From the socket to the strategy's call: events a second, CPU an event, latency, and a consumer that stalls.

Run `python benchmarks/stream.py`, or `--quick` for a look. It starts a load server that speaks Alpaca's
protocol on loopback, the house's own producer process and two of its consumer processes with a strategy that
reads the session's VWAP and does nothing; beside them, in the same run, the ancestor's design and the raw
limits. It ends by itself, and takes all that it started with it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.kit import procs, sustained, tables

PARTS = ("sustained",)


async def measure(parts: list[str], *, quick: bool) -> None:
    print(f"load average {procs.load_average():.2f}")
    if "sustained" in parts:
        frames = (1, 10, 100)
        counts = (300,) if quick else (10, 300, 3_000)
        tables.title("Sustained: nothing lost, merged or late, half of it within 50 ms")
        tables.shots(await sustained.grid(frames, counts, 1.0 if quick else 2.0))
    print(f"load average {procs.load_average():.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer cells, shorter runs")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts")
    words = parser.parse_args()
    try:
        asyncio.run(measure(words.only, quick=words.quick))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
