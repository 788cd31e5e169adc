"""The rooms of a desk, built once and joined, and what may be asked of them at any time."""

from collections.abc import Iterable, Mapping

from liu_tui.model.account import Position
from liu_tui.model.clock import SessionHours
from liu_tui.model.orders import OrderNews
from liu_tui.plan.schema import FeesTable, Limits
from liu_tui.trading.accountday import AccountDay
from liu_tui.trading.allocation import Allocations
from liu_tui.trading.answers import Answers
from liu_tui.trading.asking import Asker, Cancels
from liu_tui.trading.asks import Asks
from liu_tui.trading.book import Book, Key
from liu_tui.trading.closing import Closer
from liu_tui.trading.daytime import Daytime
from liu_tui.trading.differences import Differences
from liu_tui.trading.flattens import Flattens, FlattenState
from liu_tui.trading.gate import Gate
from liu_tui.trading.ids import Ids
from liu_tui.trading.latches import Latch, Latches
from liu_tui.trading.memory import Memory
from liu_tui.trading.moving import Mover
from liu_tui.trading.obstacles import Obstacles
from liu_tui.trading.orders import OrderRecord, news
from liu_tui.trading.positions import Money
from liu_tui.trading.progress import Progress
from liu_tui.trading.protection import Protector
from liu_tui.trading.reconcile import Reconciler
from liu_tui.trading.replacing import Replacer
from liu_tui.trading.secondlock import SecondLock
from liu_tui.trading.standing import Standing
from liu_tui.trading.strays import Strays
from liu_tui.trading.venuebook import VenueFacts
from liu_tui.trading.vetoes import Veto, Vetoes


