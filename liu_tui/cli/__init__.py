"""The command line. `main` is the entry point; each command is imported only when it is called."""

from liu_tui.cli.main import main

__all__ = ["main"]
