"""Lock-step at the supervisor.

A step is over when the desk, the scanners and every subscription are done with it.
"""

from __future__ import annotations


class StepGate:
    """Counts who has finished which step, and which subscriptions are under way."""

    def __init__(self) -> None:
        self.n = 0
        self.acked = -1
        self._done: dict[str, int] = {}
        self._pending: set[str] = set()
        self._held: set[str] = set()

    def begin(self, n: int) -> None:
        """The market has sent step n."""
        self.n = max(self.n, n)

    def done(self, role: str, n: int) -> None:
        """The desk or the scanners have finished step n."""
        self._done[role] = max(self._done.get(role, 0), n)

    def hold(self, role: str) -> None:
        """A role has died: no step is taken until it is there again."""
        self._held.add(role)

    def excuse(self, role: str) -> None:
        """A role that died is there again: it begins with the next step."""
        self._held.discard(role)
        self._done[role] = max(self._done.get(role, 0), self.n)

    def over(self, role: str) -> bool:
        """Whether a role has finished the step that was begun last."""
        return self._done.get(role, 0) >= self.n

    def wait_for(self, what: str) -> None:
        """A subscription is under way."""
        self._pending.add(what)

    def settled(self, what: str) -> None:
        """A subscription is in force."""
        self._pending.discard(what)

    def forget(self, what: str) -> None:
        """Whoever was asked for these has died, or was asked for something newer instead."""
        self._pending = {pending for pending in self._pending if not pending.startswith(f"{what} ")}

    def to_acknowledge(self, roles: tuple[str, ...]) -> int | None:
        """The step that may be acknowledged now, once; None if there is none."""
        if (
            self._pending
            or self._held
            or self.acked >= self.n
            or any(self._done.get(role, 0) < self.n for role in roles)
        ):
            return None
        self.acked = self.n
        return self.n
