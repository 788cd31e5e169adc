"""A plan's text becomes a TradePlan, or every fault at once: file, line, table, key, the mend."""

from pathlib import Path

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.errors import Exit, Fault, PlanError
from liu_tui.model.market import Event
from liu_tui.model.window import Window
from liu_tui.plan.load import load_plan, plan_text, read_plan
from liu_tui.plan.schema import Environment, OnLoss, TradePlan

WHOLE = """\
environment = "PAPER"
portfolio_value = 50_000
risk = 0.002
max_symbols = 30
events = ["quote"]
consumers = 2
late_after_s = 3
market_liquidation_end_time_minutes = 10
on_supervisor_loss = "flatten"

[market]
date = "2026-01-05"
start = "09:25"
speed = "max"

[limits]
max_open_positions = 3

[scanners.Momentum]
filename = "scanners/momentum.py"
recurrence = 5
target_strategy_name = "Breakout"
min_volume = 1_000

[strategies.Breakout]
filename = "strategies/breakout.py"
risk_pct = 0.5

[[strategies.Breakout.schedule]]
start = 5
duration = 30

[[strategies.Breakout.schedule]]
start = 300
duration = 30
"""
ENOUGH = '[scanners.A]\nfilename = "a.py"\n[strategies.B]\nfilename = "b.py"\n'


def faults_of(text: str) -> list[Fault]:
    """Read a text that has faults."""
    with pytest.raises(PlanError) as caught:
        read_plan(text, file="p.toml")
    return list(caught.value.faults)


def told(text: str) -> list[Fault]:
    """Read any text: the faults that it has. Whatever else were raised would fail the test."""
    try:
        read_plan(text, file="p.toml")
    except PlanError as e:
        return list(e.faults) or [Fault("p.toml", -1, "", "", "an error without a fault", "")]
    return []


def the_fault(text: str) -> Fault:
    """Read a text that has one fault."""
    (fault,) = faults_of(text)
    return fault


def above(lines: str) -> Fault:
    """Put lines at the top of a plan that is good otherwise."""
    return the_fault(f"{lines}\n{ENOUGH}")


def below(lines: str) -> Fault:
    """Put lines at the end of a plan that is good otherwise."""
    return the_fault(f"{ENOUGH}{lines}\n")


def test_a_whole_plan_is_read() -> None:
    plan = read_plan(WHOLE, file="p.toml")
    assert plan.environment is Environment.PAPER
    assert (plan.portfolio_value, plan.risk, plan.max_symbols) == (50_000.0, 0.002, 30)
    assert plan.events == (Event.QUOTE,)
    assert plan.on_supervisor_loss is OnLoss.FLATTEN
    assert plan.lockstep
    assert plan.limits.max_open_positions == 3
    assert plan.strategies["Breakout"].schedule == (
        Window(start=5, duration=30),
        Window(start=300, duration=30),
    )


def test_the_users_parameters_are_split_from_the_houses_keys() -> None:
    plan = read_plan(WHOLE, file="p.toml")
    assert plan.scanners["Momentum"].params == {"min_volume": 1000}
    assert plan.scanners["Momentum"].recurrence == 5.0
    assert plan.strategies["Breakout"].params == {"risk_pct": 0.5}


def test_what_is_left_away_has_the_schemas_default() -> None:
    plan = read_plan(ENOUGH, file="p.toml")
    assert plan.market is None
    assert plan.limits == TradePlan().limits
    assert plan.max_symbols == TradePlan().max_symbols


def test_prod_is_a_word_that_a_plan_may_say() -> None:
    plan = read_plan('environment = "PROD"\n' + ENOUGH, file="p.toml")
    assert plan.environment is Environment.PROD


def test_miners_alone_are_a_plan() -> None:
    assert read_plan('[miners.Daily]\nfilename = "m.py"\n', file="p.toml").miners["Daily"].filename == "m.py"


def test_scanners_alone_are_a_plan_when_only_they_are_tested() -> None:
    assert read_plan('test_scanners = true\n[scanners.A]\nfilename = "a.py"\n', file="p").test_scanners


def test_all_faults_of_a_file_come_at_once_and_in_order() -> None:
    text = "max_symbol = 5\nrisk = 7\n[limits]\nmax_order_value = -1\n" + ENOUGH + "[strategy.C]\nx = 1\n"
    assert [(fault.line, fault.table, fault.key) for fault in faults_of(text)] == [
        (1, "", "max_symbol"),
        (2, "", "risk"),
        (4, "limits", "max_order_value"),
        (9, "strategy", ""),
    ]


