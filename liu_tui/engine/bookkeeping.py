"""What the supervisor keeps of a batch between two lives of a process: states, keys, vetoes, picks.

Loaded from the books at the start, held in memory, written back through Records.
"""

from __future__ import annotations

import json
from functools import partial

import msgspec

from liu_tui.engine.messages import KeyRow, Scanned, StateRow, StatesSaved, StrategyProfile, VetoSet
from liu_tui.engine.records import Records, Write
from liu_tui.engine.snapshot import LogLine
from liu_tui.model.books import SessionEvent
from liu_tui.plan.schema import TradePlan
from liu_tui.scanner import Hit
from liu_tui.store.store import Store
from liu_tui.store.strategy_state import StrategyState
from liu_tui.store.trending_tickers import TrendingTicker
from liu_tui.store.vetoes import Veto
from liu_tui.trading.vetoes import outlasts, stands

_HOUSE = ""
"""Rows of strategy_state under this name are the house's own.

Per consumer, how far it had heard fills; per symbol, whether it was unsubscribed; per strategy, what it
declares.
"""
_DROPPED = "dropped "
"""Before a symbol's name in such a row: A, B, C and F are companies too, not only consumers."""

_PROFILE = "profile "


class _HouseRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one of the house's own rows says; only one of these."""

    after_fill: int | None = None
    untold: tuple[int, ...] = ()
    dropped: bool = False
    profile: StrategyProfile | None = None


