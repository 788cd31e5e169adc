"""One session per account: a lock that the kernel lets go of when its holder dies."""

from __future__ import annotations

import asyncio
from pathlib import Path

from liu_tui.engine.child import Child
from liu_tui.engine.lock import FileLock
from liu_tui.errors import RefusedError
from liu_tui.model.clock import monotonic_ns
from liu_tui.model.market import SECOND_NS
from liu_tui.settings import Settings, Workspace
from liu_tui.wiring.venue import Venue

LOCK_WAIT_S = 10.0


class AccountLock:
    """The account of this batch, once it is known which."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._lock: FileLock | None = None

    async def take(self, account_id: str) -> None:
        """Hold the account. Whom we take over from lets go within moments.

        Raises RefusedError, naming the batch that holds it, if another session trades the account; and if
        its real money is not what a person has allowed.
        """
        if self._lock is not None:
            return
        boot = self._child.boot
        if boot.live and account_id != boot.live:
            raise RefusedError(
                f"the keys are of account {account_id}, and {boot.live} was allowed to trade real money",
                mend="Check the keys, and start again.",
            )
        workspace = Workspace(Path(boot.workspace), Path(boot.home), Settings.read().runtime_dir)
        name = f"account-{_lock_name(boot.venue, account_id)}.lock"
        path = workspace.socket_path("account").parent / name
        deadline = monotonic_ns() + int(LOCK_WAIT_S * SECOND_NS)
        while True:
            try:
                self._lock = FileLock.take(path, f"batch {boot.batch_id}")
            except RefusedError as e:
                holder = e.what.rpartition("batch ")[2]
                # Ours is the desk before us, on its way out; nobody else's will let go.
                if holder != boot.batch_id or monotonic_ns() > deadline:
                    raise RefusedError(
                        f"account {account_id} is traded by another session, of batch {holder}",
                        mend=f"See it: 'liu-tui attach {holder}'. End it: 'liu-tui stop {holder}'.",
                    ) from e
                await asyncio.sleep(0.1)
            else:
                return

    def release(self) -> None:
        """Let the account go. May be called twice."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _lock_name(venue: Venue, account_id: str) -> str:
    """One name per account.

    Every local market numbers its accounts alike, so its address is part of the name.
    """
    place = venue.rest_url.rpartition(":")[2] if venue.kind == "local" else "alpaca"
    return f"{place}-{account_id}"
