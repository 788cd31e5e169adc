"""`liu-tui init [DIR]`: a new workspace."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from liu_tui.cli import output
from liu_tui.errors import RefusedError, UsageError

_RENAMED = {
    "gitignore": ".gitignore"
}  # a file of the real name would hide things from our own version control
_SKIPPED = ("__pycache__",)


@click.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@output.json_option
def init(folder: Path, as_json: bool) -> None:
    """Make a workspace in DIR (here, if not given): plans, a strategy, a scanner. Overwrites nothing."""
    written = make_workspace(folder)
    if as_json:
        output.emit({"root": str(folder.resolve()), "files": [str(path) for path in written]})
        return
    for path in written:
        output.say(f"  {folder / path}")
    go = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
    output.say(f"Ready. Now: {go}liu-tui plans/today.toml")


def make_workspace(folder: Path) -> list[Path]:
    """Write the template into `folder`; returns the files, relative to it.

    Raises RefusedError, having written nothing, if one of them is there already; UsageError if it
    cannot write.
    """
    texts = dict(sorted(_template(files("liu_tui.cli") / "template", Path())))
    if there := [str(path) for path in texts if (folder / path).exists()]:
        what = f"{', '.join(there)} exist{'s' if len(there) == 1 else ''} already"
        mend = "Choose another folder, or move them away: nothing is ever overwritten."
        raise RefusedError(what, where=str(folder), mend=mend)
    try:
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with (folder / path).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as e:
        raise UsageError(
            f"cannot write: {e.strerror}", where=str(folder), mend="Choose another folder."
        ) from e
    return list(texts)


def _template(source: Traversable, place: Path) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for entry in source.iterdir():
        if entry.is_dir() and entry.name not in _SKIPPED:
            found += _template(entry, place / entry.name)
        elif entry.is_file():
            found.append((place / _RENAMED.get(entry.name, entry.name), entry.read_text("utf-8")))
    return found
