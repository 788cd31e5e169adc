"""Hot reload in a consumer: a saved file that loads takes over; one that does not changes nothing."""

from __future__ import annotations

from pathlib import Path

from liu_tui.engine.child import Child
from liu_tui.engine.messages import StrategyProfile, StrategyState
from liu_tui.engine.meter import Face
from liu_tui.engine.slots import load_shown, profile_of, slot_of
from liu_tui.errors import UserFileError
from liu_tui.trading.session import Request, Session


class Reloader:
    """Swaps strategy objects in a session. Positions, orders and declared state stay where they are."""

    def __init__(self, child: Child, session: Session, face: Face | None = None) -> None:
        self._child = child
        self._session = session
        self._face = face

    async def reload(self, filename: str) -> tuple[list[Request], list[StrategyProfile]]:
        """Load the strategies of a saved file anew; returns what they ask for and their new profiles."""
        boot = self._child.boot
        requests: list[Request] = []
        profiles: list[StrategyProfile] = []
        for name, table in boot.plan.strategies.items():
            if table.filename != filename:
                continue
            try:
                strategy = load_shown(Path(boot.workspace), name, table, self._face)
            except UserFileError as e:
                self._child.say("error", f"the saved file changes nothing: {e}", source=name)
                continue
            slot = slot_of(name, table, strategy, index=boot.index, consumers=len(boot.consumers))
            requests += await self._session.replace(slot, self._child.clock.now_ns())
            profiles.append(profile_of(name, table, strategy))
            self._child.tell(StrategyState(name=name, state="running", words="reloaded"))
            if boot.index == 0:
                self._child.say("good", f"reloaded from {filename}", source=name)
        return requests, profiles
