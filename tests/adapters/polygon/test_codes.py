"""Polygon's numbers and the tapes' letters."""

import pytest

from liu_tui.adapters.polygon.codes import (
    CTA_LETTERS,
    EXCHANGE_NUMBERS,
    UTP_LETTERS,
    letters_of,
    numbers_of,
    tape_number,
    tape_of,
)
from liu_tui.market.conditions import HIGH_LOW, OPEN_CLOSE, VOLUME, effect
from tests.kit.polygon import PAYLOADS, recorded

needs_payloads = pytest.mark.skipif(not PAYLOADS.exists(), reason="the recorded payloads are not at hand")


@needs_payloads
def test_the_letters_and_what_they_forbid_agree_with_the_vendors_own_table() -> None:
    for row in recorded("/v3/reference/conditions")["results"]:
        for sip, table, tape in (("CTA", CTA_LETTERS, "A"), ("UTP", UTP_LETTERS, "C")):
            if row.get("legacy"):
                assert row["id"] not in table  # its letter means something else today
                continue
            letter = row["sip_mapping"].get(sip)
            assert table.get(row["id"]) == letter
            if letter is not None:
                rules = row["update_rules"]["consolidated"]
                may = effect((letter,), tape, regular=True)
                assert bool(may & HIGH_LOW) == rules["updates_high_low"], row
                assert bool(may & OPEN_CLOSE) == rules["updates_open_close"], row
                assert bool(may & VOLUME) == rules["updates_volume"], row


@needs_payloads
def test_the_exchanges_agree_with_the_vendors_own_table() -> None:
    rows = recorded("/v3/reference/exchanges")["results"]
    theirs = {row["participant_id"]: row["id"] for row in rows if "participant_id" in row}
    ours = {letter: number for letter, number in EXCHANGE_NUMBERS.items() if letter != "Q"}
    assert ours.items() <= theirs.items()


@pytest.mark.parametrize("tape", ["A", "B", "C"])
def test_numbers_come_back_from_letters(tape: str) -> None:
    table = UTP_LETTERS if tape == "C" else CTA_LETTERS
    for number in (*table, 41, 99):
        assert numbers_of(letters_of((number,), tape), tape) == (number,)
    assert numbers_of(("?",), tape) == ()


def test_tapes_have_three_letters() -> None:
    assert [tape_of(n) for n in (-1, 0, 1, 2, 3, 4)] == ["", "", "A", "B", "C", ""]
    assert [tape_number(letter) for letter in ("A", "B", "C", "", "O")] == [1, 2, 3, 0, 0]
