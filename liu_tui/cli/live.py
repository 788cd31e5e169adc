"""Real money is earned: what must hold before a plan with environment = "PROD" starts, and on whose word.

All that is missing is told at once: limits, faults of the plan's files, what the doctor finds, and the word
of a person, who types the account's number at the terminal or gives it as --live. No setting stands for it.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from liu_tui.cli.check import check_plan
from liu_tui.cli.checkups.finding import Finding, Verdict
from liu_tui.cli.doctor import examine
from liu_tui.errors import RefusedError
from liu_tui.plan.live import NEEDED
from liu_tui.plan.schema import Limits
from liu_tui.settings import Settings

GRAVE = frozenset({"clock", "data", "disk", "polygon"})
"""Findings of the doctor that real money does not forgive, though they are but warnings."""

Ask = Callable[[str], str]


def earn(plan: Path, said: str, ask: Ask | None) -> str:
    """Return the number of the account whose real money the plan may trade.

    said: what --live said, "" if nothing
    ask:  puts a question to the person at the terminal; None if there is nobody

    Runs the plan's files, as `check` does, and asks the broker. Raises RefusedError with all that is missing.
    """
    good, faults = check_plan(plan)
    findings = list(examine(plan, Settings.read()))
    missing = [str(fault) for fault in faults] + [
        _in_words(finding) for finding in findings if _is_bad(finding)
    ]
    number = next((finding.value for finding in findings if finding.value), "")
    if said and number and said != number:
        missing.append(f"--live says {said}, and the keys are of another account")
    if not said and ask is None:
        missing.append("nobody is here to confirm it: give --live ACCOUNT_NUMBER, with the account's number")
    if missing or good is None or not number:
        raise refused(plan, missing)
    if said:
        return said
    if ask is None or ask(question(number, good.limits)).strip() != number:
        raise refused(plan, ["that was not the account's number: nothing was started"])
    return number


def question(number: str, limits: Limits) -> str:
    """Say what is at stake: the account and the limits in force."""
    lines = [f"This trades real money of account {number}, within these limits:"]
    lines += [f"  {name:<22} {getattr(limits, name):>12,g}" for name in NEEDED]
    return "\n".join([*lines, "Type the account's number to start"])


def refused(plan: Path, missing: list[str]) -> RefusedError:
    """Word a refusal: one line for each thing that is missing."""
    listed = "".join(f"\n  - {words}" for words in missing)
    return RefusedError(
        f"real money may not be traded yet{':' if listed else ''}{listed}\n",
        where=str(plan),
        mend="See docs/live.md",
    )


def ask_person(words: str) -> str:
    """Put a question on standard error, and read one line from the terminal."""
    return str(click.prompt(words, default="", show_default=False, err=True))


def somebody() -> Ask | None:
    """Whoever sits at the terminal; None if standard input is none."""
    return ask_person if sys.stdin.isatty() else None


def _is_bad(finding: Finding) -> bool:
    return finding.verdict is Verdict.FAIL or (finding.verdict is Verdict.WARN and finding.name in GRAVE)


def _in_words(finding: Finding) -> str:
    return f"{finding.name}: {finding.words}. {finding.mend}"
