"""The family of errors, one class per reaction.

LiuError
├── UsageError          the command line or a plan is wrong            exit 2
│   └── PlanError       every fault of one plan file
├── RefusedError        a limit or a guard says no                     exit 3
├── NothingToAttach     no session to talk to                          exit 4
├── UserFileError       a strategy, scanner or miner cannot be loaded
├── DataMissing         a series was asked for more than was declared
├── FeedError           what the market data vendor sent or refused
├── WireError           a message between two processes is not ours
├── StoreError          the books cannot be opened or written
└── TraderError         the broker
    ├── OrderRefused    a definite no: nothing was accepted
    ├── OrderUnknown    nobody knows: the answer was lost; ask again, never send again
    └── BrokerAway      nothing was sent: the broker cannot be reached
"""

from enum import IntEnum


class Exit(IntEnum):
    """What the shell hears when a command ends."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    NOTHING = 4
    INTERRUPTED = 130


class LiuError(Exception):
    """Base of the family; catch this at a process edge and nowhere else.

    what:  what is wrong, with the value as it was
    where: file, table, key, line, or the service that said it
    mend:  what the reader can do about it
    """

    code = Exit.FAILED

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what, self.where, self.mend = what, where, mend
        super().__init__(what, where, mend)

    def __str__(self) -> str:
        said = f"{self.where}: {self.what}" if self.where else self.what
        return f"{said}. {self.mend}" if self.mend else said


class UsageError(LiuError):
    """The command line asks for something that cannot be."""

    code = Exit.USAGE


class PlanError(UsageError):
    """A plan that cannot be run. `faults` holds every fault of the file, in the file's order."""

    def __init__(
        self, what: str, *, where: str = "", mend: str = "", faults: tuple["Fault", ...] = ()
    ) -> None:
        super().__init__(what, where=where, mend=mend)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults) if self.faults else super().__str__()


class Fault:
    """One fault of a plan: where it is (file, line, table, key), what it is, and the mend."""

    def __init__(self, file: str, line: int, table: str, key: str, what: str, mend: str) -> None:
        self.file, self.line, self.table, self.key, self.what, self.mend = file, line, table, key, what, mend

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        table = f" [{self.table}]" if self.table else ""
        key = f" {self.key}" if self.key else ""
        return f"{place}{table}{key}: {self.what}. {self.mend}"


class RefusedError(LiuError):
    """A limit or a guard says no."""

    code = Exit.REFUSED


class NothingToAttach(LiuError):
    """No running session answers."""

    code = Exit.NOTHING


class UserFileError(LiuError):
    """A user's file cannot be loaded; nothing has changed because of it."""


class DataMissing(LiuError):
    """A series was asked for bars that lie before the declared lookback."""


class FeedError(LiuError):
    """Market data that cannot be had, or that nobody should trust."""


class WireError(LiuError):
    """Bytes between two processes that this build does not know."""


class StoreError(LiuError):
    """The books cannot be opened, read or written."""


class TraderError(LiuError):
    """The broker said no, or did not say."""

    def __init__(
        self, what: str, *, where: str = "", mend: str = "", status: int = 0, broker_code: int = 0
    ) -> None:
        super().__init__(what, where=where, mend=mend)
        self.status, self.broker_code = status, broker_code


class OrderRefused(TraderError):
    """A definite no: the broker has not taken the request."""


class OrderUnknown(TraderError):
    """The answer was lost. The order may live; only the broker can tell."""


class BrokerAway(TraderError):
    """The request never left: it may be sent again."""
