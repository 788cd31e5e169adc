"""Each fault of the data by itself over a whole recorded day, and whether the series are right at its end.

    python benchmarks/drills.py DATA [--day 2019-02-12] [--speed 600] [--only drop,silence]

DATA is a file or folder of recorded minutes. For each fault a session is run on the day at that speed, the
fault strikes again and again, and at the end every symbol's minutes are compared with the market's own
history, bar for bar. The table says what the console showed meanwhile. Traffic is loopback only, and each
session ends by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from liu_tui.market.sources import open_source
from tests.kit.drill import Drill, Seen

EVERY_MIN = 30
"""Session minutes between two strikes of one fault."""
DAY_MIN = 330
"""Session minutes of a drill: what remains of the day is for settling."""
KINDS: dict[str, dict[str, Any]] = {
    "none": {},
    "drop": {"kind": "drop"},
    "silence": {"kind": "silence", "for": 2400},
    "delay": {"kind": "delay", "for": 600, "seconds": 90.0},
    "duplicate": {"kind": "duplicate", "for": 300},
    "reorder": {"kind": "reorder", "for": 300},
    "corrupt": {"kind": "corrupt", "for": 120, "share": 0.3},
    "wrong_types": {"kind": "wrong_types", "for": 120, "share": 0.1},
    "refuse 407": {"kind": "refuse", "code": 407},
    "refuse 406": {"kind": "refuse", "for": 900, "code": 406},
    "refuse 404": {"kind": "refuse", "for": 900, "code": 404},
    "slow": {"kind": "slow", "for": 600},
    "skew": {"kind": "skew", "for": 300, "seconds": 3.0},
    "halt": {"kind": "halt", "for": 300},
    "bad_print": {"kind": "bad_print", "percent": 12.0},
    "correct": {"kind": "correct"},
    "cancel": {"kind": "cancel"},
}
LAG_MS = 250.0
"""What a session without faults stays under at any speed."""
NEED_A_DROP = ("refuse 406", "refuse 404")
"""Only who logs in anew is refused."""


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("data", type=Path)
    words.add_argument("--day", default="")
    words.add_argument("--speed", type=float, default=600.0)
    words.add_argument("--only", default="")
    said = words.parse_args()
    source = open_source(str(said.data.resolve()), base=Path(), symbols=0, seed=1, day=said.day)
    day = said.day or source.days()[-1]
    symbols = [asset.symbol for asset in source.assets()][:50]
    print(
        f"{len(symbols)} symbols on {day} at speed {said.speed:g}; a fault strikes every {EVERY_MIN} minutes"
    )
    print(f"{'fault':<12}{'series':<12}the console showed")
    wrong = 0
    for name in said.only.split(",") if said.only else KINDS:
        seen, differing = asyncio.run(drill(name, str(said.data.resolve()), day, symbols, said.speed))
        wrong += bool(differing)
        print(f"{name:<12}{'DIFFER' if differing else 'equal':<12}{_shown(seen)}", flush=True)
        for symbol, rows in list(differing.items())[:3]:
            print(f"{'':<12}{symbol}: {'; '.join(rows[:3])}")
    print(f"{wrong} drills ended with series that differ from history")
    return 1 if wrong else 0


async def drill(
    name: str, source: str, day: str, symbols: list[str], speed: float
) -> tuple[Seen, dict[str, list[str]]]:
    with tempfile.TemporaryDirectory() as folder:
        session = Drill(
            Path(folder),
            source=source,
            day=day,
            symbols=symbols,
            faults=_strikes(name, symbols, speed),
            speed=speed,
            until=DAY_MIN,
        )
        try:
            return session.seen, await session.run()
        finally:
            session.house.close()


def _strikes(name: str, symbols: list[str], speed: float) -> list[dict[str, Any]]:
    fault = dict(KINDS[name])
    if not fault:
        return []
    if name == "halt":
        fault["symbols"] = symbols[:1]
    if name == "silence":
        fault["for"] = max(fault["for"], 4 * speed)  # nothing is silent before three seconds of the wall
    if name in ("delay", "skew"):
        fault["seconds"] = 6 * speed  # nothing is late before five seconds of the wall
    every = max(EVERY_MIN, fault.get("for", 0) / 60 * 2)
    strikes = []
    at = 10.0
    while at < DAY_MIN - max(EVERY_MIN, 2 * every / 3) - speed / 60 * 3:
        strikes.append({**fault, "at": at})
        if name in NEED_A_DROP:
            strikes.append({"kind": "drop", "at": at + 1})
        at += every
    return strikes


def _shown(seen: Seen) -> str:
    counts = [f"{name} {count}" for name, count in seen.counts.items() if count]
    others = {"late": seen.late, "stale": seen.stale, "halted": seen.halted}
    counts += [f"{name} {count}" for name, count in others.items() if count]
    counts += [f"lag {seen.lag_ms:.0f} ms"] if seen.lag_ms > LAG_MS else []
    states = [state for state in seen.states if state != "live"]
    mended = sum("put right" in line or "back-filled" in line for line in seen.words)
    return ", ".join([*states, *counts, *([f"{mended} mends"] if mended else [])]) or "nothing wrong"


if __name__ == "__main__":
    sys.exit(main())
