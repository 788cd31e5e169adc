"""A picture of the real console as an SVG: `python -m liu_tui.tui.portrait SOCKET OUT.svg [--size 120x40]`.

Runs the console without a terminal on a live session, does some keys, and writes what a person would see.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from liu_tui.errors import Exit, NothingToAttach, UsageError
from liu_tui.settings import Settings
from liu_tui.tui.app import ConsoleApp


async def portray(
    socket: Path, size: tuple[int, int], *, keys: tuple[str, ...] = (), wait_s: float = 2.0,
    theme: str = "liu-dark", title: str = "liu-tui",
) -> str:  # fmt: skip
    """Return the console's screen as an SVG. keys: pressed first; wait_s: for pictures, and after keys.

    Raises NothingToAttach if no picture comes.
    """
    app = ConsoleApp(socket, batch_id="", plan="", settings=Settings(), silent=True)
    async with app.run_test(size=size) as pilot:
        app.look.use(theme)
        app.theme = theme
        await asyncio.sleep(wait_s)
        if app.view.picture is None:
            raise NothingToAttach("no picture came", where=str(socket), mend="See 'liu-tui sessions'.")
        if keys:
            await pilot.press(*keys)
            await asyncio.sleep(wait_s)
        app.console_screen.repaint()
        await pilot.pause()
        return app.export_screenshot(title=title)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    try:
        return int(width), int(height)
    except ValueError as e:
        raise UsageError(f"{text!r} is no size", where="--size", mend="Write it as 120x40.") from e


def main() -> Exit:
    """Read the command line and write the picture."""
    words = argparse.ArgumentParser(description="Picture a live session's console as an SVG.")
    words.add_argument("socket", type=Path)
    words.add_argument("out", type=Path)
    words.add_argument("--size", default="120x40")
    words.add_argument("--keys", default="", help="keys to press first, with commas between them: enter,j")
    words.add_argument("--theme", default="liu-dark")
    words.add_argument("--wait", type=float, default=2.0, help="seconds for pictures to come")
    said = words.parse_args()
    keys = tuple(key for key in said.keys.split(",") if key)
    svg = asyncio.run(portray(said.socket, _size(said.size), keys=keys, wait_s=said.wait, theme=said.theme))
    said.out.write_text(svg, encoding="utf-8")
    return Exit.DONE


if __name__ == "__main__":
    raise SystemExit(main())
