"""Flatten 30 positions while two of the symbols are halted: what the screen says at each step, and how long.

    python benchmarks/flatten.py [--positions 30] [--halt 20] [--speed 1] [--width 120]

A session on the simulated market opens a position in each symbol, long and short, each with a stop and a
target; two symbols are halted, and everything is flattened as the console's key does it. Every line that is
new on the screen is printed with the seconds since the key: of the strip above the panes in the console's own
words and width, and of the log, where fills are counted. Traffic is loopback only; it ends by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from liu_tui.engine.snapshot import Picture
from liu_tui.tui.view import View
from liu_tui.tui.widgets.alerts import Alerts
from liu_tui.tui.widgets.board import Look
from tests.kit.puppet import Puppet
from tests.kit.screen import Screen

LATENCY = "[market.exchange]\nlatency_ms = 30\n"
HEIGHT = 40
STUCK = 2
PATIENCE_S = 120.0


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--positions", type=int, default=30)
    words.add_argument("--halt", type=float, default=20.0, help="session seconds")
    words.add_argument("--speed", type=float, default=1.0)
    words.add_argument("--width", type=int, default=120)
    said = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        house = Puppet(
            Path(folder), count=2 * said.positions, speed=said.speed, partial_fills=0.1, market=LATENCY
        )
        try:
            return asyncio.run(flatten(house, said.positions, said.halt, said.width))
        finally:
            house.close()


async def flatten(house: Puppet, positions: int, halt_s: float, width: int) -> int:
    await asyncio.to_thread(house.start)
    screen = await Screen.attach(house)
    try:
        symbols = await open_positions(house, screen, positions)
        house.fault("halt", symbols=symbols[:STUCK], **{"for": halt_s})
        await screen.until("halts are known", lambda: sum(hit.halted for hit in screen.picture.hits) == STUCK)
        steps = Steps(screen, width)
        await screen.ask("flatten", reason="asked for")
        while steps.flat_s is None:
            steps.look(await asyncio.wait_for(screen.next(), PATIENCE_S))
        most = f"{positions - STUCK} of {positions} closed after {steps.most_s or 0.0:.1f} s"
        print(f"{most}, all flat after {steps.flat_s:.1f} s; halted for {halt_s:g} s")
        return 0
    finally:
        await screen.close()


async def open_positions(house: Puppet, screen: Screen, positions: int) -> list[str]:
    """Have so many positions, every third one short, with their stops and targets at work."""
    await screen.until("there are symbols", lambda: len(screen.picture.hits) >= positions)
    symbols = sorted(hit.symbol for hit in screen.picture.hits)[:positions]
    house.tell(*symbols[::3], do="open", qty=-50)
    house.tell(*(name for n, name in enumerate(symbols) if n % 3), do="open", qty=100)
    legs = 2 * positions
    await screen.until(
        "all are held and protected",
        lambda: (
            len([row for row in screen.picture.positions if abs(row.qty) in (50, 100)]) == positions
            and [row.role for row in screen.working()].count("stop") == legs // 2
            and len(screen.working()) == legs
        ),
        deadline_s=PATIENCE_S,
    )
    house.tell_nothing()
    return symbols


class Steps:
    """Prints what is new.

    most_s: seconds from the key until all is closed that can be; flat_s: until all is flat
    """

    def __init__(self, screen: Screen, width: int) -> None:
        self._screen, self._width = screen, width
        self._view = View()
        self._strip = Alerts(self._view, Look())
        self._began = time.monotonic()
        self._log = len(screen.log)
        self._shown: list[str] = []
        self._fills = 0
        self.most_s: float | None = None
        self.flat_s: float | None = None

    def look(self, picture: Picture) -> None:
        """Print what this picture shows and the one before did not."""
        self._view.take(picture)
        self._look_at_log()
        after = time.monotonic() - self._began
        rows = [row for row in picture.flattens if not row.symbol]
        if rows and self.most_s is None and rows[0].left <= STUCK:
            self.most_s = after
        strip = self._lines()
        if _steps(strip) != _steps(self._shown):
            self._print("screen", *strip or ("(the strip is gone)",))
        done = bool(self._shown) and not strip
        self._shown = strip
        if done:
            self.flat_s = after

    def _look_at_log(self) -> None:
        for line in self._screen.log[self._log :]:
            if line.kind == "fill":
                self._fills += 1
            else:
                self._print("log", line.words)
        self._log = len(self._screen.log)

    def _lines(self) -> list[str]:
        height = self._strip.wanted(self._width, HEIGHT)
        lines = self._strip.draw(self._width, height) if height else []
        return ["".join(span[0] for span in line.spans) for line in lines]

    def _print(self, where: str, *lines: str) -> None:
        if self._fills:
            print(f"{'':16}  {self._fills} fills")
            self._fills = 0
        stamp = f"{time.monotonic() - self._began:+7.2f} s  {where:<6}"
        for line in lines:
            print(f"{stamp} {line}")
            stamp = " " * len(stamp)


def _steps(strip: list[str]) -> list[str]:
    """The strip without what only grows older."""
    return [line.split(" since ")[0].rstrip() for line in strip]


if __name__ == "__main__":
    sys.exit(main())