class Bookkeeping:
    """One batch's rows.

    after_fill: consumer -> the last fill whose effect is in the states
    untold:     consumer -> numbers of fills up to that one whose effect is not
    """

    def __init__(self, batch_id: str) -> None:
        self._batch_id = batch_id
        self._records: Records | None = None
        self.states: dict[tuple[str, str], StateRow] = {}
        self.keys: dict[tuple[str, str], KeyRow] = {}
        self.vetoes: dict[tuple[str, str], VetoSet] = {}
        self.after_fill: dict[str, int] = {}
        self.untold: dict[str, tuple[int, ...]] = {}
        self.picks: list[TrendingTicker] = []
        self.dropped: set[str] = set()
        self.profiles: dict[str, StrategyProfile] = {}

    async def load(self, store: Store, plan: TradePlan, records: Records) -> None:
        """Read what an earlier life of the batch left, and the strategies' key/value stores."""
        self._records = records
        for row in await store.strategy_state.load(self._batch_id):
            if row.strategy == _HOUSE:
                self._remember(row.symbol, msgspec.json.decode(row.state, type=_HouseRow))
            else:
                state = StateRow(strategy=row.strategy, symbol=row.symbol, json=row.state)
                self.states[row.strategy, row.symbol] = state
        for veto in await store.vetoes.load(self._batch_id):
            self.vetoes[veto.symbol, veto.strategy] = VetoSet(
                symbol=veto.symbol,
                strategy=veto.strategy,
                on=True,
                by=veto.by,
                reason=veto.reason,
                since_ns=veto.since_ns,
                until_ns=veto.until_ns,
            )
        for name in plan.strategies:
            for key, value in (await store.keystore.load(name)).items():
                self.keys[name, key] = KeyRow(strategy=name, key=key, value=value)
        self.picks = await store.trending_tickers.load(self._batch_id)

    def save_states(self, consumer: str, said: StatesSaved, now_ns: int) -> None:
        """Keep what a consumer saved."""
        rows = [
            StrategyState(strategy=r.strategy, symbol=r.symbol, state=r.json, updated_ns=now_ns)
            for r in said.rows
        ]
        after = msgspec.json.encode(_HouseRow(after_fill=said.after_fill, untold=said.untold)).decode()
        rows.append(StrategyState(strategy=_HOUSE, symbol=consumer, state=after, updated_ns=now_ns))
        self.after_fill[consumer], self.untold[consumer] = said.after_fill, said.untold
        for row in said.rows:
            self.states[row.strategy, row.symbol] = row
        self._put(lambda store: store.strategy_state.save(self._batch_id, rows))
        for key in said.keys:
            self.keys[key.strategy, key.key] = key
            self._put(partial(_set_key, key))

    def save_profile(self, profile: StrategyProfile) -> None:
        """Keep what a strategy declares.

        Should its file be broken when the batch goes on, the desk still knows whether its positions are
        kept over the close.
        """
        if self.profiles.get(profile.name) == profile:
            return
        self.profiles[profile.name] = profile
        words = msgspec.json.encode(_HouseRow(profile=profile)).decode()
        row = StrategyState(strategy=_HOUSE, symbol=_PROFILE + profile.name, state=words, updated_ns=0)
        self._put(lambda store: store.strategy_state.save(self._batch_id, [row]))

    def set_dropped(self, symbol: str, on: bool) -> None:
        """A person or a strategy unsubscribed a symbol for the day, or a person took that back."""
        (self.dropped.add if on else self.dropped.discard)(symbol)
        state = json.dumps({"dropped": on})
        row = StrategyState(strategy=_HOUSE, symbol=_DROPPED + symbol, state=state, updated_ns=0)
        self._put(lambda store: store.strategy_state.save(self._batch_id, [row]))

    def _remember(self, name: str, row: _HouseRow) -> None:
        if row.after_fill is not None:
            self.after_fill[name], self.untold[name] = row.after_fill, row.untold
        elif row.profile is not None:
            self.profiles[row.profile.name] = row.profile
        elif row.dropped:
            self.dropped.add(name.removeprefix(_DROPPED))

    def set_veto(self, veto: VetoSet) -> None:
        """A veto was set or lifted. Lifting one for all lifts every veto of the symbol.

        Of two for the same symbol and strategy the one that lasts longer stands, as at the desk.
        """
        if veto.on:
            known = self.vetoes.get((veto.symbol, veto.strategy))
            if known is None or outlasts(veto.until_ns, known.until_ns):
                self.vetoes[veto.symbol, veto.strategy] = veto
                self._put(partial(_set_veto, self._batch_id, veto))
            return
        for key in [k for k in self.vetoes if k[0] == veto.symbol and veto.strategy in ("", k[1])]:
            del self.vetoes[key]
            self._put(partial(_clear_veto, self._batch_id, key))

    def end_vetoes(self, now_ns: int) -> list[VetoSet]:
        """Forget the vetoes whose time is over; returns them. In the books they stay, as what has been."""
        over = [veto for veto in self.vetoes.values() if not stands(veto.until_ns, now_ns)]
        for veto in over:
            del self.vetoes[veto.symbol, veto.strategy]
        return over

    def rejected(self, symbol: str) -> bool:
        """Whether a symbol is vetoed for all strategies."""
        return (symbol, "") in self.vetoes

    def hits(self, said: Scanned) -> None:
        """A scanner's picks."""
        hits = [Hit(found.symbol, found.values) for found in said.hits]
        self._put(
            lambda store: store.trending_tickers.add(
                self._batch_id, said.scanner, said.t_ns, hits, strategy=said.target
            )
        )

    def line(self, line: LogLine) -> None:
        """A line of the log."""
        event = SessionEvent(**{name: getattr(line, name) for name in SessionEvent.__struct_fields__})
        self._put(lambda store: store.session_events.add(self._batch_id, [event]))

    def states_rows(self) -> tuple[StateRow, ...]:
        """All declared states, for a consumer's Boot."""
        return tuple(self.states.values())

    def _put(self, write: Write) -> None:
        if self._records is not None:
            self._records.put(write)


async def _set_key(key: KeyRow, store: Store) -> None:
    await store.keystore.set(key.strategy, {key.key: key.value})


async def _set_veto(batch_id: str, veto: VetoSet, store: Store) -> None:
    row = Veto(
        symbol=veto.symbol,
        strategy=veto.strategy,
        by=veto.by,
        reason=veto.reason,
        since_ns=veto.since_ns,
        until_ns=veto.until_ns,
    )
    await store.vetoes.set(batch_id, row)


async def _clear_veto(batch_id: str, key: tuple[str, str], store: Store) -> None:
    await store.vetoes.clear(batch_id, *key)
