"""The day's symbols at the supervisor: picking, subscribing, vetoing, and telling whom it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from liu_tui.engine.messages import AskSeries, Assign, Drop, Routes, VetoSet
from liu_tui.engine.snapshot import Detail, VetoRow
from liu_tui.engine.watching import Watching, split

if TYPE_CHECKING:
    from liu_tui.engine.frontdoor import Guest
    from liu_tui.engine.supervisor import Supervisor


class Symbols:
    """What is watched and what is rejected. Every change is numbered, so that a lock-step can wait for it."""

    def __init__(self, house: Supervisor) -> None:
        self._house = house
        self.watching = Watching(house.plan, len(house.staff.consumers))
        self._numbers = 0
        self._details: dict[str, list[Guest]] = {}
        self._leaving: set[str] = set()  # to be unsubscribed once they are flat

    @property
    def names(self) -> list[str]:
        """What is watched, first picked first."""
        return self.watching.list.symbols

    def pick(self, picks: list[tuple[str, str]], events: tuple[str, ...] = ()) -> dict[str, str]:
        """Pick symbols (symbol, target) and subscribe what is new; returns symbol -> what became of it.

        events: data that is needed of them beside what strategies declare
        """
        outcome = {symbol: self.watching.list.pick(symbol, target, events) for symbol, target in picks}
        fresh = [symbol for symbol, what in outcome.items() if what in ("new", "wider")]
        for place, tasks in split(self.watching.tasks_of(symbol) for symbol in fresh).items():
            self._house.staff.consumers[place].tell(Assign(n=self._number(f"assign {place}"), tasks=tasks))
        if fresh:
            self.tell_routes()
        return outcome

    def subscribe(self, symbol: str) -> tuple[bool, str]:
        """A person subscribes a symbol for all strategies."""
        self.watching.list.restore(symbol)
        self._house.books.set_dropped(symbol, False)
        if self.pick([(symbol, "")])[symbol] == "full":
            most = self._house.plan.max_symbols
            return False, f"max_symbols = {most} are watched already: unsubscribe one first"
        self._house.fold.mark_hits(symbol, "watched")
        return True, f"{symbol} is subscribed"

    def unsubscribe(self, symbol: str) -> tuple[bool, str]:
        """Drop a symbol's data, unless something is held or working in it."""
        house = self._house
        if house.fold.holds(symbol):
            return False, f"{symbol} is not unsubscribed, for it has {self.engaged(symbol)}: flatten it first"
        places = list(self.watching.tasks_of(symbol))
        if not self.watching.list.drop(symbol):
            return False, f"{symbol} is not subscribed"
        house.books.set_dropped(symbol, True)
        for place in places:
            house.staff.consumers[place].tell(Drop(symbol=symbol))
        self.tell_routes()
        house.fold.mark_hits(symbol, "unsubscribed")
        return True, f"{symbol} is unsubscribed for the day"

    def engaged(self, symbol: str) -> str:
        """Say what is held and what works in a symbol: "momentum +100, 2 working orders"; "" if nothing."""
        fold = self._house.fold
        held = [f"{row.strategy} {row.qty:+g}" for row in fold.positions() if row.symbol == symbol]
        works = sum(1 for news in fold.orders.values() if news.symbol == symbol and not news.state.final)
        if works:
            held.append("a working order" if works == 1 else f"{works} working orders")
        return ", ".join(held)

    def leave_when_flat(self, symbol: str) -> None:
        """Unsubscribe a symbol as soon as nothing is held or works in it; `look` does it."""
        self._leaving.add(symbol)

    def look(self, now_ns: int) -> None:
        """Let go the vetoes whose time is over by now, and the symbols that have become flat."""
        house = self._house
        for veto in house.books.end_vetoes(now_ns):
            self.show_vetoes()
            if not house.books.rejected(veto.symbol):
                house.fold.mark_hits(veto.symbol, self._hit_state(veto.symbol))
        for symbol in [symbol for symbol in self._leaving if not house.fold.holds(symbol)]:
            self._leaving.discard(symbol)
            ok, words = self.unsubscribe(symbol)
            house.log.say("info" if ok else "warn", words, source=symbol)

    def set_veto(self, veto: VetoSet) -> None:
        """Reject or allow a symbol, everywhere."""
        house = self._house
        house.books.set_veto(veto)
        self.show_vetoes()
        for kid in (*house.staff.consumers, house.staff.desk):
            kid.tell(veto)
        rejected = house.books.rejected(veto.symbol)
        house.fold.mark_hits(veto.symbol, "rejected" if rejected else self._hit_state(veto.symbol))

    def show_vetoes(self) -> None:
        """Put the vetoes in force into the picture."""
        self._house.fold.vetoes = {key: _veto_row(row) for key, row in self._house.books.vetoes.items()}

    def tell_routes(self) -> None:
        """Tell each producer the whole table of its symbols; it stands for every earlier one."""
        for place in range(len(self._house.staff.producers)):
            self.tell_producer(place)

    def tell_producer(self, place: int) -> None:
        """Tell one producer its table."""
        producers = self._house.staff.producers
        self._house.gate.forget(f"routes {place}")
        number = self._number(f"routes {place}")
        producers[place].tell(Routes(n=number, routes=self.watching.routes(place, len(producers))))

    def tell_consumer(self, place: int) -> None:
        """Tell a consumer that was started again all that it serves."""
        self._house.gate.forget(f"assign {place}")
        if tasks := self.watching.tasks_for(place):
            self._house.staff.consumers[place].tell(
                Assign(n=self._number(f"assign {place}"), tasks=tuple(tasks))
            )

    def tell_everybody(self) -> None:
        """Strategies declare something else than before: serve and subscribe anew."""
        for place, consumer in enumerate(self._house.staff.consumers):
            if consumer.running:
                self.tell_consumer(place)
        self.tell_routes()

    def ask_detail(self, symbol: str, guest: Guest) -> None:
        """A screen wants a symbol's detail."""
        self._details.setdefault(symbol, []).append(guest)
        self._house.staff.consumers[self.watching.owner(symbol)].tell(AskSeries(symbol=symbol))

    def detail_came(self, detail: Detail) -> None:
        """A consumer has described a symbol: add the batch's fills in it, and pass it on."""
        fills = self._house.fold.fills
        mine = tuple((fill.t_ns, fill.qty, fill.price) for fill in fills if fill.symbol == detail.symbol)
        whole = msgspec.structs.replace(self._house.feeds.describe(detail), fills=mine)
        for guest in self._details.pop(detail.symbol, ()):
            self._house.door.tell(guest, whole)

    def _hit_state(self, symbol: str) -> str:
        return "unsubscribed" if symbol in self._house.books.dropped else "watched"

    def _number(self, what: str) -> int:
        self._numbers += 1
        self._house.gate.wait_for(f"{what} {self._numbers}")
        return self._numbers


def _veto_row(veto: VetoSet) -> VetoRow:
    return VetoRow(
        symbol=veto.symbol,
        strategy=veto.strategy,
        by=veto.by,
        reason=veto.reason,
        since_ns=veto.since_ns,
        until_ns=veto.until_ns,
    )
