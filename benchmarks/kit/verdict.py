"""What was measured against what was promised. A figure that was not taken says nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from benchmarks.kit import tables
from benchmarks.kit.rig import Shot
from benchmarks.kit.stall import Stall

FLOOR, DREAM = 300_000.0, 500_000.0
RATIO_FLOOR, RATIO_DREAM = 50.0, 100.0


class Results(msgspec.Struct):
    """All that one run measured; None or empty for a part that was left out."""

    grid: list[Shot] = []
    mixed: Shot | None = None
    at_floor: Shot | None = None
    latency: list[Shot] = []
    stall: Stall | None = None
    ancestor: Shot | None = None
    decode_us: float | None = None
    bytes_rate: float | None = None

    @property
    def best(self) -> Shot | None:
        """The highest rate that was sustained."""
        return max(self.grid, key=lambda shot: shot.rate, default=None)


def show(results: Results) -> None:
    """Print the targets."""
    lines = [
        (what, value, target, "held" if holds else "MISSED") for what, value, target, holds in _lines(results)
    ]
    tables.rows(("", "measured", "target", ""), lines)


def _lines(results: Results) -> Iterator[tuple[str, str, str, bool]]:
    for part in (_throughput, _latency, _stall):
        yield from part(results)


def _throughput(results: Results) -> Iterator[tuple[str, str, str, bool]]:
    best, ancestor, floor = results.best, results.ancestor, results.at_floor
    if best is not None:
        for target in (FLOOR, DREAM):
            yield "sustained, events/s", f"{best.rate:,.0f}", f"{target:,.0f}", best.rate >= target
    if best is not None and ancestor is not None:
        ratio = best.rate / ancestor.rate
        for least in (RATIO_FLOOR, RATIO_DREAM):
            yield "times the ancestor's design", f"{ratio:.0f}", f"{least:.0f}", ratio >= least
    if floor is not None:
        cheap, whole = floor.house_us <= 3.5, not (floor.merged or floor.discarded or floor.lost)
        words = f"{floor.house_us:.2f} us" + ("" if whole else " (not all went through)")
        yield "CPU an event at 300,000/s", words, "at most 3.5 us", cheap and whole


def _latency(results: Results) -> Iterator[tuple[str, str, str, bool]]:
    for shot in results.latency:
        p50, p99, _p999 = shot.lags_ms
        yield f"p50 at {shot.rate:,.0f}/s", f"{p50:.2f} ms", "under 0.5 ms", p50 < 0.5
        if shot.rate == 200_000:
            yield f"p99 at {shot.rate:,.0f}/s", f"{p99:.2f} ms", "under 10 ms", p99 < 10


def _stall(results: Results) -> Iterator[tuple[str, str, str, bool]]:
    if (stall := results.stall) is None:
        return
    yield "stall: producer grows", f"{stall.grown / 1e6:.1f} MB", "under 10 MB", stall.grown < 10e6
    yield (
        "stall: longest lag beside it",
        f"{stall.neighbour_ms:.0f} ms",
        "under 50 ms",
        stall.neighbour_ms < 50,
    )
    yield "stall: bars lost", f"{stall.bars_lost}", "none", not stall.bars_lost
    yield (
        "stall: quotes current after",
        f"{stall.current_ms:.0f} ms",
        "within 100 ms",
        stall.current_ms <= 100,
    )


def ratios(results: Results) -> None:
    """Print what stands beside the ancestor and the raw limits."""
    best, ancestor = results.best, results.ancestor
    facts: dict[str, str] = {}

    def compare(what: str, ours: float, theirs: float, write: Callable[[float], str]) -> None:
        facts[what] = f"{write(ours)} to {write(theirs)}: {max(ours, theirs) / min(ours, theirs):.1f} times"

    if best is not None and ancestor is not None:
        compare("events/s, ours to the ancestor's", best.rate, ancestor.rate, lambda rate: f"{rate:,.0f}")
        compare("CPU an event, ours to the ancestor's", best.house_us, ancestor.house_us, _us)
    if best is not None and results.decode_us is not None:
        compare("CPU an event, ours to decoding alone", best.house_us, results.decode_us, _us)
    if best is not None and results.bytes_rate is not None:
        compare("events/s, ours to bare bytes", best.rate, results.bytes_rate, lambda rate: f"{rate:,.0f}")
    tables.rows(("", ""), facts.items())


def _us(value: float) -> str:
    return f"{value:.2f} us"
