"""What must hold between the keys of a plan, and between a plan and the files it names.

All take the checked values as plain dicts (a value with a fault of its own is absent) and add to the faults.
"""

import keyword
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from liu_tui.plan.faultkinds import wrongs
from liu_tui.plan.faults import Faults, did_you_mean, shown
from liu_tui.plan.lines import Place
from liu_tui.plan.schema import DataVendor, Environment

Values = dict[str, Any]
FEEDS = ("iex", "sip", "delayed_sip", "test")  # the names of Alpaca's live stock streams under /v2
POLYGON_FEEDS = ("realtime", "delayed")
SESSION_MIN = 390  # minutes of a regular session
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_SATURDAY = 5
_NARROWER = (
    ("max_order_value", "max_position_value"),
    ("max_order_value", "max_gross_value"),
    ("max_position_value", "max_gross_value"),
    ("max_orders_per_minute", "max_orders_per_day"),
)
_KINDS = ("scanners", "strategies", "miners")


def across(plan: Values, faults: Faults) -> None:
    """Whatever can be said without looking at the disk."""
    _something_to_do(plan, faults)
    _environment(plan, faults)
    _market(plan.get("market", {}), faults)
    _market_faults(plan.get("market", {}), faults)
    _feed("alpaca", FEEDS, plan, faults)
    _feed("polygon", POLYGON_FEEDS, plan, faults)
    _producers(plan, faults)
    _limits(plan.get("limits", {}), faults)
    _class_names(plan, faults)
    _targets(plan, faults)
    _portfolios(plan, faults)
    _windows(plan, faults)


def files(plan: Values, faults: Faults, base: Path, *, source_needed: bool) -> None:
    """Whether the files that the plan names are there, inside the workspace `base`."""
    for place, filename in _filenames(plan):
        _user_file(place, filename, faults, base)
    source = plan.get("market", {}).get("source", "simulated")
    if source_needed and source not in ("", "simulated") and not (base / source).exists():
        mend = (
            f'Looked for {base / source}. Give "simulated", or a recording, a CSV file or a folder of them.'
        )
        faults.at(("market", "source"), f"no such file or folder: {shown(source)}", mend)


def _something_to_do(plan: Values, faults: Faults) -> None:
    scanners, strategies = plan["scanners"], plan["strategies"]
    if not any(plan[kind] for kind in _KINDS):
        faults.of_table((), "has nothing to run", "Add a [scanners.NAME] and a [strategies.NAME] table.")
    elif strategies and not scanners:
        faults.of_table((), "has no scanner, so no symbol is ever picked", "Add a [scanners.NAME] table.")
    elif scanners and not strategies and not plan.get("test_scanners"):
        mend = (
            "Add a [strategies.NAME] table, or test_scanners = true at the top to watch the scanners alone."
        )
        faults.of_table((), "has no strategy", mend)


def _environment(plan: Values, faults: Faults) -> None:
    if plan.get("environment") is Environment.BACKTEST:
        mend = "Say \"PAPER\"; 'liu-tui backtest' marks its own batches."
        faults.at(("environment",), "was 'BACKTEST', which no session runs in", mend)
    if plan.get("environment") is Environment.PROD and "market" in plan:
        mend = 'Take [market] away to trade real money, or write environment = "PAPER".'
        faults.at(("environment",), "was 'PROD' with a [market] table", mend)


def _market(market: Values, faults: Faults) -> None:
    if (day := market.get("date")) and (wrong := _wrong_day(day)):
        faults.at(("market", "date"), f"was {day!r}, {wrong}", 'Give a trading day, as "2026-01-05".')
    if (start := market.get("start")) and not _CLOCK.fullmatch(start):
        faults.at(
            ("market", "start"), f"was {start!r}", 'Give New York time as "HH:MM", for instance "09:25".'
        )
    speed = market.get("speed")
    if isinstance(speed, str) and speed != "max":
        faults.at(("market", "speed"), f"was {speed!r}", 'Give a number above 0 without quotes, or "max".')
    if market.get("source") == "":
        faults.at(("market", "source"), "is empty", 'Give "simulated", or a file or folder of recorded data.')


def _wrong_day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return "no ISO date"
    if text != day.isoformat():  # fromisoformat also takes 20260105 and 2026-W02-1
        return "not written as year-month-day"
    return f"a {day:%A}" if day.weekday() >= _SATURDAY else ""


def _market_faults(market: Values, faults: Faults) -> None:
    for index, row in enumerate(market.get("faults", ())):
        for key, what, mend in wrongs(row):
            faults.at(("market", "faults", index, key), what, mend)


