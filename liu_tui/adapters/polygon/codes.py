"""Polygon's numbers for what the tapes say in letters: sale conditions, tapes, exchanges.

Sources: Massive's `/v3/reference/conditions` (the `sip_mapping` of each sale condition: CTA for the tapes A
and B, UTP for C) and `/v3/reference/exchanges` (`participant_id`); the CTS and UTP tables for the letters. A
number that has no letter at a trade's SIP is told as "#" and the number: no other letter is meant.
"""

from functools import lru_cache

TAPES = ("", "A", "B", "C")
"""A tape's letter at its number."""

_BOTH = {
    0: "@", 7: "C", 9: "X", 10: "4", 12: "T", 13: "U", 14: "F", 15: "M", 16: "Q", 20: "N", 21: "H", 22: "P",
    23: "K", 29: "R", 30: "L", 33: "Z", 37: "I", 38: "9", 52: "V", 53: "7", 59: "8",
}  # fmt: skip
_CTA_ONLY = {2: "B", 3: "E", 17: "O", 18: "5", 19: "6"}
_UTP_ONLY = {
    1: "A", 2: "W", 4: "B", 5: "G", 8: "6", 11: "D", 25: "O", 27: "1", 28: "5", 34: "S", 36: "Y",
}  # fmt: skip
# Left out: 6, "CAP election", whose old letter I means an odd lot today, and numbers that no SIP spells.

CTA_LETTERS = _BOTH | _CTA_ONLY
"""Number of a sale condition -> its letter on the tapes A and B."""
UTP_LETTERS = _BOTH | _UTP_ONLY
"""Number of a sale condition -> its letter on tape C."""
_CTA_NUMBERS = {letter: number for number, letter in CTA_LETTERS.items()}
_UTP_NUMBERS = {letter: number for number, letter in UTP_LETTERS.items()}

EXCHANGE_NUMBERS = {
    "A": 1, "B": 2, "C": 3, "D": 4, "J": 7, "K": 8, "M": 9, "N": 10, "P": 11, "T": 12, "Q": 12, "L": 14,
    "V": 15, "X": 17, "Y": 18, "Z": 19, "H": 20, "U": 21,
}  # fmt: skip
"""Participant's letter -> Polygon's number. Nasdaq is T on its own tape, and Q on the others."""


@lru_cache(maxsize=4096)
def letters_of(numbers: tuple[int, ...], tape: str) -> tuple[str, ...]:
    """Spell a trade's conditions as its tape does."""
    table = UTP_LETTERS if tape == "C" else CTA_LETTERS
    return tuple(table.get(number) or f"#{number}" for number in numbers)


@lru_cache(maxsize=4096)
def numbers_of(letters: tuple[str, ...], tape: str) -> tuple[int, ...]:
    """Turn a tape's letters back into numbers; what has none is left out."""
    table = _UTP_NUMBERS if tape == "C" else _CTA_NUMBERS
    found = (int(said[1:]) if _is_bare(said) else table.get(said) for said in letters)
    return tuple(number for number in found if number is not None)


def tape_of(number: int) -> str:
    """Name the tape; "" if the number is none."""
    return TAPES[number] if 0 < number < len(TAPES) else ""


def tape_number(letter: str) -> int:
    """Number the tape; 0 if it has no such letter."""
    return TAPES.index(letter) if letter in TAPES else 0


def _is_bare(said: str) -> bool:
    return said[:1] == "#" and said[1:].isascii() and said[1:].isdecimal()
