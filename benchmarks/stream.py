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

from benchmarks.kit import latency, limits, procs, sustained, tables, verdict
from benchmarks.kit.elder import elder
from benchmarks.kit.server import Order
from benchmarks.kit.stages import stages
from benchmarks.kit.stall import stall

PARTS = ("sustained", "latency", "stall", "stages", "ancestor", "limits")


class Run:
    """One run of some parts. quick: fewer cells, shorter runs."""

    def __init__(self, *, quick: bool) -> None:
        self._quick = quick
        self._seconds = 1.0 if quick else 2.0
        self._results = verdict.Results()

    async def measure(self, parts: list[str]) -> None:
        """Measure these parts, then say what holds."""
        works = (
            self._sustained,
            self._latency,
            self._stall,
            self._stages,
            self._ancestor,
            self._limits,
        )
        self._machine()
        for part, work in zip(PARTS, works, strict=True):
            if part in parts:
                await work()
        tables.title("Beside the ancestor and the raw limits")
        verdict.ratios(self._results)
        tables.title("Targets")
        verdict.show(self._results)
        self._machine()

    def _machine(self) -> None:
        print(f"\nload average {procs.load_average():.2f}", flush=True)

    async def _sustained(self) -> None:
        frames, results = (1, 10, 100), self._results
        counts = (300,) if self._quick else (10, 300, 3_000)
        tables.title("Sustained, trades: nothing lost, merged or late, half of it within 50 ms")
        results.grid = await sustained.grid(frames, counts, self._seconds)
        tables.shots(results.grid)
        tables.title("Sustained, two thirds quotes")
        results.mixed = await sustained.with_quotes(300, self._seconds)
        tables.shots([results.mixed] if results.mixed is not None else [])
        tables.title("At 300,000 events a second, the cheapest of some rounds")
        results.at_floor = await sustained.at_rate(verdict.FLOOR, self._seconds, 2 if self._quick else 5)
        tables.shots([results.at_floor])

    async def _latency(self) -> None:
        tables.title("Latency at rates offered, medians of some rounds")
        found = await latency.latencies(1.5 if self._quick else 4.0, 1 if self._quick else 3)
        self._results.latency = found
        tables.shots(found)
        late = ", ".join(f"{shot.late_ms[0]:.2f} and {shot.late_ms[1]:.2f}" for shot in found)
        print(f"of this the load server's own lateness, p50 and p99 in ms: {late}")

    async def _stall(self) -> None:
        tables.title("A consumer that stops, at 30,000 events a second, 300 symbols, a bar a second of each")
        self._results.stall = await stall(3.0 if self._quick else 10.0)
        tables.stall(self._results.stall)

    async def _stages(self) -> None:
        tables.title("Each stage by itself, frames of 100 trades, 300 symbols")
        found = await asyncio.to_thread(stages)  # a loop of its own runs there
        tables.rows(("", "ns/event"), ((name, f"{ns:.0f}") for name, ns in found.items()))

    async def _ancestor(self) -> None:
        tables.title("The ancestor's design, sustained")
        async with elder(300) as other:
            shot = await sustained.most(other, Order(300, 10, 500.0, self._seconds))
        self._results.ancestor = shot
        tables.shots([shot] if shot is not None else [])

    async def _limits(self) -> None:
        results = self._results
        tables.title("Raw limits")
        results.decode_us = min(limits.decode_us(0.3) for _ in range(5))
        results.bytes_rate = max(limits.bytes_rate(0.5) for _ in range(5))
        decoding, moving = results.decode_us, results.bytes_rate
        print(f"typed decode alone: {decoding:.3f} us an event, {1e6 / decoding:,.0f} a second")
        print(f"bytes through a socket pair: {moving:,.0f} events of {limits.EVENT_BYTES} bytes a second")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer cells, shorter runs")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts")
    words = parser.parse_args()
    try:
        asyncio.run(Run(quick=words.quick).measure(words.only))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
