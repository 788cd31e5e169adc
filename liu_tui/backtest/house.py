"""What stays from one day of a backtest to the next: the account, the desk, the keys, the record."""

from __future__ import annotations

from pathlib import Path

import msgspec

from liu_tui.backtest.crew import Crew
from liu_tui.backtest.hands import Hands
from liu_tui.backtest.record import Record
from liu_tui.market.source import Source
from liu_tui.model.clock import ManualClock
from liu_tui.model.market import Asset
from liu_tui.plan.schema import MarketTable, TradePlan
from liu_tui.strategy import State
from liu_tui.trading.desk import Desk
from liu_tui.trading.matching.exchange import Exchange
from liu_tui.trading.matching.options import exchange_options

ACCOUNT = "BACKTEST"


class House:
    """One batch.

    root:   the workspace: what the plan's file names are relative to
    states: strategy -> symbol -> declared state, of those strategies that keep positions over the close
    keys:   strategy -> key -> value: the key/value store; it begins empty and the live one is never touched
    bars, events: minute bars of all symbols; events of watched symbols that the session took
    symbols: all that were ever watched
    """

    def __init__(
        self, plan: TradePlan, root: Path, source: Source, crew: Crew, *, batch_id: str, cash: float
    ) -> None:
        market = plan.market or MarketTable()
        self.plan, self.root, self.source, self.crew, self.batch_id = plan, root, source, crew, batch_id
        self.clock = ManualClock()
        self.record = Record(batch_id, self.clock)
        self.exchange = Exchange(
            cash=cash,
            seed=market.seed,
            partial_fills=market.partial_fills,
            account_id=ACCOUNT,
            options=exchange_options(market.exchange, plan.fees),
        )
        self.desk = Desk(
            batch_id=batch_id,
            limits=plan.limits,
            swing=crew.swing,
            liquidate_min=plan.market_liquidation_end_time_minutes,
            entries_allowed=not plan.test_scanners,
            fees=plan.fees,
        )
        assets = {asset.symbol: _listed(asset, self.exchange) for asset in source.assets()}
        self.desk.learn_assets(assets)
        self.hands = Hands(self.desk, self.exchange, assets, self.record, self.clock)
        self.states: dict[str, dict[str, State]] = {}
        self.keys: dict[str, dict[str, str]] = {}
        self.bars = self.events = 0
        self.symbols: set[str] = set()


def _listed(asset: Asset, exchange: Exchange) -> Asset:
    """The asset as its broker would list it: what cannot be borrowed is said so."""
    easy = asset.easy_to_borrow and exchange.borrowable(asset.symbol)
    return asset if easy == asset.easy_to_borrow else msgspec.structs.replace(asset, easy_to_borrow=easy)
