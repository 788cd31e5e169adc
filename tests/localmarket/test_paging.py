"""Pages: all rows, each once, by symbol and time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liu_tui.localmarket.paging import Mark, cut_page
from liu_tui.model.market import Trade
from liu_tui.trading.matching.refusals import ExchangeRefusal

ROWS = st.dictionaries(
    st.sampled_from(["A", "B", "C", "D"]), st.lists(st.integers(1, 6), max_size=9).map(sorted), max_size=4
)


@given(ROWS, st.integers(1, 7), st.booleans())
def test_following_the_tokens_gives_every_row_once_and_in_order(
    times: dict[str, list[int]], limit: int, descending: bool
) -> None:
    rows = {s: [Trade(s, t, 1.0, 1.0, n) for n, t in enumerate(ts)] for s, ts in times.items()}
    got: list[Trade] = []
    after: Mark | None = None
    for _ in range(50):
        page = cut_page(
            ["C", "A", "D", "B"], lambda s: rows.get(s, []), limit=limit, after=after, descending=descending
        )
        given_now = [row for some in page.rows.values() for row in some]
        assert len(given_now) <= limit
        got += given_now
        if page.next_mark is None:
            break
        assert given_now
        after = Mark.read(page.next_mark.token())
    assert got == [row for s in sorted(rows) for row in (rows[s][::-1] if descending else rows[s])]


@pytest.mark.parametrize("token", ["x", "bm90IGpzb24=", "WzFd"])
def test_a_token_that_is_none_of_ours_is_refused(token: str) -> None:
    with pytest.raises(ExchangeRefusal, match="invalid page_token"):
        Mark.read(token)
