"""The frame of the command line: finding a command, running it, and what the shell hears.

liu-tui PLAN ...      starts or attaches: the command without a name
liu-tui COMMAND ...   one of COMMANDS, imported only when it is called, so that --help costs nothing
"""

import sys
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import click

from liu_tui import __version__
from liu_tui.cli import output
from liu_tui.errors import Exit, LiuError

PLAN = "PLAN"
COMMANDS: dict[str, tuple[str, str]] = {
    PLAN: ("liu_tui.cli.start:start", "Start the plan's session and open the console on it."),
    "attach": ("liu_tui.cli.session:attach", "Open the console on a running session."),
    "sessions": ("liu_tui.cli.session:sessions", "List what is running."),
    "stop": ("liu_tui.cli.session:stop", "End a session in order."),
    "ctl": ("liu_tui.cli.session:ctl", "Do what a key of the console does: pause, flatten, kill, ..."),
    "check": ("liu_tui.cli.check:check", "Find every fault of a plan and of the files it names."),
    "doctor": ("liu_tui.cli.doctor:doctor", "Examine this machine: keys, clock, disk, terminal, sessions."),
    "init": ("liu_tui.cli.init:init", "Make a workspace: plans, a strategy, a scanner."),
    "market": ("liu_tui.cli.market:market", "Run the local market alone, for any Alpaca client."),
    "record": ("liu_tui.cli.record:record", "Keep the market data of a plan's session in a file."),
    "backtest": ("liu_tui.cli.offline:backtest", "Run a plan over history."),
    "mine": ("liu_tui.cli.offline:mine", "Run a plan's off-market miners."),
    "report": ("liu_tui.cli.books:report", "Analyse a session."),
    "batches": ("liu_tui.cli.books:batches", "List the sessions in the books."),
}
"""name -> (module:function, what it does)."""

_EPILOG = (
    "Exit codes: 0 done, 1 the run failed, 2 the command line or plan is wrong, "
    "3 refused by a limit or a guard, 4 nothing to attach to, 130 interrupted."
)


class _Commands(click.Group):
    """Sub-commands by name; a first word that is a plan's file means PLAN."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return _import(name) if name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS:
            near = get_close_matches(args[0], COMMANDS, n=1)
            mend = f"Did you mean {near[0]!r}?" if near else "A plan's file ends in .toml."
            raise click.UsageError(f"There is no command {args[0]!r}. {mend}", ctx)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if _names_plan(args):
            args = [PLAN, *args]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


@click.command(cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="liu-tui")
def commands() -> None:
    """Scan, trade, guard and watch a day from one terminal.

    `liu-tui plans/today.toml` starts a session on the local market; `liu-tui init` makes a workspace first.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code. Prints errors; raises nothing."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in args
    try:
        done = commands.main(args=args, prog_name="liu-tui", standalone_mode=False)
    except LiuError as e:
        output.tell_error(e, as_json=as_json)
        return int(e.code)
    except click.ClickException as e:
        output.tell_usage(e, as_json=as_json)
        return int(Exit.USAGE)
    except (click.Abort, KeyboardInterrupt):
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        return _reader_went()
    except Exception as e:  # noqa: BLE001 - the process's edge: nobody above can say it better
        return _own_fault(e, as_json=as_json)
    return int(done) if isinstance(done, int) else int(Exit.DONE)


def _names_plan(args: Sequence[str]) -> bool:
    """Whether this is `liu-tui PLAN ...`, its options before or after the plan."""
    if not args or args[0] in COMMANDS:
        return False
    first = args[0]
    if not first.startswith("-"):
        return first.endswith(".toml") or Path(first).is_file()
    return any(word.endswith(".toml") for word in args[1:]) and not any(word in COMMANDS for word in args)


def _import(name: str) -> click.Command:
    module, _, function = COMMANDS[name][0].partition(":")
    try:
        command = getattr(import_module(module), function, None)
    except ModuleNotFoundError as e:
        if e.name != module:
            raise
        command = None
    if not isinstance(command, click.Command):
        mend = "Install liu-tui again; if that does not help, it is a fault of this release."
        raise LiuError(f"this build has no {name!r}", where=COMMANDS[name][0], mend=mend)
    return command


def _reader_went() -> int:
    """Whoever read our output has gone (`| head`): end without a word, and let no later flush complain."""
    sys.stdout = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    return int(Exit.FAILED)


def _own_fault(error: Exception, *, as_json: bool) -> int:
    sys.stderr.write("".join(traceback.format_exception(error)))
    mend = "This is a fault of liu-tui itself: please report it with the lines above."
    output.tell_error(LiuError(f"{type(error).__name__}: {error}", mend=mend), as_json=as_json)
    return int(Exit.FAILED)
