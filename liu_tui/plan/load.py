"""Read a plan file into a TradePlan, or say everything that is wrong with it at once.

    text ─tomlkit─▶ plain values ─_Reader, table by table─▶ checked values ─plan.checks─▶ TradePlan

Each value is converted alone, so that one fault hides no other and every message can name its table and line.
Whether a strategy's class takes its parameters is not asked here: loading user code stands a floor higher.
"""

import math
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError

from liu_tui.errors import Fault, PlanError
from liu_tui.model.window import Window
from liu_tui.plan import checks
from liu_tui.plan.faults import Faults, did_you_mean, leaves, looks_secret, nearest, plan_error, shown, wanted
from liu_tui.plan.lines import Lines, Place, lines_of
from liu_tui.plan.schema import (
    AlpacaTable,
    FaultTable,
    FeesTable,
    Limits,
    MarketTable,
    MinerTable,
    PolygonTable,
    PortfolioTable,
    ScannerTable,
    StrategyTable,
    TradePlan,
)
from liu_tui.settings import Workspace

Values = dict[str, Any]
_TABLES: dict[str, type[msgspec.Struct]] = {
    "market": MarketTable,
    "alpaca": AlpacaTable,
    "polygon": PolygonTable,
    "limits": Limits,
    "fees": FeesTable,
}
_SETS: dict[str, type[msgspec.Struct]] = {"portfolios": PortfolioTable}
"""Tables of the house's own that have names of the user's."""
_NAMED: dict[str, type[msgspec.Struct]] = {
    "scanners": ScannerTable,
    "strategies": StrategyTable,
    "miners": MinerTable,
}
_ROWS: dict[str, type[msgspec.Struct]] = {"schedule": Window, "faults": FaultTable}
"""Keys that hold arrays of tables."""
_GONE = {
    "file_only": "Plans come from files only: delete the line.",
    "skip_existing": "Use a limit, or the strategy's own state: delete the line.",
    "gcp_monitor_measure_prefix": "Nothing is sent to a cloud: delete the line.",
}
_WIDEST = 2**63  # TOML's integers are 64 bits


def load_plan(path: Path, *, base: Path | None = None, source_needed: bool = True) -> TradePlan:
    """Read and check the plan in `path`.

    base:          the workspace's root, which file names are relative to; found from `path` if not given
    source_needed: whether [market] source must exist; not when the data come from elsewhere (backtest --data)

    Raises PlanError with every fault of the file.
    """
    root = base if base is not None else Workspace.of(path).root
    return survey(plan_text(path), file=str(path), base=root, source_needed=source_needed).plan()


def plan_text(path: Path) -> str:
    """Return the file as it stands. Raises PlanError if it cannot be read as text."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as e:
        near = nearest(path.name, [plan.name for plan in path.parent.glob("*.toml")])
        mend = f"Did you mean {near!r}?" if near else "'liu-tui init' makes a workspace with plans in it."
        raise _whole_file(path, "no such file", mend) from e
    except IsADirectoryError as e:
        raise _whole_file(path, "is a folder", "Name a .toml file in it.") from e
    except UnicodeDecodeError as e:
        raise _whole_file(path, f"is not UTF-8 text (byte {e.start})", "Save it as UTF-8.") from e
    except OSError as e:
        raise _whole_file(path, f"cannot be read: {e.strerror}", "Check its owner and mode.") from e


@dataclass(frozen=True)
class Survey:
    """What was found in a plan: its good values as plain dicts, laid out as the schema is, and its faults."""

    values: Values
    faults: Faults

    def plan(self) -> TradePlan:
        """Make the plan. Raises PlanError if there is any fault."""
        if found := self.faults.in_order():
            raise plan_error(found)
        return _build(self.values)


def survey(text: str, *, file: str, base: Path | None = None, source_needed: bool = True) -> Survey:
    """Read and check a plan's text. Without `base` no file that it names is looked for.

    Raises PlanError only if the text is no TOML at all; other faults are gathered.
    """
    text = text.replace("\r\n", "\n")
    lines = lines_of(text)
    faults = Faults(file, lines)
    values = _Reader(faults).plan(_parse(text, file, lines))
    checks.across(values, faults)
    if base is not None:
        checks.files(values, faults, base, source_needed=source_needed)
    return Survey(values, faults)


def read_plan(text: str, *, file: str) -> TradePlan:
    """Read a plan's text without looking for the files that it names. Raises PlanError with every fault."""
    return survey(text, file=file).plan()


def _whole_file(path: Path, what: str, mend: str) -> PlanError:
    return plan_error((Fault(str(path), 0, "", "", what, mend),))


