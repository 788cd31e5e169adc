"""Printing: plain tables that fit a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.kit.rig import Shot


def title(words: str) -> None:
    print(f"\n{words}\n{'-' * len(words)}", flush=True)


def rows(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Print a table: the first column to the left, the others to the right."""
    lines = [list(heads), *map(list, lines)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    for line in lines:
        first = line[0].ljust(widths[0])
        rest = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        print("  ".join((first, *rest)), flush=True)


def shots(found: Iterable[Shot]) -> None:
    """Print what sustained() found."""
    heads = (
        "frame",
        "symbols",
        "events/s",
        "us/event",
        "producer",
        "consumers",
        "(load)",
        "p50 ms",
        "p99 ms",
    )
    rows(
        heads,
        (
            (
                str(shot.frame),
                str(shot.symbols),
                f"{shot.rate:,.0f}",
                f"{shot.house_us:.2f}",
                f"{shot.cpu_us[0]:.2f}",
                f"{shot.cpu_us[1]:.2f}",
                f"{shot.cpu_us[2]:.2f}",
                f"{shot.lags_ms[0]:.2f}",
                f"{shot.lags_ms[1]:.2f}",
            )
            for shot in found
        ),
    )
