"""One line of the doctor's report."""

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """Whether a trading day can start like this."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True):
    """What was looked at, how it stands, in words, and the mend if there is something to mend.

    value: for a program: the account's number
    """

    name: str
    verdict: Verdict
    words: str
    mend: str = ""
    value: str = ""
