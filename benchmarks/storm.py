"""Storms in their long form: the rules and the exchange, with kills and faults between them, by seed.

    python benchmarks/storm.py [--storms 2000] [--seed 1] [--deeds 60]

Each storm is one session in this process, without sockets or clocks: the same seed makes the same storm, to
the last byte. It ends with everything closed and compared: journal, exchange, positions, fills, the day's
result, the strategies' view. What differs is printed with its seed; run that one alone to see it again. The
exit code is 1 if anything differed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.kit.stormchecks import survived


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--storms", type=int, default=2000)
    words.add_argument("--seed", type=int, default=1, help="of the first one")
    words.add_argument("--deeds", type=int, default=60)
    said = words.parse_args()
    kills: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    orders = fills = sent = differ = 0
    began = time.perf_counter()
    for seed in range(said.seed, said.seed + said.storms):
        storm, found = survived(seed, said.deeds)
        kills += storm.kills
        faults += storm.faults
        orders, fills = orders + len(storm.rows.orders), fills + len(storm.rows.fills)
        sent += storm.door.seen.total()
        if found:
            differ += 1
            print(f"seed {seed} differs:", *found[:5], sep="\n  ")
    took = time.perf_counter() - began
    print(f"{said.storms} storms from seed {said.seed} in {took:.0f} s")
    print(f"orders {orders:6}  of which {sent} came to the exchange's door, {fills} fills")
    print(f"kills  {kills.total():6}  {_counts(kills)}")
    print(f"faults {faults.total():6}  {_counts(faults)}")
    print(f"storms that differed: {differ}")
    return 1 if differ else 0


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


if __name__ == "__main__":
    sys.exit(main())
