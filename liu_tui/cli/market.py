"""`liu-tui market`: the local market alone, for any Alpaca client."""

import asyncio
import math
from pathlib import Path
from typing import Any

import click
import msgspec

from liu_tui import logs
from liu_tui.cli import output
from liu_tui.errors import UsageError


def _speed(_: click.Context, param: click.Parameter, value: str) -> float | str:
    # A number above 0, or `max`.
    try:
        speed = math.inf if value == "max" else float(value)
    except ValueError:
        speed = math.nan
    if value != "max" and not 0 < speed < math.inf:
        raise click.BadParameter(f"{value!r} is neither a number above 0 nor 'max'.", param=param)
    return value if value == "max" else speed


def _faults(_: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Any, ...]:
    # Each is one [[market.faults]] of a plan, as JSON. Imported here as the server is below.
    from liu_tui.localmarket.faultform import read_fault

    read = []
    for text in values:
        try:
            read.append(read_fault(msgspec.json.decode(text)))
        except msgspec.DecodeError as e:
            raise click.BadParameter(f"{text!r} is no JSON: {e}", param=param) from e
        except UsageError as e:
            raise click.BadParameter(f"{e.what}. {e.mend}", param=param) from e
    return tuple(read)


def _table(ctx: click.Context, param: click.Parameter, value: str) -> Any:
    # A table of a plan, [market.exchange] or [fees], as JSON.
    from liu_tui.plan.schema import ExchangeTable, FeesTable

    kind = FeesTable if param.name == "fees" else ExchangeTable
    try:
        return msgspec.json.decode(value, type=kind)
    except msgspec.MsgspecError as e:
        raise click.BadParameter(f"{value!r}: {e}", ctx=ctx, param=param) from e


_DOLLARS = click.FloatRange(0, min_open=True)
_SECONDS = click.FloatRange(0, min_open=True)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option(
    "--source", default="simulated", help="`simulated` (the default), or recorded data: a file, a folder."
)
@click.option("--date", default="", help="The day to play, as 2026-01-05.")
@click.option(
    "--start", default="", help="New York time its clock starts at, as 09:25; the open if not given."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="On loopback; 0 takes a free one.")
@click.option("--seed", type=int, default=1, help="Of the simulation and of partial fills.")
@click.option("--speed", callback=_speed, default="1", help="Session seconds a second; `max` is lock-step.")
@click.option("--symbols", type=click.IntRange(2, 2000), default=100, help="How many the simulation has.")
@click.option("--cash", type=_DOLLARS, default=100_000.0, help="Dollars in a new account.")
@click.option("--partial-fills", type=click.FloatRange(0, 1), default=0.1, help="Fraction of orders, 0 to 1.")
@click.option("--ledger", type=_FILE, default=None, help="Keep the account in this file.")
@click.option("--key", default="", help="The only key id to let in; any, if not given.")
@click.option("--secret", default="", help="Its secret.")
@click.option(
    "--symbol-limit",
    type=click.IntRange(1),
    default=None,
    help="Trades and quotes one data connection may have; Alpaca's free plan has 30.",
)
@click.option(
    "--exchange", callback=_table, default="{}", metavar="JSON", help="As [market.exchange] in a plan."
)
@click.option("--fees", callback=_table, default="{}", metavar="JSON", help="As [fees] in a plan.")
@click.option("--fault", "faults", multiple=True, callback=_faults, hidden=True, metavar="JSON")
@click.option("--idle-exit", "idle_exit_s", type=_SECONDS, help="End after so many seconds without a client.")
@output.json_option
def market(as_json: bool, **options: Any) -> int:
    """Run the local market until it is interrupted.

    When it listens it prints one JSON line, {"url": ..., "port": ...}, with or without --json.
    """
    # Imported here: the server is much code, and 'market --help' needs none of it.
    from liu_tui.localmarket.options import MarketOptions
    from liu_tui.localmarket.server import serve

    if bool(options["key"]) != bool(options["secret"]):
        raise click.UsageError("--key and --secret go together: give both or neither.")
    logs.setup("market", level="WARNING", stderr=True, as_json=as_json, secrets=[options["secret"]])
    return int(asyncio.run(serve(MarketOptions(base=Path.cwd(), **options))))
