"""Folding: many facts in, one picture out. Pure bookkeeping; knows no socket and no process.

The supervisor tells it everything it hears; a few times a second a Picture is made of what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from liu_tui.engine.messages import Alive, DeskFacts, HitFound, Scanned, StrategyState
from liu_tui.engine.rate import Rate
from liu_tui.engine.snapshot import (
    BrokerRow,
    CommandRow,
    ConsumerRow,
    HitRow,
    MoneyRow,
    OrderRow,
    PositionRow,
    ScannerRow,
    StrategyRow,
    VetoRow,
)
from liu_tui.model.account import Position
from liu_tui.model.orders import Fill, OrderNews
from liu_tui.plan.schema import TradePlan

COMMANDS_KEPT = 50
replace = msgspec.structs.replace


class Fold:
    """Everything that a picture shows, as it stands now."""

    def __init__(self, plan: TradePlan) -> None:
        self._plan = plan
        self._hits: dict[tuple[str, str], HitRow] = {}
        self._scanners = {
            name: ScannerRow(name=name, state="waiting", words="", runs=0, hits=0, next_ns=0)
            for name in plan.scanners
        }
        self._strategies = {
            name: StrategyRow(
                name=name,
                file=table.filename,
                state="running",
                words="",
                positions=0,
                trips=0,
                realized=0.0,
                unrealized=0.0,
                calls=0,
                slow_calls=0,
            )
            for name, table in plan.strategies.items()
        }
        self._calls: dict[str, dict[str, tuple[int, int]]] = {}
        self.orders: dict[str, OrderNews] = {}
        self.fills: list[Fill] = []
        self._trips: dict[str, int] = {}
        self._realized: dict[str, float] = {}
        self.desk: DeskFacts | None = None
        self._prices: dict[str, float] = {}
        self._rates: dict[str, Rate] = {}
        self.vetoes: dict[tuple[str, str], VetoRow] = {}
        self.commands: dict[str, CommandRow] = {}
        self.hit_count = 0

    # ── facts ──

    def scanned(self, said: Scanned) -> None:
        """A scanner has run."""
        row = self._scanners.get(said.scanner)
        if row is not None:
            self._scanners[said.scanner] = replace(
                row,
                state="failed" if said.words else "done" if not said.next_ns else "running",
                words=said.words,
                runs=row.runs + 1,
                hits=row.hits + len(said.hits),
                next_ns=said.next_ns,
            )
        self.hit_count += len(said.hits)

    def hit(self, said: Scanned, found: HitFound, consumer: str, state: str) -> None:
        """One pick, with what became of it."""
        key = (found.symbol, said.scanner)
        old = self._hits.get(key)
        self._hits[key] = HitRow(
            symbol=found.symbol,
            scanner=said.scanner,
            strategy=said.target,
            consumer=consumer,
            first_ns=old.first_ns if old else said.t_ns,
            last_ns=said.t_ns,
            times=old.times + 1 if old else 1,
            values="  ".join(f"{name} {_short(value)}" for name, value in found.values.items()),
            price=found.price,
            change_pct=found.change_pct,
            volume=found.volume,
            state=state,
        )

    def mark_hits(self, symbol: str, state: str) -> None:
        """A symbol's picks are now watched, rejected or unsubscribed."""
        for key, row in self._hits.items():
            if key[0] == symbol:
                self._hits[key] = replace(row, state=state)

    def strategy(self, said: StrategyState) -> None:
        """A strategy was quarantined, or runs again."""
        if said.name in self._strategies:
            self._strategies[said.name] = replace(
                self._strategies[said.name], state=said.state, words=said.words
            )

    def calls(self, consumer: str, alive: Alive) -> None:
        """How often a consumer called its strategies."""
        self._calls[consumer] = {name: (calls, slow) for name, calls, slow in alive.by_strategy}

    def desk_said(self, facts: DeskFacts) -> None:
        """What changed at the desk."""
        self.desk = facts
        self._prices.update(facts.prices)
        for news in facts.orders:
            self.orders[news.client_order_id] = news
        for fill in facts.fills:
            self.book(fill)

    def book(self, fill: Fill) -> None:
        """A fill, told once."""
        self.fills.append(fill)
        self._realized[fill.strategy] = self._realized.get(fill.strategy, 0.0) + fill.realized
        if not fill.position:
            self._trips[fill.strategy] = self._trips.get(fill.strategy, 0) + 1

    def command(self, row: CommandRow) -> None:
        """A command, or how it went."""
        self.commands.pop(row.id, None)
        self.commands[row.id] = row
        while len(self.commands) > COMMANDS_KEPT:
            self.commands.pop(next(iter(self.commands)))

    # ── rows ──

    def hits(self) -> tuple[HitRow, ...]:
        """Newest first, with the prices that are known now."""
        rows = sorted(self._hits.values(), key=lambda row: (-row.last_ns, row.symbol))
        return tuple(_at(row, self._prices.get(row.symbol, 0.0)) for row in rows)

    def scanners(self) -> tuple[ScannerRow, ...]:
        """In the plan's order."""
        return tuple(self._scanners.values())

    def strategies(self) -> tuple[StrategyRow, ...]:
        """In the plan's order."""
        return tuple(self._strategy_row(row) for row in self._strategies.values())

    def positions(self) -> tuple[PositionRow, ...]:
        """What is held, the largest loss first: that is what needs an eye."""
        held = [position for position in self._positions() if position.qty]
        rows = [_position_row(position, self._prices.get(position.symbol, 0.0)) for position in held]
        return tuple(sorted(rows, key=lambda row: (row.unrealized, row.symbol)))

    def order_rows(self) -> tuple[OrderRow, ...]:
        """Live ones first, then the newest."""
        news = sorted(self.orders.values(), key=lambda n: (n.state.final, -n.t_ns, n.client_order_id))
        return tuple(_order_row(one) for one in news)

    def consumer(
        self,
        name: str,
        pid: int,
        state: str,
        restarts: int,
        alive: Alive,
        totals: dict[str, int],
        held_back: int,
        merged: int,
    ) -> ConsumerRow:
        """One consumer's row."""
        rate = self._rates.setdefault(name, Rate()).tell(totals["dispatched"])
        return ConsumerRow(
            name=name,
            state=state,
            pid=pid,
            symbols=alive.symbols,
            queue=alive.queue + held_back,
            lag_p50_ms=alive.lag_p50_ms,
            lag_p99_ms=alive.lag_p99_ms,
            discarded=totals["discarded"],
            merged=merged,
            rate=rate,
            dispatched=totals["dispatched"],
            slowest=alive.slowest,
            slowest_ms=alive.slowest_ms,
            restarts=restarts,
        )

    def holds(self, symbol: str) -> bool:
        """Whether anything is held or working in a symbol."""
        held = any(position.symbol == symbol and position.qty for position in self._positions())
        return held or any(news.symbol == symbol and not news.state.final for news in self.orders.values())

    def money(self) -> MoneyRow:
        """The batch's money."""
        facts = self.desk
        if facts is None:
            return MoneyRow(max_daily_loss=self._plan.limits.max_daily_loss)
        account = facts.account
        return MoneyRow(
            realized=facts.realized,
            unrealized=facts.unrealized,
            equity=account.equity if account else 0.0,
            cash=account.cash if account else 0.0,
            buying_power=account.buying_power if account else 0.0,
            exposure=facts.exposure,
            max_daily_loss=self._plan.limits.max_daily_loss,
            fees=facts.fees,
            result=facts.result,
            peak=facts.peak,
            max_drawdown=self._plan.limits.max_drawdown,
            multiplier=account.multiplier if account else 1.0,
        )

    def broker(self) -> BrokerRow:
        """How the broker stands."""
        facts = self.desk
        if facts is None:
            return BrokerRow()
        return BrokerRow(
            state=facts.broker,
            words=facts.broker_words,
            compared_ns=facts.compared_ns,
            asking=facts.asking,
            suspended=facts.account is not None and facts.account.suspended,
        )

    def _positions(self) -> Iterable[Position]:
        return self.desk.positions if self.desk else ()

    def _strategy_row(self, row: StrategyRow) -> StrategyRow:
        mine = [position for position in self._positions() if position.strategy == row.name and position.qty]
        calls = [rows.get(row.name, (0, 0)) for rows in self._calls.values()]
        return replace(
            row,
            positions=len(mine),
            trips=self._trips.get(row.name, 0),
            realized=self._realized.get(row.name, 0.0),
            unrealized=sum(position.unrealized(self._prices.get(position.symbol, 0.0)) for position in mine),
            calls=sum(count for count, _slow in calls),
            slow_calls=sum(slow for _count, slow in calls),
        )


