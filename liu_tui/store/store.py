"""Store: one connection and its tables. One per process, opened once, passed in."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from liu_tui.store.accounts import Accounts
from liu_tui.store.algo_run import AlgoRuns
from liu_tui.store.batches import Batches
from liu_tui.store.day_risk import DayRisks
from liu_tui.store.db import Database
from liu_tui.store.differences import Differences
from liu_tui.store.flattens import Flattens
from liu_tui.store.gain_loss import GainLosses
from liu_tui.store.journal import Journal
from liu_tui.store.keystore import Keystore
from liu_tui.store.new_trades import NewTrades
from liu_tui.store.optimizer_run import OptimizerRuns
from liu_tui.store.portfolio import Portfolios
from liu_tui.store.schema import check, migrate
from liu_tui.store.session_events import SessionEvents
from liu_tui.store.stock_ohlc import StockOhlc
from liu_tui.store.strategy_state import StrategyStates
from liu_tui.store.ticker_data import TickerData
from liu_tui.store.trade_analysis import TradeAnalysis
from liu_tui.store.trending_tickers import TrendingTickers
from liu_tui.store.vetoes import Vetoes


class Store:
    """The books: `async with await Store.open(path) as store`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.batches = Batches(db)
        self.algo_run = AlgoRuns(db)
        self.journal = Journal(db)
        self.new_trades = NewTrades(db)
        self.trending_tickers = TrendingTickers(db)
        self.vetoes = Vetoes(db)
        self.differences = Differences(db)
        self.day_risk = DayRisks(db)
        self.flattens = Flattens(db)
        self.session_events = SessionEvents(db)
        self.strategy_state = StrategyStates(db)
        self.keystore = Keystore(db)
        self.gain_loss = GainLosses(db)
        self.trade_analysis = TradeAnalysis(db)
        self.optimizer_run = OptimizerRuns(db)
        self.portfolio = Portfolios(db)
        self.accounts = Accounts(db)
        self.stock_ohlc = StockOhlc(db)
        self.ticker_data = TickerData(db)

    @classmethod
    async def open(cls, path: Path, *, durable: bool = False, read_only: bool = False) -> Store:
        """Open the books, making the file and bringing its schema up to date unless they are only read.

        durable: commits survive a power cut; for the process that writes orders

        Raises StoreError if the file cannot be opened, is another program's, or is newer than this build.
        """
        db = await Database.open(path, durable=durable, read_only=read_only)
        try:
            await (check(db) if read_only else migrate(db))
        except BaseException:
            await db.close()
            raise
        return cls(db)

    async def close(self) -> None:
        """Let the file go. May be called twice."""
        await self._db.close()

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
