"""What is told late or in another order: of market events and of order updates alike."""

from collections.abc import Sequence
from heapq import heappop, heappush
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """Things that wait for their moment, in order of it; at one moment as they were put."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, T]] = []
        self._count = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._heap)

    def put(self, due_ns: int, thing: T) -> None:
        """Let a thing wait until due_ns."""
        self._count += 1
        # No two have the same count: the things themselves are never compared.
        heappush(self._heap, (due_ns, self._count, thing))

    def due(self, now_ns: int) -> list[T]:
        """Take out what has waited long enough."""
        come: list[T] = []
        while self._heap and self._heap[0][0] <= now_ns:
            come.append(heappop(self._heap)[2])
        return come

    def hurry(self) -> None:
        """Let all of them be due at once, in their order."""
        self._heap = [(0, n, thing) for n, (_, _, thing) in enumerate(sorted(self._heap, key=_by_turn))]


def shuffled(things: Sequence[T], places: Sequence[int], random: Random) -> list[T]:
    """The things in another order: those at `places` change theirs, and if there are two, they surely do."""
    mixed = list(places)
    random.shuffle(mixed)
    if mixed == list(places):
        mixed.reverse()
    told = list(things)
    for place, other in zip(places, mixed, strict=True):
        told[place] = things[other]
    return told


def _by_turn(waiting: tuple[int, int, object]) -> tuple[int, int]:
    return waiting[:2]