def _at(row: HitRow, price: float) -> HitRow:
    """A pick at the present price, its change against the same close as when it was picked."""
    close = row.price / (1 + row.change_pct / 100) if row.change_pct > -100 else 0.0
    if not price or not close:
        return row
    return replace(row, price=price, change_pct=100 * (price / close - 1))


def _short(value: float) -> str:
    """Four digits are enough to see why something was picked: 4.61, 432.9k, 1.726M."""
    for size, sign in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 10 * size or (size > 1e3 and abs(value) >= size):
            return f"{value / size:.4g}{sign}"
    return f"{value:.4g}"


def _position_row(position: Position, price: float) -> PositionRow:
    return PositionRow(
        strategy=position.strategy,
        symbol=position.symbol,
        qty=position.qty,
        avg_price=position.avg_price,
        price=price,
        unrealized=position.unrealized(price),
        realized=position.realized,
        stop=position.stop,
        target=position.target,
        r=position.r_multiple(price),
        opened_ns=position.opened_ns,
    )


def _order_row(news: OrderNews) -> OrderRow:
    return OrderRow(
        client_order_id=news.client_order_id,
        strategy=news.strategy,
        symbol=news.symbol,
        operation=news.operation.value,
        role=news.role,
        order_type=news.order_type.value,
        qty=news.qty,
        filled_qty=news.filled_qty,
        limit_price=news.limit_price,
        stop_price=news.stop_price,
        avg_price=news.avg_price,
        state=news.state.value,
        live=not news.state.final,
        created_ns=news.created_ns,
        t_ns=news.t_ns,
        words=f"{news.code} {news.words}".strip(),
        code=news.code,
        tif=news.tif.value,
        trail_price=news.trail_price,
        trail_percent=news.trail_percent,
        extended_hours=news.extended_hours,
        replaces=news.replaces,
    )