def _feed(table: str, known: tuple[str, ...], plan: Values, faults: Faults) -> None:
    feed = plan.get(table, {}).get("feed", known[0])
    if feed not in known:
        faults.at((table, "feed"), f"was {feed!r}", did_you_mean(feed, known))


def _producers(plan: Values, faults: Faults) -> None:
    """Lock-step is over one connection of Alpaca's protocol; a recording is of one; vendors allow but one."""
    market = plan.get("market")
    stepped = market is not None and market.get("speed") == "max"
    if stepped and plan.get("data") is DataVendor.POLYGON:
        faults.at(
            ("data",), "was 'polygon' with speed = \"max\"", 'Give a number as speed, or take "alpaca".'
        )
    if plan.get("producers", 1) == 1:
        return
    place: Place = ("producers",)
    said = f"was {plan['producers']}"
    if market is None:
        vendor = plan.get("data", DataVendor.ALPACA).value.capitalize()
        faults.at(place, said, f"{vendor} allows one data connection: leave it at 1.")
    elif stepped:
        faults.at(place, f'{said} with speed = "max"', "Lock-step needs producers = 1.")
    elif plan.get("record"):
        faults.at(place, f"{said} with record = true", "A recording is of one connection: producers = 1.")


def _limits(limits: Values, faults: Faults) -> None:
    """A limit over a wider one binds nobody: one of the two is a slip."""
    for narrow, wide in _NARROWER:
        least, most = limits.get(narrow), limits.get(wide)
        if least is not None and most is not None and least > most:
            what = f"was {least:,g}, more than {wide} of {most:,g}: it would never refuse anything"
            faults.at(("limits", narrow), what, f"Give at most {most:,g}, or raise {wide}.")
    if "strategy_cooldown_min" in limits and limits.get("max_losses_in_row") is None:
        mend = "Add max_losses_in_row: after so many losses a strategy rests."
        faults.at(("limits", "strategy_cooldown_min"), "does nothing without max_losses_in_row", mend)


def _class_names(plan: Values, faults: Faults) -> None:
    for kind in _KINDS:
        for name in plan[kind]:
            if not name.isidentifier() or keyword.iskeyword(name):
                mend = f"Name the table after the class in its file, as [{kind}.MyClass]."
                faults.of_table((kind, name), f"{name!r} cannot be the name of a class", mend)


def _targets(plan: Values, faults: Faults) -> None:
    for name, scanner in plan["scanners"].items():
        target = scanner.get("target_strategy_name")
        if target and target not in plan["strategies"]:
            place = ("scanners", name, "target_strategy_name")
            faults.at(place, f"no strategy is called {target!r}", did_you_mean(target, plan["strategies"]))


def _portfolios(plan: Values, faults: Faults) -> None:
    for name, strategy in plan["strategies"].items():
        wanted = strategy.get("portfolio_id")
        if wanted and wanted not in plan["portfolios"]:
            mend = did_you_mean(wanted, plan["portfolios"]) if plan["portfolios"] else _no_portfolio(wanted)
            faults.at(("strategies", name, "portfolio_id"), f"no portfolio is called {wanted!r}", mend)


def _no_portfolio(wanted: str) -> str:
    return f"Add a [portfolios.{wanted}] table with its size, or delete the line."


def _windows(plan: Values, faults: Faults) -> None:
    if plan.get("bypass_market_schedule"):
        return
    for name, strategy in plan["strategies"].items():
        for index, row in enumerate(strategy.get("schedule", ())):
            if row.get("start", 0) >= SESSION_MIN:
                place: Place = ("strategies", name, "schedule", index, "start")
                mend = f"A session has {SESSION_MIN} minutes: give less, or bypass_market_schedule = true."
                faults.at(
                    place, f"was {row['start']:g} minutes after the open, which is past the close", mend
                )


def _filenames(plan: Values) -> Iterator[tuple[Place, str]]:
    for kind in _KINDS:
        for name, table in plan[kind].items():
            if "filename" in table:
                yield (kind, name, "filename"), table["filename"]


def _user_file(place: Place, filename: str, faults: Faults, base: Path) -> None:
    said = f"was {shown(filename)}"
    if Path(filename).is_absolute() or ".." in Path(filename).parts:
        faults.at(place, said, f"Name a file inside the workspace, relative to {base}.")
    elif not filename.endswith(".py"):
        faults.at(place, said, "Name the Python file (.py) that holds the class.")
    elif not (base / filename).is_file():
        beside = [path.name for path in (base / filename).parent.glob("*.py")]
        mend = did_you_mean(Path(filename).name, beside) if beside else ""
        faults.at(place, f"no such file: {shown(filename)}", f"Looked for {base / filename}. {mend}".rstrip())
