"""A desk and its broker compared: at the start, after a reconnect, and on a timetable."""

from collections.abc import Mapping, Sequence

from liu_tui.model.account import BrokerPosition
from liu_tui.model.orders import BrokerOrder, Execution, OrderState
from liu_tui.trading.deskverbs import Commanded
from liu_tui.trading.differences import FLATTEN
from liu_tui.trading.effects import Differs, Effect
from liu_tui.trading.reconcile import LOOK_UPS

S = OrderState


class Compared(Commanded):
    """A desk whose books are held against the broker's, and whose differences a person decides."""

    def reconcile(
        self,
        orders: Sequence[BrokerOrder],
        executions: Sequence[Execution],
        positions: Sequence[BrokerPosition],
        now_ns: int,
        *,
        settled_ns: int | None = None,
    ) -> tuple[bool, list[Effect]]:
        """Compare all with the broker, and take over what it knows better.

        orders, executions: the batch's at least, ended orders too, legs nested. Ask for positions last: a
        fill between the questions shows as a difference, and is none at the next comparison.
        settled_ns: session time before which nothing is on its way any more; None: nothing is
        returns: whether nothing is left that differs and about which nobody has decided. Before the first
                 yes nothing is opened; what is held may be closed
        """
        self._reconciler.compare(
            orders, executions, positions, now_ns,
            settled_ns=now_ns + 1 if settled_ns is None else settled_ns, at_once=not self._agreed,
        )  # fmt: skip
        self._flattens.broker_said(positions)
        for record in list(self._book.all_live()):
            if record.state is S.UNKNOWN and not self._asker.asking(record.client_order_id):
                self._asker.lost(record, "the answer was lost", now_ns)
        agreed = not self._differences.undecided
        self._agreed = self._agreed or agreed
        self._differences.holds_up = not self._agreed
        self._closer.ready = True  # what is held may be closed and protected, whatever else differs
        return agreed, self._compared(now_ns)

    def check_orders(
        self,
        orders: Sequence[BrokerOrder],
        now_ns: int,
        *,
        settled_ns: int | None = None,
        look_ups: int = LOOK_UPS,
    ) -> list[Effect]:
        """Compare what works at the broker with what works here, while the desk trades.

        orders:   those that are open, legs nested
        look_ups: how many of ours that are not among them may be asked for
        """
        settled = now_ns + 1 if settled_ns is None else settled_ns
        self._reconciler.check_orders(orders, now_ns, settled_ns=settled, most=look_ups)
        return self._compared(now_ns)

    def check_positions(
        self,
        executions: Sequence[Execution],
        positions: Sequence[BrokerPosition],
        now_ns: int,
        *,
        settled_ns: int | None = None,
    ) -> list[Effect]:
        """Book missed fills and compare the shares, while the desk trades. executions: since a while ago."""
        settled = now_ns + 1 if settled_ns is None else settled_ns
        self._reconciler.check_positions(executions, positions, now_ns, settled_ns=settled)
        self._flattens.broker_said(positions)
        return self._compared(now_ns)

    @property
    def differences(self) -> Mapping[str, Differs]:
        """Where books and broker do not agree, by symbol, with what was decided."""
        return self._differences.all

    @property
    def asking(self) -> int:
        """How many orders are asked for whose fate nobody knows."""
        return self._asker.unknown

    @property
    def needs_all(self) -> bool:
        """Whether only the comparison of all can explain what was seen: it names legs that are over too."""
        return self._reconciler.incomplete or any(self._unlinked())

    def since_ns(self, now_ns: int) -> int:
        """When the batch began: nothing before it is the batch's."""
        return self._reconciler.since_ns(now_ns)

    def set_pace(self, speed: float) -> None:
        """Say how many session seconds go by in a second of the wall: a broker does not answer faster."""
        self._asker.pace = max(speed, 1.0)

    def ask_again(self, now_ns: int) -> list[Effect]:
        """Ask at once for every order whose fate nobody knows, and for every cancel: the broker is back."""
        self._asker.at_once(now_ns)
        self._cancels.at_once(now_ns)
        return self._book.take()

    def resolve_refused(self, symbol: str, choice: str) -> str:
        """Say why this difference cannot be decided so; "" if it can."""
        return self._differences.refused(symbol, choice)

    def resolve(self, symbol: str, choice: str, by: str, now_ns: int) -> list[Effect]:
        """Decide a difference: adopt the broker's figure, adopt it and flatten, or ignore it."""
        for key in self._differences.decide(symbol, choice, by, now_ns):
            self._progress.advance(key, now_ns)
        if choice == FLATTEN:
            self._latch(symbol, by, "books and broker differed", now_ns)
        self.needs_reconcile = True
        return self._book.take()

    def _compared(self, now_ns: int) -> list[Effect]:
        if self._agreed:
            self._differences.watch(now_ns)
        for key in self._book.active():
            self._progress.advance(key, now_ns)
        self._standing.watch_loss(self.limits, now_ns)
        self.needs_reconcile = self._unsettled()
        return self._book.take()