def test_an_error_says_file_line_table_key_what_and_mend() -> None:
    with pytest.raises(PlanError) as caught:
        read_plan("[limits]\nmax_order = 1\n" + ENOUGH, file="plans/p.toml")
    words = str(caught.value)
    assert words == "plans/p.toml:2 [limits] max_order: unknown key. Did you mean 'max_order_value'?"
    assert caught.value.code is Exit.USAGE
    assert caught.value.where == "plans/p.toml:2"


@pytest.mark.parametrize(
    ("line", "key", "says", "mend"),
    [
        ("max_symbols = 0", "max_symbols", "was 0", "Give a whole number above 0."),
        ("max_symbols = 2.5", "max_symbols", "was 2.5", "Give a whole number above 0."),
        ('risk = "0.01"', "risk", "was '0.01'", "Write it without quotes: 0.01."),
        ("risk = 2", "risk", "was 2", "Give a number above 0, at most 1."),
        ("consumers = 27", "consumers", "was 27", "Give a whole number from 0 to 26."),
        ("test_scanners = 1", "test_scanners", "was 1", "Give true or false."),
        ('environment = "PAPR"', "environment", "was 'PAPR'", "Did you mean 'PAPER'?"),
        ('environment = "paper"', "environment", "was 'paper'", "Did you mean 'PAPER'?"),
        ('environment = "BACKTEST"', "environment", "no session runs in", "'liu-tui backtest'"),
        ("environment = 1", "environment", "was 1", 'Give one of "PAPER", "PROD"'),
        ('on_supervisor_loss = "halted"', "on_supervisor_loss", "'halted'", "Did you mean 'halt'?"),
        ('events = ["minute", "quotes"]', "events", "was 'quotes'", "Did you mean 'quote'?"),
        ('events = "minute"', "events", "was 'minute'", "Give a list, each one of"),
        ("portfolio_value = inf", "portfolio_value", "was inf", "finite"),
        ("late_after_s = nan", "late_after_s", "was nan", "finite"),
        ("max_symbols = 99999999999999999999", "max_symbols", "was 9999", "64 bits"),
        ("file_only = true", "file_only", "unknown key", "delete the line"),
        ("max_daily_loss = 5", "max_daily_loss", "unknown key", "It belongs in [limits]."),
        ("max_symbls = 5", "max_symbls", "unknown key", "Did you mean 'max_symbols'?"),
        ("zzz = 5", "zzz", "unknown key", "Known are alpaca, "),
    ],
)
def test_a_bad_key_at_the_top_is_told(line: str, key: str, says: str, mend: str) -> None:
    fault = above(f"\n{line}")
    assert (fault.line, fault.table, fault.key) == (2, "", key)
    assert says in fault.what
    assert mend in fault.mend


@pytest.mark.parametrize(
    ("table", "line", "says", "mend"),
    [
        ("market", 'speed = "fast"', "was 'fast'", '"max"'),
        ("market", 'speed = "10"', "was '10'", "without quotes"),
        ("market", "speed = 0", "was 0", "above 0"),
        ("market", 'start = "9:25"', "was '9:25'", "HH:MM"),
        ("market", 'start = "24:00"', "was '24:00'", "HH:MM"),
        ("market", "start = 09:25:00", "was 09:25:00", 'Write it in quotes: "09:25".'),
        ("market", "date = 2026-01-05", "was 2026-01-05", 'Write it in quotes: "2026-01-05".'),
        ("market", 'date = "2026-13-01"', "no ISO date", "2026-01-05"),
        ("market", 'date = "20260105"', "year-month-day", "2026-01-05"),
        ("market", 'date = "2026-01-03"', "a Saturday", "trading day"),
        ("market", 'source = ""', "is empty", "simulated"),
        ("market", "symbols = 5000", "was 5000", "from 2 to 2000"),
        ("market", "port = 70000", "was 70000", "from 0 to 65535"),
        ("limits", "max_symbols = 5", "unknown key", "at the top of the file"),
        ("alpaca", 'feed = "spi"', "was 'spi'", "Did you mean 'sip'?"),
        ("scanners.C", 'target_strategy_name = "b"', "no strategy is called 'b'", "Did you mean 'B'?"),
        ("scanners.C", "recurrence = -5", "was -5", "above 0"),
        ("strategies.C", "budget_ms = 0", "was 0", "above 0"),
        ("strategies.C", "schedule = 5", "was 5", "[[strategies.C.schedule]]"),
    ],
)
def test_a_bad_key_in_a_table_is_told(table: str, line: str, says: str, mend: str) -> None:
    required = 'filename = "c.py"' if "." in table else ""
    fault = below(f"[{table}]\n{required}\n\n{line}")
    assert (fault.line, fault.table, fault.key) == (8, table, line.split(" ")[0])
    assert says in fault.what
    assert mend in fault.mend