def _parse(text: str, file: str, lines: Lines) -> Values:
    """Plain values of a TOML text. Raises PlanError with the line of the fault that stops the reader."""
    try:
        return tomlkit.parse(text).unwrap()
    except ParseError as e:
        line, what = _line_of(e, text), str(e).rsplit(" at line ", 1)[0]
        mend = "The line before it may lack its closing bracket or quote."
        if lines.repeated is not None and "already exists" in what:
            place, line = lines.repeated
            mend = f"It stands in line {lines.of(place)} already: keep one of them."
        fault = Fault(file, line, "", "", f"is not TOML: {what}", mend)
        raise plan_error((fault,)) from e
    except (TOMLKitError, ValueError, RecursionError) as e:
        what = "is nested too deep" if isinstance(e, RecursionError) else f"is not TOML: {e}"
        raise plan_error((Fault(file, 0, "", "", what, "See docs/plan.md for the form."),)) from e


def _line_of(e: ParseError, text: str) -> int:
    """Count lines as editors do: the reader also counts form feeds and the like, wherever they stand."""
    passed = text.splitlines()[: e.line - 1]
    return text.count("\n", 0, sum(len(line) + 1 for line in passed) + e.col) + 1


class _Reader:
    """Raw values in, the good ones out; the others become faults."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._told: set[Place] = set()  # values that have their fault already

    def plan(self, raw: Values) -> Values:
        self._every_value(raw)
        top = {key: value for key, value in raw.items() if key not in {**_TABLES, **_SETS, **_NAMED}}
        good = self._table(TradePlan, top, ())
        for name, cls in _TABLES.items():
            if name in raw and self._is_table((name,), raw[name]):
                good[name] = self._house_table(cls, raw[name], (name,))
        for kind, cls in _SETS.items():
            good[kind] = self._set(cls, kind, raw.get(kind, {}))
        for kind, cls in _NAMED.items():
            good[kind] = self._kind(cls, kind, raw.get(kind, {}))
        return good

    def _set(self, cls: type[msgspec.Struct], kind: str, raw: Any) -> dict[str, Values]:
        good: dict[str, Values] = {}
        if not self._is_table((kind,), raw):
            return good
        for name, table in raw.items():
            if self._is_table((kind, name), table):
                self._required(cls, table, (kind, name))
                good[name] = self._table(cls, table, (kind, name))
        return good

    def _house_table(self, cls: type[msgspec.Struct], raw: Values, place: Place) -> Values:
        """Read a table of the house's own; what is an array of tables in it, row by row."""
        rows = {key: raw[key] for key in raw if key in _ROWS and key in cls.__struct_fields__}
        good = self._table(cls, {key: value for key, value in raw.items() if key not in rows}, place)
        for key, value in rows.items():
            good[key] = self._rows(_ROWS[key], value, (*place, key))
        return good

    def _every_value(self, raw: Values) -> None:
        """Find what no value may be, known key or not."""
        for place, value in leaves(raw):
            if found := self._never(place, value):
                self._faults.at(place, *found)
                self._told.add(place)

    def _never(self, place: Place, value: object) -> tuple[str, str] | None:
        key = next((part for part in reversed(place) if isinstance(part, str)), "")
        if looks_secret(key, value):
            mend = (
                "Delete the line; keys lie in the environment or in keys.toml, 'liu-tui doctor' says where."
            )
            return "looks like a credential, and a plan never holds one", mend
        if isinstance(value, float) and not math.isfinite(value):
            return f"was {value}", "Give a finite number, or leave the key away."
        if isinstance(value, int) and not -_WIDEST <= value < _WIDEST:
            return f"was {shown(value)}", "A whole number has at most 64 bits."
        return None

    def _kind(self, cls: type[msgspec.Struct], kind: str, raw: Any) -> dict[str, Values]:
        good: dict[str, Values] = {}
        if not self._is_table((kind,), raw):
            return good
        for name, table in raw.items():
            if self._is_table((kind, name), table):
                good[name] = self._user_table(cls, table, (kind, name))
        return good

    def _user_table(self, cls: type[msgspec.Struct], raw: Values, place: Place) -> Values:
        """Read a table that holds the user's parameters beside the house's keys."""
        house = set(cls.__struct_fields__) - {"params"}
        rows = raw.get("schedule") if "schedule" in house else None
        good = self._table(cls, {key: raw[key] for key in raw if key in house and key != "schedule"}, place)
        if rows is not None:
            good["schedule"] = self._rows(Window, rows, (*place, "schedule"))
        good["params"] = {key: value for key, value in raw.items() if key not in house}
        if "filename" not in raw:
            near = nearest("filename", good["params"])
            mend = (
                f"Is {near!r} meant to be it?"
                if near
                else "Say which file holds the class, from the workspace's root."
            )
            self._faults.at((*place, "filename"), "is missing", mend)
        return good

    def _rows(self, cls: type[msgspec.Struct], rows: object, place: Place) -> list[Values]:
        if not isinstance(rows, list):
            name = ".".join(str(part) for part in place)
            self._faults.at(place, f"was {shown(rows)}", f"Write each of them as [[{name}]].")
            return []
        good = []
        for index, row in enumerate(rows):
            here = (*place, index)
            if not self._is_table(here, row):
                continue
            self._required(cls, row, here)
            good.append(self._table(cls, row, here))
        return good

    def _required(self, cls: type[msgspec.Struct], raw: Values, place: Place) -> None:
        for field in msgspec.structs.fields(cls):
            if field.required and field.encode_name not in raw:
                self._faults.at((*place, field.encode_name), "is missing", f"Give {wanted(field.type)}.")

    def _is_table(self, place: Place, raw: object) -> bool:
        if isinstance(raw, dict):
            return True
        name = ".".join(str(part) for part in place)
        mend = (
            f"Write [{name}] once, in single brackets." if isinstance(raw, list) else f"Write it as [{name}]."
        )
        self._faults.of_table(place, f"was {shown(raw)}, must be a table", mend)
        return False

    def _table(self, cls: type[msgspec.Struct], raw: Values, place: Place) -> Values:
        """Convert each key by itself, with the type of the field of its name."""
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(cls)}
        good = {}
        for key, value in raw.items():
            here = (*place, key)
            if here in self._told:
                continue
            if key not in fields:
                self._unknown(key, value, fields, here)
                continue
            try:
                good[key] = msgspec.convert(value, fields[key])
            except msgspec.ValidationError:
                self._misfit(here, value, fields[key])
        return good

    def _misfit(self, place: Place, value: object, kind: Any) -> None:
        """Say in words why a value does not fit; of a list, which of its elements."""
        if isinstance(value, list) and get_origin(kind) is tuple:
            (item, _) = get_args(kind)
            for index, part in enumerate(value):
                if not _fits(part, item):
                    self._misfit((*place, index), part, item)
            return
        mend = f"Give {wanted(kind)}."
        if isinstance(value, str) and isinstance(kind, type) and issubclass(kind, StrEnum):
            mend = did_you_mean(value, [member.value for member in kind])
        elif isinstance(value, str) and _fits(_number(value), kind):
            mend = f"Write it without quotes: {value}."
        elif isinstance(value, date | time) and _fits("", kind):
            said = value.strftime("%H:%M") if isinstance(value, time) else value.isoformat()
            mend = f'Write it in quotes: "{said}".'
        self._faults.at(place, f"was {shown(value)}", mend)

    def _unknown(self, key: str, value: object, fields: Values, place: Place) -> None:
        if isinstance(value, dict | list) and len(place) == 1:
            self._faults.of_table(place, "unknown table", did_you_mean(key, (*_TABLES, *_SETS, *_NAMED)))
        else:
            self._faults.at(
                place, "unknown key", _GONE.get(key) or _elsewhere(key) or did_you_mean(key, fields)
            )


