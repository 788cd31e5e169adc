"""`liu-tui doctor [PLAN]`: is this machine fit for a trading day? Every finding comes with its mend."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from liu_tui.cli import output
from liu_tui.cli.checkups import account, host, polygon, terminal
from liu_tui.cli.checkups.finding import Finding, Verdict
from liu_tui.errors import Exit, PlanError
from liu_tui.plan.live import NEEDED, missing_limits
from liu_tui.plan.load import load_plan
from liu_tui.plan.schema import DataVendor, Environment, Limits, TradePlan
from liu_tui.settings import Settings, Workspace

_SIGN = {Verdict.OK: "ok  ", Verdict.WARN: "warn", Verdict.FAIL: "FAIL"}


@click.command()
@click.argument("plan", required=False, type=click.Path(path_type=Path))
@output.json_option
def doctor(plan: Path | None, as_json: bool) -> int:
    """Examine this machine, and what PLAN needs of it. Exit code 1 if anything fails; warnings do not."""
    findings = list(examine(plan, Settings.read()))
    failed = any(finding.verdict is Verdict.FAIL for finding in findings)
    if as_json:
        output.emit({"ok": not failed, "findings": findings})
    else:
        _print(findings)
    return int(Exit.FAILED if failed else Exit.DONE)


def examine(path: Path | None, settings: Settings) -> Iterator[Finding]:
    """Make every check, in the order in which a trader would ask."""
    workspace = Workspace.of(path, settings) if path else Workspace.nearest(settings=settings)
    plan = None
    if path is not None:
        try:
            plan = load_plan(path, base=workspace.root)
            yield Finding("plan", Verdict.OK, f"{path} has no fault of its own")
        except PlanError as e:
            yield Finding(
                "plan", Verdict.FAIL, f"{len(e.faults)} faults in {path}", f"See 'liu-tui check {path}'."
            )
    if plan is not None and plan.environment is Environment.PROD:
        yield _limits(plan.limits)
    yield host.python()
    yield host.libraries()
    yield from _account(plan, settings)
    yield host.disk(workspace)
    yield host.socket_folder(workspace)
    yield host.sessions(workspace)
    yield host.logout(settings)
    yield from terminal.terminal(sys.stdout, settings)


def _account(plan: TradePlan | None, settings: Settings) -> Iterator[Finding]:
    if plan is not None and plan.market is not None:
        yield Finding("keys", Verdict.OK, "none needed: the plan trades on the local market")
        return
    finding, keys = account.keys(settings, needed=plan is not None)
    yield finding
    if keys is None:
        return
    if keys.alpaca:
        live = plan is not None and plan.environment is Environment.PROD
        if plan is not None and (wrong := account.right_pair(keys, live=live)):
            yield wrong
        url = account.LIVE_URL if live else account.PAPER_URL
        yield asyncio.run(account.clock(keys, url))
        if plan is not None:
            yield asyncio.run(account.standing(keys, url))
    if plan is not None and plan.data is DataVendor.POLYGON:
        yield polygon.key(keys, settings)
        if keys.polygon:
            yield asyncio.run(polygon.data(keys, plan.polygon.feed, polygon.URL))
    elif keys.alpaca:
        yield asyncio.run(account.entitlement(keys, plan.alpaca.feed if plan else "iex", account.DATA_URL))


def _limits(limits: Limits) -> Finding:
    if names := missing_limits(limits):
        mend = f"Real money needs {', '.join(NEEDED)} in [limits]."
        return Finding("limits", Verdict.FAIL, f"not set: {', '.join(names)}", mend)
    return Finding("limits", Verdict.OK, ", ".join(f"{name} {getattr(limits, name):,g}" for name in NEEDED))


def _print(findings: list[Finding]) -> None:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        output.say(f"{_SIGN[finding.verdict]}  {finding.name:<{width}}  {finding.words}")
        if finding.mend and finding.verdict is not Verdict.OK:
            output.say(f"{'':{width + 8}}{finding.mend}")
