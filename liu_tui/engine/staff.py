"""The staff of a session: its children by role, and the links between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from liu_tui.engine.kids import Kid
from liu_tui.engine.links import pair


class Staff:
    """Producers, consumers, desk and scanners. log: where their standard output goes."""

    def __init__(
        self,
        producers: tuple[str, ...],
        consumers: tuple[str, ...],
        *,
        scanners: bool,
        log: Path,
        wake: Callable[[], None],
    ) -> None:
        self._log = log
        self.producers = [Kid("producer", name, wake) for name in producers]
        self.desk = Kid("desk", "desk", wake)
        self.consumers = [Kid("consumer", name, wake) for name in consumers]
        self.scanners = Kid("scanners", "scanners", wake) if scanners else None

    def __iter__(self) -> Iterator[Kid]:
        yield from self.producers
        yield self.desk
        yield from self.consumers
        if self.scanners is not None:
            yield self.scanners

    @property
    def all_running(self) -> bool:
        """Everybody has said Ready."""
        return all(kid.running for kid in self)

    async def start(self, kid: Kid) -> None:
        """Start a child's process; it waits for Boot."""
        await kid.start(self._log)

    def tell_scanners(self, message: object) -> None:
        """Tell the scanners, if the plan has any."""
        if self.scanners is not None:
            self.scanners.tell(message)

    def introduce(self, newcomer: Kid) -> None:
        """Make the newcomer's links to all who run, and hand the ends over."""
        for kind, one, other in self._pairs():
            if newcomer in (one, other) and one.running and other.running:
                ours, theirs = pair()
                one.give_link(kind, other.name, ours)
                other.give_link(kind, one.name, theirs)

    def place_of(self, kid: Kid) -> int:
        """A consumer's or a producer's place among its like; 0 for anybody else."""
        for some in (self.consumers, self.producers):
            if kid in some:
                return some.index(kid)
        return 0

    def _pairs(self) -> Iterator[tuple[str, Kid, Kid]]:
        for producer in self.producers:
            yield "market", producer, self.desk
        for consumer in self.consumers:
            for producer in self.producers:
                yield "market", producer, consumer
            yield "orders", self.desk, consumer
