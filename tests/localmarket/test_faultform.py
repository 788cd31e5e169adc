"""The door of faults: what cannot be is said in words, with the mend."""

from typing import Any

import msgspec
import pytest

from liu_tui.errors import UsageError
from liu_tui.localmarket.faultform import FOREVER_NS, length_ns, moment, read_fault
from liu_tui.model.market import SECOND_NS
from liu_tui.plan.faultkinds import http_code
from liu_tui.plan.schema import FaultKind, FaultTable
from tests.kit.localmarket import session


@pytest.mark.parametrize("kind", list(FaultKind))
def test_every_kind_is_taken_as_a_whole_table_with_its_defaults(kind: FaultKind) -> None:
    table = FaultTable(kind=kind)
    assert read_fault(msgspec.json.decode(msgspec.json.encode(table))) == table


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([], "was []"),
        ({}, "no kind"),
        ({"kind": "silense"}, "Did you mean 'silence'?"),
        ({"kind": "drop", "att": "10:00"}, "unknown key 'att'. Did you mean 'at'?"),
        ({"kind": "drop", "at": "10"}, "at was '10'"),
        ({"kind": "drop", "at": "25:00"}, "at was '25:00'"),
        ({"kind": "silence", "for": -1}, "for was -1. Give a number of at least 0."),
        ({"kind": "silence", "symbols": "AAA"}, "symbols was 'AAA'"),
        ({"kind": "silence", "share": 0}, "share was 0"),
        ({"kind": "silence", "share": True}, "share was True"),
        ({"kind": "drop", "share": 0.5}, "share means nothing to a drop. Known are at, for."),
        ({"kind": "corrupt", "symbols": ["AAA"]}, "symbols means nothing to a corrupt"),
        ({"kind": "refuse", "code": 403}, "Give one of 402, 404, 405, 406, 407."),
        ({"kind": "refuse", "code": 504}, "Give one of 402, 404, 405, 406, 407."),
        ({"kind": "http_error", "code": 402}, "Give one of 429, 500, 502, 503, 504."),
        (
            {"kind": "lost_answer", "code": 500},
            "code means nothing to a lost_answer. Known are at, for, share.",
        ),
        ({"kind": "updates_late", "seconds": 0}, "seconds was 0. Give a number above 0."),
        ({"kind": "updates_silent", "share": 0.5}, "share means nothing to a updates_silent"),
        ({"kind": "reprice", "percent": 0}, "percent was 0"),
        ({"kind": "bust", "share": 0.5}, "share means nothing to a bust. Known are at, for, symbols."),
        ({"kind": "delay", "seconds": 0}, "seconds was 0"),
        ({"kind": "split", "ratio": 0}, "ratio was 0"),
        ({"kind": "skew", "seconds": 1e12}, "seconds was 1e+12. Give a number within 86400."),
        ({"kind": "skew", "seconds": float("nan")}, "seconds was nan"),
        ({"kind": "bad_print", "percent": 0}, "percent was 0"),
        ({"kind": "bad_print", "percent": -100}, "percent was -100"),
    ],
)
def test_what_cannot_be_is_refused_in_words(raw: Any, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_fault(raw)
    assert words in f"{refused.value.what}. {refused.value.mend}"


def test_an_http_error_that_names_no_code_is_500() -> None:
    assert http_code(read_fault({"kind": "http_error"})) == 500
    assert http_code(read_fault({"kind": "http_error", "code": 406})) == 500, "the whole table may be sent"
    assert http_code(read_fault({"kind": "http_error", "code": 504})) == 504


def test_symbols_are_spelled_as_the_house_does_each_once() -> None:
    said = {"kind": "silence", "symbols": ["aaa", "brk-b", "BRK.B"]}
    assert read_fault(said).symbols == ("AAA", "BRK.B")


def test_a_moment_outside_the_session_is_refused() -> None:
    hours = session()
    assert moment("09:30:01", hours) == hours.open_ns + SECOND_NS
    assert moment("04:00", hours) == hours.pre_ns
    for at in ("03:59:59", "20:00"):
        with pytest.raises(UsageError, match="outside the session"):
            moment(at, hours)


def test_a_fault_without_an_end_lasts_until_it_is_taken_away_and_one_of_a_moment_does_not_last() -> None:
    assert length_ns(FaultTable(kind=FaultKind.SILENCE)) == FOREVER_NS
    assert length_ns(FaultTable(kind=FaultKind.SILENCE, for_s=1.5)) == 1_500_000_000
    for kind in (FaultKind.DROP, FaultKind.UPDATES_CUT, FaultKind.BUST, FaultKind.REPRICE):
        assert length_ns(FaultTable(kind=kind, for_s=5)) == 0
    assert length_ns(FaultTable(kind=FaultKind.LOST_ANSWER)) == FOREVER_NS
    assert length_ns(FaultTable(kind=FaultKind.REFUSE, code=407)) == 0
    assert length_ns(FaultTable(kind=FaultKind.REFUSE, code=406)) == FOREVER_NS
