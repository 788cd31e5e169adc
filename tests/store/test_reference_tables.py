"""What lasts beyond a session: daily bars, facts, portfolios, accounts, searches."""

from __future__ import annotations

import pytest

from liu_tui.errors import RefusedError, StoreError
from liu_tui.model.market import DAY_NS, MINUTE_NS, Bar
from liu_tui.store.accounts import LedgerAccount, Transaction
from liu_tui.store.optimizer_run import OptimizerRun
from liu_tui.store.portfolio import Portfolio
from liu_tui.store.store import Store
from tests.kit.store import BATCH, T0, a_batch


def a_day(n: int, close: float = 10.0, symbol: str = "AAPL") -> Bar:
    """Make the n-th daily bar."""
    return Bar(symbol, T0 + n * DAY_NS, 9.0, 11.0, 8.0, close, 1000, 9.8, 42, DAY_NS)


async def test_daily_bars_come_back_oldest_first_within_the_span(store: Store) -> None:
    assert await store.stock_ohlc.save([a_day(2), a_day(0), a_day(1), a_day(1, symbol="MSFT")]) == 4
    assert await store.stock_ohlc.load("AAPL") == [a_day(0), a_day(1), a_day(2)]
    assert await store.stock_ohlc.load("AAPL", T0 + DAY_NS, T0 + 2 * DAY_NS) == [a_day(1)]


async def test_a_daily_bar_saved_again_replaces_the_first(store: Store) -> None:
    await store.stock_ohlc.save([a_day(0, close=10.0)])
    await store.stock_ohlc.save([a_day(0, close=10.5)])
    assert await store.stock_ohlc.load("AAPL") == [a_day(0, close=10.5)]


async def test_a_minute_bar_is_no_daily_bar(store: Store) -> None:
    with pytest.raises(ValueError, match="daily bars"):
        await store.stock_ohlc.save([Bar("AAPL", T0, 1, 1, 1, 1, 1, span_ns=MINUTE_NS)])


async def test_facts_of_a_symbol_add_up(store: Store) -> None:
    await store.ticker_data.save("AAPL", {"sector": "technology", "shares": 1.5e10})
    await store.ticker_data.save("AAPL", {"sector": "hardware"})
    assert await store.ticker_data.load("AAPL") == {"sector": "hardware", "shares": 1.5e10}
    assert await store.ticker_data.load("MSFT") == {}


async def test_an_account_holds_the_sum_of_its_transactions(store: Store) -> None:
    await store.accounts.open(LedgerAccount(account_id="a", created_ns=T0))
    move = Transaction(account_id="a", transaction_id="t-1", amount=100.0, t_ns=T0)
    assert await store.accounts.book(move)
    assert not await store.accounts.book(move)
    assert await store.accounts.book(
        Transaction(account_id="a", transaction_id="t-2", amount=-100.0, t_ns=T0 + 1)
    )
    assert await store.accounts.balance("a") == 0
    assert [t.transaction_id for t in await store.accounts.transactions("a")] == ["t-1", "t-2"]


async def test_a_withdrawal_booked_twice_is_refused_neither_time(store: Store) -> None:
    await store.accounts.open(LedgerAccount(account_id="a", created_ns=T0, credit_line=50.0))
    move = Transaction(account_id="a", transaction_id="t-1", amount=-50.0, t_ns=T0)
    assert await store.accounts.book(move)
    assert not await store.accounts.book(move)


async def test_a_withdrawal_past_the_credit_line_is_refused(store: Store) -> None:
    await store.accounts.open(LedgerAccount(account_id="a", created_ns=T0, credit_line=50.0))
    with pytest.raises(RefusedError, match=r"50\.01 dollars would pass"):
        await store.accounts.book(Transaction(account_id="a", transaction_id="t", amount=-50.01, t_ns=T0))
    assert await store.accounts.balance("a") == 0
    assert await store.accounts.get("a") == LedgerAccount(account_id="a", created_ns=T0, credit_line=50.0)


async def test_money_needs_an_account(store: Store) -> None:
    with pytest.raises(StoreError, match="no account 'b'"):
        await store.accounts.book(Transaction(account_id="b", transaction_id="t", amount=1.0, t_ns=T0))


async def test_a_portfolio_knows_its_batches(store: Store) -> None:
    await store.batches.begin(a_batch("b-0", start_ns=T0 - 1))
    await store.portfolio.save(Portfolio(portfolio_id="p", size=1000.0, created_ns=T0))
    for batch_id in (BATCH, "b-0", BATCH):
        await store.portfolio.join("p", batch_id)
    assert await store.portfolio.batch_ids("p") == ["b-0", BATCH]
    assert await store.portfolio.get("p") == Portfolio(portfolio_id="p", size=1000.0, created_ns=T0)
    assert await store.portfolio.get("q") is None


async def test_a_trial_of_a_search_takes_its_score_later(store: Store) -> None:
    def a_trial(score: float | None) -> OptimizerRun:
        return OptimizerRun(session_id="s", batch_id=BATCH, parameters='{"n": 3}', score=score, t_ns=T0)

    await store.optimizer_run.save(a_trial(None))
    await store.optimizer_run.save(a_trial(1.25))
    assert await store.optimizer_run.load("s") == [a_trial(1.25)]