def test_a_missing_filename_is_told_at_the_tables_line() -> None:
    fault = below("[strategies.C]\nrisk_pct = 1")
    assert (fault.line, fault.table, fault.key) == (5, "strategies.C", "filename")


def test_a_misspelt_filename_is_asked_after() -> None:
    assert "'filname'" in below('[scanners.C]\nfilname = "c.py"').mend


def test_each_row_of_a_schedule_is_told_at_its_own_line() -> None:
    rows = "[[strategies.B.schedule]]\nstart = 1\nduration = 2\n[[strategies.B.schedule]]\nduration = 0\n"
    missing, bad = faults_of(ENOUGH + rows)
    assert (missing.line, missing.table, missing.key) == (8, "strategies.B.schedule", "start")
    assert (bad.line, bad.table, bad.key, bad.what) == (9, "strategies.B.schedule", "duration", "was 0")


def test_a_window_after_the_close_is_told_unless_the_schedule_is_bypassed() -> None:
    row = "[[strategies.B.schedule]]\nstart = 390\nduration = 5\n"
    assert "past the close" in the_fault(ENOUGH + row).what
    assert read_plan("bypass_market_schedule = true\n" + ENOUGH + row, file="p").bypass_market_schedule


@pytest.mark.parametrize(
    "line",
    [
        'api_key = "x"',
        'secret = "x"',
        'apca_api_key_id = "x"',
        "password = 1",
        'note = "PKABCDEFGHIJKLMNOPQR"',
    ],
)
@pytest.mark.parametrize("table", ["market", "scanners.A", "strategies.B"])
def test_a_credential_is_refused_wherever_it_stands_and_never_repeated(table: str, line: str) -> None:
    text = (
        ENOUGH.replace(f"[{table}]", f"[{table}]\n{line}")
        if table in ENOUGH
        else f"[market]\n{line}\n{ENOUGH}"
    )
    fault = the_fault(text)
    assert "credential" in fault.what
    assert "PKABC" not in str(fault)


@pytest.mark.parametrize("line", ["key_level = 2.0", "tokens = 3", "monkey = 1", "secretary = 1", "keys = 2"])
def test_a_parameter_that_only_sounds_like_a_credential_is_a_parameter(line: str) -> None:
    plan = read_plan(ENOUGH + line, file="p.toml")
    assert len(plan.strategies["B"].params) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "nothing to run"),
        ('[strategies.B]\nfilename = "b.py"\n', "no scanner"),
        ('[scanners.A]\nfilename = "a.py"\n', "no strategy"),
    ],
)
def test_a_plan_that_could_do_nothing_is_told(text: str, says: str) -> None:
    fault = the_fault(text)
    assert says in fault.what
    assert fault.line == 0


@pytest.mark.parametrize("name", ['"My Scanner"', "class", "a-b"])
def test_a_table_that_cannot_be_a_class_is_told(name: str) -> None:
    fault = below(f'[scanners.{name}]\nfilename = "c.py"')
    assert fault.line == 5
    assert "name of a class" in fault.what


