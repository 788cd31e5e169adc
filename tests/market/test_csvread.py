"""Reading CSV: what a header says, and what is wrong with a row, in words with the line."""

import gzip
from pathlib import Path

import pytest

from liu_tui.errors import FeedError
from liu_tui.market.csvread import read
from tests.kit.market import at

BARS = "timestamp,open,high,low,close,volume\n"
ROW = "2024-08-26T13:30:00Z,10,11,9,10.5,1000\n"


def write(folder: Path, text: str, name: str = "AAPL_1min.csv") -> Path:
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["AAPL_1min_2024.csv", "aapl.csv.gz", "AAPL.anything.csv"])
def test_the_file_names_the_symbol(tmp_path: Path, name: str) -> None:
    (rows,) = read(write(tmp_path, BARS + ROW, name))
    assert (rows.symbol, rows.kind) == ("AAPL", "bars")
    assert rows.columns["t_ns"].tolist() == [at("09:30")]
    assert rows.columns["close"].tolist() == [10.5]


def test_a_symbol_column_goes_before_the_file_name(tmp_path: Path) -> None:
    text = "symbol,extra,timestamp,open,high,low,close,volume,vwap,trade_count\n"
    text += "B,x,2024-08-26T13:31:00Z,1,1,1,1,5,1.0,2\nA,y,2024-08-26T13:30:00Z,1,1,1,1,5,,\n"
    first, second = read(write(tmp_path, text))
    assert (first.symbol, second.symbol) == ("A", "B")
    assert (first.columns["vwap"].tolist(), second.columns["trade_count"].tolist()) == ([0.0], [2.0])


@pytest.mark.parametrize(
    "stamp",
    ["2024-08-26T13:30:00Z", "2024-08-26T09:30:00-04:00", "2024-08-26 13:30:00+00:00", "2024-08-26T13:30"],
)
def test_a_stamp_is_utc_unless_it_says_otherwise(tmp_path: Path, stamp: str) -> None:
    (rows,) = read(write(tmp_path, f"{BARS}{stamp},1,1,1,1,1\n"))
    assert rows.columns["t_ns"].tolist() == [at("09:30")]


def test_nanoseconds_are_kept(tmp_path: Path) -> None:
    (rows,) = read(write(tmp_path, "timestamp,price,size\n2024-08-26T13:30:00.123456789Z,1,1\n"))
    assert rows.columns["t_ns"].tolist() == [at("09:30") + 123_456_789]


@pytest.mark.parametrize("header", ["date", "timestamp"])
def test_bars_stamped_with_days_are_daily(tmp_path: Path, header: str) -> None:
    (rows,) = read(write(tmp_path, f"{header},open,high,low,close,volume\n2024-08-26,1,2,1,2,9\n"))
    assert rows.kind == "daily"
    assert rows.columns["t_ns"].tolist() == [at("00:00")]


def test_rows_are_put_in_order_and_of_twins_the_last_counts(tmp_path: Path) -> None:
    late = "2024-08-26T13:31:00Z,1,1,1,1,1\n"
    (rows,) = read(write(tmp_path, BARS + late + ROW + "\n" + ROW.replace("1000", "2000")))
    assert rows.columns["t_ns"].tolist() == [at("09:30"), at("09:31")]
    assert rows.columns["volume"].tolist() == [2000.0, 1.0]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("2024-08-26T13:31:00Z,10,11,9,ten,1000", r"close is 'ten'"),
        ("yesterday,10,11,9,10,1000", r"timestamp is 'yesterday'"),
        ("2024-99-26T13:31:00Z,10,11,9,10,1000", r"timestamp is '2024-99-26"),
        ("2024-08-26T13:31:00Z,10,11,9,10", r"6 columns were expected, 5 are there"),
        ("2024-08-26T13:31:00Z,10,11,9,nan,1000", r"close cannot be so"),
        ("2024-08-26T13:31:00Z,10,11,0,10,1000", r"low cannot be so"),
        ("2024-08-26T13:31:00Z,10,10.5,9,11,1000", r"high cannot be so.*close 11"),
        ("2024-08-26T13:31:00Z,10,11,9,10,-5", r"volume cannot be so"),
    ],
)
def test_a_bad_row_is_named_with_file_line_and_mend(tmp_path: Path, row: str, words: str) -> None:
    path = write(tmp_path, f"{BARS}{ROW}\n{row}\n{ROW}")
    with pytest.raises(FeedError, match=words) as caught:
        read(path)
    assert caught.value.where == f"{path}:4"
    assert "Correct the row" in caught.value.mend


def test_a_quote_may_have_an_empty_side_but_no_negative_one(tmp_path: Path) -> None:
    head = "timestamp,bid,bid_size,ask,ask_size\n"
    (rows,) = read(write(tmp_path, head + "2024-08-26T13:30:00Z,0,0,10,1\n"))
    assert rows.kind == "quotes"
    with pytest.raises(FeedError, match="bid cannot be so"):
        read(write(tmp_path, head + "2024-08-26T13:30:00Z,-1,0,10,1\n"))


def test_unknown_columns_say_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="timestamp,open,high,low,close,volume"):
        read(write(tmp_path, "when,what\n1,2\n"))


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert read(write(tmp_path, BARS)) == []


def test_empty_lines_alone_are_no_rows(tmp_path: Path) -> None:
    assert read(write(tmp_path, BARS + "\n\n")) == []


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("aapl.csv", "AAPL"),
        ("AAPL_2019.csv", "AAPL"),
        ("AAPL.2019.csv", "AAPL"),
        ("BRK.B_1min.csv", "BRK.B"),
        ("brk-b.csv", "BRK.B"),
        ("A.csv", "A"),
    ],
)
def test_a_files_name_may_be_that_of_a_class_share_and_in_lower_case(
    tmp_path: Path, name: str, symbol: str
) -> None:
    (tmp_path / name).write_text(BARS + ROW)
    assert [rows.symbol for rows in read(tmp_path / name)] == [symbol]


def test_a_symbol_column_is_read_in_any_case_and_spelling(tmp_path: Path) -> None:
    rows = "".join(f"{symbol},{ROW.strip()}\n" for symbol in ("brk/b", " aapl ", "BRK.B"))
    assert [part.symbol for part in read(write(tmp_path, f"symbol,{BARS}{rows}"))] == ["AAPL", "BRK.B"]
    with pytest.raises(FeedError, match="symbol is ''") as caught:
        read(write(tmp_path, f"symbol,{BARS}A,{ROW.strip()}\n,{ROW.strip()}\n"))
    assert caught.value.where.endswith(":3")


def test_a_file_that_names_no_symbol_says_so(tmp_path: Path) -> None:
    path = tmp_path / "my data!.csv"
    path.write_text(BARS + ROW)
    with pytest.raises(FeedError, match="'MY DATA!' is no symbol"):
        read(path)


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\x00junk", b"timestamp,open\xff"])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / ("A.csv.gz" if content[0] == 0x1F else "A.csv")
    path.write_bytes(content)
    with pytest.raises(FeedError, match=path.name):
        read(path)
