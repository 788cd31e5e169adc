"""Printing: plain tables that fit a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.kit.rig import Shot
from benchmarks.kit.stall import Stall

HEADS = (
    "frame",
    "symbols",
    "events/s",
    "us/event",
    "producer",
    "consumers",
    "(load)",
    "p50 ms",
    "p99",
    "p99.9",
)


def title(words: str) -> None:
    print(f"\n{words}\n{'-' * len(words)}", flush=True)


def rows(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Print a table: the first column to the left, the others to the right."""
    table = [list(heads), *map(list, lines)]
    widths = [max(len(line[n]) for line in table) for n in range(len(heads))]
    for line in table:
        rest = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        print("  ".join((line[0].ljust(widths[0]), *rest)), flush=True)


def shots(found: Iterable[Shot]) -> None:
    """Print shots; what was not whole is said in a last column."""
    rows((*HEADS, ""), ((*_cells(shot), _faults(shot)) for shot in found))


def _cells(shot: Shot) -> tuple[str, ...]:
    cpu = (shot.house_us, *shot.cpu_us)
    return (
        str(shot.frame),
        str(shot.symbols),
        f"{shot.rate:,.0f}",
        *(f"{value:.2f}" for value in (*cpu, *shot.lags_ms)),
    )


def _faults(shot: Shot) -> str:
    counts = {"merged": shot.merged, "late": shot.discarded, "lost": shot.lost}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


def stall(found: Stall) -> None:
    """Print a stall."""
    unseen = ", ".join(f"{count:,} {kind}" for kind, count in found.unseen.items())
    facts = {
        "consumer A stopped for": f"{found.seconds:g} s of {found.sent:,} events",
        "trades and quotes folded into newer ones": f"{found.merged:,}",
        "too old when it came to them": f"{found.discarded:,}",
        "so no strategy was called for": unseen,
        "bars lost": f"{found.bars_lost}",
        "producer grew by at most": f"{found.grown / 1e6:.1f} MB",
        "longest lag of the other consumer's events": f"{found.neighbour_ms:.1f} ms",
        "every quote of consumer A current after": f"{found.current_ms:.0f} ms",
    }
    rows(("", ""), facts.items())