def _elsewhere(key: str) -> str:
    """Say where a key belongs that stands in the wrong table."""
    if key in TradePlan.__struct_fields__:
        return "It belongs at the top of the file, above the first table."
    homes = [name for name, cls in _TABLES.items() if key in cls.__struct_fields__]
    return f"It belongs in [{homes[0]}]." if homes else ""


def _fits(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _number(text: str) -> int | float | None:
    """Read the number that a text spells, if it does."""
    for spell in (int, float):
        try:
            return spell(text)
        except ValueError:
            continue
    return None


def _build(values: Values) -> TradePlan:
    """Make the plan of values that have no fault left."""
    plan = dict(values)
    for name, cls in _TABLES.items():
        if name in plan:
            plan[name] = cls(**_with_rows(plan[name]))
    for kind, cls in {**_SETS, **_NAMED}.items():
        plan[kind] = {name: cls(**_with_rows(table)) for name, table in plan[kind].items()}
    return TradePlan(**plan)


def _with_rows(table: Values) -> Values:
    made = {key: tuple(_row(cls, row) for row in table[key]) for key, cls in _ROWS.items() if key in table}
    return {**table, **made}


def _row(cls: type[msgspec.Struct], row: Values) -> msgspec.Struct:
    """Make a row; the plan may spell a key otherwise than Python can."""
    return cls(
        **{
            field.name: row[field.encode_name]
            for field in msgspec.structs.fields(cls)
            if field.encode_name in row
        }
    )