class Rooms:
    """Everything that a desk is made of.

    swing:            strategies whose positions are kept over the close
    liquidate_min:    minutes before the close at which day trades are liquidated
    entries_allowed:  the driver's: false until books and broker agree, or where nothing may be opened
    needs_reconcile:  a fill or a leg that the broker told of has not come: the driver should reconcile soon
    fees:             what a fill costs where the venue does not say
    allocations:      what the strategies that have a portfolio may have at work
    venue:            what is known of listings and of the account
    """

    def __init__(
        self,
        *,
        batch_id: str,
        limits: Limits,
        hours: SessionHours | None = None,
        swing: frozenset[str] = frozenset(),
        liquidate_min: float = 15.0,
        entries_allowed: bool = True,
        fees: FeesTable | None = None,
    ) -> None:
        self.needs_reconcile = False
        self._looked_s = -1
        self._day = Daytime(hours, swing, liquidate_min)
        self.venue = VenueFacts()
        self._book = book = Book(fees)
        self._ids = ids = Ids(batch_id)
        self._latches, self._vetoes = Latches(book), Vetoes(book)
        self._memory = Memory(book, self.venue, self._day, batch_id)
        self._standing = Standing(book, self._latches, self._memory.day)
        self._asker = Asker(book)
        self._cancels = Cancels(book, self._asker)
        self._strays = Strays(book)
        self._protector = Protector(book, ids, swing)
        self._closer = Closer(book, ids, self._cancels, self._protector)
        self._obstacles = Obstacles(book, self._closer, self._day)
        self._flattens = Flattens(book, self._latches, self._closer, self._obstacles)
        self._lock = SecondLock(book, self._standing, self._latches)
        self._differences = Differences(book, self._cancels)
        self._reconciler = Reconciler(book, self._asker, self._strays, self._differences)
        self._agreed = False
        self.allocations = Allocations(book, ())
        self._gate = Gate(
            book,
            limits,
            self._standing,
            self._vetoes,
            self._latches,
            self._closer,
            self._day,
            self._memory,
            self._differences,
            entries_allowed=entries_allowed,
        )
        self._replacer = replacer = Replacer(book, ids, self._asker, self._cancels)
        self._mover = Mover(book, self._cancels, replacer, self._protector)
        self._asks = Asks(
            book, ids, self._gate, self._closer, self._cancels, replacer, self._mover, self.venue, self._day
        )
        self._progress = Progress(
            book, self._cancels, self._strays, self._protector, self._closer, self._day, self._latches
        )
        self._answers = Answers(book, self._asker, self._cancels, self._strays, self._progress, replacer)

    # what it knows

    @property
    def limits(self) -> Limits:
        """What is refused; a new one binds the next intent."""
        return self._gate.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._gate.limits = limits

    @property
    def entries_allowed(self) -> bool:
        """The driver's own yes to entries; false where nothing may be opened."""
        return self._gate.entries_allowed

    @entries_allowed.setter
    def entries_allowed(self, allowed: bool) -> None:
        self._gate.entries_allowed = allowed

    @property
    def hours(self) -> SessionHours | None:
        """The trading day; set it when another begins."""
        return self._day.hours

    @hours.setter
    def hours(self, hours: SessionHours | None) -> None:
        self._day.hours = hours

    @property
    def swing(self) -> frozenset[str]:
        """Strategies whose positions are kept over the close; set it when they are known."""
        return self._day.swing

    @swing.setter
    def swing(self, names: frozenset[str]) -> None:
        self._day.swing = self._protector.swing = names

    @property
    def state(self) -> str:
        """ACTIVE, REDUCING (no entries) or HALTED (no entries, and everything is closed)."""
        return self._standing.state

    @property
    def state_by(self) -> str:
        """Who or what set the state; "limits" for the daily loss."""
        return self._standing.by

    @property
    def state_reason(self) -> str:
        """Why the state is as it is."""
        return self._standing.reason

    @property
    def latches(self) -> Mapping[str, Latch]:
        """The flattens that are not done, by symbol, "" for everything."""
        return self._latches.all

    def flattens(self, now_ns: int) -> tuple[FlattenState, ...]:
        """Tell how far each flatten that is not done has come, and what cannot be closed now, and why."""
        return self._flattens.states(now_ns)

    @property
    def proves_flat(self) -> bool:
        """Whether a flatten is done only when the broker too names no position: where the driver asks it."""
        return self._flattens.proves

    @proves_flat.setter
    def proves_flat(self, proves: bool) -> None:
        self._flattens.proves = proves

    @property
    def vetoes(self) -> Mapping[tuple[str, str], Veto]:
        """The vetoes in force by (symbol, strategy), strategy "" for all."""
        return self._vetoes.all

    @property
    def positions(self) -> Mapping[Key, Position]:
        """Every position of the batch by (strategy, symbol), flat ones with what they earned."""
        return self._book.positions

    @property
    def orders(self) -> Mapping[str, OrderRecord]:
        """Every order of the batch by client order id, refused ones too."""
        return self._book.orders

    def live_news(self) -> list[OrderNews]:
        """Tell of every order to which something may still happen, for who starts again."""
        return [news(record) for record in self._book.all_live()]

    def price(self, symbol: str) -> float:
        """Tell the last price, 0 if none is known."""
        return self._book.prices.get(symbol, 0.0)

    def net(self, symbol: str) -> float:
        """Signed shares of the account in the symbol."""
        return self._book.net(symbol)

    @property
    def day(self) -> AccountDay:
        """The account's day so far: its result and its best, dollars with fees in, and the orders sent."""
        return self._memory.day

    def money(self) -> Money:
        """Sum up what the batch has earned and holds, at the last prices."""
        return self._book.money()

    def _unsettled(self) -> bool:
        """Whether the broker should be asked before it is time."""
        behind = bool(self._book.behind()) or any(self._unlinked())
        return behind or self._reconciler.urgent or self._flattens.unproved

    def _unlinked(self) -> Iterable[OrderRecord]:
        # Orders of whose legs one has no name yet: only the broker's list can tell it.
        return (r for key in self._book.active() if self._book.held(key) for r in self._book.unlinked(key))
