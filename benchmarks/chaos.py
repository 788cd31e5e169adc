"""Chaos in its long form: how much a session survives without losing, doubling or forgetting an order.

    python benchmarks/chaos.py [--survive 500] [--seed 1] [--speed 20] [--only "kill desk,lost answers"]

A session trades hard on the simulated market while its processes are killed with kill -9, its connections
cut, its broker's answers lost and its updates mangled, until so many kills and faults are survived. Then all
is closed, and ledger, journal, positions and the strategies' own sums are compared, row for row. Traffic is
loopback only; the run ends by itself, at the latest with the simulated day.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.kit import chaos
from tests.kit.chaos import Chaos


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--survive", type=int, default=500)
    words.add_argument("--deeds", type=int, default=0, help="in place of --survive")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--speed", type=float, default=20.0)
    words.add_argument("--only", default="", help="these deeds, with commas between")
    words.add_argument("--keep", type=Path, help="keep the workspace here")
    said = words.parse_args()
    if said.only:
        chosen = said.only.split(",")
        chaos.WEIGHTS = {name: weight for name, weight in chaos.WEIGHTS.items() if name in chosen}
    with tempfile.TemporaryDirectory() as folder:
        root = said.keep or Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        storm = Chaos(root, seed=said.seed, speed=said.speed)
        began = time.perf_counter()
        try:
            survive = 0 if said.deeds else said.survive
            differences = asyncio.run(storm.run(said.deeds, survive=survive, tell=_tell))
        finally:
            storm.house.close()
        took = time.perf_counter() - began
    print(f"seed {said.seed}, speed {said.speed:g}, {took:.0f} s: {storm.orders} orders, {storm.fills} fills")
    print(f"kills  {storm.kills.total():5}  {_counts(storm.kills)}")
    print(f"faults {storm.faults.total():5}  {_counts(storm.faults)}")
    print(f"commands {storm.commands.total():3}  {_counts(storm.commands)}")
    print(f"survived {storm.kills.total() + storm.faults.total()}; differences {len(differences)}")
    for line in differences[:50]:
        print(f"  {line}")
    return 1 if differences else 0


def _tell(words: str) -> None:
    print(f"  {words}", file=sys.stderr, flush=True)


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main())
