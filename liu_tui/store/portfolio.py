"""portfolio and portfolio_batch_ids: batches that belong together, and the money set aside for them.

A portfolio that sessions trade from has an account of its own name. Its balance is the cash: what it began
with and what each fill moved. Its shares are told by the same rows, so neither can drift from the other.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from liu_tui.store.accounts import (
    INSERT_ACCOUNT,
    INSERT_TRANSACTION,
    LedgerAccount,
    Transaction,
    account_row,
    transaction_row,
)
from liu_tui.store.db import Database
from liu_tui.store.table import Table
from liu_tui.trading.effects import Moved


class Portfolio(msgspec.Struct, frozen=True, kw_only=True):
    """One portfolio. size: dollars at its start; parameters: a JSON object; account_id: None if none."""

    portfolio_id: str
    size: float
    created_ns: int
    account_id: str | None = None
    parameters: str = "{}"


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of a portfolio in one symbol. qty: signed; price: dollars, of the last fill."""

    symbol: str
    qty: float
    price: float


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a portfolio stands. balance: dollars of cash, negative where it owes; held: its open positions."""

    portfolio_id: str
    size: float
    balance: float
    held: tuple[Held, ...] = ()

    @property
    def worth(self) -> float:
        """Dollars: the cash, and the shares at the prices of their last fills."""
        return self.balance + sum(held.qty * held.price for held in self.held)


class _Why(msgspec.Struct, frozen=True, kw_only=True):
    """The details of a transaction that a fill made."""

    batch_id: str
    strategy: str
    symbol: str
    qty: float
    price: float


def transaction_of(batch_id: str, moved: Moved) -> Transaction:
    """Write a fill's money as a transaction. A venue may use an execution's id again in another batch."""
    why = _Why(
        batch_id=batch_id, strategy=moved.strategy, symbol=moved.symbol, qty=moved.qty, price=moved.price
    )
    return Transaction(
        account_id=moved.portfolio,
        transaction_id=f"{batch_id}/{moved.execution_id}",
        amount=moved.amount,
        t_ns=moved.t_ns,
        details=msgspec.json.encode(why).decode(),
    )


_TABLE = Table("portfolio", Portfolio, key=("portfolio_id",), under=())
OPENING = "opening"
_JOIN = "INSERT INTO portfolio_batch_ids (portfolio_id, batch_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
_CREDIT = "UPDATE accounts SET credit_line = ? WHERE account_id = ?"
# IS NOT: the opening row names no batch.
_BALANCE = """
    SELECT coalesce(sum(amount), 0) FROM account_transactions
    WHERE account_id = ?1 AND json_extract(details, '$.batch_id') IS NOT ?2
"""
# SQLite takes a bare column beside max() from the row of the maximum: the last price.
_HELD = """
    WITH moved AS (
        SELECT rowid AS n, json_extract(details, '$.symbol') AS symbol, json_extract(details, '$.qty') AS qty,
               json_extract(details, '$.price') AS price
        FROM account_transactions
        WHERE account_id = ?1 AND json_extract(details, '$.batch_id') IS NOT ?2
    ), held AS (
        SELECT symbol, round(sum(qty), 9) AS total, price, max(n) FROM moved
        WHERE symbol IS NOT NULL GROUP BY symbol
    )
    SELECT symbol, total, price FROM held WHERE total <> 0 ORDER BY symbol
"""


class Portfolios:
    """The portfolios and their batches."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def save(self, portfolio: Portfolio) -> None:
        """Write a portfolio down, or its new values."""
        await self._db.write(_TABLE.upsert, [_TABLE.values(portfolio)])

    async def open(self, portfolio: Portfolio, *, credit: float, batch_id: str) -> None:
        """Set a portfolio up with an account of its own, at its first time; and join the batch to it.

        Its size and what it has earned stay; credit is the newest word.
        """
        name, now_ns = portfolio.portfolio_id, portfolio.created_ns
        kept = msgspec.structs.replace(portfolio, account_id=name)
        account = LedgerAccount(account_id=name, created_ns=now_ns, credit_line=credit)
        opening = Transaction(account_id=name, transaction_id=OPENING, amount=portfolio.size, t_ns=now_ns)
        await self._db.at_once(
            [
                (INSERT_ACCOUNT, [account_row(account)]),
                (_CREDIT, [(credit, name)]),
                (_TABLE.insert, [_TABLE.values(kept)]),
                (INSERT_TRANSACTION, [transaction_row(opening)]),
                (_JOIN, [(name, batch_id)]),
            ]
        )

    async def standing(self, portfolio_id: str, *, without: str = "") -> Standing | None:
        """Say how a portfolio stands, None if there is none. without: leave one batch's doings out."""
        portfolio = await self.get(portfolio_id)
        if portfolio is None:
            return None
        key = (portfolio.account_id or "", without)
        ((balance,),) = await self._db.rows(_BALANCE, key)
        held = (Held(symbol=s, qty=q, price=p) for s, q, p in await self._db.rows(_HELD, key))
        return Standing(
            portfolio_id=portfolio_id, size=portfolio.size, balance=float(balance), held=tuple(held)
        )

    async def of_batch(self, batch_id: str) -> list[Standing]:
        """Say how the portfolios stand that a batch traded from, by name."""
        sql = "SELECT portfolio_id FROM portfolio_batch_ids WHERE batch_id = ? ORDER BY portfolio_id"
        names = [row[0] for row in await self._db.rows(sql, (batch_id,))]
        found = [await self.standing(name) for name in names]
        return [standing for standing in found if standing is not None]

    async def book(self, batch_id: str, moves: Iterable[Moved]) -> int:
        """Write what fills moved; what is written already changes nothing. Returns how many were new."""
        rows = [transaction_row(transaction_of(batch_id, moved)) for moved in moves]
        return await self._db.write(INSERT_TRANSACTION, rows)

    async def get(self, portfolio_id: str) -> Portfolio | None:
        """Return the portfolio, None if there is none."""
        rows = await self._db.rows(f"{_TABLE.select} WHERE portfolio_id = ?", (portfolio_id,))
        return _TABLE.read(rows[0]) if rows else None

    async def join(self, portfolio_id: str, batch_id: str) -> None:
        """Say that a batch belongs to it. May be said twice."""
        await self._db.write(_JOIN, [(portfolio_id, batch_id)])

    async def batch_ids(self, portfolio_id: str) -> list[str]:
        """Return the portfolio's batches, oldest first."""
        sql = """
            SELECT batch_id FROM portfolio_batch_ids JOIN batches USING (batch_id)
            WHERE portfolio_id = ? ORDER BY start_ns, batch_id
        """
        return [row[0] for row in await self._db.rows(sql, (portfolio_id,))]
