"""The path of real money, a local market standing in for the live account; and one session per account."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.request import Request, urlopen

import msgspec
import pytest

from liu_tui.engine.lock import FileLock
from liu_tui.engine.session import Options, run_session
from liu_tui.errors import Exit, RefusedError
from liu_tui.plan.live import NEEDED
from liu_tui.settings import Workspace
from liu_tui.wiring.venue import Venue, local_venue
from tests.kit.house import House
from tests.kit.localmarket import a_market_in_a_thread

LIMITS = "\n".join(f"{name} = 100" for name in NEEDED)
PLAN = f"""
environment = "PROD"
max_symbols = 2
consumers = 1
[limits]
{LIMITS}
[scanners.MostActive]
filename = "scanners/most_active.py"
[strategies.VwapReversion]
filename = "strategies/vwap_reversion.py"
"""


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a plan for real money, and keys for it."""
    house = House(tmp_path, PLAN)
    for name in ("LIU_HOME", "XDG_RUNTIME_DIR", "NO_PROXY"):
        monkeypatch.setenv(name, house.env[name])
    monkeypatch.setenv("APCA_API_KEY_ID", "AKTESTTEST")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "s3cr3ts3cr3t")
    return house.plan


def stand_in(url: str) -> Venue:
    """A local market in the live account's place."""
    return msgspec.structs.replace(local_venue(url), kind="alpaca")


def account_number(url: str) -> str:
    """What the market calls its account."""
    asked = Request(f"{url}/v2/account", headers={"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"})  # noqa: S310 - loopback
    with urlopen(asked) as answer:  # noqa: S310 - loopback
        return str(json.load(answer)["account_number"])


def test_an_allowed_account_is_traded_and_no_other(plan: Path) -> None:
    with a_market_in_a_thread(start="10:00") as market:
        number = account_number(market.url)
        options = Options(for_s=0.5, live=number)
        code, summary = asyncio.run(run_session(plan, options, venue=stand_in(market.url)))
        assert code is Exit.DONE
        assert summary["environment"] == "PROD"
        wrong = Options(for_s=0.5, live="9OTHER")
        with pytest.raises(RefusedError, match=f"of account {number}, and 9OTHER was allowed"):
            asyncio.run(run_session(plan, wrong, venue=stand_in(market.url)))
        with pytest.raises(RefusedError, match="nobody has allowed"):
            asyncio.run(run_session(plan, Options(), venue=stand_in(market.url)))


def test_a_second_session_of_an_account_names_the_first_and_how_to_reach_it(plan: Path) -> None:
    with a_market_in_a_thread(start="10:00") as market:
        number = account_number(market.url)
        folder = Workspace.of(plan).socket_path("account").parent
        held = FileLock.take(folder / f"account-alpaca-{number}.lock", "batch 20261123-093000-abc")
        with pytest.raises(RefusedError, match="batch 20261123-093000-abc") as caught:
            asyncio.run(run_session(plan, Options(live=number), venue=stand_in(market.url)))
        held.release()
    assert caught.value.code == 3
    assert "liu-tui attach 20261123-093000-abc" in caught.value.mend