@pytest.mark.parametrize("text", ["scanners = 3\n", "[[scanners]]\n", "[scanners]\nA = 1\n", "market = 1\n"])
def test_a_table_that_is_none_is_told(text: str) -> None:
    assert any("must be a table" in fault.what for fault in faults_of(text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb =\nc = 1\n", 2),
        ("a = 1\n\n\na = 2\n\n\n[x]\n", 4),
        ("[scanners.A]\nx = 1\n\n[scanners.A]\ny = 1\n\n[other]\n", 4),
        ("a = 1\nb = [1,\n", 2),
        ("[limits\n", 1),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(text: str, line: int) -> None:
    fault = the_fault(text)
    assert "is not TOML" in fault.what
    assert line <= fault.line <= line + 1


def test_a_repeated_key_names_its_first_line() -> None:
    assert "line 1" in the_fault("risk = 1\n\nrisk = 2\n").mend


class TestFiles:
    """What a plan names must be there."""

    @pytest.fixture
    def workspace(self, tmp_path: Path) -> Path:
        for name in ("plans/p.toml", "a.py", "b.py"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    def faults(self, workspace: Path, text: str, *, source_needed: bool = True) -> list[Fault]:
        plan = workspace / "plans" / "p.toml"
        plan.write_text(text)
        try:
            load_plan(plan, source_needed=source_needed)
        except PlanError as e:
            return list(e.faults)
        return []

    def test_files_are_looked_for_from_the_workspace(self, workspace: Path) -> None:
        assert self.faults(workspace, ENOUGH) == []

    def test_a_missing_file_is_told_with_the_nearest_name(self, workspace: Path) -> None:
        (fault,) = self.faults(workspace, ENOUGH.replace('"b.py"', '"bb.py"'))
        assert (fault.line, fault.key) == (4, "filename")
        assert "no such file" in fault.what
        assert "Did you mean 'b.py'?" in fault.mend

    @pytest.mark.parametrize("name", ["/etc/passwd.py", "../b.py", "b.txt"])
    def test_a_file_must_be_python_inside_the_workspace(self, workspace: Path, name: str) -> None:
        (fault,) = self.faults(workspace, ENOUGH.replace('"b.py"', f'"{name}"'))
        assert fault.key == "filename"

    def test_a_missing_source_is_told_unless_the_data_come_from_elsewhere(self, workspace: Path) -> None:
        text = '[market]\nsource = "recordings/x"\n' + ENOUGH
        (fault,) = self.faults(workspace, text)
        assert (fault.line, fault.table, fault.key) == (2, "market", "source")
        assert self.faults(workspace, text, source_needed=False) == []

    def test_a_source_that_is_there_is_fine(self, workspace: Path) -> None:
        (workspace / "data").mkdir()
        assert self.faults(workspace, '[market]\nsource = "data"\n' + ENOUGH) == []

    def test_a_plan_that_is_not_there_suggests_its_neighbour(self, workspace: Path) -> None:
        (workspace / "plans" / "today.toml").touch()
        with pytest.raises(PlanError, match=r"no such file\. Did you mean 'today.toml'"):
            plan_text(workspace / "plans" / "tody.toml")

    def test_a_plan_that_is_no_text_is_told(self, workspace: Path) -> None:
        (workspace / "plans" / "p.toml").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(PlanError, match="not UTF-8"):
            load_plan(workspace / "plans" / "p.toml")

    def test_a_folder_is_no_plan(self, workspace: Path) -> None:
        with pytest.raises(PlanError, match="is a folder"):
            load_plan(workspace / "plans")

    def test_a_byte_order_mark_and_dos_lines_are_read(self, workspace: Path) -> None:
        (workspace / "plans" / "p.toml").write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())
        (workspace / "scanners").mkdir()
        (workspace / "strategies").mkdir()
        (workspace / "scanners/momentum.py").touch()
        (workspace / "strategies/breakout.py").touch()
        assert load_plan(workspace / "plans" / "p.toml").max_symbols == 30


_PIECES = st.sampled_from(  # the words of a plan, and what breaks one
    [
        "[",
        "[[",
        "]]",
        "]",
        '"',
        "'",
        '"""',
        "=",
        ".",
        ",",
        "{",
        "}",
        "#",
        "a",
        "b",
        "1",
        "true",
        "1e999",
        "nan",
        "1979-05-27",
        "07:32:00",
        "\\",
        "\\u0061",
        "é",
        "\r",
        "\x00",
        "scanners",
        "strategies",
        "schedule",
        "start",
        "risk",
        "speed",
        "[market]",
        "[scanners.X]",
        "[strategies.X]",
        "[[strategies.X.schedule]]",
        'filename="a.py"',
        "max_symbols=",
        'speed="max"',
        'date="2026-01-05"',
        'key_id="x"',
    ]
)


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(_PIECES, max_size=25).map("".join),
        st.lists(_PIECES, max_size=25).map("\n".join),
    )
)
def test_any_text_gives_a_plan_or_a_plan_error_with_faults(text: str) -> None:
    for fault in told(text):
        assert 0 <= fault.line <= text.count("\n") + 1
        assert str(fault)


_ANY = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@given(st.sampled_from(TradePlan.__struct_fields__), _ANY)
def test_any_value_under_any_key_is_taken_or_told(key: str, value: object) -> None:
    told(tomlkit.dumps({key: value}) + ENOUGH)


@pytest.mark.parametrize("text", ["a=" + "[" * 5000, "a=" + "{b=" * 3000, ".".join("a" * 3000) + "=1"])
def test_depth_beyond_sense_is_a_fault(text: str) -> None:
    assert "nested" in the_fault(text).what


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_counted_as_an_editor_does(end: str) -> None:
    text = end.join(["# a\x85b\u2028c", "x = 'd\u2028e'", "", "risk = = 1", ""])
    assert the_fault(text).line == 4
    assert faults_of(text.replace("= = 1", "= 9"))[0].line == 2
