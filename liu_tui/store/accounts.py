"""accounts and account_transactions: money set aside for portfolios, on paper of our own.

A balance is the sum of its transactions and nothing else: it cannot drift from them. A fill's money is
written by the journal with the fill itself: it has happened, so no credit line refuses it.
"""

from __future__ import annotations

import msgspec

from liu_tui.errors import RefusedError, StoreError
from liu_tui.store.db import Database, Row
from liu_tui.store.table import Table


class LedgerAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One account. credit_line: dollars that the balance may lie below 0; details: a JSON object."""

    account_id: str
    created_ns: int
    credit_line: float = 0.0
    details: str = "{}"


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came (+) or went (-). transaction_id: the caller's; the same one is booked once."""

    account_id: str
    transaction_id: str
    amount: float
    t_ns: int
    details: str = "{}"


_ACCOUNTS = Table("accounts", LedgerAccount, key=("account_id",), under=())
_TRANSACTIONS = Table("account_transactions", Transaction, key=("account_id", "transaction_id"), under=())
INSERT_ACCOUNT, INSERT_TRANSACTION = _ACCOUNTS.insert, _TRANSACTIONS.insert
_ROOM = """
    SELECT credit_line + (SELECT coalesce(sum(amount), 0) FROM account_transactions AS t
                          WHERE t.account_id = a.account_id AND t.transaction_id <> ?2)
    FROM accounts AS a WHERE account_id = ?1
"""


def account_row(account: LedgerAccount) -> Row:
    """Return the row for INSERT_ACCOUNT."""
    return _ACCOUNTS.values(account)


def transaction_row(transaction: Transaction) -> Row:
    """Return the row for INSERT_TRANSACTION; one that is booked changes nothing."""
    return _TRANSACTIONS.values(transaction)


class Accounts:
    """The accounts and what moved in them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def open(self, account: LedgerAccount) -> None:
        """Open an account; one that is there stays as it is."""
        await self._db.write(_ACCOUNTS.insert, [_ACCOUNTS.values(account)])

    async def get(self, account_id: str) -> LedgerAccount | None:
        """Return the account, None if there is none."""
        rows = await self._db.rows(f"{_ACCOUNTS.select} WHERE account_id = ?", (account_id,))
        return _ACCOUNTS.read(rows[0]) if rows else None

    async def book(self, transaction: Transaction) -> bool:
        """Move money; returns whether it was new.

        Raises RefusedError if it would pass the credit line, StoreError if there is no account.
        """
        async with self._db.transaction() as tx:
            key = (transaction.account_id, transaction.transaction_id)
            rooms = list(await tx.execute_fetchall(_ROOM, key))
            if not rooms:
                raise StoreError(f"no account {transaction.account_id!r}", where=str(self._db.path))
            if transaction.amount < 0 and rooms[0][0] + transaction.amount < 0:
                raise RefusedError(
                    f"{-transaction.amount:,.2f} dollars would pass the {rooms[0][0]:,.2f} that are there",
                    where=f"account {transaction.account_id}",
                    mend="Put money in first, or raise the credit line.",
                )
            done = await tx.execute(_TRANSACTIONS.insert, _TRANSACTIONS.values(transaction))
            return bool(done.rowcount)

    async def balance(self, account_id: str) -> float:
        """Return the dollars in the account; 0 for one that is not there."""
        sql = "SELECT coalesce(sum(amount), 0) FROM account_transactions WHERE account_id = ?"
        ((amount,),) = await self._db.rows(sql, (account_id,))
        return float(amount)

    async def transactions(self, account_id: str) -> list[Transaction]:
        """Return what moved, oldest first."""
        sql = f"{_TRANSACTIONS.select} WHERE account_id = ? ORDER BY t_ns, rowid"
        return [_TRANSACTIONS.read(row) for row in await self._db.rows(sql, (account_id,))]
