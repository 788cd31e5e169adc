"""`liu-tui record`: a plan's session without trading, its market data kept in a file."""

import os
from pathlib import Path

import click

from liu_tui.cli import output
from liu_tui.cli.start import run_headless, seconds_of
from liu_tui.errors import Exit, FeedError, UsageError


@click.command()
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The recording, such as monday.liu; one that is there goes on.",
)
@click.option(
    "--for", "for_", metavar="SPAN", default="", help="End after so much wall time from ready: 90s, 10m."
)
@output.json_option
def record(plan: Path, out: Path, for_: str, as_json: bool) -> Exit:
    """Record the market data of PLAN's session, and trade nothing.

    Its scanners run and their picks are subscribed, as on any day; the desk takes no entries. Without --for
    it ends a minute after the close.
    """
    from liu_tui.engine.session import Options

    options = Options(for_s=seconds_of(for_) if for_ else 0.0, record=str(_writable(out)))
    return run_headless(plan, options, as_json=as_json)


def _writable(out: Path) -> Path:
    """Return the absolute path of the recording. Raises UsageError if it cannot be one."""
    # Imported here: the command line's own start needs no msgpack.
    from liu_tui.market.framing import BlockFile

    path = out.expanduser().absolute()
    if not path.exists():
        if not os.access(path.parent, os.W_OK):
            raise UsageError(
                "nothing can be written there", where=f"--out {out}", mend="Name another folder."
            )
        return path
    try:
        BlockFile(path).close()
    except FeedError as e:
        raise UsageError(e.what, where=f"--out {out}", mend=e.mend) from e
    return path
